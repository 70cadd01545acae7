package runfolder

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// normsFile holds Norms.Tensors.
const normsFile = "norms.safetensors"

// Norms are the norms of every layer at some iterations of a run: M iterations, L layers.
type Norms struct {
	Iterations []int64               // M, increasing
	Parts      map[string]LayerNorms // A, or V and W
}

// LayerNorms are the norms of one part of the weights, row-major (M,L), rounded to
// float32: half the space, and more digits than a picture shows.
type LayerNorms struct {
	Frobenius    []float64 // ‖A_k(t)‖_F
	Displacement []float64 // ‖A_k(t) − A_k(0)‖_F
}

// movedSuffix ends the name of the tensor of displacements.
const movedSuffix = "_displacement"

// Tensors returns what norms.safetensors holds: iterations (M), and for every part, such
// as A, its norms A (M,L) and A_displacement (M,L).
func (n *Norms) Tensors() map[string]Tensor {
	m := len(n.Iterations)
	iterations := Tensor{DType: "F64", Shape: []int{m}, Data: make([]float64, m)}
	for i, t := range n.Iterations {
		iterations.Data[i] = float64(t)
	}
	tensors := map[string]Tensor{"iterations": iterations}
	for part, norms := range n.Parts {
		shape := []int{m, len(norms.Frobenius) / max(1, m)}
		tensors[part] = Tensor{"F32", shape, norms.Frobenius}
		tensors[part+movedSuffix] = Tensor{"F32", shape, norms.Displacement}
	}
	return tensors
}

// NormsFrom returns the norms that Tensors gave for a network of the given depth. Tensors
// that do not fit together are an error.
func NormsFrom(tensors map[string]Tensor, depth int) (*Norms, error) {
	iterations, ok := tensors["iterations"]
	if !ok || len(iterations.Shape) != 1 {
		return nil, fmt.Errorf("iterations: got shape %v, want (M)", iterations.Shape)
	}
	n := &Norms{Parts: map[string]LayerNorms{}}
	for i, t := range iterations.Data {
		if !(t >= 0 && t < 1<<53) || t != float64(int64(t)) || i > 0 && int64(t) <= n.Iterations[i-1] {
			return nil, fmt.Errorf("iterations: got %v at index %d, want whole numbers that increase", t, i)
		}
		n.Iterations = append(n.Iterations, int64(t))
	}
	fits := func(t Tensor) bool {
		return len(t.Shape) == 2 && t.Shape[0] == len(n.Iterations) && t.Shape[1] == depth && len(t.Data) == len(n.Iterations)*depth
	}
	for part, norms := range tensors {
		if part == "iterations" || strings.HasSuffix(part, movedSuffix) {
			continue
		}
		moved := tensors[part+movedSuffix]
		if !fits(norms) || !fits(moved) {
			return nil, fmt.Errorf("%s: got shapes %v and %v, want (%d, %d) for norms and displacements", part, norms.Shape, moved.Shape, len(n.Iterations), depth)
		}
		n.Parts[part] = LayerNorms{norms.Data, moved.Data}
	}
	return n, nil
}

// WriteNorms writes norms.safetensors into the run folder dir, for Finish to follow with
// the checksum it returns in Summary.SHA256.
func WriteNorms(dir string, norms *Norms) (sums map[string]string, err error) {
	sum, err := writeFile(dir, normsFile, func(w io.Writer) error { return encodeWeights(w, Weights{Tensors: norms.Tensors()}) })
	if err != nil {
		return nil, err
	}
	return map[string]string{normsFile: sum}, nil
}

// Norms returns the norms of layers that the run recorded, nil when it recorded none:
// train.norms is off, weights from elsewhere, or an unfinished run.
func (r *Run) Norms() (*Norms, error) {
	if !r.Done() || r.Summary.SHA256[normsFile] == "" {
		return nil, nil
	}
	data, err := r.read(normsFile)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(r.Dir, normsFile)
	weights, err := decodeWeights(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	norms, err := NormsFrom(weights.Tensors, r.Meta.Depth)
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	return norms, nil
}
