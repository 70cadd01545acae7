package scaling

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/internal/rescale"
)

// TestScales wants the same slopes and sizes of paths times any power of two.
func TestScales(t *testing.T) {
	for _, kind := range plantedKinds {
		paths := kind.study(rand.New(rand.NewPCG(3, 4)), []int{64, 128, 256}, 2, 3)
		want, err := Increments(paths)
		if err != nil {
			t.Fatal(err)
		}
		integral, err := IntegralDistance(paths[0].Path, paths[len(paths)-1].Path)
		if err != nil {
			t.Fatal(err)
		}
		square, err := L2Distance(paths[0].Path, paths[len(paths)-1].Path)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []int{-900, -660, 660, 900} {
			far := make([]DepthPath, len(paths))
			for i, p := range paths {
				far[i] = p
				far[i].Path.Data = rescale.By(p.Path.Data, e)
			}
			got, err := Increments(far)
			if err != nil {
				t.Errorf("%s, 2^%d: %v", kind.name, e, err)
				continue
			}
			near := func(name string, got, want, tolerance float64) {
				if !(math.Abs(got-want) <= tolerance) {
					t.Errorf("%s, 2^%d: %s: got %v, want %v", kind.name, e, name, got, want)
				}
			}
			shift := float64(e) * math.Ln2
			near("slope of V_1", got.Variation.Slope, want.Variation.Slope, 1e-10)
			near("intercept of V_1", got.Variation.Intercept, want.Variation.Intercept+shift, 1e-9)
			near("intercept of the quadratic variation", got.QuadraticVariation.Intercept, want.QuadraticVariation.Intercept+2*shift, 1e-9)
			near("accumulation", got.Accumulation, want.Accumulation, 1e-10)
			near("trend over 2^e", math.Ldexp(got.TrendSize, -e), want.TrendSize, 1e-12*want.TrendSize)
			d, err := IntegralDistance(far[0].Path, far[len(far)-1].Path)
			if err != nil {
				t.Fatal(err)
			}
			near("integral distance over 2^e", math.Ldexp(d, -e), integral, 1e-13*integral)
			if d, err = L2Distance(far[0].Path, far[len(far)-1].Path); err != nil {
				t.Fatal(err)
			}
			near("L² distance over 2^e", math.Ldexp(d, -e), square, 1e-13*square)
		}
	}
}
