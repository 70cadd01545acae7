package runfolder

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
)

// statesFile holds tensor h (n, L+1, d): the hidden states h_0 … h_L of the first n
// training samples at the end of a run.
const statesFile = "states.safetensors"

// WriteStates writes states.safetensors into the run folder dir, for Finish to follow
// with the checksum it returns in Summary.SHA256.
func WriteStates(dir string, states Weights) (sums map[string]string, err error) {
	sum, err := writeFile(dir, statesFile, func(w io.Writer) error { return encodeWeights(w, states) })
	if err != nil {
		return nil, err
	}
	return map[string]string{statesFile: sum}, nil
}

// States returns the hidden states (n, L+1, d) that the run kept, nil when it kept
// none: weights from elsewhere, or an unfinished run.
func (r *Run) States() (*Tensor, error) {
	if !r.Done() || r.Summary.SHA256[statesFile] == "" {
		return nil, nil
	}
	data, err := r.read(statesFile)
	if err != nil {
		return nil, err
	}
	weights, err := decodeWeights(bytes.NewReader(data), int64(len(data)))
	path := filepath.Join(r.Dir, statesFile)
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	h, ok := weights.Tensors["h"]
	if !ok || len(h.Shape) != 3 || h.Shape[1] != r.Meta.Depth+1 {
		return nil, &DamagedError{path, fmt.Errorf("h: got shape %v, want (n, %d, d)", h.Shape, r.Meta.Depth+1)}
	}
	return &h, nil
}
