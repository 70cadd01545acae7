package importer

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/runfolder"
)

// states returns hidden states h_0 … h_L of one sample of width 2 that are made up.
func states(step, depth int) runfolder.Tensor {
	t := runfolder.Tensor{DType: "F64", Shape: []int{depth + 1, 2}, Data: make([]float64, 2*(depth+1))}
	for i := range t.Data {
		t.Data[i] = 1 + math.Cos(float64(i*i)) + float64(step)*math.Sin(float64(5*i))/100
	}
	return t
}

// writeStates writes checkpoints of weights and states.
func writeStates(t *testing.T, dir string, depth, rows int, steps ...int) {
	t.Helper()
	for _, step := range steps {
		w := runfolder.Weights{Tensors: map[string]runfolder.Tensor{"stack": recorded(step, depth), statesTensor: states(step, rows)}}
		if err := runfolder.WriteWeights(filepath.Join(dir, "step"+strconv.Itoa(step)+".safetensors"), w); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFollow wants the rows of a training that goes on to be those of its run in the end, in the same group, with updates
// and states by their definitions.
func TestFollow(t *testing.T) {
	const depth = 6
	dir := t.TempDir()
	writeStates(t, dir, depth, depth, 0, 5, 100)
	o := Options{Out: filepath.Join(t.TempDir(), "run"), Name: "mine", Steps: SeriesSteps, Layout: Layout{Weight: "stack", Convention: ColumnVectors}, Alpha: 0.25}
	follower, err := Follow(filepath.Join(dir, "step0.safetensors"), 1, o)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := Import(t.Context(), []string{dir}, o)
	if err != nil {
		t.Fatal(err)
	}
	run, err := runfolder.Open(runs[0].Dir)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := run.Trace()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := follower.Meta, run.Meta; got.Group != want.Group || got.Depth != want.Depth || got.Hash == want.Hash || !got.End.IsZero() {
		t.Errorf("got %+v, want another run of the group of %+v", got, want)
	}
	for _, want := range rows {
		step := int(want.Iteration)
		got, err := follower.Measure(filepath.Join(dir, "step"+strconv.Itoa(step)+".safetensors"), step)
		if err != nil {
			t.Fatal(err)
		}
		if *got.UpdateNorm != *want.UpdateNorm || got.MaxFrobenius != want.MaxFrobenius || *got.Variation2 != *want.Variation2 || *got.BlockChange != *want.BlockChange {
			t.Errorf("step %d: got %+v, want %+v", step, got, want)
		}
		norm, rank := updates(step, depth)
		last, block := changes(step, depth)
		for name, pair := range map[string][2]float64{
			"update_norm": {*want.UpdateNorm, norm}, "last_state": {*want.LastState, last}, "block_change": {*want.BlockChange, block},
		} {
			if !(math.Abs(pair[0]-pair[1]) <= 1e-9*(1e-3+pair[1])) {
				t.Errorf("step %d: %s: got %v, want %v", step, name, pair[0], pair[1])
			}
		}
		if step == 0 {
			if want.UpdateRank != nil {
				t.Errorf("got rank %v where nothing moved, want none", *want.UpdateRank)
			}
		} else if !(math.Abs(*want.UpdateRank-rank) <= 1e-8*rank) {
			t.Errorf("step %d: update_rank: got %v, want %v", step, *want.UpdateRank, rank)
		}
	}
}

// updates returns the mean over layers of L^β‖ΔA_k‖₂ and of the stable rank, by singular values.
func updates(step, depth int) (norm, rank float64) {
	now, start := recorded(step, depth).Data, recorded(0, depth).Data
	for k := range depth {
		delta := mat.NewDense(3, 3, nil)
		for i := range 9 {
			delta.Set(i/3, i%3, now[9*k+i]-start[9*k+i])
		}
		var svd mat.SVD
		svd.Factorize(delta, mat.SVDNone)
		largest := svd.Values(nil)[0]
		norm += math.Pow(float64(depth), 0.75) * largest / float64(depth)
		rank += math.Pow(mat.Norm(delta, 2)/largest, 2) / float64(depth)
	}
	return norm, rank
}

// changes returns ‖Δh_L‖/‖h_L‖ and the change of blocks, entry by entry.
func changes(step, depth int) (last, block float64) {
	now, start := states(step, depth).Data, states(0, depth).Data
	norm := func(x, y float64) float64 { return math.Hypot(x, y) }
	last = norm(now[2*depth]-start[2*depth], now[2*depth+1]-start[2*depth+1]) / norm(start[2*depth], start[2*depth+1])
	for k := range depth {
		var d [2]float64
		for i := range d {
			d[i] = (now[2*k+2+i] - now[2*k+i]) - (start[2*k+2+i] - start[2*k+i])
		}
		block += math.Pow(norm(d[0], d[1])/norm(start[2*k], start[2*k+1]), 2) / float64(depth)
	}
	return last, float64(depth) * math.Sqrt(block)
}

// TestStatesRefused wants an error for states that are not those of this depth.
func TestStatesRefused(t *testing.T) {
	dir := t.TempDir()
	writeStates(t, dir, 4, 7, 0)
	o := Options{Out: "x", Name: "x", Layout: Layout{Weight: "stack", Convention: ColumnVectors}}
	_, err := Follow(filepath.Join(dir, "step0.safetensors"), 1, o)
	if err == nil || !strings.Contains(err.Error(), `tensor "deeplimit.states": got shape [8 2], want (5, …)`) {
		t.Errorf("got error %v", err)
	}
}

// TestSpectralNorm wants the largest singular value, of matrices of any shape.
func TestSpectralNorm(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rows, cols := rapid.IntRange(1, 30).Draw(r, "rows"), rapid.IntRange(1, 30).Draw(r, "cols")
		a := mat.NewDense(rows, cols, rapid.SliceOfN(rapid.Float64Range(-10, 10), rows*cols, rows*cols).Draw(r, "entries"))
		got, err := spectralNorm(a)
		if err != nil {
			r.Fatal(err)
		}
		var svd mat.SVD
		if !svd.Factorize(a, mat.SVDNone) {
			r.Skip("no singular values")
		}
		if want := svd.Values(nil)[0]; !(math.Abs(got-want) <= 1e-6*want) {
			r.Errorf("got %v, want %v", got, want)
		}
	})
}
