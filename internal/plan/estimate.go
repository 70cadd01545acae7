package plan

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// An Estimate says about how long runs take on this machine, each up to its last
// iteration.
type Estimate struct {
	Seconds map[string]float64 // of each run, by its ID; none when no run fits here
	Total   float64            // seconds for all of them on the given cores
	Large   int                // runs that do not fit into the memory of this process
	Runs    int                // that were timed
}

// The time that an estimate may take: for each thing that a run does, and in all. One that
// takes longer is timed once.
const (
	sampleTime   = 30 * time.Millisecond
	estimateTime = 4 * time.Second
)

// kind tells runs apart that take different time for each layer.
type kind struct {
	dtype, data, block, activation, residual, norm, loss, embed, readout string
	bias, curvature, gram                                                bool
	width, hidden, batch                                                 int
	method, rule, cadence                                                string
}

func kindOf(r *study.Run) kind {
	n, t := r.Network, r.Train
	return kind{
		r.DType, r.Data.Name, n.Block, n.Activation, n.Residual, n.NormKind, n.Loss, n.Embed, n.Readout,
		n.Bias, t.Certify.Curvature, t.Certify.Gram,
		n.Width, n.Hidden, t.Batch, t.Method, t.Step.Rule, t.Certify.Cadence,
	}
}

// timed is what a run of some depth was timed to take.
type timed struct {
	depth int
	costs train.Costs
	fixed float64 // seconds to begin and to end, apart from writing
}

// Estimate times what runs of each kind do: steps, losses over all samples and the test
// set, measurements for certificates, p-variations; at the least, a middle and the largest
// depth, between which the time for a layer is interpolated. Each is multiplied by how
// often a run does it up to its last iteration. Files are reckoned by their bytes.
//
// left says which part of its steps a run has to make, 0 for none of the run; nil is all of all.
//
// When the time for it is over, kinds that were not timed are given the speed of the
// others, by their operations, as are runs that do not fit into the memory of this process.
func (p *Plan) Estimate(ctx context.Context, cores int, left func(*study.Run) float64) (Estimate, error) {
	kinds := map[kind][]*study.Run{}
	var order []kind
	for i := range p.Runs {
		r := &p.Runs[i]
		if left != nil && left(r) == 0 {
			continue
		}
		k := kindOf(r)
		if kinds[k] == nil {
			order = append(order, k)
		}
		kinds[k] = append(kinds[k], r)
	}
	e := Estimate{Seconds: map[string]float64{}}
	known := map[kind][]timed{}
	begun := time.Now()
	var speeds []float64 // operations a second
	for _, k := range order {
		runs := slices.DeleteFunc(slices.Clone(kinds[k]), func(r *study.Run) bool { return p.fits(r) != nil })
		e.Large += len(kinds[k]) - len(runs)
		if len(runs) == 0 {
			continue
		}
		slices.SortStableFunc(runs, func(a, b *study.Run) int { return cmp.Compare(a.Depth, b.Depth) })
		if e.Runs > 0 && time.Since(begun) > estimateTime {
			continue
		}
		share := 1 / float64(len(order))
		for _, run := range examples(runs) {
			if at := known[k]; len(at) > 0 {
				last := at[len(at)-1]
				if run.Depth == last.depth || float64(run.Depth)/float64(last.depth)*last.costs.Step > sampleTime.Seconds()*10 {
					continue // the same, or too long to try
				}
			}
			one, err := p.timeRun(ctx, run, p.Cores(run, share, cores), cores)
			if err != nil {
				return Estimate{}, err
			}
			known[k] = append(known[k], one)
			e.Runs++
			speeds = append(speeds, p.Flops(run)/one.costs.Step)
		}
	}
	if len(speeds) == 0 {
		return e, nil
	}
	slices.Sort(speeds)
	longest := 0.0
	for _, k := range order {
		for _, run := range kinds[k] {
			seconds := 0.0
			if at := known[k]; len(at) > 0 {
				seconds = p.secondsOf(run, at)
			} else if len(speeds) > 0 {
				seconds = float64(run.Steps()) * p.Flops(run) / speeds[len(speeds)/2]
			}
			if left != nil {
				seconds *= left(run)
			}
			if limit := run.Train.Stop.Seconds; limit > 0 {
				seconds = min(seconds, limit)
			}
			e.Seconds[run.ID] = seconds
			e.Total += seconds * float64(p.Cores(run, 1/float64(len(p.Runs)), cores)) / float64(cores)
			longest = max(longest, seconds)
		}
	}
	e.Total = max(e.Total, longest)
	return e, nil
}

// examples returns the run of the least depth, one in the middle and one of the largest,
// of runs by their depth.
func examples(runs []*study.Run) []*study.Run {
	return []*study.Run{runs[0], runs[len(runs)/2], runs[len(runs)-1]}
}

// secondsOf returns the time of run by what others of its kind were timed to take.
func (p *Plan) secondsOf(run *study.Run, at []timed) float64 {
	after := slices.IndexFunc(at, func(t timed) bool { return t.depth >= run.Depth })
	if after < 0 {
		after = len(at) - 1
	}
	set := p.Set(run)
	counts := run.Train.Count(set.Samples, set.Test != nil || set.Validation != nil)
	of := func(t timed) float64 { // as if a layer took as long at any depth
		return t.costs.Scale(float64(run.Depth)/float64(t.depth)).Of(counts) + t.fixed*float64(run.Depth)/float64(t.depth)
	}
	seconds := of(at[after])
	if before := after - 1; before >= 0 && at[after].depth > run.Depth {
		weight := math.Log(float64(run.Depth)/float64(at[before].depth)) / math.Log(float64(at[after].depth)/float64(at[before].depth))
		seconds = weight*seconds + (1-weight)*of(at[before])
	}
	left, _ := p.DiskBytes(run)
	return seconds + perFolder.Seconds() + left/bytesPerSecond
}

// What files take: those of a run whatever their size, and by their bytes, with checksums.
const (
	perFolder      = 8 * time.Millisecond
	bytesPerSecond = 150e6
)

// timeRun times a run on that many of the cores.
func (p *Plan) timeRun(ctx context.Context, run *study.Run, workers, cores int) (timed, error) {
	if run.DType == "float32" {
		return timeRun[float32](ctx, p, run, workers, cores)
	}
	return timeRun[float64](ctx, p, run, workers, cores)
}

func timeRun[T kernel.Float](ctx context.Context, p *Plan, run *study.Run, workers, cores int) (timed, error) {
	begun := time.Now()
	memory, err := Memory(run, workers, cores)
	if err != nil {
		return timed{}, err
	}
	problem := p.Problem(run)
	initial, err := Initial[T](problem)
	if err != nil {
		return timed{}, err
	}
	d, err := NewDescent(problem, initial, resnet.Options{Workers: workers, Memory: memory})
	if err != nil {
		return timed{}, err
	}
	defer d.Close()
	d.Descent.Cores = cores
	if !double[T]() { // the losses of the end, in float64
		if err := d.EvaluateEnd(&train.Outcome{}); err != nil {
			return timed{}, err
		}
	}
	fixed := time.Since(begun).Seconds()
	costs, err := d.Costs(ctx, workers, sampleTime)
	return timed{run.Depth, costs, fixed}, err
}
