//go:build slurm

package slurm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/runfolder"
)

// The study of these tests: runs that take runTime each of this machine's processor.
const (
	studyText = `name: faults
depths: [32]
seeds: 4
data: {kind: separated, width: 10, samples: 8, distance: 0.3}
train: {step: {rule: depth, value: 2}, stop: {iterations: %d}}
`
	runTime = 4 * time.Second
)

// A reference is the program, the study, and the folder in which the program ran it on
// this machine without a cluster.
type reference struct {
	program, study, runs string
}

// referenceDir holds the reference; it is gone when the tests are.
var referenceDir string

var reach = sync.OnceValues(func() (*reference, error) {
	dir := referenceDir
	r := &reference{filepath.Join(dir, "deep limit"), filepath.Join(dir, "faults.yaml"), filepath.Join(dir, "reference")}
	if out, err := exec.Command("go", "build", "-o", r.program, "../../../cmd/deeplimit").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	// How many iterations a run of that time has is found by running some: by the time of
	// the processor, so that on a machine that is less busy later a run is not shorter.
	const some = 50_000
	if err := os.WriteFile(r.study, fmt.Appendf(nil, studyText, some), 0o644); err != nil {
		return nil, err
	}
	took, err := r.local("--out", filepath.Join(dir, "timing"), "--jobs", "1", "--set", "seeds=1")
	if err != nil {
		return nil, err
	}
	iterations := int(some * runTime.Seconds() / took.Seconds())
	if err := os.WriteFile(r.study, fmt.Appendf(nil, studyText, iterations), 0o644); err != nil {
		return nil, err
	}
	_, err = r.local("--out", r.runs)
	return r, err
})

