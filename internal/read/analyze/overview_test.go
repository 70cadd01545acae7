package analyze

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// overviewed are the groups of a grid of two steps and two exponents, one without the exponent.
func overviewed() *Overview {
	group := func(name string, settings map[string]string) Group {
		return Group{Group: name, Data: "digits", Settings: settings, Depths: []int{4, 8}, Runs: 6, GroupPath: GroupPath{Regime: &Regime{Verdict: scaling.SmoothLimit}}}
	}
	a := group("a", map[string]string{"network.alpha": "0.5", "train.step.value": "1"})
	b := group("b", map[string]string{"network.alpha": "1", "train.step.value": "1"})
	c := group("c", map[string]string{"train.step.value": "1"})
	c.Diverged = 1
	a.VariationSlope = map[string]Slope{"2": {Slope: 0.5, Low: 0.4, High: 0.6}}
	a.LimitExponents = map[string]scaling.LimitExponent{"variation_2": {Exponent: 0, Low: -0.1, High: 0.1}}
	run := func(group string, depth int, seed uint64, loss float64) Run {
		share := 1 - loss
		return Run{Group: group, Depth: depth, Seed: seed, Stop: "loss", Loss: loss, TestAcc: &share}
	}
	runs := []Run{
		run("a", 4, 1, 0.9), run("a", 8, 1, 0.1), run("a", 8, 2, 0.4),
		run("b", 8, 1, 0.01), run("b", 8, 2, 0.01), run("b", 8, 3, 0.5),
		run("c", 4, 1, 0.3),
		{Group: "c", Depth: 8, Seed: 1, Stop: runfolder.Diverged, Loss: math.Inf(1)},
	}
	return overview([]Group{a, b, c}, runs, map[string]int{"a": 6, "b": 8})
}

// TestOverview holds the rows to the runs and the groups that they are of.
func TestOverview(t *testing.T) {
	o := overviewed()
	if want := []string{"network.alpha"}; !slices.Equal(o.Fields, want) {
		t.Errorf("fields %q, want %q: the step and the data are the same in all", o.Fields, want)
	}
	a, b, c := o.Rows[0], o.Rows[1], o.Rows[2]
	if got, want := a.Loss.Value, math.Sqrt(0.1*0.4); !(math.Abs(got-want) <= 1e-12) {
		t.Errorf("loss of a: got %g, want the geometric mean %g of its deepest runs", got, want)
	}
	// Student's t with one degree of freedom: 12.7062 standard errors of the logarithms.
	if got, want := math.Log(a.Loss.High/a.Loss.Value), 12.7062*math.Log(4)/2; !(math.Abs(got-want) <= 1e-3) {
		t.Errorf("half the interval of log loss: got %g, want %g", got, want)
	}
	if got, want := a.TestAccuracy.Value, 0.75; got != want {
		t.Errorf("test accuracy of a: got %g, want %g", got, want)
	}
	if a.TestAccuracy.Low < 0 || a.TestAccuracy.High > 1 {
		t.Errorf("test accuracy of a: got %v, want it in [0, 1]", a.TestAccuracy)
	}
	if b.Unfinished != 2 || a.Unfinished != 0 || c.Depth != 4 || len(c.Values) != 0 {
		t.Errorf("got %+v, %+v, %+v", a, b, c)
	}
	for i, want := range []string{"V_2 goes as L^b", "seed 3 at depth 8 ends at loss 0.5, 50 times", "1 of 6 runs diverged, at depth 8"} {
		if remarks := o.Rows[i].Remarks; len(remarks) != 1 || !strings.Contains(remarks[0], want) {
			t.Errorf("remarks of row %d: got %q, want one with %q", i+1, remarks, want)
		}
	}
}

// TestOverviewSort wants the best first, the worst with a minus, and rows without the number last either way.
func TestOverviewSort(t *testing.T) {
	for by, want := range map[string]string{
		"loss": "bac", "-loss": "cab", "test_accuracy": "bac", "-test_accuracy": "cab", "alpha": "abc", "network.alpha": "abc", "-network.alpha": "bac", "group": "abc", "-group": "cba",
	} {
		o := overviewed()
		sorted, err := o.Sorted(by)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, row := range sorted.Rows {
			got += row.Group
		}
		if got != want {
			t.Errorf("by %s: got %s, want %s", by, got, want)
		}
		if o.Rows[0].Group != "a" {
			t.Errorf("by %s: the rows of the overview itself were moved", by)
		}
	}
	if _, err := overviewed().Sorted("los"); err == nil || !strings.Contains(err.Error(), `sort: got "los", want one of group, network.alpha, runs, depth, loss`) {
		t.Errorf("got %v", err)
	}
}

// TestOverviewGroups wants groups by number, value and all.
func TestOverviewGroups(t *testing.T) {
	o := overviewed()
	for name, want := range map[string][]int{"2": {1}, "all": {0, 1, 2}, "alpha=0.5": {0}, "network.alpha=1": {1}} {
		if got, err := o.group(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
	for _, name := range []string{"0", "4", "alpha=2", "beta=1", ""} {
		if got, err := o.group(name); err == nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
}

// TestOverviewWidth wants tables as wide as the terminal at most, and what is left out named.
func TestOverviewWidth(t *testing.T) {
	o := overviewed()
	for _, width := range []int{0, 30, 45, 60, 80, 120, 200} {
		var out strings.Builder
		if err := o.Write(&out, o.Columns(), width); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		for _, line := range lines[:1+len(o.Rows)] {
			if n := utf8.RuneCountInString(line); width > 0 && n > width {
				t.Errorf("width %d: got a line of %d: %s", width, n, line)
			}
		}
		whole := strings.Contains(lines[0], "test acc.") && strings.Contains(out.String(), "[")
		if left := strings.Contains(out.String(), "left out for the width"); left == (whole && strings.Contains(lines[1], "[")) {
			t.Errorf("width %d: left out said %t, got\n%s", width, left, out.String())
		}
	}
}

// TestAllRemarks wants remarks of more than three groups that differ in numbers alone said once, and every other by itself.
func TestAllRemarks(t *testing.T) {
	o := &Overview{}
	add := func(remarks ...string) {
		o.Rows = append(o.Rows, OverviewRow{Number: len(o.Rows) + 1, Remarks: remarks})
	}
	add("V_1 goes as L^b with b = 0.55 [0.53, 0.56]", "1 of 6 runs diverged")
	add("V_1 goes as L^b with b = -0.5 [-0.53, 1.2e-05]")
	add("1 of 6 runs diverged")
	add("V_1 goes as L^b with b = 0.57 [0.53, 0.59]", "not settled")
	add("V_1 goes as L^b with b = 0.5 [0.43, 0.56]")
	want := []string{
		"group 1: V_1 goes as L^b with b = 0.55 [0.53, 0.56]; alike, with other numbers: groups 2, 4, 5",
		"group 1: 1 of 6 runs diverged",
		"group 3: 1 of 6 runs diverged",
		"group 4: not settled",
	}
	if got := o.AllRemarks(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
