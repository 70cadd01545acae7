package plan

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/plan/study"
)

const text = `name: s
depths: [2, 4]
data: {kind: separated, width: 3, samples: 2, distance: 0.3}
train: {stop: {iterations: 5}}
`

func planned(t *testing.T, text string) *Plan {
	t.Helper()
	s, err := study.Parse("s.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNewTakesSamples wants a plan to take the samples that another one has loaded, and no others.
func TestNewTakesSamples(t *testing.T) {
	first := planned(t, text)
	for set, shared := range map[string]bool{"train.stop.iterations=7": true, "data.distance=0.2": false} {
		s, err := study.Parse("s.yaml", []byte(text), []string{set})
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(s, first)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Set(&p.Runs[0]) == first.Set(&first.Runs[0]); got != shared {
			t.Errorf("%s: got samples shared %v, want %v", set, got, shared)
		}
	}
}

// TestNewReportsAllFaults has two data sets that cannot be loaded.
func TestNewReportsAllFaults(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.csv": "5,2\n3,x\n", "b.csv": "5,2\n3,NaN\n", "s.yaml": "name: s\ndepths: [2, 4]\ndata: [{kind: csv, path: a.csv, name: a}, {kind: csv, path: b.csv, name: b}]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := study.Load(filepath.Join(dir, "s.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(s)
	want := "dataset: " + dir + "/a.csv: line 2, column 2: got \"x\", want a finite number\n" +
		"dataset: " + dir + "/b.csv: line 2, column 2: got \"NaN\", want a finite number (a missing value; missing: drop leaves out its row, missing: mean fills in a number by the mean of its column)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestMemoryShare wants a limit, however small, to stay one, and the evaluators of all
// runs at work together to keep it.
func TestMemoryShare(t *testing.T) {
	const held = "name: s\ndepths: [2]\ndata: {kind: rotation, width: 3, samples: 4, test: 2, angle: 0.3}\ntrain: {method: sgd, batch: 2}\n"
	p := planned(t, held)
	run := &p.Runs[0]
	for _, c := range []struct {
		limit          int64
		workers, cores int
		want           int64
	}{{1, 1, 2, 1}, {1200, 1, 2, 200}, {1200, 2, 2, 400}} {
		run.Train.Memory = strconv.FormatInt(c.limit, 10)
		memory, err := Memory(run, c.workers, c.cores)
		if err != nil {
			t.Fatal(err)
		}
		if got := share(memory, p.Problem(run)); got != c.want {
			t.Errorf("%d bytes, %d of %d cores, three evaluators: got %d, want %d", c.limit, c.workers, c.cores, got, c.want)
		}
	}
}

// TestWorkers wants a run of few samples to have one core while others are as long,
// and as many as it can use when it is most of what is left.
func TestWorkers(t *testing.T) {
	p := planned(t, text)
	set := p.Set(&p.Runs[0])
	for _, test := range []struct {
		samples, cores int
		share          float64
		want           int
	}{
		{8, 4, 1, 1}, // one tile
		{100, 2, 0.5, 1},
		{100, 2, 0.9, 2},
		{100, 2, 1, 2},
		{100, 4, 0.5, 2},
		{10000, 2, 0.1, 2}, // enough samples for all cores
	} {
		set.Samples = test.samples
		if got := p.Cores(&p.Runs[0], test.share, test.cores); got != test.want {
			t.Errorf("%+v: got %d workers", test, got)
		}
	}
}

// TestRunThatDoesNotFit has a run whose weights alone are larger than any memory.
func TestRunThatDoesNotFit(t *testing.T) {
	p := planned(t, "name: s\ndepths: [2, 10000000]\ndata: {kind: separated, width: 1000, samples: 2, distance: 0.3}\n")
	err := p.CheckMemory(nil)
	want := "plan: run " + p.Runs[1].ID + ": got "
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "GB of memory for this process, want at least 5.6e+05 GB; choose a smaller depth or width") {
		t.Errorf("got %v, want it to begin with %s", err, want)
	}
	if err := p.CheckMemory(func(run *study.Run) bool { return run.Depth == 2 }); err != nil {
		t.Errorf("got %v for the small run alone", err)
	}
}
