package scaling

// Index is a variation index, the smallest p at which V_p stays bounded as depth grows, with its interval,
// as Inference.VariationIndex returns it.
type Index struct {
	Index   float64 `json:"index"` // at least 1
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Method  string  `json:"method"` // ByModel
	Warning string  `json:"warning,omitempty"`
	Basis
}
