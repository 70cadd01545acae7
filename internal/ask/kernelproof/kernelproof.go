// Package kernelproof proves statements about a finished run from its tangent kernel: it
// rebuilds the network and the samples, as edge and transfer do.
package kernelproof

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/internal/tangent"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Options of Prove. The zero value is the default.
type Options struct {
	Bound   string  // tangent.Auto, Cheap or Full; default Full
	Step    float64 // η of gradient descent; 0 for the largest that is certain
	Base    string  // folder that relative names of data files start from; default: as recorded
	Workers int
	// Polish makes Newton steps from the iterate first, MostSteps at most, and proves what holds at
	// their end, too.
	Polish    bool
	MostSteps int // default 200
	// Progress is called with what is done; it may be nil.
	Progress func(text string)
}

// PolishedFile is where Prove stores polished weights, in the folder of the run.
const PolishedFile = "kernel/polished.safetensors"

// Prove returns what is proved about the last iterate of a finished run.
func Prove(ctx context.Context, run *runfolder.Run, options Options) (*certify.Kernel, error) {
	if !run.Done() {
		return nil, fmt.Errorf("kernel certificate: run %s: %w; run its study again to finish it", run.Meta.ID, proof.ErrUnfinished)
	}
	problem, err := plan.Recorded(run, options.Base)
	if err != nil {
		return nil, fmt.Errorf("kernel certificate: run %s: %w", run.Meta.ID, err)
	}
	theta, err := Theta(run, problem.Network)
	if err != nil {
		return nil, fmt.Errorf("kernel certificate: run %s: %w", run.Meta.ID, err)
	}
	if run.Meta.Penalty != "" {
		return refused(problem, theta, "the run minimises a penalty beside the loss ("+run.Meta.Penalty+"), and its descent is not that on the loss alone")
	}
	note := func(format string, args ...any) {
		if options.Progress != nil {
			options.Progress(fmt.Sprintf(format, args...))
		}
	}
	model, err := tangent.New(problem.Network, theta, problem.Samples.X, problem.Samples.Y, options.Workers)
	if refusal := (*tangent.RefusedError)(nil); errors.As(err, &refusal) {
		return refused(problem, theta, refusal.Why)
	}
	if err != nil {
		return nil, fmt.Errorf("kernel certificate: run %s: %w", run.Meta.ID, err)
	}
	ask := tangent.Options{Bound: options.Bound, Step: options.Step, Progress: func(done, of int) { note("sample %d of %d", done, of) }}
	kept := newPartial(run, problem, theta)
	ask.Store = kept
	note("tangent kernel of %d samples × %d outputs", len(problem.Samples.X)/problem.Network.Inputs, problem.Network.Outputs)
	k, err := model.Prove(ctx, ask)
	if err != nil {
		return nil, err
	}
	k.StepsNeeded = stepsNeeded(run, k)
	if options.Polish {
		if k.Polish, err = polish(ctx, run, problem, model, theta, ask, options, note); err != nil {
			return nil, err
		}
	}
	kept.end()
	return k, nil
}

// refused reports the loss of a network that no statement is about.
func refused(problem *plan.Problem, theta []float64, why string) (*certify.Kernel, error) {
	e, err := resnet.NewEvaluator[float64](problem.Network, problem.Samples, resnet.Options{Workers: 1})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	outputs := make([]float64, len(problem.Samples.Y))
	if err := e.Outputs(theta, outputs); err != nil {
		return nil, err
	}
	sum := 0.0
	for i, v := range outputs {
		sum += (v - problem.Samples.Y[i]) * (v - problem.Samples.Y[i])
	}
	loss := e.Loss(theta).Loss
	if math.IsNaN(loss+sum) || math.IsInf(loss+sum, 0) {
		return nil, errors.New("kernel certificate: got outputs that are not finite, want weights that did not diverge")
	}
	return certify.Refused(loss, math.Sqrt(sum), why), nil
}

// Theta returns the trained parameters of a run in the layout of its network.
func Theta(run *runfolder.Run, net *resnet.Network) ([]float64, error) {
	weights, err := run.Weights()
	if err != nil {
		return nil, err
	}
	theta := make([]float64, net.Layout.Size)
	for _, g := range net.Layout.Groups {
		tensor, ok := weights.Tensors[g.Name]
		view := resnet.View(net.Layout, theta, g.Name)
		switch {
		case !ok:
			return nil, fmt.Errorf("weights.safetensors: got no tensor %s, want one of shape %v", g.Name, g.Shape)
		case g.Name == "delta" && len(view) == 1 && len(tensor.Data) == net.Depth: // stored for each layer
			view[0] = tensor.Data[0]
		case !slices.Equal(tensor.Shape, g.Shape):
			return nil, fmt.Errorf("weights.safetensors: tensor %s: got shape %v, want %v", g.Name, tensor.Shape, g.Shape)
		default:
			copy(view, tensor.Data)
		}
	}
	return theta, nil
}

// stepsNeeded returns how many further steps take the loss to what Descent needs, at the rate of the last tenth of
// the recorded iterates, 2 at least.
func stepsNeeded(run *runfolder.Run, k *certify.Kernel) *float64 {
	if k.LossNeeded == nil || k.Descent.Issued || !(k.Loss > *k.LossNeeded) {
		return nil
	}
	rows, err := run.Trace()
	if err != nil {
		return nil
	}
	rows = slices.DeleteFunc(rows, func(r runfolder.Row) bool { return r.Loss == nil || !(*r.Loss > 0) })
	if len(rows) < 3 {
		return nil
	}
	last := rows[len(rows)-1]
	first := rows[min(len(rows)-2, len(rows)*9/10)]
	fall := math.Log(*first.Loss / *last.Loss) / float64(last.Iteration-first.Iteration)
	if !(fall > 0) {
		return nil
	}
	steps := math.Ceil(math.Log(k.Loss / *k.LossNeeded) / fall)
	return &steps
}

// polish makes Newton steps from theta and proves what holds at their end.
func polish(ctx context.Context, run *runfolder.Run, problem *plan.Problem, model *tangent.Model, theta []float64, ask tangent.Options, options Options, note func(string, ...any)) (*certify.Polish, error) {
	start := slices.Clone(theta)
	most := options.MostSteps
	if most == 0 {
		most = 200
	}
	report := func(steps int, loss float64) { note("Newton step %d, loss %.3g", steps, loss) }
	steps, moved, err := model.PolishFrom(ctx, theta, most, report, ask.Store)
	if err != nil {
		return nil, err
	}
	ask.Step, ask.Store = 0, newPartial(run, problem, theta)
	end, err := model.Prove(ctx, ask)
	if err != nil {
		return nil, err
	}
	p := &certify.Polish{
		Steps: steps, Loss: end.Loss, Moved: moved, Weights: PolishedFile, Zero: end.Zero,
		Rounding: end.Rounding, RoundingWhy: end.RoundingWhy,
	}
	if end.Proven != nil {
		p.Zero = end.Proven.Zero
	}
	if p.Zero.Issued { // rounded up, the sum of squares in Moved too
		distance := (moved + *p.Zero.Distance) * (1 + float64(len(theta)+8)*0x1p-53)
		p.Distance = &distance
	}
	weights := train.Weights(problem.Network, theta, start)
	if err := disk.MkdirAll(filepath.Join(run.Dir, filepath.Dir(PolishedFile)), 0o777); err != nil {
		return nil, err
	}
	return p, runfolder.WriteWeights(filepath.Join(run.Dir, filepath.FromSlash(PolishedFile)), weights)
}
