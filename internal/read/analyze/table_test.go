package analyze

import (
	"strings"
	"testing"
	"text/tabwriter"
)

// TestResultsOfRuns has test losses and accuracies as columns of the runs of a group that has them, and of no other.
func TestResultsOfRuns(t *testing.T) {
	runs := []Run{
		{Group: "digits", Depth: 8, Seed: 1, Loss: 0.5, TestLoss: new(1.5), Accuracy: new(0.875), TestAcc: new(0.5)},
		{Group: "digits", Depth: 8, Seed: 2, Loss: 0.25, Accuracy: new(0.75)},
		{Group: "ode", Depth: 8, Seed: 1, Loss: 0.125},
	}
	for group, want := range map[string][]string{
		"digits": {"depth seed iterations stop loss test loss accuracy test acc. rate", "8 1 0 0.5 1.5 0.875 0.5 –", "8 2 0 0.25 – 0.75 – –"},
		"ode":    {"depth seed iterations stop loss rate", "8 1 0 0.125 –"},
	} {
		var text strings.Builder
		table := &tableWriter{tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)}
		table.runs(Group{Group: group}, runs)
		if err := table.Flush(); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != len(want) {
			t.Fatalf("%s: got %d lines, want %d:\n%s", group, len(lines), len(want), text.String())
		}
		for i, line := range lines {
			if got := strings.Join(strings.Fields(line), " "); !strings.HasPrefix(got, want[i]) {
				t.Errorf("%s: line %d: got %q, want it to begin with %q", group, i+1, got, want[i])
			}
		}
	}
}
