package dataset

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/table"
)

func TestCSV(t *testing.T) {
	for _, test := range []struct {
		name, text string
		spec       Spec
		d, m       int
		x, y       []float64
		labels     []int
	}{
		{name: "last column", text: "7,2,3\n4,5,6\n", d: 2, m: 1, x: []float64{7, 2, 4, 5}, y: []float64{3, 6}},
		{
			name: "header and byte-order mark", text: "\ufeffa,b,c\r\n1, 2.5 ,3\r\n\r\n4,5e0,6\r\n",
			spec: Spec{Columns: []string{"a"}},
			d:    2, m: 1, x: []float64{2.5, 3, 5, 6}, y: []float64{1, 4},
		},
		{
			name: "targets by index, in the order given", text: "7,2,3\n4,5,6", spec: Spec{Columns: []string{"3", "1"}},
			d: 1, m: 2, x: []float64{2, 5}, y: []float64{3, 7, 6, 4},
		},
		{name: "semicolons", text: "\"a\";\"b b\"\n1;2\n", d: 1, m: 1, x: []float64{1}, y: []float64{2}},
		{name: "tabs", text: "5\t2\n3\t4\n", d: 1, m: 1, x: []float64{5, 3}, y: []float64{2, 4}},
		{
			name: "classes by name, no header", text: "1,b\n2,a\n3,b\n", spec: Spec{Classification: true},
			d: 1, m: 2, x: []float64{1, 2, 3}, y: []float64{0, 1, 1, 0, 0, 1}, labels: []int{1, 0, 1},
		},
		{
			name: "classes by number", text: "k,x\n10,1\n9,2\n9.0,3\n", spec: Spec{Classification: true, Columns: []string{"k"}},
			d: 1, m: 2, x: []float64{1, 2, 3}, y: []float64{0, 1, 1, 0, 1, 0}, labels: []int{1, 0, 0},
		},
		{
			name: "a class that reads like NaN", text: "1,nan\n2,1\n3,nan\n", spec: Spec{Classification: true},
			d: 1, m: 2, x: []float64{1, 2, 3}, y: []float64{0, 1, 1, 0, 0, 1}, labels: []int{1, 0, 1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "t.csv"), test.text)
			var zipped bytes.Buffer
			w := gzip.NewWriter(&zipped)
			w.Write([]byte(test.text))
			w.Close()
			write(t, filepath.Join(dir, "t.csv.gz"), zipped.String())
			for _, name := range []string{"t.csv", "t.csv.gz"} {
				spec := test.spec
				spec.Kind, spec.Path, spec.Standardize, spec.UnitNorm = "csv", name, new(false), new(false)
				got := load(t, spec, dir)
				want := &Set{
					Name: "csv", Inputs: test.d, Outputs: test.m, Samples: len(test.x) / test.d,
					X: test.x, Y: test.y, Labels: test.labels, Source: "file of the user",
				}
				got.Read, got.Classes = "", nil // TestRead of package table, TestAbout
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

func TestCSVRefuses(t *testing.T) {
	for _, test := range []struct {
		text string
		spec Spec
		want string
	}{
		{text: "", want: "got an empty file, want rows of numbers"},
		{text: "a,b\n", want: "got no rows below the header, want rows of numbers"},
		{text: "7,2,3\n4,5,6\n7,8\n", want: "line 3: got 2 columns, want 3"},
		{text: "a,b\n1,2\n\n3,4,5\n", want: "line 4: got 3 columns, want 2"},
		{text: "5,2\n3,x\n", want: `line 2, column 2: got "x", want a finite number`},
		{text: "5,2\n3,NaN\n", want: `line 2, column 2: got "NaN", want a finite number (a missing value; missing: drop leaves out its row, missing: mean fills in a number by the mean of its column)`},
		{text: "5,2\n-inf,3\n", want: `line 2, column 1: got "-inf", want a finite number (a missing value; missing: drop leaves out its row, missing: mean fills in a number by the mean of its column)`},
		{text: "5,2\n1e999,3\n", want: `line 2, column 1: got "1e999", want a finite number (it is beyond the range of float64)`},
		{text: "5,2\n,3\n", want: `line 2, column 1: got "", want a finite number (a missing value; missing: drop leaves out its row, missing: mean fills in a number by the mean of its column)`},
		{text: "nan,nan\n1,2\n", want: `line 1, column 1: got "nan", want a finite number (a missing value; missing: drop leaves out its row, missing: mean fills in a number by the mean of its column); if the first row holds names: header: true`},
		{text: ",\n1,2\n", want: `line 1, column 1: got "", want a finite number (a missing value; missing: drop leaves out its row, missing: mean fills in a number by the mean of its column); if the first row holds names: header: true`},
		{text: "year,2010\n1,2\n", want: `line 1, column 1: got "year", want a finite number; if the first row holds names: header: true; if the column names the rows: index: true`},
		{text: "1\n2\n", want: "line 1: got 1 column, want inputs and targets separated by commas, semicolons, tabs or blanks"},
		{text: "5,2\n3,\"4\n", want: "line 2: got a field that begins with a quote and does not end with one"},
		{text: "a,b\n1,2\n", spec: Spec{Columns: []string{"c"}}, want: `columns: got "c", want one of the header: a, b`},
		{text: "a,b\n1,2\n", spec: Spec{Columns: []string{"2"}}, want: `columns: got "2", want one of the header: a, b`},
		{text: "a,a,b\n1,2,3\n", spec: Spec{Columns: []string{"a"}}, want: `columns: got "a", want a name that the header holds once`},
		{text: "5,2\n", spec: Spec{Columns: []string{"y"}}, want: `columns: got "y", want a number from 1 to 2 (no header row)`},
		{text: "5,2\n", spec: Spec{Columns: []string{"3"}}, want: `columns: got "3", want a number from 1 to 2 (no header row)`},
		{text: "5,2\n", spec: Spec{Columns: []string{"2", "02"}}, want: `columns: got "02", want a number from 1 to 2 (no header row)`},
		{text: "5,2\n", spec: Spec{Columns: []string{"2", "1"}}, want: `columns: got all 2 columns as targets, want at least one input`},
		{text: "1,a\n2,a\n", spec: Spec{Classification: true}, want: `got the one class "a" in all rows, want at least 2`},
		{text: "1,a\n2,\n", spec: Spec{Classification: true}, want: `line 2, column 2: got an empty field, want a word (a missing value; missing: drop leaves out its row, missing: mean fills in a number by the mean of its column)`},
		{text: "\x1f\x8b", want: "the file is cut short"},
	} {
		path := filepath.Join(t.TempDir(), "t.csv")
		write(t, path, test.text)
		spec := test.spec
		spec.Kind, spec.Path = "csv", path
		_, err := tryLoad(spec, "/elsewhere")
		if want := "dataset: " + path + ": " + test.want; err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", test.text, err, want)
		}
	}
}

func TestMissingFile(t *testing.T) {
	dir := t.TempDir()
	want := "dataset: " + dir + "/no.csv: no such file or directory (relative paths start from the folder of the study file)"
	if _, err := tryLoad(Spec{Kind: "csv", Path: "no.csv"}, dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	want = "dataset: " + dir + ": not a regular file"
	if _, err := tryLoad(Spec{Kind: "csv", Path: "."}, dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzCSV(f *testing.F) {
	for _, text := range []string{"5,2\n3,4\n", "a;b\n1;2\n", "x\ty\n1\tq\n2\tr\n", "\"a\n\",b\n1,2", "\ufeff1,2\n", "nan,inf\n", ",\n,\n"} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, classification bool) {
		r, err := table.NewReader(strings.NewReader(text), Spec{}.tableOptions())
		if err != nil {
			return
		}
		columns, err := newTable(r, nil, nil, classification)
		if err != nil {
			return
		}
		s, err := columns.stored()
		if err != nil {
			return
		}
		consume(t, s)
	})
}

// consume takes every sample and checks shapes, labels and finiteness.
func consume(t *testing.T, s *stored) {
	rows := make([]int, s.n)
	for i := range rows {
		rows[i] = i
	}
	set, err := s.take(rows, "fuzz")
	if err != nil {
		t.Fatal(err)
	}
	if s.n < 1 || s.d < 1 || s.m < 1 {
		t.Fatalf("got %d samples of %d + %d numbers, want at least one of each", s.n, s.d, s.m)
	}
	for i, v := range set.X {
		if !finite(v) {
			t.Fatalf("input %d: got %v", i, v)
		}
	}
	for i, v := range set.Y {
		if !finite(v) {
			t.Fatalf("target %d: got %v", i, v)
		}
	}
}

// TestCategories wants an input of 0 and 1 for each word, behind the numbers, and the same classes as without them.
func TestCategories(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	text := "sex,a,city,y\nf,1.5,Rome,p\nm,2.5,Oslo,q\nf,3.5,Rome,q\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	spec := Spec{Kind: "csv", Path: path, Categories: []string{"sex", "city"}, Classification: true}
	shown, err := Show(spec, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "sex=f", "sex=m", "city=Oslo", "city=Rome"}; !slices.Equal(shown.Inputs, want) {
		t.Errorf("got inputs %q, want %q", shown.Inputs, want)
	}
	want := [][]float64{{1.5, 1, 0, 0, 1, 0}, {2.5, 0, 1, 1, 0, 1}, {3.5, 1, 0, 0, 1, 1}}
	if !slices.EqualFunc(shown.Rows, want, slices.Equal[[]float64]) {
		t.Errorf("got rows %v, want %v", shown.Rows, want)
	}
	if d, m, err := Dimensions(spec, ""); err != nil || d != 5 || m != 2 {
		t.Errorf("got dimensions %d, %d, %v, want 5 and 2", d, m, err)
	}
	for _, wrong := range []Spec{
		{Kind: "csv", Path: path, Categories: []string{"y"}, Classification: true},
		{Kind: "csv", Path: path, Categories: []string{"country"}},
		{Kind: "csv", Path: path, Categories: []string{"sex", "sex"}},
		{Kind: "csv", Path: path, Missing: "guess"},
		{Kind: "digits", Missing: "drop"},
	} {
		if _, err := Show(wrong, ""); err == nil {
			t.Errorf("%+v: got no error", wrong)
		}
	}
}

// TestMissing wants rows with missing values left out, or the mean of the column in their place, and both said.
func TestMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte("a,b,y\n1.5,2.5,3.5\nNA,4.5,5.5\n3.5,,7.5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		missing, said string
		rows          [][]float64
	}{
		{"drop", "2 rows with missing values dropped", [][]float64{{1.5, 2.5, 3.5}}},
		{"mean", "2 missing values filled with the mean of the column", [][]float64{{1.5, 2.5, 3.5}, {2.5, 4.5, 5.5}, {3.5, 3.5, 7.5}}},
	} {
		shown, err := Show(Spec{Kind: "csv", Path: path, Missing: c.missing}, "")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(shown.Rows, c.rows, slices.Equal[[]float64]) || !strings.Contains(shown.Read, c.said) {
			t.Errorf("%s: got %v read as %q, want %v and %q", c.missing, shown.Rows, shown.Read, c.rows, c.said)
		}
	}
	if _, err := Show(Spec{Kind: "csv", Path: path}, ""); err == nil {
		t.Error("got no error without missing")
	}
	if err := os.WriteFile(path, []byte("a,y\n1.5,p\n2.5,NA\n3.5,q\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Show(Spec{Kind: "csv", Path: path, Classification: true, Missing: "mean"}, "")
	if want := `line 3, column 2: got "NA", a missing word, which no mean can stand for; want missing: drop`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("class: got %v, want %q", err, want)
	}
}
