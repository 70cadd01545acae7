package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"codeberg.org/sbinet/npyio/npy"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
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
	weights := p.theta[:len(p.grad)]
	arrays := map[string][]T{"X": convert[T](p.Samples.X), "Y": convert[T](p.Samples.Y), "A": append([]T(nil), weights...)}
	about := facts{Shape: shape, DType: dtype, ResidualScale: p.Network.ResidualScale(), StepSize: stepSize}
	p.evaluator.Gradient(p.theta, p.grad) // a step may keep its own
	arrays["gradient"] = append([]T(nil), p.grad...)
	about.Losses = append(about.Losses, p.step(), p.step(), p.step())
	return write(dir, about, arrays)
}

// write writes arrays and what is to be known of them to a folder.
func write[T kernel.Float](dir string, about any, arrays map[string][]T) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
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

// studyFacts is what problem.json holds of a run of a study.
type studyFacts struct {
	Samples  int              `json:"samples"`
	Inputs   int              `json:"inputs"`
	Outputs  int              `json:"outputs"`
	Depth    int              `json:"depth"`
	DType    string           `json:"dtype"`
	Network  resnet.Spec      `json:"network"`
	Train    train.Spec       `json:"train"`
	Groups   map[string][]int `json:"groups"`            // shapes of the parameters, of which each has a file
	Trained  []string         `json:"trained"`           // those with a gradient
	StepSize float64          `json:"step_size"`         // η
	Epsilon  float64          `json:"epsilon,omitempty"` // ε at this depth
	Order    []int            `json:"order,omitempty"`   // of the samples, of which Train.Batch in turn are a mini-batch
	Losses   []float64        `json:"losses"`            // before each of the first three steps
}

// DumpStudy writes the one run of a plan as Dump does a workload: beside X (N,inputs) and Y (N,outputs) each group of
// parameters as NAME.npy and, of those that are trained, the gradient of the first step as gradient-NAME.npy.
//
// It refuses what other programs are not asked to compute: more than one run or element type, a step size that an
// iterate or a schedule decides, step sizes of their own for parts, penalty, weight decay and clipping.
func DumpStudy(dir string, p *plan.Plan, dtypes []string, options Options) error {
	var runs []study.Run
	err := eachRun(p, dtypes, func(run *study.Run) error {
		runs = append(runs, *run)
		return nil
	})
	if err != nil {
		return err
	}
	if len(runs) != 1 {
		return fmt.Errorf("bench: --dump: got %d runs and element types, want one", len(runs))
	}
	if runs[0].DType == "float32" {
		return dumpRun[float32](dir, p, &runs[0], options)
	}
	return dumpRun[float64](dir, p, &runs[0], options)
}

func dumpRun[T kernel.Float](dir string, p *plan.Plan, run *study.Run, options Options) error {
	law := run.Train.At(run.Depth, run.Network)
	key, _ := run.Train.AlteredBy()
	if law.First == nil || law.Rule == "armijo" || law.Schedule != "constant" || len(law.Parts) > 0 || key != "" || !run.Train.Penalty.IsZero() {
		return fmt.Errorf("bench: --dump: got %s, want step rule depth or constant with schedule constant, one step size for all parts and nothing beside the loss", run.ID)
	}
	descent, steps, err := begin[T](p, run, options)
	if err != nil {
		return err
	}
	defer descent.Close()
	net, set := descent.Network, p.Set(run)
	about := studyFacts{
		Samples: set.Samples, Inputs: set.Inputs, Outputs: set.Outputs, Depth: run.Depth, DType: run.DType, Network: run.Network, Train: run.Train,
		Groups: map[string][]int{}, Trained: run.Network.Trained(), StepSize: *law.First, Epsilon: law.Epsilon,
	}
	_, gradient := steps.Gradient()
	about.Order = slices.Clone(steps.Order())
	arrays := map[string][]T{"X": convert[T](set.X), "Y": convert[T](set.Y)}
	for _, group := range net.Layout.Groups {
		about.Groups[group.Name] = group.Shape
		arrays[group.Name] = slices.Clone(resnet.View(net.Layout, descent.Theta, group.Name))
		if group.Trained {
			arrays["gradient-"+group.Name] = slices.Clone(resnet.View(net.Layout, gradient, group.Name))
		}
	}
	for range 3 {
		loss, err := steps.Step()
		if err != nil {
			return err
		}
		about.Losses = append(about.Losses, loss)
	}
	return write(dir, about, arrays)
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
