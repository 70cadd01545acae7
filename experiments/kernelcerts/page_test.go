package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestPage holds the page to the record.
func TestPage(t *testing.T) {
	r, err := load("record.json")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/kernel-certificates.md")
	if err != nil {
		t.Fatal(err)
	}
	if r.text() != string(page) {
		t.Error("docs/kernel-certificates.md is not what experiments/kernelcerts/record.json says: `bin/kernelcerts -page` writes it anew")
	}
}

// TestRecord keeps cells, one for each place, in the order of cells, and names those that are missing.
func TestRecord(t *testing.T) {
	all := cells()
	if len(all) != 108 || all[0].cost() != 800 || all[len(all)-1].cost() != 512_000 {
		t.Fatalf("got %d cells of cost %d to %d, want 108 of 800 to 512000", len(all), all[0].cost(), all[len(all)-1].cost())
	}
	number := 0.5
	r := &record{}
	r.put(cell{place: all[3], Build: "b", Steps: 150, Loss: 0.25})
	r.put(cell{place: all[0], Build: "b", Steps: 7})
	r.put(cell{place: all[0], Build: "a", Steps: 8, Zero: true, Descent: true, Rounding: "proven", LambdaMin: &number, LambdaMax: &number})
	r.putDescent(descent{place: descents[0], Build: "a", Steps: 9, Loss: 1e-3})
	path := filepath.Join(t.TempDir(), "record.json")
	if err := r.save(path); err != nil {
		t.Fatal(err)
	}
	back, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r, back) || len(back.Cells) != 2 || back.Cells[0].Steps != 8 {
		t.Errorf("got %+v, want %+v", back, r)
	}
	text := r.text()
	for _, want := range []string{
		"2 of commit a, 1 of commit b", "8; 5e-01; 1e+00; **–**; both, proven", "no zero in 150 steps (J 0.25)", "digits at L = 64;",
		"diabetes at L = 16, 16 of 18 cells", "| 9 | 1e-03 | not issued: loss needed – | – |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}
