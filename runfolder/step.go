package runfolder

import (
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// StepLaw says which step sizes a run was given: η₀ = value·L^exponent at its depth, by
// the rule, and what becomes of it along training, by the schedule.
type StepLaw struct {
	Rule     string `json:"rule"`     // depth, constant, armijo or certified
	Schedule string `json:"schedule"` // constant, cosine, linear, decay or warmup-stable-decay
	// Value is η₀ at L = 1, or the share of the certified step size for rule certified.
	Value float64 `json:"value"`
	// Exponent and First are x and η₀ = value·L^x; nil for rule certified, where each
	// iterate has a step size of its own. For rule armijo the search starts at η₀.
	Exponent *float64 `json:"exponent,omitempty"`
	First    *float64 `json:"first,omitempty"`
	// Epsilon is Adam's ε at this depth; 0 for methods without one.
	Epsilon float64 `json:"epsilon,omitempty"`
	// Decay is λ of w ← w − ηλw at this depth.
	Decay float64 `json:"weight_decay,omitempty"`
}

// String returns the law in words, the same for all depths: "rule depth, η₀ = 8·L^−0.5,
// schedule cosine".
func (s *StepLaw) String() string {
	value := strconv.FormatFloat(s.Value, 'g', -1, 64)
	text := "rule " + s.Rule
	switch {
	case s.Exponent == nil:
		text += ", η = " + value + " times the certified step size"
	case s.Rule == "constant":
		text += ", η₀ = " + value
	default:
		text += ", η₀ = " + value + "·L^" + strings.Replace(strconv.FormatFloat(*s.Exponent, 'g', 4, 64), "-", "−", 1)
	}
	if s.Rule == "armijo" {
		text += ", where each search starts"
	}
	if s.Schedule != "constant" {
		text += ", schedule " + s.Schedule
	}
	return text
}

// metadata returns the law as the key-value pairs of a trace.
func (s *StepLaw) metadata() []parquet.WriterOption {
	if s == nil {
		return nil
	}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	pairs := map[string]string{"step_rule": s.Rule, "step_schedule": s.Schedule, "step_value": number(s.Value)}
	if s.Exponent != nil {
		pairs["step_exponent"] = number(*s.Exponent)
	}
	if s.First != nil {
		pairs["step_first"] = number(*s.First)
	}
	if s.Epsilon != 0 {
		pairs["adam_epsilon"] = number(s.Epsilon)
	}
	if s.Decay != 0 {
		pairs["weight_decay"] = number(s.Decay)
	}
	var options []parquet.WriterOption
	for key, value := range pairs { // the writer sorts them
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	return options
}
