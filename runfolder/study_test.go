package runfolder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCreateStudy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := StudyName(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("name of no study: %v", err)
	}
	first := "# mine\nname: sample\ndepths: [2]\n"
	second := "name: 'sample'\ndepths: [2, 4]"
	for _, text := range []string{first, first, second} {
		if err := CreateStudy(dir, "sample", text, nil); err != nil {
			t.Fatal(err)
		}
		if got := string(mustRead(t, dir, studyFile)); got != text {
			t.Errorf("study.yaml holds %q, want %q", got, text)
		}
	}
	if name, err := StudyName(dir); name != "sample" || err != nil {
		t.Errorf("name %q, %v", name, err)
	}
	if err := CreateStudy(dir, "other", "name: other", nil); err == nil {
		t.Error("another study was accepted")
	} else {
		var occupied *OccupiedError
		if !errors.As(err, &occupied) {
			t.Errorf("error of type %T", err)
		}
		checkError(t, err, dir, `runfolder: {dir}: got a folder with study "sample", want an empty folder or one of study "other"; choose another folder`)
	}
	if got := string(mustRead(t, dir, studyFile)); got != second {
		t.Errorf("study.yaml was overwritten: %q", got)
	}
}

func TestCreateStudyRefuses(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, nil, dir, "photo.jpg")
	checkError(t, CreateStudy(dir, "s", "name: s", nil), dir,
		`runfolder: {dir}: got a folder with "photo.jpg" and no study.yaml, want an empty folder or one of study "s"; choose another folder`)
	checkError(t, CreateStudy(dir, "s", "name: r", nil), dir, `runfolder: creating study folder {dir}: text: name: got "r", want "s"`)
	checkError(t, CreateStudy(dir, "s", "depths: [1]", nil), dir, `runfolder: creating study folder {dir}: text: name: got "", want the name of the study`)
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("%d files, want the one that was there", len(list))
	}
	half := t.TempDir()
	mustWrite(t, []byte("nam"), half, ".study.yaml.42.tmp")
	if err := CreateStudy(half, "s", "name: s", nil); err != nil {
		t.Errorf("after a kill: %v", err)
	}
}

// TestOverriddenName wants the name given as an override to be the study's, and a
// start without overrides to forget them.
func TestOverriddenName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	set := []string{"name=mine", "network.alpha=0.75"}
	if err := CreateStudy(dir, "mine", "name: s", set); err != nil {
		t.Fatal(err)
	}
	if name, err := StudyName(dir); name != "mine" || err != nil {
		t.Errorf("name %q, %v", name, err)
	}
	if got, want := string(mustRead(t, dir, recordFile)), "{\n  \"name\": \"mine\",\n  \"set\": [\n    \"name=mine\",\n    \"network.alpha=0.75\"\n  ],\n  \"sha256\": "; !strings.HasPrefix(got, want) {
		t.Errorf("study.json holds %q, want %q at its start", got, want)
	}
	checkError(t, CreateStudy(dir, "s", "name: s", nil), dir,
		`runfolder: {dir}: got a folder with study "mine", want an empty folder or one of study "s"; choose another folder`)
	if err := CreateStudy(dir, "mine", "name: mine", nil); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mustRead(t, dir, recordFile)), "network.alpha") {
		t.Error("overrides are left")
	}
	mustWrite(t, []byte("{}"), dir, recordFile)
	if _, err := StudyName(dir); err == nil {
		t.Error("a damaged study.json gives a name")
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	if got, err := List(dir); len(got) != 0 || err != nil {
		t.Errorf("no runs: %v, %v", got, err)
	}
	for _, id := range []string{"b-L0016", "b-L0004", "a", ".hidden"} {
		if err := os.MkdirAll(RunDir(dir, id), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite(t, nil, dir, runsFolder, "notes.txt")
	want := []string{RunDir(dir, "a"), RunDir(dir, "b-L0004"), RunDir(dir, "b-L0016")}
	if got, err := List(dir); !slices.Equal(got, want) || err != nil {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// TestCreateStudyAfterRemoval takes up a folder that was removed while its study was made
// or run, as far as what is left says no other.
func TestCreateStudyAfterRemoval(t *testing.T) {
	const text = "name: s\n"
	create := func(t *testing.T) string {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "s")
		m := Manifest{Study: "s", Runs: []Planned{{ID: "a", Hash: "h"}}}
		if err := errors.Join(CreateStudy(dir, "s", text, nil), WriteManifest(dir, m), os.Mkdir(RunDir(dir, "a"), 0o755)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for name, c := range map[string]struct {
		removed []string
		refused bool
	}{
		"names":              {[]string{"study.yaml", "study.json"}, false},
		"all but empty runs": {[]string{"study.yaml", "study.json", "runs.json", "runs/a"}, false},
		"all but runs":       {[]string{"study.yaml", "study.json", "runs.json"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := create(t)
			for _, file := range c.removed {
				if err := os.Remove(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
			}
			err := CreateStudy(dir, "s", text, nil)
			if _, occupied := errors.AsType[*OccupiedError](err); occupied != c.refused || err != nil && !occupied {
				t.Fatalf("got %v, want refused %v", err, c.refused)
			}
			if name, err := StudyName(dir); !c.refused && (name != "s" || err != nil) {
				t.Errorf("got %q, %v, want the study's name", name, err)
			}
			if err := CreateStudy(dir, "other", "name: other\n", nil); err == nil {
				t.Error("another study took the folder")
			}
		})
	}
}

// TestListNamesDamagedImports lists an imported run whose result.json is damaged, so that
// who reads it names it, and leaves out a damaged run of an earlier form of the study.
func TestListNamesDamagedImports(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(CreateStudy(dir, "s", "name: s\n", nil), WriteManifest(dir, Manifest{Study: "s", Runs: []Planned{}})); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"imported", "old"} {
		meta := sampleMeta()
		meta.ID, meta.Method = id, map[string]string{"imported": Imported, "old": "gd"}[id]
		folder := RunDir(dir, id)
		if err := errors.Join(Create(folder, meta), os.WriteFile(filepath.Join(folder, resultFile), []byte("{}"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := List(dir)
	if err != nil || len(got) != 1 || filepath.Base(got[0]) != "imported" {
		t.Errorf("got %v, %v, want the imported run alone", got, err)
	}
}

// TestReadStarted reads back what a study was started with, and tells a text that is not
// the one written.
func TestReadStarted(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadStarted(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing started: got %v", err)
	}
	want := Started{Manifest{Study: "s", File: "/there/s.yaml", Runs: []Planned{{ID: "a", Hash: "h"}}}, []byte("name: s\n"), []string{"seeds=2"}}
	if err := errors.Join(CreateStudy(dir, "s", string(want.Text), want.Set), WriteManifest(dir, want.Manifest)); err != nil {
		t.Fatal(err)
	}
	got, err := ReadStarted(dir)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}
	mustWrite(t, []byte("name: t\n"), dir, "study.yaml")
	if _, err := ReadStarted(dir); !errors.As(err, new(*DamagedError)) {
		t.Errorf("another text: got %v, want a *DamagedError", err)
	}
}
