package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestBatchesArePartitions wants every run in exactly one batch, none empty, and a
// batch of several runs within the work of a task or the number asked for.
func TestBatchesArePartitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := engine.Options{
			CPUs:       rapid.IntRange(1, 8).Draw(t, "cpus"),
			PerTask:    rapid.IntRange(0, 5).Draw(t, "per-task"),
			ArrayLimit: rapid.IntRange(0, 9).Draw(t, "array-limit"),
			Time:       time.Duration(rapid.IntRange(0, 7200).Draw(t, "time")) * time.Second,
		}
		seconds := rapid.SliceOfN(rapid.Float64Range(0, 1e5), 0, 60).Draw(t, "seconds")
		var runs []Run
		left := map[string]time.Duration{}
		for i, s := range seconds {
			run := Run{ID: string(rune('A' + i)), Time: time.Duration(s * float64(time.Second))}
			runs = append(runs, run)
			left[run.ID] = run.Time
		}
		before := slices.Clone(runs)
		most := work(o, runs)
		for _, batch := range Batches(runs, o) {
			var sum time.Duration
			for _, id := range batch {
				d, ok := left[id]
				if !ok {
					t.Fatalf("run %s: got it twice, want it once", id)
				}
				delete(left, id)
				sum += d
			}
			switch {
			case len(batch) == 0:
				t.Fatal("got an empty batch")
			case o.PerTask > 0 && len(batch) > o.PerTask:
				t.Fatalf("got %d runs in a batch, want at most %d", len(batch), o.PerTask)
			case o.PerTask == 0 && len(batch) > 1 && sum > most:
				t.Fatalf("got %v of work in a batch, want at most %v", sum, most)
			}
		}
		if len(left) > 0 {
			t.Fatalf("got no batch with %v", left)
		}
		if diff := cmp.Diff(before, runs); diff != "" {
			t.Fatalf("the caller's runs were changed: %s", diff)
		}
	})
}

// TestBatchSizes holds the work of a task to what it is to be, and wants costly runs first.
func TestBatchSizes(t *testing.T) {
	hundred := make([]Run, 100)
	for i := range hundred {
		hundred[i] = Run{ID: string(rune('A' + i)), Time: 30 * time.Second}
	}
	for _, c := range []struct {
		name  string
		o     engine.Options
		tasks int
	}{
		{"a minute each, of 30 s runs", engine.Options{CPUs: 1}, 50},
		{"a minute on four cores each", engine.Options{CPUs: 4}, 13}, // 8 runs a task
		{"spread over ten", engine.Options{CPUs: 1, ArrayLimit: 10}, 10},
		{"half of two minutes, not a tenth of it all", engine.Options{CPUs: 1, ArrayLimit: 10, Time: 2 * time.Minute}, 50},
		{"seven each", engine.Options{CPUs: 1, PerTask: 7}, 15},
	} {
		if got := len(Batches(hundred, c.o)); got != c.tasks {
			t.Errorf("%s: got %d tasks, want %d", c.name, got, c.tasks)
		}
	}
	got := Batches([]Run{{"short", time.Second}, {"long", time.Hour}, {"middle", time.Minute}}, engine.Options{CPUs: 1})
	if diff := cmp.Diff([][]string{{"long"}, {"middle"}, {"short"}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestArguments(t *testing.T) {
	o, err := engine.Spec{
		Kind: engine.Slurm, Partition: "long", Account: "theory", QOS: "normal", Time: "1-2:30", Mem: "4G", CPUs: 2, ArrayLimit: 5,
		SbatchArgs: []string{"--nice=100", "--exclusive"},
	}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--parsable", "--job-name=s-01", "--array=0-6%5", "--ntasks=1", "--cpus-per-task=2", "--requeue", "--signal=B:USR1@300",
		"--chdir=/a 100%/s", "--output=/a 100%%/s/slurm/s-01/%a.log", "--open-mode=append", "--partition=long", "--account=theory",
		"--qos=normal", "--mem=4G", "--dependency=afterany:17", "--time=1-02:30:00", "--nice=100", "--exclusive",
	}
	if diff := cmp.Diff(want, arguments(o, "/a 100%/s", "s-01", 7, "17")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got, want := logPattern("/x", "n"), runfolder.SubmissionLog("/x", "n", 12); strings.Replace(got, "%a", "12", 1) != want {
		t.Errorf("got log %s, want %s", got, want)
	}
}

// TestFormatTime wants a limit read as what it was written from.
func TestFormatTime(t *testing.T) {
	for _, want := range []time.Duration{time.Second, 90 * time.Minute, time.Hour + 2*time.Minute + 3*time.Second, 60 * time.Hour} {
		o, err := engine.Spec{Time: formatTime(want)}.Resolve()
		if err != nil || o.Time != want {
			t.Errorf("%v: got %v and error %v back from %s", want, o.Time, err, formatTime(want))
		}
	}
}

// TestQueues reads what squeue printed of one queue in three forms: 41 tasks, of which
// one was requeued and two run, and a job without an array. The entry of 24.05 that is
// cancelled and completing is over.
func TestQueues(t *testing.T) {
	want := make([]Task, 41)
	for i := range want {
		want[i] = Task{Name: "dl-abc", Array: "1", Index: i, State: "PENDING", Reason: "JobArrayTaskLimit"}
	}
	want[1] = Task{Name: "dl-abc", Array: "1", Index: 1, State: "RUNNING", Node: "n2"}
	want[2] = Task{Name: "dl-abc", Array: "1", Index: 2, State: "RUNNING", Node: "n1"}
	for _, c := range []struct {
		file     string
		parse    func([]byte) ([]Task, error)
		restarts int // of the task that was requeued
	}{
		{"squeue-22.05.txt", parseTable, 0},
		{"squeue-22.05.json", parseJSON, 1},
		{"squeue-24.05.json", parseJSON, 1},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.parse(data)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b Task) int { return a.Index - b.Index })
		want[0].Restarts = c.restarts
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.file, diff)
		}
	}
}

