package analyze

// nullable is PathNumbers as JSON has it.
type nullable struct {
	nullablePath
	Displacement          *float64      `json:"displacement"`
	DisplacementVariation *float64      `json:"displacement_variation"`
	DisplacementPath      *nullablePath `json:"displacement_path,omitempty"`
}

// nullablePath is what JSON has of either source.
type nullablePath struct {
	MaxFrobenius       *float64            `json:"max_frobenius"`
	MaxIncrement       *float64            `json:"max_increment"`
	RootSumSquares     *float64            `json:"root_sum_squares"`
	QuadraticVariation *float64            `json:"quadratic_variation"`
	PVariation         map[string]*float64 `json:"p_variation"`
	PVariationRoots    map[string]float64  `json:"p_variation_roots,omitempty"`
	QuadraticRoot      *float64            `json:"quadratic_variation_root,omitempty"`
	Hoelder            *float64            `json:"hoelder"`
	HoelderUniform     *float64            `json:"hoelder_uniform"`
}

func (n PathNumbers) nullable() nullable {
	all := nullable{nullablePath: n.nullablePath(), Displacement: finite(n.Displacement), DisplacementVariation: finite(n.DisplacementVariation)}
	if n.DisplacementPath != nil {
		all.DisplacementPath = new(n.DisplacementPath.nullablePath())
	}
	return all
}

func (n PathNumbers) nullablePath() nullablePath {
	variation := make(map[string]*float64, len(n.PVariation))
	for p, v := range n.PVariation {
		variation[p] = finite(v)
	}
	return nullablePath{
		finite(n.MaxFrobenius), finite(n.MaxIncrement), finite(n.RootSumSquares), finite(n.QuadraticVariation), variation, n.PVariationRoots,
		n.QuadraticVariationRoot, finite(n.Hoelder), finite(n.HoelderUniform),
	}
}
