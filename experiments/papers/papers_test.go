package papers

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/plan/study"
)

func TestJudge(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		want      Range
		low, high float64
		verdict   Verdict
	}{
		{Around(0, 0.05), -0.05, 0.05, Reproduced},
		{Around(0, 0.05), -0.05, 0.051, CannotTell},
		{Around(0, 0.05), -1, 1, CannotTell},
		{Around(0, 0.05), 0.051, 0.2, NotReproduced},
		{Around(0, 0.05), -0.2, -0.051, NotReproduced},
		{Around(0, 0.05), nan, nan, CannotTell},
		{AtLeast(0.99), 0.99, 0.99, Reproduced},
		{AtLeast(0.99), 0.9899, 0.9899, NotReproduced},
		{AtMost(2), 1.9, inf, CannotTell},
		{AtMost(2), 2.1, inf, NotReproduced},
		{Range{1, 1}, 1, 1, Reproduced},
	} {
		if got := c.want.Judge(Measurement{Low: c.low, High: c.high}); got != c.verdict {
			t.Errorf("%v judges [%v, %v]: got %q, want %q", c.want, c.low, c.high, got, c.verdict)
		}
	}
}

func TestRangeText(t *testing.T) {
	for want, r := range map[string]Range{
		"in [−0.05, 0.05]": Around(0, 0.05), "≥ 0.99": AtLeast(0.99), "≤ 2.05": AtMost(2.05), "= 1": {1, 1},
	} {
		if got := r.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestStepArguments(t *testing.T) {
	step := Step{Command: "run a.yaml --out {runs}/x", Small: "--set 'depths=[2, 4]' --set seeds=''"}
	got, err := step.args("r", true)
	if want := []string{"run", "a.yaml", "--out", "r/x", "--set", "depths=[2, 4]", "--set", "seeds="}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := (Step{Command: "run 'a b"}).args("r", false); err == nil {
		t.Error("an open quote: got no error")
	}
}

func TestLost(t *testing.T) {
	before := Outcome{Claims: []Judged{{Key: "a", Verdict: Reproduced}, {Key: "b", Case: "x", Verdict: Reproduced}, {Key: "c", Verdict: Reproduced}, {Key: "d", Verdict: CannotTell}}}
	now := Outcome{Claims: []Judged{{Key: "a", Verdict: Reproduced}, {Key: "b", Case: "x", Verdict: CannotTell}, {Key: "d", Verdict: NotReproduced}}}
	want := []string{"b x: was reproduced, now cannot tell", "c : was reproduced, now no longer measured"}
	if got := Lost(before, now); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRecordRounds wants JSON to keep four digits and to hold what is not finite.
func TestRecordRounds(t *testing.T) {
	data, err := json.Marshal(Judged{Key: "a", Value: 1.0 / 3, Low: number(math.NaN()), High: number(math.Inf(1))})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"value":0.3333`, `"low":null`, `"high":null`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("got %s, want %s in it", data, part)
		}
	}
	var j Judged
	if err := json.Unmarshal(data, &j); err != nil || !math.IsNaN(float64(j.Low)) {
		t.Errorf("read back: got %v, %v, want NaN", j.Low, err)
	}
}

// TestExperiments wants names and keys to be unique, study files to be good, also with
// the overrides of the small version, and the record of it to be complete.
func TestExperiments(t *testing.T) {
	t.Chdir("../..")
	small, err := ReadRecord(SmallSize.Record)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, e := range Experiments() {
		if names[e.Name] {
			t.Errorf("%s: the name is taken", e.Name)
		}
		names[e.Name] = true
		keys := map[string]bool{}
		for _, claim := range e.Claims {
			if keys[claim.Key] {
				t.Errorf("%s: %s: the key is taken", e.Name, claim.Key)
			}
			keys[claim.Key] = true
			if !slices.ContainsFunc(small[e.Name].Claims, func(j Judged) bool { return j.Key == claim.Key }) {
				t.Errorf("%s: %s: not in %s", e.Name, claim.Key, SmallSize.Record)
			}
		}
		for _, step := range e.Steps {
			for _, isSmall := range []bool{false, true} {
				if err := load(step, isSmall); err != nil {
					t.Errorf("%s: %v", e.Name, err)
				}
			}
		}
	}
}

// load reads the study file of a step with its overrides.
func load(step Step, small bool) error {
	args, err := step.args("runs", small)
	if err != nil {
		return err
	}
	file, set := "", []string(nil)
	for i, arg := range args {
		switch {
		case strings.HasSuffix(arg, ".yaml"):
			file = arg
		case arg == "--set" && i+1 < len(args):
			set = append(set, args[i+1])
		}
	}
	if file == "" {
		return nil
	}
	_, err = study.Load(file, set)
	return err
}

// TestPage wants the page to say what a record holds, in its experiment's section.
func TestPage(t *testing.T) {
	t.Chdir("../..")
	nan := number(math.NaN())
	out := Outcome{Seconds: 7, Cores: 2, Version: "v1", Claims: []Judged{
		{Key: "regime", Case: "alpha 0.5", Value: 0, Low: 0, High: 0, Want: "= 1", Note: "a|b", Verdict: NotReproduced},
		{Key: "regime", Case: "alpha 1", Value: 1.5, Low: 1, High: 2, Want: "= 1", Verdict: CannotTell},
		{Key: "regime", Case: "alpha 2", Value: nan, Low: nan, High: nan, Want: "= 1", Note: "why", Verdict: CannotTell},
	}}
	folded := Outcome{Claims: []Judged{
		{Key: "linear-rate", Case: "mnist", Value: nan, Low: nan, High: nan, Want: "≥ 1", Note: "no rate", Verdict: CannotTell},
		{Key: "linear-rate", Case: "digits", Value: nan, Low: nan, High: nan, Want: "≥ 1", Note: "no rate", Verdict: CannotTell},
		{Key: "certificate", Case: "mnist", Value: 1, Low: 1, High: 1, Want: "= 1", Verdict: Reproduced},
	}}
	var page strings.Builder
	if err := WritePage(&page, Record{"convergence": out, "real-data": folded}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "NaN") {
		t.Errorf("the page has a NaN:\n%s", page.String())
	}
	wantParts(t, page.String(),
		"| 0 | 1 | 2 | 7 s |\n",
		"| alpha 0.5 | = 1 | 0; a\\|b | **not reproduced** |\n",
		"|  |  | alpha 2 | = 1 | none; why | **cannot tell** |\n",
		"| case | linear fall | weight size | V_2 | V_1 of the displacement | certificate |\n",
		"| mnist | none: **cannot tell** | | | | 1: reproduced |\n",
		"- mnist; digits: no rate\n",
		"|  |  | alpha 1 | = 1 | 1.5 [1, 2] | **cannot tell** |\n",
		"    deeplimit run experiments/convergence.yaml --out runs/papers/convergence --no-report\n",
	)
}

// wantParts wants each of parts in a page.
func wantParts(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}