func TestBadQueues(t *testing.T) {
	for _, c := range []struct {
		parse      func([]byte) ([]Task, error)
		text, want string
	}{
		{parseJSON, "squeue: unrecognized option", "slurm: squeue --json: invalid character 's' looking for beginning of value"},
		{parseJSON, `{"errors":[{"error":"Unable to contact slurm controller","description":"(connect failure)"}]}`, "slurm: squeue --json: Unable to contact slurm controller (connect failure)"},
		{parseJSON, `{"jobs":[{"name":"a","array_job_id":7,"array_task_id":null,"array_task_string":"1,3,...","job_state":"PENDING"}]}`, `slurm: squeue --json: job 7: got task indices "1,3,...", want a list such as 0,3-40%2`},
		{parseTable, "1|2|3\n", `slurm: squeue: got line "1|2|3", want 6 columns`},
		{parseTable, "1|x|PENDING||a|None\n", `slurm: squeue: line "1|x|PENDING||a|None": got task indices "x", want a list such as 0,3-40%2`},
	} {
		if _, err := c.parse([]byte(c.text)); err == nil || err.Error() != c.want {
			t.Errorf("%q: got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestIndices(t *testing.T) {
	for text, want := range map[string][]int{"7": {7}, "0,3-5%2": {0, 3, 4, 5}, "1-9:4": {1, 5, 9}, "2-2": {2}} {
		if got, err := parseIndices(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "5-3", "1-9:0", "0-99999999", "1,", "a"} {
		if got, err := parseIndices(text); err == nil {
			t.Errorf("%q: got %d indices, want an error", text, len(got))
		}
	}
}

func TestMaxArraySize(t *testing.T) {
	config, err := os.ReadFile("testdata/config-22.05.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := parseMaxArraySize(config); err != nil || got != 101 {
		t.Errorf("got %d and error %v, want 101", got, err)
	}
	for text, want := range map[string]string{
		"":                   "slurm: scontrol show config: got no MaxArraySize, want a line with it",
		"MaxArraySize = 0\n": "slurm: scontrol show config: MaxArraySize: got 0, want at least 1: this cluster takes no job arrays",
	} {
		if _, err := parseMaxArraySize([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
