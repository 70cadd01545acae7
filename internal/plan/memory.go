package plan

import (
	"fmt"
	"unsafe"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// Bytes returns how much memory run takes at most on that many cores, alone on the machine,
// by the accounts of network and descent: its samples, weights and evaluators, and the
// largest of what it takes for a while.
func (p *Plan) Bytes(run *study.Run, workers int) float64 {
	memory, err := Memory(run, workers, workers)
	if err != nil {
		panic(fmt.Sprintf("plan: run %s: %v", run.ID, err)) // study has resolved it
	}
	return p.bytes(run, resnet.Options{Workers: workers, Memory: memory}, workers)
}

// LeastBytes returns the same on one core, with no hidden states kept but where they must be.
func (p *Plan) LeastBytes(run *study.Run) float64 {
	return p.bytes(run, resnet.Options{Workers: 1, Memory: 1}, 1)
}

func (p *Plan) bytes(run *study.Run, options resnet.Options, cores int) float64 {
	count := bytesOf[float64]
	if run.DType == "float32" {
		count = bytesOf[float32]
	}
	bytes, err := count(p.Problem(run), options, cores)
	if err != nil {
		panic(fmt.Sprintf("plan: run %s: %v", run.ID, err)) // study has resolved it
	}
	return float64(bytes)
}

// bytesOf adds up what NewDescent and the descent make.
func bytesOf[T kernel.Float](p *Problem, options resnet.Options, cores int) (int64, error) {
	options.Memory = share(options.Memory, p)
	net, spec := p.Network, p.Run.Train
	evaluator := func(s resnet.Samples, options resnet.Options) resnet.Memory {
		return resnet.MemoryOf[T](net, len(s.X)/net.Inputs, s.Labels != nil, cores, options)
	}
	full := evaluator(p.Samples, options)
	descent, err := train.MemoryOf[T](net, spec, len(p.Samples.X)/net.Inputs, options.Workers, len(p.held()) > 0, full.Measured)
	if err != nil {
		return 0, err
	}
	var entry T
	weights := int64(unsafe.Sizeof(entry)) * int64(net.Layout.Size)
	total := sampleBytes(p.Samples) + 2*weights + full.Evaluator + descent.State
	end := descent.Weights
	last := lastBytes[T](net, p.Samples, options)
	for _, held := range p.held() {
		total += sampleBytes(*held) + evaluator(*held, options).Evaluator
		last = max(last, lastBytes[T](net, *held, options))
	}
	if spec.Batch > 0 {
		options.Batch = spec.Batch
		total += evaluator(p.Samples, options).Evaluator
	}
	if spec.Certify.Curvature {
		total += full.Hessian
	}
	most := max(end, last, full.States, descent.Checkpoint, descent.Variation, descent.Lanczos)
	if spec.Certifies() {
		most = max(most, full.Measure-full.Measured)
	}
	if descent.Gram > 0 {
		most = max(most, full.Gram+descent.Gram)
	}
	return total + most, nil
}

// lastBytes returns what EvaluateEnd makes for one set of samples.
func lastBytes[T kernel.Float](net *resnet.Network, s resnet.Samples, options resnet.Options) int64 {
	if double[T]() {
		return 0
	}
	return 8*int64(net.Layout.Size) + resnet.MemoryOf[float64](net, len(s.X)/net.Inputs, s.Labels != nil, 1, options).Evaluator
}

func sampleBytes(s resnet.Samples) int64 {
	return 8 * int64(len(s.X)+len(s.Y)+len(s.Labels))
}

// DiskBytes returns about how many bytes run leaves in its folder, and how many a checkpoint of
// it takes.
func (p *Plan) DiskBytes(run *study.Run) (left, checkpoint float64) {
	problem := p.Problem(run)
	n, options := len(problem.Samples.X)/problem.Network.Inputs, resnet.Options{Workers: 1, Memory: 1}
	measured := resnet.MemoryOf[float64](problem.Network, n, false, 1, options).Measured
	return train.Files(problem.Network, run.Train, n, len(problem.held()) > 0, run.EntryBytes(), measured)
}

// Memory returns the bytes that the hidden states of a run on some of the cores may take,
// 0 for no limit: runs at work share the limit as they share the cores.
func Memory(run *study.Run, workers, cores int) (int64, error) {
	limit, err := run.Train.MemoryBytes()
	if err != nil || limit == 0 {
		return 0, err
	}
	return max(1, int64(float64(limit)*float64(workers)/float64(cores))), nil
}

// CheckMemory returns an error for the first run that does not fit into the memory that
// this process may take, even with no hidden states kept. A nil only takes all runs.
func (p *Plan) CheckMemory(only func(*study.Run) bool) error {
	for i := range p.Runs {
		run := &p.Runs[i]
		if only != nil && !only(run) {
			continue
		}
		if err := p.fits(run); err != nil {
			return fmt.Errorf("plan: run %s: %w; choose a smaller depth or width, dtype float32, or a machine with more", run.ID, err)
		}
	}
	return nil
}

// fits returns a *machine.MemoryError for a run that cannot fit into the memory that this
// process may take, even with no hidden states kept.
func (p *Plan) fits(run *study.Run) error { return machine.Fits(p.LeastBytes(run)) }
