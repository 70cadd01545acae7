package runfolder

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/disk"
)

func TestNotes(t *testing.T) {
	dir := t.TempDir()
	if got, err := ReadNotes(dir); err != nil || !got.Empty() {
		t.Errorf("got %v, %v, want nothing", got, err)
	}
	want := Notes{Note: "é <b>1</b>\nα = ½", Tags: []string{"a", "paper:v2"}}
	if err := WriteNotes(dir, Notes{Note: want.Note, Tags: []string{"paper:v2", "a", "a"}}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadNotes(dir)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	for _, bad := range []Notes{
		{Note: "\xff"},
		{Note: strings.Repeat("x", maxNote+1)},
		{Tags: []string{""}},
		{Tags: []string{"a b"}},
		{Tags: []string{"a\x1b[31m"}},
		{Tags: []string{"\xff"}},
		{Tags: []string{strings.Repeat("x", maxTag+1)}},
	} {
		if err := WriteNotes(dir, bad); err == nil {
			t.Errorf("%q: got it written, want it refused", bad)
		}
	}
	path := filepath.Join(dir, notesFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		flipped := append([]byte{}, whole...)
		flipped[at] ^= 1
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadNotes(dir); !errors.As(err, new(*DamagedError)) {
			t.Fatalf("byte %d changed: got %v, want the damage named", at, err)
		}
	}
}

// TestNotesCutShort makes every call of WriteNotes fail in turn: the old notes or the new ones
// are there.
func TestNotesCutShort(t *testing.T) {
	before, after := Notes{Note: "before"}, Notes{Note: "after"}
	for stop := 1; ; stop++ {
		dir := t.TempDir()
		if err := WriteNotes(dir, before); err != nil {
			t.Fatal(err)
		}
		calls := 0
		disk.Intercept(func(disk.Call) error {
			if calls++; calls >= stop {
				return syscall.ENOSPC
			}
			return nil
		})
		err := WriteNotes(dir, after)
		disk.Intercept(nil)
		got, failed := ReadNotes(dir)
		if failed != nil || got.Note != before.Note && got.Note != after.Note {
			t.Errorf("call %d: got %v, %v, want the old notes or the new ones", stop, got, failed)
		}
		if calls < stop {
			if err != nil || got.Note != after.Note {
				t.Errorf("got %v, %v, want the new notes", got, err)
			}
			return
		}
		if err == nil {
			t.Errorf("call %d: got no error", stop)
		}
	}
}

// TestMergeNotes joins the notes of two parts of a study, once however often they are merged.
func TestMergeNotes(t *testing.T) {
	out, in := t.TempDir(), t.TempDir()
	for dir, n := range map[string]Notes{out: {Note: "laptop", Tags: []string{"b"}}, in: {Note: "cluster", Tags: []string{"a", "b"}}} {
		if err := WriteNotes(dir, n); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := mergeNotes(out, in); err != nil {
			t.Fatal(err)
		}
		got, err := ReadNotes(out)
		if diff := cmp.Diff(Notes{Note: "laptop\ncluster", Tags: []string{"a", "b"}}, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	}
}
