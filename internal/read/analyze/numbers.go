package analyze

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
)

// initialSuffix marks the tensor of a part as it was at iteration 0.
const initialSuffix = "_initial"

// pathNumbers measures the path of one part of the weights, and of its displacement. Numbers that cannot
// be had are NaN, with a note for each reason. It is an error when the part is
// missing or its shapes disagree.
func pathNumbers(weights runfolder.Weights, part string, beta float64, exponents []float64) (PathNumbers, []string, error) {
	path, err := weights.Path(part)
	if err != nil {
		return PathNumbers{}, nil, err
	}
	factor := math.Pow(float64(path.Depth), beta)
	numbers, notes := measurePath(path, factor, exponents, part)
	if _, ok := weights.Tensors[part+initialSuffix]; !ok {
		return numbers, append(notes, fmt.Sprintf("%s: no tensor %q, so no displacement", part, part+initialSuffix)), nil
	}
	initial, err := weights.Path(part + initialSuffix)
	if err != nil {
		return PathNumbers{}, nil, err
	}
	displacement, err := path.Sub(initial)
	if err != nil {
		return PathNumbers{}, nil, err
	}
	moved, reasons := measurePath(displacement, factor, exponents, part+": displacement")
	numbers.DisplacementPath, numbers.Displacement = &moved, moved.MaxFrobenius
	first, ok := moved.PVariation["1"]
	if !ok {
		values, _, err := variations(displacement.Rescaled(factor), []float64{1})
		if err != nil {
			reasons = append(reasons, fmt.Sprintf("%s: displacement: %v", part, err))
		}
		first = values["1"]
	}
	numbers.DisplacementVariation = first
	return numbers, append(notes, reasons...), nil
}

// measurePath measures one path; notes begin with its name.
func measurePath(path runfolder.Path, factor float64, exponents []float64, name string) (PathNumbers, []string) {
	var notes []string
	note := func(err error) { notes = append(notes, fmt.Sprintf("%s: %v", name, err)) }
	rescaled := path.Rescaled(factor)
	numbers := PathNumbers{
		MaxFrobenius:          path.MaxFrobenius(),
		Displacement:          math.NaN(),
		MaxIncrement:          path.MaxIncrement(),
		RootSumSquares:        path.RootSumSquares(),
		QuadraticVariation:    rescaled.QuadraticVariation(),
		DisplacementVariation: math.NaN(),
		Hoelder:               math.NaN(),
		HoelderUniform:        math.NaN(),
	}
	if root := rescaled.RootQuadraticVariation(); finite(numbers.QuadraticVariation) == nil && finite(root) != nil {
		numbers.QuadraticVariationRoot = &root
		note(fmt.Errorf("quadratic variation: got %.4g², outside the range of float64", root))
	}
	values, roots, err := variations(rescaled, exponents)
	if err != nil {
		note(err)
	}
	numbers.PVariation, numbers.PVariationRoots = values, roots
	for _, p := range sortedExponents(maps.Keys(roots)) {
		note(fmt.Errorf("p = %s: got V_p = %.4g^%[1]s, outside the range of float64", p, roots[p]))
	}
	// Short paths, and constant ones, have no such exponent, which is no cause for a note.
	if regularity, err := pvar.Hoelder(points(rescaled)); err == nil {
		numbers.Hoelder, numbers.HoelderUniform = regularity.Mean, regularity.Uniform
	}
	return numbers, notes
}

// variations returns V_p by the text of p: NaN for all of them with an error, when
// the path is not finite, and for those that float64 cannot hold, whose roots V_p^(1/p) then are in roots.
func variations(path runfolder.Path, exponents []float64) (values, roots map[string]float64, err error) {
	values = make(map[string]float64, len(exponents))
	for _, p := range exponents {
		values[exponentText(p)] = math.NaN()
	}
	computed, err := pvar.Compute(points(path), exponents...)
	if err != nil {
		return values, nil, err
	}
	for _, v := range computed {
		values[exponentText(v.P)] = v.Value
		if math.IsNaN(v.Value) {
			if roots == nil {
				roots = map[string]float64{}
			}
			roots[exponentText(v.P)] = v.Norm
		}
	}
	return values, roots, nil
}

// points returns the path of the matrices' entries, sharing their memory.
func points(path runfolder.Path) pvar.Points {
	return pvar.Points{Dim: path.Rows * path.Cols, Data: path.Data}
}

// exponentText returns p as the maps of a Result have it: "1", "1.5", …
func exponentText(p float64) string { return strconv.FormatFloat(p, 'g', -1, 64) }

// exponentOf reads what exponentText wrote.
func exponentOf(text string) float64 {
	p, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return p
}

// sortedExponents returns the texts of exponents in the order of their numbers.
func sortedExponents(texts iter.Seq[string]) []string {
	return slices.SortedFunc(texts, func(a, b string) int {
		return cmp.Compare(exponentOf(a), exponentOf(b))
	})
}
