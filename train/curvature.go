package train

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/weightpath"
)

// curve measures the extreme eigenvalues that the spec asks for at this iterate. What
// cannot be had is noted.
func (c *certification[T]) curve() error {
	spec := c.d.Spec.Certify
	if !spec.Curvature && !spec.Gram {
		return nil
	}
	entry := weightpath.Curvature{Iteration: int64(c.d.t)}
	if spec.Curvature {
		found, err := hessianExtremes(c.d)
		switch {
		case errors.Is(err, curvature.ErrNotFinite):
			c.note(fmt.Sprintf("iteration %d: no curvature: %v", c.d.t, err))
			return nil
		case err != nil:
			return fmt.Errorf("train: depth %d, iteration %d: %w", c.d.Network.Depth, c.d.t, err)
		}
		worst := max(found.LargestResidual, found.SmallestResidual)
		if !found.Converged {
			c.note(fmt.Sprintf("iteration %d: after %d products an extreme eigenvalue is off by up to %.2g", c.d.t, found.Products, worst))
		}
		entry.Hessian = &weightpath.Spectrum{
			Largest: found.Largest, Smallest: found.Smallest,
			Residual: worst, Products: found.Products,
		}
	}
	if spec.Gram {
		least, err := gramSmallest(c.d)
		if err != nil {
			if c.d.t == 0 {
				c.note(fmt.Sprintf("no neural tangent matrix: %v", err))
			}
		} else {
			entry.GramSmallest = &least
		}
	}
	if entry.Hessian != nil || entry.GramSmallest != nil {
		c.record.Curvatures = append(c.record.Curvatures, entry)
	}
	return nil
}

func (c *certification[T]) note(text string) { c.record.Notes = append(c.record.Notes, text) }

// lanczos ends the search once residuals are a thousandth of the largest |eigenvalue|.
// The error of an eigenvalue that stands apart is of the order of the square of that: on
// the digits, at depths 16 and 64, the largest has six digits after 60 to 100 products.
// A tolerance of 10⁻⁶ changed none of them and was out of reach after 200.
var lanczos = curvature.Options{Tolerance: 1e-3, Products: 100}

// hessianExtremes finds the extreme eigenvalues of ∇²J over all samples. The basis
// takes at most the memory of train.memory.
func hessianExtremes[T kernel.Float](d *Descent[T]) (curvature.Extremes, error) {
	trained := d.Network.Layout.Trained
	options := lanczos
	options.Seed = d.Seed
	limit, err := d.Spec.MemoryBytes()
	if err != nil {
		return curvature.Extremes{}, err
	}
	if limit > 0 {
		options.Products = int(min(int64(options.Products), max(2, limit/8/int64(trained))))
	}
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

// gramSmallest returns the smallest eigenvalue of the neural tangent matrix.
func gramSmallest[T kernel.Float](d *Descent[T]) (float64, error) {
	if n := d.Full.Len() * d.Network.Outputs; n > resnet.MostOutputs {
		return 0, fmt.Errorf("%d samples × %d outputs, at most %d together", d.Full.Len(), d.Network.Outputs, resnet.MostOutputs)
	}
	k, err := d.Full.Gram(d.Theta)
	if err != nil {
		return 0, err
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(k, false) {
		return 0, errors.New("its eigenvalue problem did not converge")
	}
	return eigen.Values(nil)[0], nil
}
