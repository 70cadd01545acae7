package slurm

import (
	"errors"
	"fmt"
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

// A fake is a cluster of shell scripts: it takes every job, numbers them from 100 on,
// and shows as its queue what the test writes there.
type fake struct {
	t       *testing.T
	dir     string
	present []Run
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, dir: t.TempDir(), present: []Run{{"a", time.Hour}, {"b", time.Minute}, {"c", time.Second}}}
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
	study := Study{Name: "s", File: "/somewhere/s.yaml", Text: "name: s\n", Set: []string{"seeds=3"}}
	return &Submitter{Client: Client{Path: f.dir}, Dir: t.TempDir(), Study: study, Program: "/bin/deeplimit", Options: o}
}

// TestSubmit submits three tasks where an array may have two, and then again: at first
// while the queue has them, then when it has lost the second array, then when one of
// the runs is done.
func TestSubmit(t *testing.T) {
	t.Setenv("SQUEUE_STATES", "RUNNING") // a user's own, which squeue is not to see
	f := newFake(t)
	s := f.submitter(t, engine.Spec{Kind: engine.Slurm, PerTask: 1, ArrayLimit: 1})
	first, err := s.Submit(t.Context(), f.present)
	if err != nil {
		t.Fatal(err)
	}
	var got [][][]string
	for _, one := range first {
		got = append(got, one.Batches)
	}
	if diff := cmp.Diff([][][]string{{{"a"}, {"b"}}, {{"c"}}}, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	if jobs := f.jobs(); len(jobs) != 2 || !strings.Contains(jobs[0], "--array=0-1%1 ") || strings.Contains(jobs[0], "--dependency") ||
		!strings.Contains(jobs[1], "--array=0-0%1 ") || !strings.Contains(jobs[1], "--dependency=afterany:100 ") {
		t.Errorf("got jobs %q", jobs)
	}
	for i, one := range first {
		read, err := runfolder.ReadSubmission(s.Dir, one.Name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one, read); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if want := fmt.Sprint(100 + i); read.Job != want || read.Text != "name: s\n" || read.File != "/somewhere/s.yaml" {
			t.Errorf("got %+v, want job %s and the study", read, want)
		}
	}

	a, b, c := Task{first[0].Name, "100", 0, "RUNNING", "", "n1", 0}, Task{first[0].Name, "100", 1, "PENDING", "Priority", "", 0}, Task{first[1].Name, "101", 0, "PENDING", "Dependency", "", 0}
	foreign := Task{"other", "99", 0, "RUNNING", "", "n2", 0}
	f.queue(a, b, c, foreign)
	again, err := s.Submit(t.Context(), f.present)
	if err != nil || len(again) > 0 {
		t.Errorf("all in the queue: got %v and error %v, want nothing submitted", again, err)
	}
	view, err := s.Client.View(t.Context(), s.Dir)
	if diff := cmp.Diff(map[string]Task{"a": a, "b": b, "c": c}, view); diff != "" || err != nil {
		t.Errorf("view: error %v (-want +got)\n%s", err, diff)
	}

	f.queue(a, b)
	again, err = s.Submit(t.Context(), f.present)
	if err != nil || len(again) != 1 || !slices.Equal(again[0].Batches[0], []string{"c"}) {
		t.Errorf("the second array lost: got %v and error %v, want c submitted", again, err)
	}

	f.queue(a, b, Task{again[0].Name, "102", 0, "PENDING", "", "", 0})
	cancelled, err := s.Client.Cancel(t.Context(), s.Dir)
	if err != nil || len(cancelled) != 3 {
		t.Errorf("got %d tasks cancelled and error %v, want 3", len(cancelled), err)
	}
	if text, _ := os.ReadFile(filepath.Join(f.dir, "cancelled")); string(text) != "100 102\n" {
		t.Errorf("got scancel %q, want jobs 100 and 102", text)
	}

	if err := os.WriteFile(runfolder.SubmissionLog(s.Dir, again[0].Name, 0), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	logs, err := Logs(s.Dir)
	if err != nil || len(logs) != 1 || logs[0].Job != "102_0" || !slices.Equal(logs[0].Runs, []string{"c"}) {
		t.Errorf("got logs %v and error %v, want that of 102_0 with run c", logs, err)
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
	_, err := s.Submit(t.Context(), f.present)
	if want := "slurm: sbatch: invalid partition specified: nope (exit status 1)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if left, err := runfolder.Submissions(s.Dir); err != nil || len(left) > 0 {
		t.Errorf("got %v and error %v, want no submission left", left, err)
	}

	// The name of the job stands in --job-name=NAME, the second argument.
	f.program("sbatch", `echo "100|0|PENDING||${2#--job-name=}|None" > "$d/queue"; echo "sbatch: error: Socket timed out on send/recv operation" >&2; exit 1`)
	if _, err = s.Submit(t.Context(), f.present[:1]); err == nil {
		t.Error("answer lost: got no error")
	}
	if view, err := s.Client.View(t.Context(), s.Dir); err != nil || view["a"].Array != "100" {
		t.Errorf("answer lost: got view %v and error %v, want run a in job 100", view, err)
	}
	if again, err := s.Submit(t.Context(), f.present[:1]); err != nil || len(again) > 0 {
		t.Errorf("answer lost: got %v and error %v, want nothing submitted again", again, err)
	}
}

func TestAbsent(t *testing.T) {
	s := (&fake{dir: t.TempDir()}).submitter(t, engine.Spec{Kind: engine.Slurm})
	_, err := s.Submit(t.Context(), []Run{{"a", time.Hour}})
	const want = "slurm: no Slurm on this machine: got no scontrol in PATH, want a machine that submits to a cluster (a login node); without one leave the engine out, and start the same command on several machines that share the folder"
	if !errors.Is(err, ErrAbsent) || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if left, err := os.ReadDir(s.Dir); err != nil || len(left) > 0 {
		t.Errorf("got %v and error %v, want an empty folder", left, err)
	}
}
