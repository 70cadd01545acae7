package papers

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// exponentOf returns an exponent with an interval of half width 0.03.
func exponentOf(v float64) analyze.Slope {
	return analyze.Slope{Slope: v, Low: v - 0.03, High: v + 0.03, Method: scaling.BySeeds}
}

// benchOf returns a bench whose first step printed groups.
func benchOf(t *testing.T, groups ...analyze.TuneGroup) *Bench {
	t.Helper()
	text, err := json.Marshal(analyze.Tune{Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return &Bench{outputs: [][]byte{text}}
}

// groupOf returns a group of a method with the law −½ and exponents between three depths.
func groupOf(data, method string, whole, first, last float64) analyze.TuneGroup {
	return analyze.TuneGroup{
		Data: data, Alpha: new(0.5), Law: new(-0.5), Settings: map[string]string{"train.method": method}, Exponent: new(exponentOf(whole)),
		Windows: []scaling.Window{{From: 8, To: 32, Exponent: exponentOf(first)}, {From: 32, To: 128, Exponent: exponentOf(last)}},
	}
}

// TestDrift wants how much nearer to the law exponents are between the deepest depths.
func TestDrift(t *testing.T) {
	b := benchOf(t, groupOf("rotation", "adam", -0.6, -0.7, -0.5), groupOf("rotation", "sign", -0.6, -0.3, -0.6))
	found, err := drift(0)(b)
	if err != nil || len(found) != 1 {
		t.Fatalf("got %v, %v, want one measurement", found, err)
	}
	if m := found[0]; m.Case != "alpha 0.5" || !(math.Abs(m.Value+0.15) <= 1e-12) || !(m.Low < m.Value && m.Value < m.High) {
		t.Errorf("got %+v, want −0.15, the mean of −0.2 and −0.1", m)
	}
}

// TestLessLaw wants the verdicts on exponents less the law, with a clause for those that are open or off it.
func TestLessLaw(t *testing.T) {
	wide := exponentOf(-0.5)
	wide.Low, wide.High = -0.7, -0.3
	for _, c := range []struct {
		exponent analyze.Slope
		note     string
	}{
		{exponentOf(-0.5), ""},
		{exponentOf(-0.54), "open: the interval holds an end of the range"},
		{wide, "open: seeds differ in the place of their curves by so much that the interval is wider than the range"},
		{exponentOf(-0.7), "8 to 32 −0.20 ± 0.03, 32 to 128 0.10 ± 0.03"},
	} {
		g := groupOf("rotation", "adam", 0, -0.7, -0.4)
		g.Exponent = &c.exponent
		if m, ok := lessLaw(whole, lawful)(&g); !ok || m.Note != c.note || !(math.Abs(m.Value-c.exponent.Slope-0.5) <= 1e-12) {
			t.Errorf("%v: got %+v, want the note %q", c.exponent, m, c.note)
		}
	}
}

// TestDivergedRegret wants the regret of a value at which training diverges to be above all ranges, and a record of it to be read again.
func TestDivergedRegret(t *testing.T) {
	g := analyze.TuneGroup{Regret: []analyze.TuneRegret{{Rule: "law", To: 32, Diverged: 2}}}
	m := deepestRegret(&g, "law")
	if AtMost(0.1).Judge(m) != NotReproduced || AtLeast(0.1).Judge(m) != Reproduced || m.Note != "diverges with 2 seeds" {
		t.Errorf("got %+v, want one above 0.1", m)
	}
	path := filepath.Join(t.TempDir(), "record.json")
	record := Record{"a": {Claims: []Judged{{Key: "k", Value: number(m.Value), Low: number(m.Low), High: number(m.High), Note: m.Note, Verdict: NotReproduced}}}}
	if err := record.Write(path); err != nil {
		t.Fatal(err)
	}
	read, err := ReadRecord(path)
	if err != nil || read["a"].Claims[0].Verdict != NotReproduced {
		t.Errorf("got %v, %v, want the record", read, err)
	}
}

// TestBesideDigits wants exponents less those on digits of the same method, with the interval of both.
func TestBesideDigits(t *testing.T) {
	b := benchOf(t, groupOf("digits", "adam", -0.5, 0, 0), groupOf("mnist", "adam", -0.4, 0, 0), groupOf("mnist", "sgd", -0.4, 0, 0))
	found, err := besideDigits(b, 0)
	if err != nil || len(found) != 2 {
		t.Fatalf("got %v, %v, want two measurements", found, err)
	}
	if m := found[0]; m.Case != "mnist, method adam" || !(math.Abs(m.Value-0.1) <= 1e-12) || !(math.Abs(m.High-m.Value-0.03*math.Sqrt2) <= 1e-12) {
		t.Errorf("got %+v, want 0.1 ± 0.042", m)
	}
	if m := found[1]; !math.IsNaN(m.Value) || m.Note != "not on digits" {
		t.Errorf("got %+v, want none", m)
	}
}

// TestPageFoldsColumns wants claims with a column in one table and the others in rows below it.
func TestPageFoldsColumns(t *testing.T) {
	t.Chdir("../..")
	out := Outcome{Claims: []Judged{
		{Key: "law", Case: "alpha 1", Value: 0, Low: -0.01, High: 0.01, Want: "in [−0.05, 0.05]", Verdict: Reproduced},
		{Key: "law-regret", Case: "alpha 1", Value: 0.5, Low: 0.4, High: 0.6, Want: "≤ 0.1", Note: "why", Verdict: NotReproduced},
		{Key: "decay", Case: "alpha 2", Value: 0, Low: 0, High: 0, Want: "in [−0.1, 0.1]", Verdict: Reproduced},
	}}
	var page strings.Builder
	if err := WritePage(&page, Record{"step-transfer": out}); err != nil {
		t.Fatal(err)
	}
	wantParts(t, page.String(),
		"| case | exponent | without depth 8 | regret of the law | of a constant step |\n",
		"| alpha 1 | 0 [−0.01, 0.01]: reproduced | | 0.5 [0.4, 0.6]: **not reproduced** | |\n",
		"regret of the law:\n\n- alpha 1: why\n",
		"| [DZN], table 1 | alpha 2 | in [−0.1, 0.1] | 0 | reproduced |\n",
	)
	if strings.Contains(page.String(), "| alpha 2 | 0: reproduced |") {
		t.Error("a claim of a row is in the folded table")
	}
}
