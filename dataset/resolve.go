package dataset

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/table"
)

// maxNumbers is the largest number of float64 values of one set, N·(d+m): 2^31 of them are 16
// GiB. A spec beyond it is probably a mistake and is refused before allocation.
const maxNumbers = 1 << 31

// Resolve returns s with every default filled in; seed replaces an absent Seed. Resolving the
// result again, with any seed, returns it unchanged.
//
// Errors are `field: got X, want Y` with the key of the field in a study file: values out of
// range, missing fields that the kind needs, fields that do not apply to the kind, and sets
// beyond 2^31 numbers. Resolve opens no file.
func (s Spec) Resolve(seed uint64) (Spec, error) {
	k, err := kindNamed(s.Kind)
	if err != nil {
		return Spec{}, err
	}
	if err := s.checkApplies(k); err != nil {
		return Spec{}, err
	}

	if s.Name == "" {
		s.Name = s.Kind
	}
	if s.Seed == nil {
		s.Seed = new(seed)
	}
	if s.Standardize == nil {
		s.Standardize = new(k.scaled)
	}
	if s.UnitNorm == nil {
		s.UnitNorm = new(k.scaled)
	}
	if s.Kind == "ode" || s.Kind == "sde" {
		if s.Steps == 0 {
			s.Steps = 100
		}
		if s.Step == 0 && s.Steps > 0 {
			s.Step = 1 / float64(s.Steps)
		}
	}
	s.Columns, s.Categories = slices.Clone(s.Columns), slices.Clone(s.Categories)

	if k.stored {
		err = s.checkStored(k)
	} else {
		err = s.checkGenerator()
	}
	if err != nil {
		return Spec{}, err
	}
	return s, nil
}

// Drawn says whether Seed matters: for generated samples, and for a part of a stored set or a split of it.
func (s Spec) Drawn() bool {
	k, err := kindNamed(s.Kind)
	return err != nil || !k.stored || s.Samples > 0 || s.Test > 0 || s.Validation > 0
}

// checkApplies returns an error for a field that is set and does not apply to the kind.
func (s Spec) checkApplies(k kind) error {
	for _, f := range []struct {
		path string
		set  bool
		got  any
	}{
		{"test", s.Test != 0, s.Test},
		{"validation", s.Validation != 0, s.Validation},
		{"width", s.Width != 0, s.Width},
		{"distance", s.Distance != 0, s.Distance},
		{"separation", s.Separation != nil, value(s.Separation)},
		{"angle", s.Angle != 0, s.Angle},
		{"steps", s.Steps != 0, s.Steps},
		{"step", s.Step != 0, s.Step},
		{"noise", s.Noise != 0, s.Noise},
		{"inputs", s.Inputs != "", s.Inputs},
		{"targets", s.Targets != "", s.Targets},
		{"test-inputs", s.TestInputs != "", s.TestInputs},
		{"test-targets", s.TestTargets != "", s.TestTargets},
		{"path", s.Path != "", s.Path},
		{"test-path", s.TestPath != "", s.TestPath},
		{"columns", len(s.Columns) > 0, s.Columns},
		{"categories", len(s.Categories) > 0, s.Categories},
		{"missing", s.Missing != "", s.Missing},
		{"flatten", s.Flatten, s.Flatten},
		{"header", s.Header != nil, value(s.Header)},
		{"index", s.Index != "", s.Index},
		{"delimiter", s.Delimiter != "", s.Delimiter},
		{"decimal", s.Decimal != "", s.Decimal},
		{"classification", s.Classification, s.Classification},
		{"stratified", s.Stratified, s.Stratified},
		{"standardize", value(s.Standardize), true},
		{"unit-norm", value(s.UnitNorm), true},
	} {
		if f.set && !slices.Contains(k.fields, f.path) {
			want := fmt.Sprintf("it left out: kind %s has no %s (for %s)", k.name, f.path, strings.Join(kindsWith(f.path), ", "))
			return &field.Error{Path: f.path, Got: f.got, Want: want}
		}
	}
	return nil
}

