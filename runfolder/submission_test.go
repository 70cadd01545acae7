package runfolder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSubmissions writes submissions and reads them back; a folder without
// submission.json and a stray file are passed over, a damaged one is named.
func TestSubmissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "study of 100%")
	if got, err := Submissions(dir); err != nil || len(got) > 0 {
		t.Errorf("nothing submitted: got %v and error %v", got, err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	want := []Submission{
		{Name: "s-1", Time: time.Date(2026, 5, 1, 2, 3, 4, 0, time.UTC), Job: "7", Tasks: 2, Command: []string{"sbatch"}},
		{Name: "s-2", Time: time.Date(2026, 5, 1, 2, 3, 4, 0, time.UTC), Tasks: 1, Only: []string{"depth < 8"}, Command: []string{"sbatch"}},
	}
	for _, s := range want {
		script, err := WriteSubmission(dir, s, "#!/bin/bash\n")
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(script); err != nil || string(text) != "#!/bin/bash\n" {
			t.Errorf("got script %q and error %v", text, err)
		}
	}
	for _, made := range []error{os.Mkdir(SubmissionDir(dir, "died"), 0o755), os.WriteFile(SubmissionDir(dir, "notes.txt"), nil, 0o644)} {
		if made != nil {
			t.Fatal(made)
		}
	}
	got, err := Submissions(dir)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
	if err := RemoveSubmission(dir, "s-1"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(SubmissionDir(dir, "s-2"), "submission.json")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		flipped := slices.Clone(whole)
		flipped[i] ^= 1
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Submissions(dir)
		if damaged, ok := errors.AsType[*DamagedError](err); !ok || damaged.Path != path {
			t.Errorf("byte %d flipped: got %v and error %v, want a *DamagedError of %s", i, got, err, path)
		}
	}
	if _, err := WriteSubmission(dir, Submission{Name: "../x"}, ""); err == nil {
		t.Error("a name that leaves the folder: got no error")
	}
}
