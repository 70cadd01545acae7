package resnet

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// TestEveryActivationHasItsKernel wants the kernel of each activation to be that function and its derivative.
func TestEveryActivationHasItsKernel(t *testing.T) {
	kernelIsActivation[float32](t, 0x1p-24)
	kernelIsActivation[float64](t, 0x1p-53)
}

func kernelIsActivation[T Float](t *testing.T, rounding float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	u := make([]T, 1000)
	for i := range u {
		u[i] = T(1.5 * rng.NormFloat64())
	}
	s, ds := make([]T, len(u)), make([]T, len(u))
	for _, name := range activation.Names() {
		kind, ok := vectorised[name]
		if !ok {
			t.Fatalf("%s has no kernel", name)
		}
		f, err := activation.ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		kernel.For[T]().Activate(kind, s, ds, u)
		for i, x := range u {
			value, slope, _ := f.Derivatives(float64(x))
			// Some roundings of the kernel, and of the function beside it; gelu is 0 from some argument on.
			if tolerance := 64 * rounding; !(math.Abs(float64(s[i])-value) <= tolerance*math.Abs(value)+1e-30) || !(math.Abs(float64(ds[i])-slope) <= tolerance) {
				t.Fatalf("%s(%v): got %v, %v, want %v, %v", name, x, s[i], ds[i], value, slope)
			}
		}
	}
}
