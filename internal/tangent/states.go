package tangent

import (
	"context"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/internal/enclosure"
)

// layerNorms are spectral norms of the maps of a layer, 1 for one that is missing, and Frobenius norms.
type layerNorms struct{ v, w, vAll, wAll, vBias, wBias float64 }

// stateErrors bound how far computed numbers of one sample and layer are from the exact ones at the computed state
// before it: in norm σ and the branch f, each entry of σ′ and σ″. All are 0 where rounding does not count.
type stateErrors struct{ value, branch, slope, second float64 }

// An orbit holds the errors of computed states, which form an exact orbit of the network whose layers err by ε_k.
type orbit struct {
	errors  []stateErrors // (N,L)
	length  []float64     // (Σ_{k≥0}‖ε_k‖²)^½ (N)
	outputs []float64     // of F − Y beside what comes from the states (N)
}

// enclose bounds the errors of the states at θ. It says why there is no bound, "" where there is; singular says why none is needed.
func (m *Model) enclose(ctx context.Context, singular string) (*orbit, string, error) {
	if singular != "" {
		return nil, "nothing is stated", nil
	}
	m.layers(roundoff{unit})
	o := &orbit{make([]stateErrors, m.samples*m.depth), make([]float64, m.samples), make([]float64, m.samples)}
	r := roundoff{unit}
	first, second := upper(m.sigma.SupFirst()), upper(m.sigma.SupSecond())
	third := upper(m.sigma.SupThird())
	why := make([]string, m.samples)
	embedAll, readoutAll := norm(m.embed), norm(m.readout)
	err := m.parallelWithin(ctx, m.samples, func(_, i int) {
		z := make([]float64, m.middle)
		f := make([]float64, m.width)
		sum := 0.0
		if m.embed != nil {
			x := block(m.x, i, m.net.Inputs)
			sum = square(r.wide(r.gamma(len(x)+2) * embedAll * norm(x)))
		}
		for k := range m.depth {
			n, e := &m.norms[k], &o.errors[i*m.depth+k]
			h, next := m.hidden(i, k), m.hidden(i, k+1)
			u, off := h, 0.0 // off is the error of z in norm
			if m.w != nil {
				multiplyTo(z, block(m.w, k, m.middle*m.width), h, biasAt(m.wBias, k, m.middle))
				u, off = z, r.wide(r.gamma(m.width+2)*(n.wAll*norm(h)+n.wBias))
			}
			value, slope, bend, ok := m.functionErrors(i, k, u)
			if !ok {
				why[i] = fmt.Sprintf("%s is not enclosed at an argument of layer %d", m.sigma.Name(), k+1)
				return
			}
			e.value = r.wide(value + first*off)
			e.slope, e.second = r.wide(slope+second*off), r.wide(bend+third*off)
			e.branch = e.value
			if m.v != nil {
				size := norm(m.of(m.states.value, i, k))
				e.branch = r.wide(r.gamma(m.middle+2)*(n.vAll*size+n.vBias) + n.v*e.value)
			}
			m.branchTo(f, i, k)
			delta := math.Abs(m.scale(k))
			sum += square(r.wide(r.u*norm(next) + delta*(2*r.u*norm(f)+e.branch)))
		}
		o.length[i] = r.wide(math.Sqrt(sum))
		last, readout := norm(m.hidden(i, m.depth)), 1.0
		if m.readout != nil {
			readout = readoutAll
		}
		o.outputs[i] = r.wide(r.gamma(m.width+2) * (readout*last + norm(block(m.y, i, m.outputs))))
		if !(o.length[i] <= 1) || !(last <= 0x1p100) {
			why[i] = fmt.Sprintf("the states are as large as %.3g", last)
		}
	})
	for i, text := range why {
		if text != "" {
			return nil, fmt.Sprintf("sample %d: %s", i, text), err
		}
	}
	return o, "", err
}

// functionErrors bounds the errors of σ, in norm, and of each σ′ and σ″ of a sample and layer as functions of the computed
// arguments, by interval arithmetic at each of them. A Model's σ may have a constant added, which the golden file wants.
func (m *Model) functionErrors(i, k int, u []float64) (value, slope, second float64, ok bool) {
	values, slopes, seconds := m.of(m.states.value, i, k), m.of(m.states.slope, i, k), m.of(m.states.second, i, k)
	for j, z := range u {
		v, d, s, known := enclosure.Derivatives(m.sigma.Name(), z)
		if !known {
			return 0, 0, 0, false
		}
		value += square(v.Distance(values[j]))
		slope = max(slope, d.Distance(slopes[j]))
		second = max(second, s.Distance(seconds[j]))
	}
	value = math.Sqrt(value)
	return value, slope, second, value+slope+second < 1
}

// upper returns a number above v, in case that a function of a library rounded it down.
func upper(v float64) float64 { return v * (1 + 0x1p-50) }
