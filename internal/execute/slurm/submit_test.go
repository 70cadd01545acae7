package slurm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A fake is a cluster of shell scripts: it takes every job, numbers them from 100 on,
// and shows as its queue what the test writes there.
type fake struct {
	t   *testing.T
	dir string
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, dir: t.TempDir()}
	f.program("scontrol", "echo MaxArraySize = 2")
	f.program("sbatch", `n=$(cat "$d/jobs" 2>/dev/null | wc -l); echo "$@" >> "$d/jobs"; echo "welcome to the cluster"; echo $((100 + n))`)
	f.program("scancel", `echo "$@" > "$d/cancelled"`)
	f.queue()
	return f
}

// program installs a script, in which $d is the folder of all of them.
func (f *fake) program(name, body string) {
	text := "#!/bin/sh\nd=" + f.dir + "\n" + body + "\n"
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o755); err != nil {
		f.t.Fatal(err)
	}
}

// queue makes squeue show these tasks, as a version without JSON does.
func (f *fake) queue(tasks ...Task) {
	var b strings.Builder
	for _, t := range tasks {
		fmt.Fprintf(&b, "%s|%d|%s|%s|%s|%s\n", t.Array, t.Index, t.State, t.Node, t.Name, t.Reason)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "queue"), []byte(b.String()), 0o644); err != nil {
		f.t.Fatal(err)
	}
	f.program("squeue", `case "$*" in *--json*) echo "squeue: unrecognized option '--json'" >&2; exit 1;; esac; [ -n "$SQUEUE_STATES" ] || cat "$d/queue"`)
}

// jobs returns what sbatch was called with.
func (f *fake) jobs() []string {
	text, _ := os.ReadFile(filepath.Join(f.dir, "jobs"))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func (f *fake) submitter(t *testing.T, spec engine.Spec) *Submitter {
	o, err := spec.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return &Submitter{Client: Client{Path: f.dir}, Dir: t.TempDir(), Study: "s", Program: "/bin/deeplimit", Options: o}
}

// TestSubmit submits two arrays, finds them in the queue beside another's, cancels them, and
// finds their logs.
func TestSubmit(t *testing.T) {
	t.Setenv("SQUEUE_STATES", "RUNNING") // a user's own, which squeue is not to see
	f := newFake(t)
	s := f.submitter(t, engine.Spec{Kind: engine.Slurm})
	var submitted []runfolder.Submission
	for i, only := range [][]string{nil, {"depth < 8"}} {
		s.Only = only
		one, err := s.Submit(t.Context(), 2-i)
		if err != nil {
			t.Fatal(err)
		}
		submitted = append(submitted, one)
		read, err := runfolder.ReadSubmission(s.Dir, one.Name)
		if diff := cmp.Diff(one, read); diff != "" || err != nil {
			t.Errorf("error %v (-want +got)\n%s", err, diff)
		}
		if want := fmt.Sprint(100 + i); read.Job != want || read.Tasks != 2-i || !slices.Equal(read.Only, only) {
			t.Errorf("got %+v, want job %s with %d tasks for %q", read, want, 2-i, only)
		}
	}
	if jobs := f.jobs(); len(jobs) != 2 || !strings.Contains(jobs[0], "--array=0-1 ") || !strings.Contains(jobs[1], "--array=0-0 ") {
		t.Errorf("got jobs %q", jobs)
	}

	a, b, c := Task{submitted[0].Name, "100", 0, "RUNNING", "", "n1", 0}, Task{submitted[0].Name, "100", 1, "PENDING", "Priority", "", 0}, Task{submitted[1].Name, "101", 0, "PENDING", "", "", 0}
	f.queue(a, c, Task{"other", "99", 0, "RUNNING", "", "n2", 0}, b)
	view, err := s.Client.View(t.Context(), s.Dir)
	if diff := cmp.Diff([]Array{{submitted[0], []Task{a, b}}, {submitted[1], []Task{c}}}, view); diff != "" || err != nil {
		t.Errorf("view: error %v (-want +got)\n%s", err, diff)
	}
	cancelled, err := s.Client.Cancel(t.Context(), s.Dir)
	if err != nil || len(cancelled) != 3 {
		t.Errorf("got %d tasks cancelled and error %v, want 3", len(cancelled), err)
	}
	if text, _ := os.ReadFile(filepath.Join(f.dir, "cancelled")); string(text) != "100 101\n" {
		t.Errorf("got scancel %q, want jobs 100 and 101", text)
	}
	f.queue(b)
	view, err = s.Client.View(t.Context(), s.Dir)
	if diff := cmp.Diff([]Array{{submitted[0], []Task{b}}}, view); diff != "" || err != nil {
		t.Errorf("the second array lost: error %v (-want +got)\n%s", err, diff)
	}

	path := runfolder.SubmissionLog(s.Dir, submitted[0].Name, 1)
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	logs, err := Logs(s.Dir)
	if diff := cmp.Diff([]Log{{path, "100_1"}}, logs); diff != "" || err != nil {
		t.Errorf("logs: error %v (-want +got)\n%s", err, diff)
	}
}

// TestViewWithoutSubmissions wants no program called where nothing was submitted, so
// that a machine without Slurm shows the status of its studies.
func TestViewWithoutSubmissions(t *testing.T) {
	view, err := Client{Path: t.TempDir()}.View(t.Context(), t.TempDir())
	if err != nil || len(view) > 0 {
		t.Errorf("got %v and error %v, want nothing", view, err)
	}
}

// TestRefused wants a refusal told, and no trace of the submission left; where the
// answer got lost and the queue has the job, it is kept and known from then on.
func TestRefused(t *testing.T) {
	f := newFake(t)
	s := f.submitter(t, engine.Spec{Kind: engine.Slurm, Partition: "nope"})
	f.program("sbatch", `echo "sbatch: error: invalid partition specified: nope" >&2; echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2; exit 1`)
	_, err := s.Submit(t.Context(), 3)
	if want := "slurm: sbatch: invalid partition specified: nope (exit status 1)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if left, err := runfolder.Submissions(s.Dir); err != nil || len(left) > 0 {
		t.Errorf("got %v and error %v, want no submission left", left, err)
	}

	// The name of the job stands in --job-name=NAME, the second argument.
	f.program("sbatch", `echo "100|0|PENDING||${2#--job-name=}|None" > "$d/queue"; echo "sbatch: error: Socket timed out on send/recv operation" >&2; exit 1`)
	if _, err = s.Submit(t.Context(), 1); err == nil {
		t.Error("answer lost: got no error")
	}
	if view, err := s.Client.View(t.Context(), s.Dir); err != nil || len(view) != 1 || view[0].Queued[0].Array != "100" {
		t.Errorf("answer lost: got view %v and error %v, want job 100", view, err)
	}
}

func TestAbsent(t *testing.T) {
	_, err := Client{Path: t.TempDir()}.MaxArraySize(t.Context())
	const want = "slurm: no Slurm on this machine: got no scontrol in PATH, want a machine that submits to a cluster (a login node); without one leave the engine out, and start the same command on several machines that share the folder"
	if !errors.Is(err, ErrAbsent) || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