// local runs the study on this machine and returns how long its processor took.
func (r *reference) local(args ...string) (time.Duration, error) {
	cmd := exec.Command(r.program, append([]string{"run", r.study, "--no-report"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%q: %w\n%s", cmd.Args, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == keeperWord {
		if err := keep(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var err error
	if referenceDir, err = os.MkdirTemp("", "deeplimit"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(referenceDir)
	os.Exit(code)
}

// A site is a cluster with one study folder on it.
type site struct {
	*cluster
	reference
	dir     string
	hurried map[string]time.Time // tasks that were told to start soon
}

func newSite(t *testing.T, far *namespace) *site {
	t.Helper()
	r, err := reach()
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, far)
	// A name that shells, Slurm's patterns and careless quoting take apart.
	return &site{c, *r, filepath.Join(c.dir, "a study's 100%a"), map[string]time.Time{}}
}

// submit submits runs of the study as its user does: some of its seeds.
func (s *site) submit(seeds string, args ...string) string {
	s.t.Helper()
	return s.must(s.program, s.submission(seeds, args...)...)
}

func (s *site) submission(seeds string, args ...string) []string {
	return append([]string{"run", s.study, "--engine", "slurm", "--no-report", "--checkpoint", "500ms", "--heartbeat", "2s", "--out", s.dir, "--set", "seeds=" + seeds}, args...)
}

// submitToFar submits one task to n2, and returns when it works there; n1 takes
// none until it is resumed.
func (s *site) submitToFar(seeds string) {
	s.t.Helper()
	s.must("scontrol", "update", "NodeName=n1", "State=DRAIN", "Reason=test")
	s.submit(seeds, "--array-limit", "1")
	s.waitEvent("start", "n2")
}

// waitMissed resumes n1 and waits until the controller misses n2.
func (s *site) waitMissed() {
	s.t.Helper()
	s.must("scontrol", "update", "NodeName=n1", "State=RESUME")
	s.waitFor("the node to be missed", func() bool { return strings.Contains(s.try("sinfo", "-h", "-n", "n2", "-o", "%T"), "down") })
}

// event is a line in the log of a task.
type event struct {
	Time      time.Time
	Job, Node string
	Word, Run string // start, done, paused …
}

var logLine = regexp.MustCompile(`(?m)^(\S+Z) (\S+) (\S+) (start|done|paused|failed|diverged) +(\S+-L\d+-s\d+-[0-9a-f]{8})(: |$)`)

// events returns what all logs say of runs, in the order of time.
func (s *site) events() []event {
	s.t.Helper()
	logs, err := Logs(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	var list []event
	for _, log := range logs {
		text, err := os.ReadFile(log.Path)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range logLine.FindAllSubmatch(text, -1) {
			at, err := time.Parse(time.RFC3339, string(m[1]))
			if err != nil {
				s.t.Fatal(err)
			}
			list = append(list, event{at, string(m[2]), string(m[3]), string(m[4]), string(m[5])})
		}
	}
	slices.SortStableFunc(list, func(a, b event) int { return a.Time.Compare(b.Time) })
	return list
}

// waitEvent waits for the first event with the word, in the log of the given node or
// of any for "".
func (s *site) waitEvent(word, node string) event {
	s.t.Helper()
	var found event
	s.waitFor(word+" in a log", func() bool {
		for _, e := range s.events() {
			if e.Word == word && (node == "" || e.Node == node) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// waitCheckpoint waits until an unfinished run has a checkpoint, in which its work is
// not lost, and returns its folder.
func (s *site) waitCheckpoint() string {
	s.t.Helper()
	var found string
	s.waitFor("a checkpoint", func() bool {
		dirs, _ := runfolder.List(s.dir)
		for _, dir := range dirs {
			if _, err := os.Stat(filepath.Join(dir, "checkpoint/state.safetensors")); err == nil && !runfolder.Done(dir) {
				found = dir
				return true
			}
		}
		return false
	})
	return found
}

// waitTask waits until the queue has a task in the state, and returns it.
func (s *site) waitTask(state string) Task {
	s.t.Helper()
	var found Task
	s.waitFor("a task "+state, func() bool {
		s.hurry()
		list := s.queue()
		i := slices.IndexFunc(list, func(task Task) bool { return task.State == state })
		if i >= 0 {
			found = list[i]
		}
		return i >= 0
	})
	return found
}

// queue returns the tasks of the study in the queue, none while it does not answer.
func (s *site) queue() []Task {
	submissions, err := runfolder.Submissions(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, one := range submissions {
		names = append(names, one.Name)
	}
	out := s.try("squeue", append([]string{"--name=" + strings.Join(names, ",")}, tableOptions...)...)
	tasks, err := parseTable([]byte(out))
	if err != nil {
		return nil
	}
	return tasks
}

// hurry lets requeued tasks start soon, where Slurm has them wait two minutes. At once
// would be too soon: a node that has killed a task takes no credential of that second.
func (s *site) hurry() {
	for _, task := range s.queue() {
		if task.State == "PENDING" && task.Reason == "BeginTime" && time.Since(s.hurried[task.ID()]) > 20*time.Second {
			s.hurried[task.ID()] = time.Now()
			s.try("scontrol", "update", "JobId="+task.ID(), "StartTime=now+3")
		}
	}
}

// waitDone waits until so many runs are done and the queue has no task.
func (s *site) waitDone(runs int) {
	s.t.Helper()
	s.waitFor(fmt.Sprintf("%d done runs and an empty queue", runs), func() bool {
		s.hurry()
		dirs, err := runfolder.List(s.dir)
		if err != nil || len(dirs) != runs {
			return false
		}
		return allDone(dirs) && len(s.queue()) == 0 && s.answers()
	})
}

// allDone reports whether every run has a result.
func allDone(dirs []string) bool {
	return !slices.ContainsFunc(dirs, func(dir string) bool { return !runfolder.Done(dir) })
}

// answers reports whether the controller does: an empty queue means nothing otherwise.
func (s *site) answers() bool {
	return strings.Contains(s.try("scontrol", "ping"), "is UP")
}

// checkOnce wants each of so many runs to be done once, no run to be started while
// somebody worked on it, and the results to be those of the reference. A worker that
// was killed at one of the given times stopped then.
func (s *site) checkOnce(runs int, killed ...time.Time) {
	s.t.Helper()
	works := map[string]event{} // run → the start of whom nothing was heard since
	starts, done := map[string]int{}, map[string]int{}
	for _, e := range s.events() {
		open, atWork := works[e.Run]
		switch e.Word {
		case "start":
			if atWork && !slices.ContainsFunc(killed, func(at time.Time) bool { return open.Time.Before(at) && at.Before(e.Time) }) {
				s.t.Errorf("run %s: got it started by %s on %s while %s on %s worked on it", e.Run, e.Job, e.Node, open.Job, open.Node)
			}
			works[e.Run] = e
			starts[e.Run]++
		case "done":
			done[e.Run]++
			delete(works, e.Run)
		default:
			delete(works, e.Run)
		}
	}
	dirs, err := runfolder.List(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(dirs) != runs || len(done) != runs {
		s.t.Errorf("got %d run folders and %d runs done, want %d", len(dirs), len(done), runs)
	}
	for _, dir := range dirs {
		id := filepath.Base(dir)
		if done[id] != 1 {
			s.t.Errorf("run %s: got it done %d times, want once", id, done[id])
		}
		sameRun(s.t, runfolder.RunDir(s.runs, id), dir)
	}
	s.t.Logf("starts of each run: %v", slices.Sorted(func(yield func(string) bool) {
		for id, n := range starts {
			if !yield(fmt.Sprintf("%s ×%d", id, n)) {
				return
			}
		}
	}))
}

// sameRun compares two finished runs: all bytes but those that tell the time.
func sameRun(t *testing.T, want, got string) {
	t.Helper()
	if err := runfolder.Verify(got); err != nil {
		t.Error(err)
		return
	}
	var rows [2][]runfolder.Row
	for i, dir := range []string{want, got} {
		run, err := runfolder.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if rows[i], err = run.Trace(); err != nil {
			t.Fatal(err)
		}
		for j := range rows[i] {
			rows[i][j].Seconds = 0
		}
	}
	if diff := cmp.Diff(rows[0], rows[1]); diff != "" {
		t.Errorf("%s: trace (-want +got)\n%s", filepath.Base(got), diff)
	}
	for _, name := range []string{"weights.safetensors", "states.safetensors", "certificates.parquet"} {
		a, errA := os.ReadFile(filepath.Join(want, name))
		b, errB := os.ReadFile(filepath.Join(got, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %s differs from the reference (%v, %v)", filepath.Base(got), name, errA, errB)
		}
	}
}
