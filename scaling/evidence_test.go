package scaling

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
)

func TestIncrementsErrors(t *testing.T) {
	x := noisePath(rand.New(rand.NewPCG(1, 1)), 16, 1, 1, gaussian)
	bad := pvar.Scalars(slices.Clone(x.Data))
	bad.Data[4] = math.Inf(1)
	for _, c := range []struct {
		paths []DepthPath
		want  string
	}{
		{nil, "scaling: increments: got no paths, want two depths or more"},
		{[]DepthPath{{7, 2, x}}, "scaling: increments: depth 7, seed 2: want a depth of 8 or more"},
		{[]DepthPath{{17, 2, x}}, "scaling: increments: depth 17, seed 2: got 16 numbers in dimension 1, want one point a layer"},
		{[]DepthPath{{16, 2, x}, {8, 2, pvar.Points{Dim: 2, Data: x.Data}}}, "scaling: increments: depth 8, seed 2: got dimension 2, want 1 as at depth 16"},
		{[]DepthPath{{16, 2, bad}}, "scaling: increments: depth 16, seed 2: layer 5: got +Inf, want a finite number"},
		{[]DepthPath{{16, 2, x}}, "scaling: increments: V_1: scaling: fit: got depth 16 alone, want two depths or more"},
		{
			[]DepthPath{{16, 2, x}, {32, 2, pvar.Scalars(make([]float64, 32))}},
			"scaling: increments: V_1: scaling: fit: depth 32, seed 2: got value 0, want a positive finite number",
		},
	} {
		if _, err := Increments(c.paths); err == nil || err.Error() != c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
}
