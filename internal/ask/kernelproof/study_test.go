package kernelproof

import (
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/tangent"
)

// TestAnswered says which stored certificates need not be made again.
func TestAnswered(t *testing.T) {
	one := 1.0
	issued := func(bound string, step, most float64) *certify.Kernel {
		return &certify.Kernel{Bound: bound, NewtonStep: &one, Descent: certify.LinearDescent{Step: &step, StepMax: &most}}
	}
	open := &certify.Kernel{Bound: tangent.Full, NewtonStep: &one} // descent does not close
	singular := &certify.Kernel{Bound: tangent.Full}
	polished := issued(tangent.Full, 2, 2)
	polished.Polish = &certify.Polish{}
	for name, c := range map[string]struct {
		options Options
		kernel  *certify.Kernel
		want    bool
	}{
		"default":               {Options{}, issued(tangent.Full, 2, 2), true},
		"cheap":                 {Options{}, issued(tangent.Cheap, 2, 2), false},
		"cheap, either will do": {Options{Bound: tangent.Auto}, issued(tangent.Cheap, 2, 2), true},
		"cheap, asked for":      {Options{Bound: tangent.Cheap}, issued(tangent.Cheap, 2, 2), true},
		"its step":              {Options{Step: 3}, issued(tangent.Full, 3, 2), true},
		"another step":          {Options{Step: 1}, issued(tangent.Full, 2, 2), false},
		"a smaller step":        {Options{}, issued(tangent.Full, 1, 2), false},
		"open":                  {Options{}, open, true},
		"open, with a step":     {Options{Step: 1}, open, false},
		"singular":              {Options{Step: 1}, singular, true},
		"refused":               {Options{Step: 1}, certify.Refused(1, 1, "why"), true},
		"polished":              {Options{Polish: true}, polished, true},
		"not polished":          {Options{Polish: true}, issued(tangent.Full, 2, 2), false},
		"polished, not asked":   {Options{}, polished, false},
	} {
		if got := c.options.answered(c.kernel); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
