package runfolder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"

	"github.com/nlpodyssey/safetensors"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// WriteWeights writes w as a safetensors file, atomically and durably. Equal weights give
// equal bytes: tensors are sorted by name, those of dtype F64 before those of F32. NaN and
// ±Inf are allowed. Errors name the tensor: a shape that does not fit its data, or data of
// dtype F32 that are not float32 numbers.
func WriteWeights(path string, w Weights) error {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if _, err := replaceFile(dir, name, func(out io.Writer) error { return encodeWeights(out, w) }); err != nil {
		return err
	}
	return syncFolder(dir)
}

// ReadWeights reads a safetensors file of any origin whose tensors have dtype F64 or F32. It
// compares sizes with the file before it allocates memory. Errors name the file and the tensor.
func ReadWeights(path string) (Weights, error) {
	weights, _, err := readWeights(path)
	return weights, err
}

func encodeWeights(out io.Writer, w Weights) error {
	views, err := newViews("", w.Tensors, new([]byte))
	if err != nil {
		return err
	}
	return safetensors.SerializeToWriter(views, w.Metadata, out)
}

// readWeights also returns the SHA-256 of the file.
func readWeights(path string) (Weights, string, error) {
	file, err := disk.Open(path)
	if err != nil {
		return Weights{}, "", fmt.Errorf("runfolder: %w", err)
	}
	defer file.Close()
	status, err := file.Stat()
	if err != nil {
		return Weights{}, "", fmt.Errorf("runfolder: %w", err)
	}
	if err := checkSize(path, status.Size()); err != nil {
		return Weights{}, "", fmt.Errorf("runfolder: %w", err)
	}
	digest := sha256.New()
	weights, err := decodeWeights(io.TeeReader(file, digest), status.Size())
	if err != nil {
		return Weights{}, "", fmt.Errorf("runfolder: %s: %w", path, err)
	}
	return weights, hex.EncodeToString(digest.Sum(nil)), nil
}

func decodeWeights(r io.Reader, size int64) (Weights, error) {
	_, infos, metadata, err := tensorheader.Read(r, size)
	if err != nil {
		return Weights{}, err
	}
	w := Weights{Tensors: make(map[string]Tensor, len(infos)), Metadata: metadata}
	for _, info := range infos {
		if w.Tensors[info.Name], err = readTensor(r, info); err != nil {
			return Weights{}, err
		}
	}
	return w, nil
}