func (s Spec) checkGenerator() error {
	least := 1
	if s.Kind == "rotation" {
		least = 2
	}
	switch {
	case s.Samples < 1:
		return &field.Error{Path: "samples", Got: s.Samples, Want: "the number N ≥ 1 of samples to generate"}
	case s.Test < 0:
		return &field.Error{Path: "test", Got: s.Test, Want: "a number ≥ 0 of held-out samples"}
	case s.Validation < 0:
		return &field.Error{Path: "validation", Got: s.Validation, Want: "a number ≥ 0 of held-out samples"}
	case s.Width < least:
		return &field.Error{Path: "width", Got: s.Width, Want: fmt.Sprintf("the dimension d ≥ %d of inputs and targets", least)}
	}
	if held := s.Test + s.Validation; held < 0 || !fits(s.Samples+held, s.Width, s.Width) {
		want := fmt.Sprintf("at most 2^31 numbers in all, (samples + test) × 2 × width, with test %d and width %d", s.Test, s.Width)
		if s.Validation > 0 {
			want = fmt.Sprintf("at most 2^31 numbers in all, (samples + test + validation) × 2 × width, with test %d, validation %d and width %d", s.Test, s.Validation, s.Width)
		}
		return &field.Error{Path: "samples", Got: s.Samples, Want: want}
	}

	switch s.Kind {
	case "separated":
		return s.checkSeparated()
	case "rotation":
		if s.Angle == 0 || !finite(s.Angle) {
			return &field.Error{Path: "angle", Got: s.Angle, Want: "a finite angle ≠ 0 in radians"}
		}
	case "ode", "sde":
		if s.Steps < 1 {
			return &field.Error{Path: "steps", Got: s.Steps, Want: "a number ≥ 1 of Euler steps"}
		}
		if !positive(s.Step) {
			return &field.Error{Path: "step", Got: s.Step, Want: "a finite step size > 0 (default 1/steps)"}
		}
		if s.Kind == "sde" && !positive(s.Noise) {
			return &field.Error{Path: "noise", Got: s.Noise, Want: "a finite diffusion coefficient > 0 (without noise: kind ode)"}
		}
	}
	return nil
}

func (s Spec) checkSeparated() error {
	if !positive(s.Distance) {
		return &field.Error{Path: "distance", Got: s.Distance, Want: "a finite distance ‖y_i − x_i‖ > 0"}
	}
	if s.Separation == nil {
		if s.Samples > s.Width {
			want := fmt.Sprintf("at most %d, the width: no more vectors are orthonormal", s.Width)
			return &field.Error{Path: "samples", Got: s.Samples, Want: want}
		}
		return nil
	}
	c := *s.Separation
	if !finite(c) || c < 0 {
		return &field.Error{Path: "separation", Got: c, Want: "a finite c ≥ 0"}
	}
	// By Welch, N > d unit vectors have max|⟨x_i,x_j⟩|² ≥ (N−d)/(d(N−1)) ≥ 1/(N−1)²,
	// above the square of e^{−4c}/(8N) for every c ≥ 0.
	if s.Samples > s.Width {
		want := fmt.Sprintf("at most %d, the width: more unit vectors have some |⟨x_i,x_j⟩| ≥ 1/(N−1) (Welch), above e^{−4c}/(8N)", s.Width)
		return &field.Error{Path: "samples", Got: s.Samples, Want: want}
	}
	if bound := separationBound(s.Samples, c); bound < 2*gramRounding(s.Width) {
		most := math.Floor(-25*math.Log(2*gramRounding(s.Width)*8*float64(s.Samples))) / 100
		want := fmt.Sprintf("at most %g: beyond it rounding hides the difference from orthonormal inputs, which no separation gives", most)
		return &field.Error{Path: "separation", Got: c, Want: want}
	}
	return nil
}

