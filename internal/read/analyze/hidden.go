package analyze

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
)

// hiddenVariation returns V_p of the paths k ↦ h_k(x_i), k = 0..L, their mean over the
// samples that the run kept, by the text of p; nil when it kept none. A path that is
// not finite is an error, and so is a V_p that float64 cannot hold.
func hiddenVariation(h *runfolder.Tensor, exponents []float64) (map[string]float64, error) {
	if h == nil || h.Shape[0] == 0 {
		return nil, nil
	}
	mean := make(map[string]float64, len(exponents))
	samples, size := h.Shape[0], h.Shape[1]*h.Shape[2]
	for i := range samples {
		variations, err := pvar.Compute(pvar.Points{Dim: h.Shape[2], Data: h.Data[i*size : (i+1)*size]}, exponents...)
		if err != nil {
			return nil, err
		}
		for _, v := range variations {
			if math.IsNaN(v.Value) {
				return nil, fmt.Errorf("p = %s, sample %d: got V_p = %.4g^%[1]s, outside the range of float64", exponentText(v.P), i, v.Norm)
			}
			mean[exponentText(v.P)] += v.Value / float64(samples)
		}
	}
	return mean, nil
}
