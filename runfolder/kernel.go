package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/deeplimit/deeplimit/certify"
)

// kernelProof is kernel.json.
type kernelProof struct {
	// Weights is the SHA-256 of the weights.safetensors that it is about.
	Weights string          `json:"weights"`
	Kernel  *certify.Kernel `json:"kernel"`
}

// WriteKernel writes kernel.json of a finished run, in the place of an earlier one: what its tangent kernel proves.
func (r *Run) WriteKernel(k *certify.Kernel) error {
	if !r.Done() {
		return fmt.Errorf("runfolder: writing %s: the run is not finished", filepath.Join(r.Dir, kernelFile))
	}
	text, err := encodeWithChecksum(kernelProof{r.Summary.SHA256[weightsFile], k})
	if err != nil {
		return fmt.Errorf("runfolder: writing %s: %w", filepath.Join(r.Dir, kernelFile), err)
	}
	if err := keepFile(r.Dir, kernelFile, text); err != nil {
		return err
	}
	return syncFolder(r.Dir)
}

// Kernel reads kernel.json; nil where there is none. One of other weights than the run has is an error.
func (r *Run) Kernel() (*certify.Kernel, error) {
	path := filepath.Join(r.Dir, kernelFile)
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var p kernelProof
	if err := decodeWithChecksum(data, &p); err != nil {
		return nil, &DamagedError{path, err}
	}
	if !r.Done() || p.Weights != r.Summary.SHA256[weightsFile] || p.Kernel == nil {
		return nil, fmt.Errorf("runfolder: %s: it is about other weights than the run's; call deeplimit certify --kernel again", path)
	}
	return p.Kernel, nil
}
