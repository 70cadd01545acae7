package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A problem is what a chain was trained on: the samples, the network at any depth, and
// how its weights start. It comes from the resolved configuration in run.json, so that
// neither the study file nor its overrides are needed.
type problem struct {
	spec    resnet.Spec
	initial resnet.Initial
	seed    uint64
	base    string
	samples resnet.Samples
	inputs  int
	outputs int
	memory  int64 // bytes that hidden states may take
	train   train.Spec
}

// configuration is the part of study.Run.Config that a network needs.
type configuration struct {
	Data    dataset.Spec   `json:"data"`
	Files   []study.File   `json:"files"`
	Network resnet.Spec    `json:"network"`
	Initial resnet.Initial `json:"initial"`
	Train   train.Spec     `json:"train"`
}

// newProblem reads the configuration of a run and loads its samples; base replaces
// the recorded folder of data files unless it is "". Hidden states may take what a run
// in training may by default, shared by the workers.
func newProblem(run *runfolder.Run, base string, workers int) (*problem, error) {
	if base == "" {
		base = run.Meta.Base
	}
	var c configuration
	if len(run.Meta.Config) > 0 {
		if err := json.Unmarshal(run.Meta.Config, &c); err != nil {
			return nil, fmt.Errorf("run.json: config: %w", err)
		}
	}
	if c.Data.Kind == "" {
		return nil, errors.New("run.json: config: got no data, want a run that deeplimit trained: weights from elsewhere have no samples to evaluate a loss on")
	}
	if err := checkFiles(c, base); err != nil {
		return nil, err
	}
	set, err := dataset.Load(c.Data, base)
	if err != nil {
		return nil, err
	}
	memory, err := train.Spec{}.MemoryBytes()
	if err != nil {
		return nil, err
	}
	return &problem{
		memory: memory / int64(workers),
		spec:   c.Network, initial: c.Initial, seed: run.Meta.Seed, base: base, inputs: set.Inputs, outputs: set.Outputs,
		samples: resnet.Samples{X: set.X, Y: set.Y, Labels: set.Labels}, train: c.Train,
	}, nil
}

// checkFiles returns an error unless the data files are those that the run was
// trained on.
func checkFiles(c configuration, base string) error {
	paths, err := dataset.Files(c.Data, base)
	if err != nil {
		return err
	}
	want := map[string]string{}
	for _, f := range c.Files {
		want[f.Role] = f.SHA256
	}
	for i, path := range paths {
		digest, err := digestOf(path)
		if err != nil {
			return fmt.Errorf("data of the run: %w; put the file back, or name the folder that relative names start from (now %q) with --base", err, base)
		}
		if sum := want["data."+strconv.Itoa(i)]; sum != digest {
			return fmt.Errorf("data of the run: %s: got sha256 %s, want %s: the file has changed since the run", path, digest, sum)
		}
	}
	return nil
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// network returns the run's architecture at a depth.
func (p *problem) network(depth int) (*resnet.Network, error) {
	return resnet.New(p.spec, depth, p.inputs, p.outputs)
}

// trendLoss returns the loss of an estimate's trend at the given depth.
func (p *problem) trendLoss(e *estimate, depth int) (float64, error) {
	net, theta, err := p.rebuilt(e, depth)
	if err != nil {
		return 0, err
	}
	return p.loss(net, theta)
}

// rebuilt returns the network of the given depth with the trend of an estimate.
func (p *problem) rebuilt(e *estimate, depth int) (*resnet.Network, []float64, error) {
	net, err := p.network(depth)
	if err != nil {
		return nil, nil, err
	}
	// Frames that are not trained, and a fixed δ, are the same whatever the layers
	// start from; what is trained is set below.
	theta, err := resnet.Parameters[float64](net, zeroed(p.initial), p.seed, p.base)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range e.groups {
		set(net, theta, g, func(layer []float64, limit []float64, scale float64) {
			for i, v := range limit {
				layer[i] = scale * v
			}
		}, resample(g.trend, g.points(depth)).Data)
	}
	return net, theta, nil
}

// better returns the estimate whose trend has the lower loss at the given depth; b when
// that of a is not a number.
func (p *problem) better(a, b *estimate, depth int) (*estimate, error) {
	first, err := p.trendLoss(a, depth)
	if err != nil {
		return nil, err
	}
	second, err := p.trendLoss(b, depth)
	if err != nil {
		return nil, err
	}
	if first < second {
		return a, nil
	}
	return b, nil
}

// target returns the losses of the networks that a limit gives at a depth.
func (p *problem) target(limit *estimate, depth int) (runfolder.TransferTarget, error) {
	t := runfolder.TransferTarget{Depth: depth}
	var err error
	if t.Trend, err = p.trendLoss(limit, depth); err != nil {
		return t, err
	}
	net, err := p.network(depth)
	if err != nil {
		return t, err
	}
	if p.fromFiles() {
		return t, nil
	}
	if _, err := p.initial.Resolve(p.spec, depth); err != nil {
		return t, err
	}
	theta, err := resnet.Parameters[float64](net, p.initial, p.seed, p.base)
	if err != nil {
		return t, err
	}
	for _, g := range limit.groups {
		set(net, theta, g, func(layer, limit []float64, scale float64) {
			for i, v := range limit {
				layer[i] += scale * v
			}
		}, resample(g.displacement, g.points(depth)).Data)
	}
	loss, err := p.loss(net, theta)
	t.Redrawn = &loss
	return t, err
}

// fromFiles says whether initial weights come from a file, of which there is none for a depth
// that was not in the study.
func (p *problem) fromFiles() bool {
	for _, part := range p.initial.Parts {
		if part.Kind == "file" {
			return true
		}
	}
	return false
}

// zeroed returns initial weights of zero, for networks whose trained groups are set.
func zeroed(initial resnet.Initial) resnet.Initial {
	parts := make(map[string]resnet.Initial, len(initial.Parts))
	for name := range initial.Parts {
		parts[name] = resnet.Initial{Kind: "zero", Amplitude: new(float64)}
	}
	return resnet.Initial{Parts: parts}
}

// points returns how many points the group has in a network of the given depth.
func (g groupEstimate) points(depth int) int {
	if g.layered {
		return depth
	}
	return 1
}

// set calls f with the entries of a group in theta, what the limit has for them, and
// the factor that undoes the rescaling.
func set(net *resnet.Network, theta []float64, g groupEstimate, f func(entries, limit []float64, scale float64), limit []float64) {
	f(resnet.View(net.Layout, theta, g.name), limit, math.Pow(float64(net.Depth), -g.exponent))
}

// loss returns J(θ) over the training samples, in float64.
func (p *problem) loss(net *resnet.Network, theta []float64) (float64, error) {
	evaluator, err := resnet.NewEvaluator[float64](net, p.samples, resnet.Options{Workers: 1, Memory: p.memory})
	if err != nil {
		return 0, err
	}
	defer evaluator.Close()
	return evaluator.Loss(theta).Loss, nil
}
