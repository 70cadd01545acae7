package train

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// curve measures the extreme eigenvalues that the spec asks for at this iterate. What
// cannot be had is noted.
func (c *certification[T]) curve() error {
	spec := c.d.Spec.Certify
	if !spec.Curvature && !spec.Gram {
		return nil
	}
	entry := runfolder.Curvature{Iteration: int64(c.d.t)}
	if spec.Curvature {
		found, err := hessianExtremes(c.d)
		switch {
		case errors.Is(err, curvature.ErrNotFinite):
			c.note(fmt.Sprintf("iteration %d: no curvature: %v", c.d.t, err))
			return nil
		case err != nil:
			return fmt.Errorf("train: depth %d, iteration %d: %w", c.d.Network.Depth, c.d.t, err)
		}
		c.unsettled("largest", found.Largest, found.Products)
		c.unsettled("smallest", found.Smallest, found.Products)
		entry.Hessian = &runfolder.Spectrum{
			Largest: found.Largest.Value, LargestResidual: found.Largest.Residual,
			Smallest: found.Smallest.Value, SmallestResidual: found.Smallest.Residual,
			Converged: found.Largest.Converged && found.Smallest.Converged, Products: found.Products,
		}
	}
	if spec.Gram {
		gram, err := gramSmallest(c.d, c.record.Problem.UnitRoundoff)
		if err != nil {
			if c.d.t == 0 {
				c.note(fmt.Sprintf("no neural tangent matrix: %v", err))
			}
		} else {
			entry.Gram = &gram
		}
	}
	if entry.Hessian != nil || entry.Gram != nil {
		c.record.Curvatures = append(c.record.Curvatures, entry)
	}
	return nil
}

func (c *certification[T]) note(text string) { c.record.Notes = append(c.record.Notes, text) }

// unsettled notes that the search ended before it knew an eigenvalue as well as was asked for.
func (c *certification[T]) unsettled(end string, found curvature.Eigenvalue, products int) {
	if !found.Converged {
		c.note(fmt.Sprintf("iteration %d: after %d products the %s eigenvalue of the Hessian is known to within %.2g, not to the accuracy asked for",
			c.d.t, products, end, found.Residual))
	}
}

// hessianExtremes finds the extreme eigenvalues of ∇²J over all samples. The basis
// takes at most the memory of train.memory.
func hessianExtremes[T kernel.Float](d *Descent[T]) (curvature.Extremes, error) {
	trained := d.Network.Layout.Trained
	limit, err := d.Spec.MemoryBytes()
	if err != nil {
		return curvature.Extremes{}, err
	}
	options := curvature.Options{Seed: d.Seed, Vectors: curvature.Fit(trained, limit)}
	return curvature.Find(trained, hessianProduct(d), options)
}

// hessianProduct returns dst = ∇²J(θ) v over all samples, at the descent's iterate.
func hessianProduct[T kernel.Float](d *Descent[T]) func(dst, v []float64) error {
	trained := d.Network.Layout.Trained
	along, result := make([]T, trained), make([]T, trained)
	return func(dst, v []float64) error {
		for i, x := range v {
			along[i] = T(x)
		}
		d.Full.HessianVector(d.Theta, along, result)
		for i, x := range result {
			dst[i] = float64(x)
		}
		return nil
	}
}

// gramSmallest returns the smallest eigenvalue of the neural tangent matrix and what
// rounding may add to it: a unit of it, relative to the largest eigenvalue, for each layer
// that a state went through and each row of the eigenvalue problem.
func gramSmallest[T kernel.Float](d *Descent[T], unit float64) (runfolder.Gram, error) {
	n := d.Full.Len() * d.Network.Outputs
	if n > resnet.MostOutputs {
		return runfolder.Gram{}, fmt.Errorf("%d samples × %d outputs, at most %d together", d.Full.Len(), d.Network.Outputs, resnet.MostOutputs)
	}
	k, err := d.Full.Gram(d.Theta)
	if err != nil {
		return runfolder.Gram{}, err
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(k, false) {
		return runfolder.Gram{}, errors.New("its eigenvalue problem did not converge")
	}
	values := eigen.Values(nil)
	return runfolder.Gram{
		Smallest: values[0],
		Residual: float64(d.Network.Depth+n) * unit * max(math.Abs(values[0]), values[n-1]),
	}, nil
}
