package runfolder

import (
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// StepLaw says which step sizes a run was given: η₀ = value·L^exponent at its depth, by
// the rule, and what becomes of it along training, by the schedule.
type StepLaw struct {
	Rule     string `json:"rule"`     // depth, constant, armijo, certified or gain-ratio
	Schedule string `json:"schedule"` // constant, cosine, linear, decay or warmup-stable-decay
	// Parametrisation is that of the study, which sets the step size of each part, or "".
	Parametrisation string `json:"parametrisation,omitempty"`
	// Value is η₀ at L = L₀, or the share of the certified step size for rule certified.
	Value float64 `json:"value"`
	// BaseDepth is L₀; 0 stands for 1.
	BaseDepth int `json:"base_depth,omitempty"`
	// Exponent and First are x and η₀ = value·(L/L₀)^x; nil for rules certified and gain-ratio,
	// where each iterate has a step size of its own. For rule armijo the search starts at η₀.
	Exponent *float64 `json:"exponent,omitempty"`
	First    *float64 `json:"first,omitempty"`
	// Law is the exponent that rule depth has, where the rule is constant; nil else.
	Law *float64 `json:"law,omitempty"`
	// Epsilon is Adam's ε at this depth; 0 for methods without one.
	Epsilon float64 `json:"epsilon,omitempty"`
	// Decay is λ of w ← w − ηλw at this depth.
	Decay float64 `json:"weight_decay,omitempty"`
	// Parts are the groups of parameters with other step sizes.
	Parts []StepPart `json:"parts,omitempty"`
}

// A StepPart is a StepLaw of one group of parameters, as far as it has its own.
type StepPart struct {
	Name     string  `json:"name"` // as in weights.safetensors: V, W, C, …
	Value    float64 `json:"value"`
	Exponent float64 `json:"exponent"`
	First    float64 `json:"first"`
	Epsilon  float64 `json:"epsilon,omitempty"`
	Decay    float64 `json:"weight_decay,omitempty"`
}

// A StepDetail is a number beside η₀: Adam's ε, the decay λ, η₀ of a part by its name, or the ε_part
// and λ_part that are not those of the others.
type StepDetail struct {
	Name  string
	Value float64
}

// Details returns the numbers of the law at its depth beside η₀, those that are not 0.
func (s *StepLaw) Details() []StepDetail {
	var all []StepDetail
	add := func(name string, value float64) {
		if value != 0 {
			all = append(all, StepDetail{name, value})
		}
	}
	add("ε", s.Epsilon)
	add("λ", s.Decay)
	for _, p := range s.Parts {
		add(p.Name, p.First)
		if p.Epsilon != s.Epsilon {
			add("ε_"+p.Name, p.Epsilon)
		}
		if p.Decay != s.Decay {
			add("λ_"+p.Name, p.Decay)
		}
	}
	return all
}

// String returns the law in words, the same for all depths: "rule depth, η₀ = 8·L^−0.5,
// schedule cosine".
func (s *StepLaw) String() string {
	value := shortest(s.Value)
	if s.Parametrisation != "" {
		text := "parametrisation " + s.Parametrisation + ", η₀ = " + value
		if s.BaseDepth > 1 {
			text += " at L = " + strconv.Itoa(s.BaseDepth)
		}
		return text + s.schedule()
	}
	text := "rule " + s.Rule
	switch {
	case s.Rule == "gain-ratio": // of levenberg-marquardt
		text += ": the damping follows from how well the linear model foretells the loss"
	case s.Exponent == nil:
		text += ", η = " + value + " times the certified step size"
	case s.Rule == "constant":
		text += ", η₀ = " + value
	default:
		text += ", η₀ = " + value + s.power(*s.Exponent)
	}
	if s.Rule == "armijo" {
		text += ", where each search starts"
	}
	for _, p := range s.Parts {
		text += ", " + p.Name + " " + shortest(p.Value)
		if s.Rule != "constant" {
			text += s.power(p.Exponent)
		}
	}
	return text + s.schedule()
}

func (s *StepLaw) schedule() string {
	if s.Schedule == "constant" {
		return ""
	}
	return ", schedule " + s.Schedule
}

func shortest(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// power returns the factor ·L^x, with L/L₀ for L where that is not 1.
func (s *StepLaw) power(x float64) string {
	depth := "L"
	if s.BaseDepth > 1 {
		depth = "(L/" + strconv.Itoa(s.BaseDepth) + ")"
	}
	return "·" + depth + "^" + strings.Replace(strconv.FormatFloat(x, 'g', 4, 64), "-", "−", 1)
}

// metadata returns the law as the key-value pairs of a trace.
func (s *StepLaw) metadata() []parquet.WriterOption {
	if s == nil {
		return nil
	}
	pairs := map[string]string{"step_rule": s.Rule, "step_schedule": s.Schedule, "step_value": shortest(s.Value)}
	if s.Parametrisation != "" {
		pairs["parametrisation"] = s.Parametrisation
	}
	if s.BaseDepth > 1 {
		pairs["step_base_depth"] = strconv.Itoa(s.BaseDepth)
	}
	for _, p := range s.Parts {
		pairs["step_first_"+p.Name] = shortest(p.First)
	}
	if s.Exponent != nil {
		pairs["step_exponent"] = shortest(*s.Exponent)
	}
	if s.First != nil {
		pairs["step_first"] = shortest(*s.First)
	}
	if s.Epsilon != 0 {
		pairs["adam_epsilon"] = shortest(s.Epsilon)
	}
	if s.Decay != 0 {
		pairs["weight_decay"] = shortest(s.Decay)
	}
	var options []parquet.WriterOption
	for key, value := range pairs { // the writer sorts them
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	return options
}
