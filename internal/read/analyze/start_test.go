package analyze

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// startFolder writes ensembles whose forward ratio at depth L is log-normal with mean of
// the logarithm log L and deviation 0.8, and whose other columns are constant, 2/L, and
// not finite in one draw.
func startFolder(t *testing.T, draws int, depths ...int) string {
	t.Helper()
	dir := t.TempDir()
	if err := runfolder.CreateStudy(dir, "planted", "name: planted\n", nil); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, depth := range depths {
		e := runfolder.Ensemble{
			ID: "e" + strings.Repeat("x", depth), Group: "g", Data: "d", Depth: depth, Width: 4, Alpha: 0.5,
			Block: "mlp", Activation: "relu", ExpectedForward: new(float64(depth) * math.Exp(0.32)),
		}
		for seed := range draws {
			d := runfolder.Draw{
				Seed: uint64(seed), Forward: float64(depth) * math.Exp(0.8*random.NormFloat64()),
				Change: 3, Backward: 2 / float64(depth), BackwardChange: 1,
			}
			if seed == 1 {
				d.BackwardChange = math.Inf(1)
			}
			e.Draws = append(e.Draws, d)
		}
		if err := runfolder.WriteEnsemble(dir, e); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStarts(t *testing.T) {
	const draws = 2000
	result, err := Starts(startFolder(t, draws, 4, 16, 64))
	if err != nil {
		t.Fatal(err)
	}
	g := result.Groups[0]
	if result.Study != "planted" || len(result.Groups) != 1 || len(g.Starts) != 3 || g.Starts[2].Depth != 64 || g.Starts[2].Draws != draws {
		t.Fatalf("got %+v", result)
	}
	for _, s := range g.Starts {
		f := s.Spreads["forward"]
		want := *f.Expected
		// Five standard errors of the mean of a log-normal law, and of its Cox estimate.
		if tol := 5 * want * math.Sqrt((math.Exp(0.64)-1)/draws); !(math.Abs(f.Mean-want) <= tol) {
			t.Errorf("depth %d: mean %v, want %v within %g", s.Depth, f.Mean, want, tol)
		}
		if tol := 5 * want * math.Sqrt(0.64/draws+0.64*0.64/(2*draws)); !(math.Abs(f.Log.Value-want) <= tol) {
			t.Errorf("depth %d: mean of the fitted law %v, want %v within %g", s.Depth, f.Log.Value, want, tol)
		}
		if !(f.Low < f.Mean && f.Mean < f.High && f.Log.Low < f.Log.Value && f.Log.Value < f.Log.High) {
			t.Errorf("depth %d: got intervals %+v, %+v", s.Depth, f, *f.Log)
		}
		if !(f.Log.Distance < f.Log.Critical && f.Log.Critical < 0.021) {
			t.Errorf("depth %d: distance to the law %v, want below %v", s.Depth, f.Log.Distance, f.Log.Critical)
		}
		if _, ok := s.Spreads["backward_change"]; ok {
			t.Errorf("depth %d: got a spread of draws that are not finite", s.Depth)
		}
		if c := s.Spreads["change"]; c.Mean != 3 || c.Low != 3 || c.Log.Deviation != 0 || *c.Expected != want-1 {
			t.Errorf("depth %d: got the spread %+v of a constant", s.Depth, c)
		}
	}
	if s := g.Exponents["backward"]; !(math.Abs(s.Slope+1) <= 1e-12) {
		t.Errorf("backward: got exponent %v, want −1", s.Slope)
	}
	if s := g.Exponents["forward"]; !(s.Low <= 1 && 1 <= s.High && s.High-s.Low < 0.1) {
		t.Errorf("forward: got exponent %v [%v, %v], want 1 inside", s.Slope, s.Low, s.High)
	}
	if len(g.Notes) != 3 || g.Notes[0] != "backward_change at depth 4 left out, as a draw is not finite or the only one" {
		t.Errorf("got notes %q", g.Notes)
	}
	var table, text bytes.Buffer
	if err := result.WriteTable(&table); err != nil || !strings.Contains(table.String(), "exponent of backward in depth: -1.000") {
		t.Errorf("got the table %v\n%s", err, table.String())
	}
	if err := json.NewEncoder(&text).Encode(result); err != nil {
		t.Error(err)
	}
}

// Cox's interval covers the mean of a log-normal law at its level where Student's, with
// few draws of a heavy tail, does not.
func TestCoxInterval(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const trials, draws, deviation = 1000, 50, 1.5
	mean := math.Exp(deviation * deviation / 2)
	student, cox := 0, 0
	for range trials {
		values := make([]float64, draws)
		for i := range values {
			values[i] = math.Exp(deviation * random.NormFloat64())
		}
		s, _ := newSpread(values)
		if s.Low <= mean && mean <= s.High {
			student++
		}
		if s.Log.Low <= mean && mean <= s.Log.High {
			cox++
		}
	}
	// Five standard errors of a share of 0.95 among 1,000 are 0.034.
	if share := float64(cox) / trials; !(share >= 0.916) {
		t.Errorf("Cox's interval covers in %v of trials, want 0.95", share)
	}
	if share := float64(student) / trials; !(share <= 0.9) {
		t.Errorf("Student's interval covers in %v of trials: the heavy tail is gone", share)
	}
}

func TestStartsOfNothing(t *testing.T) {
	dir := startFolder(t, 2)
	want := "analyze: " + dir + ": got no ensembles, want what `deeplimit probe` writes"
	if _, err := Starts(dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Starts(t.TempDir()); err == nil {
		t.Error("a folder of no study: got no error")
	}
}
