package network

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/layerorder"
)

// Numbers are what the layers of a family or of an invariant say (package layerorder).
type Numbers struct {
	Verdict layerorder.Verdict `json:"verdict"`
	// PValue is that of the order of the layers, by permutation; Independent that of independent normal layers of
	// the same norms.
	PValue      float64 `json:"p_value"`
	Independent float64 `json:"p_value_independent"`
	// OrderShare is how much of the way from the mean cosine of all pairs of layers to 1 that of neighbours is.
	OrderShare float64  `json:"order_share"`
	Index      Interval `json:"index"`
	NoiseShare Interval `json:"noise_share"`
	// Outliers are layers unlike all others, and Jumps those behind which the path jumps, by their index in the file.
	Outliers []int `json:"outliers"`
	Jumps    []int `json:"jumps"`
	// Judged are the first and the last layer that the verdict is about: outliers at the ends are left out.
	Judged     [2]int           `json:"judged"`
	Norms      []float64        `json:"norms"`
	Increments []Number         `json:"relative_increments"` // ‖A_{k+1} − A_k‖/‖A_k‖
	Cosines    []layerorder.Lag `json:"cosines"`
	// Components are the coordinates of the judged layers along the first principal components of their path, null of layers that
	// are left out, and Explained the shares of its variance.
	Components [][]Number `json:"components"`
	Explained  []float64  `json:"explained"`
	Sentence   string     `json:"sentence"`
}

// Interval is an interval as JSON: what is not known, and what has no bound, is null.
type Interval layerorder.Interval

// MarshalJSON writes value, low and high.
func (i Interval) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value Number `json:"value"`
		Low   Number `json:"low"`
		High  Number `json:"high"`
	}{Number(i.Value), Number(i.Low), Number(i.High)})
}

// Number is a number that is null in JSON where it is not finite.
type Number float64

// MarshalJSON writes the number or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number, NaN for null.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// FamilyResult is a family and what it says: with its hidden units matched, where they were.
type FamilyResult struct {
	Family
	Numbers
	*Spectrum
	Aligned  *Aligned `json:"aligned,omitempty"`
	AsStored *Numbers `json:"as_stored,omitempty"` // of the layers as they are, where the others are of matched ones
}

// InvariantResult is an invariant and what it says.
type InvariantResult struct {
	Invariant
	Numbers
}

// A Result is what the families of one or more networks say.
type Result struct {
	Families   []FamilyResult    `json:"families"`
	Invariants []InvariantResult `json:"invariants"`
	// Trainings are the maps and invariants that there are at several steps of one training.
	Trainings []Training `json:"trainings,omitempty"`
	Notes     []string   `json:"notes,omitempty"`
}

// Result analyses all families and invariants.
func (m *Measurement) Result() (*Result, error) {
	r := &Result{Families: []FamilyResult{}, Invariants: []InvariantResult{}, Notes: noteTexts(m.Notes)}
	for _, f := range m.Families {
		n, err := numbers(f.Gram, f.First)
		if err != nil {
			return nil, err
		}
		result := FamilyResult{Family: f.Family, Numbers: n, Spectrum: f.Spectrum, Aligned: f.Aligned}
		if f.Aligned != nil {
			result.AsStored = &n
			if result.Numbers, err = numbers(f.Aligned.Gram, f.First); err != nil {
				return nil, err
			}
			result.Sentence = "units matched: " + result.Sentence + "; as stored: " + n.Sentence
		}
		r.Families = append(r.Families, result)
	}
	for _, f := range m.Invariants {
		n, err := numbers(f.Gram, f.First)
		if err != nil {
			return nil, err
		}
		r.Invariants = append(r.Invariants, InvariantResult{f.Invariant, n})
	}
	r.Trainings = r.trainings()
	return r, nil
}

// noteTexts returns what notes say, once for all files of which it is said.
func noteTexts(notes []Note) []string {
	var texts []string
	for _, same := range grouped.By(notes, func(n Note) string { return n.Text }) {
		about := plain.Text(same[0].File)
		if more := len(same) - 1; more > 0 {
			about = fmt.Sprintf("%s and %d more", about, more)
		}
		texts = append(texts, about+": "+same[0].Text)
	}
	return texts
}

// numbers analyses the layers of one path; first is the index of its first layer.
func numbers(g *layerorder.Gram, first int) (Numbers, error) {
	a, err := layerorder.Analyze(g)
	if err != nil {
		return Numbers{}, err
	}
	n := Numbers{
		Verdict: a.Verdict, PValue: a.Order.P, Independent: a.Order.Independent, OrderShare: a.Order.Share,
		Index: Interval(a.Index), NoiseShare: Interval(a.NoiseShare),
		Outliers: shifted(a.Outliers, first), Jumps: shifted(a.JumpAfter, first), Judged: [2]int{first + a.From, first + a.To - 1},
		Norms: a.Norms, Increments: asNumbers(a.Increments), Cosines: a.Lags, Explained: a.Explained,
	}
	for _, line := range a.Axes {
		n.Components = append(n.Components, asNumbers(line))
	}
	n.Sentence = sentence(&n, a.Equal)
	return n, nil
}

func asNumbers(values []float64) []Number {
	out := make([]Number, len(values))
	for i, v := range values {
		out[i] = Number(v)
	}
	return out
}

func shifted(layers []int, by int) []int {
	out := make([]int, len(layers))
	for i, k := range layers {
		out[i] = k + by
	}
	return out
}
