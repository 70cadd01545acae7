package sweep

import (
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// evaluateEnd sets the losses of an outcome to those of the weights as they are stored,
// evaluated in float64. A descent in float32 sees its own loss with the rounding of its
// hidden states, which is most of it where the loss is small. A diverged run keeps the
// loss that ended it.
func (d *descent[T]) evaluateEnd(outcome *train.Outcome) error {
	if d.double() || outcome.Stop == train.StopDiverged {
		return nil
	}
	theta := make([]float64, len(d.Theta))
	for i, v := range d.Theta {
		theta[i] = float64(v)
	}
	var err error
	if outcome.Loss, err = lossOn(d.Network, d.samples, d.options, theta); err != nil || d.held == nil {
		return err
	}
	test, err := lossOn(d.Network, *d.held, d.options, theta)
	outcome.TestLoss = &test
	return err
}

// double says whether the descent is in float64.
func (d *descent[T]) double() bool {
	_, ok := any(T(0)).(float64)
	return ok
}

// lossOn returns J(θ) on the samples.
func lossOn(net *resnet.Network, samples resnet.Samples, options resnet.Options, theta []float64) (float64, error) {
	e, err := resnet.NewEvaluator[float64](net, samples, options)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	return e.Loss(theta).Loss, nil
}
