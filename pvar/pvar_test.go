package pvar

import "testing"

func TestLine(t *testing.T) {
	v, err := Compute(Scalars([]float64{0, 1, 2, 3}), 1, 2)
	if err != nil || v[0].Value != 3 || v[1].Value != 9 || v[1].Norm() != 3 {
		t.Errorf("line 0…3: got %v, %v", v, err)
	}
}
