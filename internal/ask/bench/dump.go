package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"codeberg.org/sbinet/npyio/npy"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// facts is what problem.json holds beside the arrays.
type facts struct {
	Shape         Shape     `json:"shape"`
	DType         string    `json:"dtype"`
	ResidualScale float64   `json:"residual_scale"` // δ
	StepSize      float64   `json:"step_size"`      // η
	Losses        []float64 `json:"losses"`         // J before each of the first three steps
}

// Dump writes the problem that Measure times to a folder, for other programs to
// compute the same: problem.json, and as .npy files of the given type, flat and
// row-major, X (N,d), Y (N,d), the weights A (L,d,d) and the gradient of J with
// respect to them, before any step.
func Dump(dir string, shape Shape, dtype string, options Options) error {
	if dtype == "float32" {
		return dump[float32](dir, shape, dtype, options)
	}
	if err := CheckDType(dtype); err != nil {
		return err
	}
	return dump[float64](dir, shape, dtype, options)
}

func dump[T kernel.Float](dir string, shape Shape, dtype string, options Options) error {
	p, err := newProblem[T](shape, Step{Method: "gd"}, options)
	if err != nil {
		return err
	}
	defer p.evaluator.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	weights := p.theta[:len(p.grad)]
	arrays := map[string][]T{"X": convert[T](p.Samples.X), "Y": convert[T](p.Samples.Y), "A": append([]T(nil), weights...)}
	about := facts{Shape: shape, DType: dtype, ResidualScale: p.Network.ResidualScale(), StepSize: stepSize}
	p.evaluator.Gradient(p.theta, p.grad) // a step may keep its own
	arrays["gradient"] = append([]T(nil), p.grad...)
	about.Losses = append(about.Losses, p.step(), p.step(), p.step())
	for name, values := range arrays {
		if err := writeArray(filepath.Join(dir, name+".npy"), values); err != nil {
			return fmt.Errorf("bench: dump: %w", err)
		}
	}
	text, err := json.Marshal(about)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "problem.json"), append(text, '\n'), 0o644)
}

// convert returns the values in type T.
func convert[T kernel.Float](values []float64) []T {
	converted := make([]T, len(values))
	for i, v := range values {
		converted[i] = T(v)
	}
	return converted
}

// writeArray writes values as a .npy file of one dimension.
func writeArray[T kernel.Float](path string, values []T) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<16)
	if err := npy.Write(w, values); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}
