package plan

import (
	"slices"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// A Problem is what a run minimises, and from where: its network, its samples and the law
// of its initial weights. It holds no weights and no hidden states.
type Problem struct {
	Run     *study.Run
	Network *resnet.Network
	Samples resnet.Samples
	Test    *resnet.Samples // nil without a test set

	Validation *resnet.Samples // nil without a validation set
}

// NewProblem returns the problem of a run on the samples of its data set.
func NewProblem(run *study.Run, set *dataset.Set) (*Problem, error) {
	net, err := resnet.New(run.Network, run.Depth, set.Inputs, set.Outputs)
	if err != nil {
		return nil, err
	}
	p := &Problem{Run: run, Network: net, Samples: resnet.Samples{X: set.X, Y: set.Y, Labels: set.Labels}}
	if set.Test != nil {
		p.Test = &resnet.Samples{X: set.Test.X, Y: set.Test.Y, Labels: set.Test.Labels}
	}
	if v := set.Validation; v != nil {
		p.Validation = &resnet.Samples{X: v.X, Y: v.Y, Labels: v.Labels}
	}
	return p, nil
}

// held returns the sets of held-out samples that there are.
func (p *Problem) held() []*resnet.Samples {
	return slices.DeleteFunc([]*resnet.Samples{p.Test, p.Validation}, func(s *resnet.Samples) bool { return s == nil })
}

// At returns the same problem for the network of another depth.
func (p *Problem) At(depth int) (*Problem, error) {
	run := *p.Run
	run.Depth = depth
	net, err := resnet.New(run.Network, depth, p.Network.Inputs, p.Network.Outputs)
	if err != nil {
		return nil, err
	}
	return &Problem{Run: &run, Network: net, Samples: p.Samples, Test: p.Test, Validation: p.Validation}, nil
}

// check refuses targets that the loss does not take, and initial weights that do not fit.
func (p *Problem) check() error {
	if err := p.Network.CheckTargets(p.Samples.Y); err != nil {
		return err
	}
	if err := train.CheckNewton(p.Run.Train, p.Run.Network, p.Run.DType, len(p.Samples.X)/p.Network.Inputs, p.Network.Outputs); err != nil {
		return field.Under("train", err)
	}
	return p.Network.CheckInitial(p.Run.Initial, p.Run.Base)
}

// Initial returns the weights that the run starts from, in the network's layout.
func Initial[T kernel.Float](p *Problem) ([]T, error) {
	return resnet.Parameters[T](p.Network, p.Run.Initial, p.Run.Seed, p.Run.Base)
}

// Frame returns the weights of the problem with none in the layers, for those whose trained groups are set by others: E and C are as
// in Initial, δ = L^−α, and all else is 0.
func Frame[T kernel.Float](p *Problem) ([]T, error) {
	parts := make(map[string]resnet.Initial, len(p.Run.Initial.Parts))
	for name, part := range p.Run.Initial.Parts {
		switch name {
		case "E", "C": // they do not depend on the depth
			parts[name] = part
		case "delta":
		default:
			parts[name] = resnet.Initial{Kind: "zero", Amplitude: new(float64)}
		}
	}
	initial := resnet.Initial{Embed: p.Run.Initial.Embed, Readout: p.Run.Initial.Readout, Parts: parts}
	return resnet.Parameters[T](p.Network, initial, p.Run.Seed, p.Run.Base)
}
