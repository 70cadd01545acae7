package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestTasks holds the number of tasks to each of its bounds.
func TestTasks(t *testing.T) {
	hundred := slices.Repeat([]time.Duration{30 * time.Second}, 100)
	for _, c := range []struct {
		name  string
		runs  []time.Duration
		o     engine.Spec
		limit int
		want  int
	}{
		{"no runs", nil, engine.Spec{}, 1000, 0},
		{"a minute's work each", hundred, engine.Spec{}, 1000, 50},
		{"a minute's work for each of four cores", hundred, engine.Spec{CPUs: 4}, 1000, 13},
		{"no more than runs", []time.Duration{time.Hour, 2 * time.Hour}, engine.Spec{}, 1000, 2},
		{"no more than the user wants", hundred, engine.Spec{ArrayLimit: 10}, 1000, 10},
		{"no more than the default", slices.Repeat([]time.Duration{time.Hour}, 300), engine.Spec{}, 1000, 100},
		{"as many as the user wants", slices.Repeat([]time.Duration{time.Hour}, 300), engine.Spec{ArrayLimit: 250}, 1000, 250},
		{"no more than the cluster takes", hundred, engine.Spec{}, 4, 4},
		{"one at least", []time.Duration{0, 0}, engine.Spec{}, 1000, 1},
		{"endless ones", slices.Repeat([]time.Duration{1e9 * time.Second}, 300), engine.Spec{}, 1000, 100},
	} {
		o, err := c.o.Resolve()
		if err != nil {
			t.Fatal(err)
		}
		if got := Tasks(c.runs, o, c.limit); got != c.want {
			t.Errorf("%s: got %d tasks, want %d", c.name, got, c.want)
		}
	}
}

func TestArguments(t *testing.T) {
	o, err := engine.Spec{
		Kind: engine.Slurm, Partition: "long", Account: "theory", QOS: "normal", Time: "1-2:30", Mem: "4G", CPUs: 2,
		SbatchArgs: []string{"--nice=100", "--exclusive"},
	}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"--parsable", "--job-name=s-01", "--array=0-6", "--ntasks=1", "--cpus-per-task=2", "--requeue", "--signal=B:USR1@300",
		"--chdir=/a 100%/s", "--output=/a 100%%/s/slurm/s-01/%a.log", "--open-mode=append", "--partition=long", "--account=theory",
		"--qos=normal", "--mem=4G", "--time=1-02:30:00", "--nice=100", "--exclusive",
	}
	if diff := cmp.Diff(want, arguments(o, "/a 100%/s", "s-01", 7)); diff != "" {
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
