package plan

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/resnet"
)

// An Estimate says about how long runs take on this machine, each up to its last
// iteration.
type Estimate struct {
	Seconds map[string]float64 // of each run, by its ID; none when no run fits here
	Total   float64            // seconds for all of them on the given cores
	Large   int                // runs that do not fit into the memory of this process
	Steps   int                // that were timed
	Runs    int                // of which they were steps
}

// The time that an estimate may take: for steps of one kind of run, and in all. A step
// that takes longer is timed once.
const (
	sampleTime   = 30 * time.Millisecond
	estimateTime = 3 * time.Second
)

// kind tells runs apart whose steps have different speeds; depth is not among it, as the
// time of a step is proportional to the depth.
type kind struct {
	dtype, block, data   string
	width, hidden, batch int
}

// Estimate times a few steps of each kind of run and scales them by the operations of a
// step. What runs measure beside their steps (certificates, Armijo's searches, the test
// set) is not counted, nor are the files. When the time for it is over, kinds that were
// not timed are given the speed of the others, as are runs that do not fit into the memory
// of this process.
func (p *Plan) Estimate(ctx context.Context, cores int, only func(*study.Run) bool) (Estimate, error) {
	kinds := map[kind][]*study.Run{}
	for i := range p.Runs {
		r := &p.Runs[i]
		if only == nil || only(r) {
			k := kind{r.DType, r.Network.Block, r.Data.Name, r.Network.Width, r.Network.Hidden, r.Train.Batch}
			kinds[k] = append(kinds[k], r)
		}
	}
	e := Estimate{Seconds: map[string]float64{}}
	speeds := map[kind]float64{} // operations a second
	begun := time.Now()
	for k, runs := range kinds {
		if err := ctx.Err(); err != nil {
			return Estimate{}, err
		}
		fitting := slices.DeleteFunc(slices.Clone(runs), func(r *study.Run) bool { return p.fits(r) != nil })
		e.Large += len(runs) - len(fitting)
		if len(fitting) == 0 || e.Runs > 0 && time.Since(begun) > estimateTime {
			continue
		}
		slices.SortStableFunc(fitting, func(a, b *study.Run) int { return cmp.Compare(a.Depth, b.Depth) })
		run := fitting[len(fitting)/2]
		measure := stepTime[float64]
		if run.DType == "float32" {
			measure = stepTime[float32]
		}
		seconds, steps, err := measure(ctx, p, run, p.Cores(run, 1/float64(len(kinds)), cores), cores)
		if err != nil {
			return Estimate{}, err
		}
		speeds[k] = p.Flops(run) / seconds
		e.Steps += steps
		e.Runs++
	}
	known := make([]float64, 0, len(speeds))
	for _, speed := range speeds {
		known = append(known, speed)
	}
	if len(known) == 0 {
		return e, nil
	}
	slices.Sort(known)
	longest := 0.0
	for k, runs := range kinds {
		speed, ok := speeds[k]
		if !ok {
			speed = known[len(known)/2]
		}
		for _, run := range runs {
			seconds := float64(run.Steps()) * p.Flops(run) / speed
			e.Seconds[run.ID] = seconds
			e.Total += seconds * float64(p.Cores(run, 1/float64(len(p.Runs)), cores)) / float64(cores)
			longest = max(longest, seconds)
		}
	}
	e.Total = max(e.Total, longest)
	return e, nil
}

// stepTime returns the seconds that a step of run takes on so many workers, and how many
// steps were timed.
func stepTime[T kernel.Float](ctx context.Context, p *Plan, run *study.Run, workers, cores int) (float64, int, error) {
	memory, err := Memory(run, workers, cores)
	if err != nil {
		return 0, 0, err
	}
	problem := p.Problem(run)
	initial, err := Initial[T](problem)
	if err != nil {
		return 0, 0, err
	}
	d, err := NewDescent(problem, initial, resnet.Options{Workers: workers, Memory: memory})
	if err != nil {
		return 0, 0, err
	}
	defer d.Close()
	evaluator := d.Full
	if d.Batch != nil {
		evaluator = d.Batch
		batch := make([]int, min(run.Train.Batch, d.Full.Len()))
		for i := range batch {
			batch[i] = i
		}
		evaluator.Choose(batch)
	}
	gradient := make([]T, d.Network.Layout.Trained)
	for steps, begun := 1, time.Now(); ; steps++ {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		evaluator.Gradient(d.Theta, gradient)
		took := time.Since(begun)
		if steps == 1 && took < sampleTime { // the first has found caches cold
			begun = time.Now()
			continue
		}
		if took >= sampleTime {
			return took.Seconds() / float64(max(1, steps-1)), steps, nil
		}
	}
}