func (s Spec) checkStored(k kind) error {
	switch {
	case s.Samples < 0:
		return &field.Error{Path: "samples", Got: s.Samples, Want: "a number ≥ 1 of training samples, or 0 for all"}
	case s.Test < 0:
		return &field.Error{Path: "test", Got: s.Test, Want: "a number ≥ 0 of held-out samples"}
	case s.Validation < 0:
		return &field.Error{Path: "validation", Got: s.Validation, Want: "a number ≥ 0 of held-out samples"}
	}
	if s.Stratified && !s.Classification && slices.Contains(k.fields, "classification") {
		return &field.Error{Path: "stratified", Got: true, Want: "it with classification: true alone: numbers have no classes"}
	}
	switch s.Kind {
	case "csv", "parquet":
		if err := s.checkTable(); err != nil {
			return err
		}
	case "files":
		if err := s.checkArrays(); err != nil {
			return err
		}
	}
	// A folder of the user may hold another number of samples.
	if k.train == 0 || s.Path != "" {
		return nil
	}
	rest := k.train
	if k.test > 0 {
		if s.Test > k.test {
			return &field.Error{Path: "test", Got: s.Test, Want: fmt.Sprintf("at most %d, the test samples of %s", k.test, k.name)}
		}
	} else if rest -= s.Test; rest < 1 {
		return &field.Error{Path: "test", Got: s.Test, Want: fmt.Sprintf("less than %d, the samples of %s", k.train, k.name)}
	}
	if s.Validation > 0 {
		left := rest
		if rest -= s.Validation; rest < 1 {
			return &field.Error{Path: "validation", Got: s.Validation, Want: fmt.Sprintf("less than %d, what %s holds for training", left, k.name)}
		}
	}
	if s.Samples > rest {
		return &field.Error{Path: "samples", Got: s.Samples, Want: fmt.Sprintf("at most %d, what %s holds for training", rest, k.name)}
	}
	return nil
}

// checkTable returns an error for what no table has.
func (s Spec) checkTable() error {
	if err := s.checkDialect(); err != nil {
		return err
	}
	if s.Path == "" {
		return &field.Error{Path: "path", Got: "", Want: "the file that holds the table"}
	}
	if s.Classification && len(s.Columns) > 1 {
		return &field.Error{Path: "columns", Got: s.Columns, Want: "one column of class labels, because classification is true"}
	}
	for i, name := range s.Columns {
		if slices.Contains(s.Columns[:i], name) {
			return &field.Error{Path: fmt.Sprintf("columns[%d]", i), Got: name, Want: "each column once"}
		}
	}
	for i, name := range s.Categories {
		if slices.Contains(s.Categories[:i], name) || slices.Contains(s.Columns, name) {
			return &field.Error{Path: fmt.Sprintf("categories[%d]", i), Got: name, Want: "each column once, and no target"}
		}
	}
	if s.Missing != "" {
		return field.OneOf("missing", s.Missing, table.DropMissing, table.FillMissing)
	}
	return nil
}

// checkArrays returns an error for a set of arrays that lacks one.
func (s Spec) checkArrays() error {
	for _, f := range []struct{ path, value, other, want string }{
		{"inputs", s.Inputs, "-", "the .npy or .npz file of the (N,d) inputs"},
		{"targets", s.Targets, "-", "the .npy or .npz file of the (N,m) targets"},
		{"test-inputs", s.TestInputs, s.TestTargets, "the file of the inputs of test-targets"},
		{"test-targets", s.TestTargets, s.TestInputs, "the file of the targets of test-inputs"},
	} {
		if f.value == "" && f.other != "" {
			return &field.Error{Path: f.path, Got: "", Want: f.want}
		}
	}
	return nil
}

// checkDialect returns an error for a delimiter or a decimal mark that no table has.
func (s Spec) checkDialect() error {
	if s.Delimiter != "" && !slices.Contains([]string{",", ";", "tab", "blank"}, s.Delimiter) {
		return &field.Error{Path: "delimiter", Got: s.Delimiter, Want: "\",\", \";\", tab or blank"}
	}
	if s.Decimal != "" && s.Decimal != "." && s.Decimal != "," {
		return &field.Error{Path: "decimal", Got: s.Decimal, Want: "\".\" or \",\""}
	}
	return nil
}

// fits reports whether n·(d+m) numbers stay within maxNumbers; n, d, m ≥ 0. An n
// that is the wrapped, negative sum of two counts does not fit: as unsigned it
// is at least 2^63.
func fits(n, d, m int) bool {
	columns, carry := bits.Add64(uint64(d), uint64(m), 0)
	high, low := bits.Mul64(uint64(n), columns)
	return carry == 0 && high == 0 && low <= maxNumbers
}

func finite(v float64) bool   { return !math.IsNaN(v) && !math.IsInf(v, 0) }
func positive(v float64) bool { return v > 0 && finite(v) }

// value returns *p, or the zero value for nil.
func value[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
