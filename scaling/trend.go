package scaling

import "math"

// blocks is the number of stretches of layers whose means tell a trend from noise.
const blocks = 8

// hasTrend reports whether the deepest paths are more than layer noise: means over an eighth of the layers
// are larger than those of such noise.
func (x *Inference) hasTrend(paths []DepthPath) bool {
	f := x.noise()
	if f == nil {
		return true
	}
	deepest := x.data[len(x.data)-1].depth
	length := float64(deepest) / blocks
	size := math.Exp(f.size - 2*f.exponent*math.Log(float64(deepest)))
	expected := size * (1 + f.phi) / (1 - f.phi) * (1 + 2*f.next) / length
	sum, count := 0.0, 0.0
	for _, p := range paths {
		if p.Depth != deepest {
			continue
		}
		for b := range blocks {
			from, to := b*deepest/blocks, (b+1)*deepest/blocks
			for e := range p.Path.Dim {
				mean := 0.0
				for i := from; i < to; i++ {
					mean += p.Path.Data[i*p.Path.Dim+e]
				}
				mean /= float64(to - from)
				sum += mean * mean
				count++
			}
		}
	}
	return sum/count > expected*(1+5*math.Sqrt(2/count)+4*f.sizeSD)
}

// noise returns the best structure with layer noise that the data show, nil where rough or smooth
// paths are likelier than all with noise.
func (x *Inference) noise() *weighted {
	var best *weighted
	sum := 0.0
	for i := range x.posterior {
		f := &x.posterior[i]
		if f.part != layerNoise || !f.present() {
			continue
		}
		sum += f.probability
		if best == nil || f.probability > best.probability {
			best = f
		}
	}
	if sum < 0.5 {
		return nil
	}
	return best
}

// parts fills in the Hurst exponent, the noise share and the detection limit.
func (x *Inference) parts(paths []DepthPath) {
	deepest := x.data[len(x.data)-1]
	l := math.Log(float64(deepest.depth))
	square, count := 0.0, 0.0
	for _, p := range paths {
		if p.Depth == deepest.depth {
			for _, v := range p.Path.Data {
				square += v * v
			}
			count += float64(len(p.Path.Data))
		}
	}
	square /= count
	if square == 0 {
		x.DetectionLimit = math.NaN()
		return
	}
	x.DetectionLimit = math.Exp((deepest.log[0]+l)/2+1.645*math.Sqrt(deepest.variance[0])/2) / math.Sqrt(square)
	var hurst, share mixture
	for i := range x.posterior {
		f := &x.posterior[i]
		if !f.present() {
			continue
		}
		if f.part == roughPart {
			hurst = append(hurst, outcome{f.probability, f.exponent, f.spread})
			continue
		}
		noise := f.size + (1-2*f.exponent)*l // log of a², that of L^½ times the noise
		trend := square - math.Exp(noise-l)
		if x.trend && trend > 0 {
			share = append(share, outcome{f.probability, (noise - math.Log(trend)) / 2, f.sizeSD / 2})
		}
	}
	if f := x.best(); f.present() && f.part == roughPart {
		x.Hurst = hurst.exponent(same, "")
	}
	if x.noise() != nil && x.trend {
		x.NoiseShare = share.exponent(math.Exp, "")
	}
}
