package runfolder

import (
	"math"
	"slices"
	"testing"
)

// path345 has A_1 = (0 0), A_2 = (3 4), A_3 = (3 0): increments 5 and 4.
func path345() Path { return Path{Depth: 3, Rows: 1, Cols: 2, Data: []float64{0, 0, 3, 4, 3, 0}} }

func TestPathNumbers(t *testing.T) {
	p := path345()
	half := p.Rescaled(0.5)
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"max_frobenius", p.MaxFrobenius(), 5},
		{"root_sum_squares", p.RootSumSquares(), math.Sqrt(34)},
		{"max_increment", p.MaxIncrement(), 5},
		{"quadratic_variation", p.QuadraticVariation(), 41},
		{"rescaled quadratic_variation", half.QuadraticVariation(), 41.0 / 4},
		{"single layer", Path{Depth: 1, Rows: 1, Cols: 1, Data: []float64{-2}}.MaxIncrement(), 0},
	} {
		// A handful of operations: 8 roundings of the result.
		if !(math.Abs(c.got-c.want) <= 8*0x1p-53*c.want) {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	if got := p.Matrix(2); !slices.Equal(got, []float64{3, 4}) {
		t.Errorf("Matrix(2) = %v", got)
	}
	p.Data[3] = math.NaN()
	if !math.IsNaN(p.MaxFrobenius()) || !math.IsNaN(p.MaxIncrement()) || !math.IsNaN(p.QuadraticVariation()) {
		t.Error("NaN in the weights is lost")
	}
}

func TestSub(t *testing.T) {
	p := path345()
	u, err := p.Sub(p.Rescaled(2))
	if err != nil || !slices.Equal(u.Data, []float64{0, 0, -3, -4, -3, 0}) {
		t.Errorf("p − 2p = %v, %v", u.Data, err)
	}
	_, err = p.Sub(Path{Depth: 3, Rows: 2, Cols: 1})
	checkError(t, err, "", "runfolder: difference of paths: got shapes (3,1,2) and (3,2,1), want the same")
}

func TestPathOfTensors(t *testing.T) {
	w := Weights{Tensors: map[string]Tensor{
		"W": {Shape: []int{2, 3, 4}, Data: make([]float64, 24)},
		"b": {Shape: []int{2, 3}, Data: make([]float64, 6)},
		"d": {Shape: []int{2}, Data: make([]float64, 2)},
		"x": {Shape: []int{1, 2, 3, 4}, Data: make([]float64, 24)},
		"0": {Shape: []int{0, 2}},
	}}
	for part, want := range map[string][3]int{"W": {2, 3, 4}, "b": {2, 3, 1}, "d": {2, 1, 1}} {
		p, err := w.Path(part)
		if err != nil || [3]int{p.Depth, p.Rows, p.Cols} != want {
			t.Errorf("%s: %d,%d,%d, %v, want %v", part, p.Depth, p.Rows, p.Cols, err, want)
		}
	}
	for part, want := range map[string]string{
		"A": `runfolder: weights: no tensor "A" among 0, W, b, d, x`,
		"x": `runfolder: weights: tensor "x": got shape [1 2 3 4] and 24 entries, want (L,rows,columns), (L,rows) or (L)`,
		"0": `runfolder: weights: tensor "0": got shape [0 2] and 0 entries, want (L,rows,columns), (L,rows) or (L)`,
	} {
		_, err := w.Path(part)
		checkError(t, err, "", want)
	}
}
