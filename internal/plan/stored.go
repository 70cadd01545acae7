package plan

import (
	"fmt"
	"sync"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Recorder makes the problems of recorded runs, and reads a data set that several of them share once. It is safe for
// concurrent use.
type Recorder struct {
	Base string // as of Recorded

	mu   sync.Mutex
	sets map[string]*dataset.Set // by key and by the files' checksums
}

// Problem is Recorded.
func (r *Recorder) Problem(recorded *runfolder.Run) (*Problem, error) {
	run, err := recordedRun(recorded, r.Base)
	if err != nil {
		return nil, err
	}
	id := key(run)
	for _, file := range run.Files {
		id += "\x00" + file.SHA256
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	set := r.sets[id]
	if set == nil {
		if err := checkFiles(run); err != nil {
			return nil, err
		}
		if set, err = dataset.Load(run.Data, run.Base); err != nil {
			return nil, err
		}
		if r.sets == nil {
			r.sets = map[string]*dataset.Set{}
		}
		r.sets[id] = set
	}
	run.Inputs, run.Outputs = set.Inputs, set.Outputs
	return NewProblem(run, set)
}

// Stored returns the parameters of the problem's network as a weights file has them, in float64: those that are
// trained, δ, and E and C where they are stored; what no file stores follows from the configuration and the seed.
// suffix is "" for the trained weights and "_initial" for those before the first step.
func (p *Problem) Stored(weights runfolder.Weights, suffix string) ([]float64, error) {
	zeros := resnet.Initial{Parts: map[string]resnet.Initial{}}
	for name := range p.Run.Initial.Parts {
		zeros.Parts[name] = resnet.Initial{Kind: "zero", Amplitude: new(float64)}
	}
	theta, err := resnet.Parameters[float64](p.Network, zeros, p.Run.Seed, p.Run.Base)
	if err != nil {
		return nil, err
	}
	for _, g := range p.Network.Layout.Groups {
		name := g.Name
		if g.Trained {
			name += suffix
		}
		tensor, ok := weights.Tensors[name]
		if !ok && !g.Trained {
			continue
		}
		data := tensor.Data
		if g.Name == "delta" && g.Len() == 1 && len(data) > 1 {
			data = data[:1] // repeated for every layer
		}
		if len(data) != g.Len() {
			return nil, fmt.Errorf("weights: tensor %q: got shape %v, want %v", name, tensor.Shape, g.Shape)
		}
		copy(resnet.View(p.Network.Layout, theta, g.Name), data)
	}
	return theta, nil
}
