package runfolder

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"github.com/nlpodyssey/safetensors"

	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// endFile holds the state of a run before it looked at its last iterate, as far as no other file
// of the run has it. A run that ends later goes on from there.
const endFile = "end.safetensors"

// WriteEnd writes end.safetensors into the run folder dir, for Finish to follow with the checksum
// that it returns in Summary.SHA256. It holds no rows, and no seconds: equal states give equal
// bytes.
func WriteEnd(dir string, c *Checkpoint) (sums map[string]string, err error) {
	sum, err := writeFile(dir, endFile, func(w io.Writer) error { return encodeEnd(w, c) })
	if err != nil {
		return nil, err
	}
	return map[string]string{endFile: sum}, nil
}

func encodeEnd(w io.Writer, c *Checkpoint) error {
	state := *c
	state.Rows, state.Seconds = nil, 0
	views, metadata, err := checkpointViews(&state, new([]byte))
	if err != nil {
		return err
	}
	return safetensors.SerializeToWriter(views, metadata, w)
}

// End returns what WriteEnd stored, nil where the run has left nothing to go on from: an
// unfinished one, weights from elsewhere, or a method whose state was not kept.
func (r *Run) End() (*Checkpoint, error) {
	if !r.KeepsEnd() {
		return nil, nil
	}
	data, err := r.read(endFile)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(r.Dir, endFile)
	in := bytes.NewReader(data)
	_, infos, metadata, err := tensorheader.Read(in, int64(len(data)))
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	c, _, err := decodeCheckpoint(in, infos, metadata)
	if err == nil && c.Hash != r.Meta.Hash {
		err = fmt.Errorf("got the state of run %s, want %s", c.Hash, r.Meta.Hash)
	}
	if err != nil {
		return nil, &DamagedError{path, err}
	}
	return c, nil
}

// KeepsEnd reports whether the run is finished and has a state to go on from.
func (r *Run) KeepsEnd() bool { return r.Done() && r.Summary.SHA256[endFile] != "" }
