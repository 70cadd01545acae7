package train

import (
	"cmp"
	"context"
	"math"
	"time"

	"gonum.org/v1/gonum/floats"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/process"
	"github.com/deeplimit/deeplimit/resnet"
)

// Costs are the seconds that one of each of the things in Counts takes.
type Costs struct {
	Step, Row, Full, Test, Norms, Measure, Record float64
}

// Of returns the seconds of a run with those counts.
func (c Costs) Of(n Counts) float64 {
	return c.Step*float64(n.Steps) + c.Row*float64(n.Rows) + c.Full*float64(n.Full) + c.Test*float64(n.Tests) +
		c.Norms*float64(n.Norms) + c.Measure*float64(n.Measured) + c.Record*float64(n.Records)
}

// Scale multiplies every cost, for a network of another depth.
func (c Costs) Scale(by float64) Costs {
	return Costs{by * c.Step, by * c.Row, by * c.Full, by * c.Test, by * c.Norms, by * c.Measure, by * c.Record}
}

// Costs times what a run does on so many workers, for about sample each, at its first
// iterate, which no step leaves. The descent is of no use afterwards.
func (d *Descent[T]) Costs(ctx context.Context, workers int, sample time.Duration) (Costs, error) {
	if err := d.begin(nil); err != nil {
		return Costs{}, err
	}
	clock := stopwatch{ctx, sample, workers}
	c := Costs{Row: clock.time(func() { d.Full.Norms(d.Theta, d.Initial) })}
	if d.norms != nil {
		c.Norms = clock.time(func() {
			for _, part := range d.Network.Parts() {
				resnet.LayerNorms(d.Network, part, d.Theta, d.Initial)
			}
		})
	}
	row, _ := d.look()
	if d.ahead {
		d.Full.Back(d.Theta, d.grad)
		d.ahead = false
	}
	var err error
	if d.certify != nil {
		if c.Measure, err = d.measureCost(clock, lossOf(row)); err != nil {
			return Costs{}, err
		}
	}
	if d.Batch != nil {
		c.Full = clock.time(func() { d.Full.Loss(d.Theta) })
		d.t = 1 // the first of an epoch counts as a full loss, too
	}
	c.Step = clock.time(func() {
		row, _ := d.look()
		if newton, ok := d.stepper.update.(*levenberg[T]); ok {
			d.searchNewton(newton)
			return
		}
		if d.rule.searches() { // one trial above the last step, which fails, and one that is accepted
			d.Full.Loss(d.trial)
			d.Full.Loss(d.trial)
		}
		if d.rule.certified() { // what its bound needs beside the gradient
			d.Full.HiddenNorms(d.Theta)
		}
		d.step(&row, 0)
	})
	if d.Batch != nil && d.epochStart() {
		c.Step = max(c.Step-c.Full, c.Step/10) // a difference of two timings
	}
	for _, held := range []*resnet.Evaluator[T]{d.Test, d.Validation} {
		if held != nil {
			c.Test += clock.time(func() { held.Loss(d.Theta) })
		}
	}
	if d.Spec.records() {
		c.Record = clock.time(func() {
			d.setPaths(&row)
			if d.Changes != nil && err == nil {
				err = d.Changes(&row, d.Initial, d.Theta)
			}
		})
	}
	return c, cmp.Or(err, ctx.Err())
}

// measureCost returns the seconds of a measurement for certificates. Curvature and tangent
// matrix are reckoned from one product and from operations, as either may take minutes.
func (d *Descent[T]) measureCost(clock stopwatch, loss float64) (float64, error) {
	spec := d.Spec.Certify
	grad := d.grad
	if d.Batch != nil {
		grad = make([]T, len(d.grad))
		loss = d.Full.Gradient(d.Theta, grad).Loss
	}
	var err error
	cost := clock.time(func() {
		if _, failed := d.Full.Measure(d.Theta, grad, loss, d.Cores); failed != nil {
			err = failed
		}
	})
	if err != nil {
		return 0, nil // the run notes what it cannot measure and goes on
	}
	if spec.Curvature {
		trained := d.Network.Layout.Trained
		products := float64(min(curvature.Products, trained+2))
		v, hv := make([]float64, trained), make([]float64, trained)
		v[0] = 1
		product := hessianProduct(d)
		cost += products * clock.time(func() { err = product(hv, v) })
		pair := clock.time(func() { floats.AddScaled(hv, 1e-3*floats.Dot(v, hv), v) })
		cost += pair * products * 1.5 * curvature.Vectors // each against all that are kept, and restarts
	}
	if count := float64(d.Full.Len() * d.Network.Outputs); spec.Gram && count <= resnet.MostOutputs {
		const rate = 4e9 // operations a second, here and in the eigenvalue problem
		rows := float64(d.Network.Width + max(d.Network.Width, d.Network.Hidden))
		cost += (2*float64(d.Network.Depth)*rows*count*count + 4*math.Pow(count, 3)) / rate
	}
	return cost, err
}

// A stopwatch times what is done again and again. It goes by the time on the processor,
// shared among the workers, so that others at work on the machine count little.
type stopwatch struct {
	ctx     context.Context
	sample  time.Duration
	workers int
}

// time returns the seconds that f takes: the least over some calls after the first, which
// finds caches cold, unless that takes longer than a sample.
func (s stopwatch) time(f func()) float64 {
	first := s.once(f)
	if first >= s.sample.Seconds() || s.ctx.Err() != nil {
		return first
	}
	least := first
	const windows = 4
	calls := 1
	for range windows {
		for {
			took := s.once(func() {
				for range calls {
					f()
				}
			})
			if took >= s.sample.Seconds()/windows || s.ctx.Err() != nil {
				least = min(least, took/float64(calls))
				break
			}
			calls *= 2
		}
	}
	return least
}

// once returns the seconds of one call.
func (s stopwatch) once(f func()) float64 {
	begun := time.Now()
	before, known := process.CPUTime()
	f()
	seconds := time.Since(begun).Seconds()
	if after, _ := process.CPUTime(); known {
		seconds = min(seconds, (after-before).Seconds()/float64(max(1, s.workers)))
	}
	return seconds
}
