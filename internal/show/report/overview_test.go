package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/test/zoo"
)

// TestManyGroups wants a page of more groups than are shown open to have an overview of all, with the numbers of the result,
// each group folded, and its figures as files that are there.
func TestManyGroups(t *testing.T) {
	runs := zoo.Grid(4)
	dir := filepath.Join(t.TempDir(), "many")
	if err := runs.Write(dir); err != nil {
		t.Fatal(err)
	}
	study, err := analyze.Read(t.Context(), dir, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	path, err := Write(t.Context(), dir, study, Options{Formats: []string{"pdf"}, Names: []string{"loss", "norms"}, View: analyze.View{Sort: "-group"}, Observe: func(done, total int) {
		drawn = total
	}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(page, []byte("<svg")); n != 0 {
		t.Errorf("got %d drawings in the page, want files", n)
	}
	if n := bytes.Count(page, []byte(`<details class="fold">`)); n != 4 {
		t.Errorf("got %d folded groups, want 4", n)
	}
	found := 0
	for _, part := range strings.Split(string(page), `<img src="`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), name)); err != nil {
			t.Error(err)
		}
		found++
	}
	if found != 8 || drawn != 8 {
		t.Errorf("got %d figures in the page and %d drawn, want 8", found, drawn)
	}
	last := -1
	for _, row := range slices.Backward(study.Result.Overview.Rows) {
		place := strings.Index(string(page), fmt.Sprintf(">%d</a></th>", row.Number))
		if place <= last {
			t.Errorf("group %d stands at %d, want it behind %d", row.Number, place, last)
		}
		last = place
		value, interval, _ := strings.Cut(row.Loss.Size(number), " [")
		if want := fmt.Sprintf("<td>%s <small>[%s</small></td>", value, interval); !strings.Contains(string(page), want) {
			t.Errorf("the overview lacks %s", want)
		}
	}
	if _, err := Write(t.Context(), dir, study, Options{View: analyze.View{Columns: []string{"losss"}}}); err == nil || !strings.Contains(err.Error(), `columns: got "losss"`) {
		t.Errorf("got %v", err)
	}
}

// TestPrintedGroups wants a page of so many groups that they would take a hundred sheets to print those that are unfolded, and to say so.
func TestPrintedGroups(t *testing.T) {
	for _, n := range []int{mostPrinted, mostPrinted + 1} {
		runs := zoo.Grid(n)
		dir := filepath.Join(t.TempDir(), "printed")
		if err := runs.Write(dir); err != nil {
			t.Fatal(err)
		}
		study, err := analyze.Read(t.Context(), dir, analyze.Options{})
		if err != nil {
			t.Fatal(err)
		}
		path, err := Write(t.Context(), dir, study, Options{Formats: []string{"svg"}, Names: []string{"loss"}})
		if err != nil {
			t.Fatal(err)
		}
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, sign := range []string{`<body class="long">`, "Only groups that are unfolded are printed."} {
			if got, want := bytes.Contains(page, []byte(sign)), n > mostPrinted; got != want {
				t.Errorf("%d groups: got %q %v, want %v", n, sign, got, want)
			}
		}
	}
}
