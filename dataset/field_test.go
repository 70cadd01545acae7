package dataset

import (
	"archive/zip"
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
)

// TestTablesOfOthers wants the same samples of one table however it is written.
func TestTablesOfOthers(t *testing.T) {
	text, err := os.ReadFile("testdata/field/plain.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	rows := lines[1:]
	number := strconv.Itoa
	join := func(header string, row func(i int, line string) string) string {
		var b strings.Builder
		if header != "" {
			b.WriteString(header + "\n")
		}
		for i, line := range rows {
			b.WriteString(row(i, line) + "\n")
		}
		return b.String()
	}
	plain := func(_ int, line string) string { return line }
	comma := strings.NewReplacer(",", ";", ".", ",")
	want := load(t, Spec{Kind: "csv", Path: "testdata/field/plain.csv"}, "")
	want.Read = ""
	for name, text := range map[string]string{
		"pandas default names": join("0,1,2,3,4", plain),
		"names from 1":         join("1,2,3,4,5", plain),
		"no header":            join("", plain),
		"pandas index":         join(",a,b,c,d,y", func(i int, line string) string { return number(i) + "," + line }),
		"pandas index, names":  join(",0,1,2,3,4", func(i int, line string) string { return number(i) + "," + line }),
		"index saved again":    join("Unnamed: 0,a,b,c,d,y", func(i int, line string) string { return number(i) + "," + line }),
		"shuffled index":       join(",a,b,c,d,y", func(i int, line string) string { return number(i*37%101) + "," + line }),
		"index of dates":       join(",a,b,c,d,y", func(i int, line string) string { return "2020-01-01 00:" + number(10+i) + "," + line }),
		"write.csv of R":       join(`"","a","b","c","d","y"`, func(i int, line string) string { return `"` + number(i+1) + `",` + line }),
		"write.table of R": join(`"a" "b" "c" "d" "y"`, func(i int, line string) string {
			return `"` + number(i+1) + `" ` + strings.ReplaceAll(line, ",", " ")
		}),
		"decimal comma":      join("a;b;c;d;y", func(_ int, line string) string { return comma.Replace(line) }),
		"decimal comma, BOM": "\ufeff" + join("a\tb\tc\td\ty", func(_ int, line string) string { return strings.ReplaceAll(comma.Replace(line), ";", "\t") }),
		"trailing delimiter": join("a;b;c;d;y;", func(_ int, line string) string { return strings.ReplaceAll(line, ",", ";") + ";" }),
		"aligned":            join("  a  b  c  d  y", func(_ int, line string) string { return "  " + strings.ReplaceAll(line, ",", "   ") }),
		"everything quoted": join(`"a","b","c","d","y"`, func(_ int, line string) string {
			return `"` + strings.ReplaceAll(line, ",", `","`) + `"`
		}),
		"CRLF and comments": "# made by hand\r\n" + strings.ReplaceAll(join("a,b,c,d,y", plain), "\n", "\r\n"),
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "t.csv"), text)
		spec := Spec{Kind: "csv", Path: "t.csv"}
		got, err := tryLoad(spec, dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got.Read = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if d, m, err := Dimensions(spec, dir); d != 4 || m != 1 || err != nil {
			t.Errorf("%s: Dimensions: got %d, %d and %v", name, d, m, err)
		}
	}
}

func TestTableSaid(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "t.csv"), "id,\x1b[2Ja,y\n0,1.5,2\n1,2.5,3\n2,0.75,7\n")
	set := load(t, Spec{Kind: "csv", Path: "t.csv"}, dir)
	want := `3 rows; header id, \x1b[2Ja, y; no index; separated by commas; decimal point; column "id" counts the rows and is kept; index: id leaves it out; target y`
	if set.Read != want || set.Inputs != 2 {
		t.Errorf("got %d inputs, %s\nwant 2, %s", set.Inputs, set.Read, want)
	}
	if set := load(t, Spec{Kind: "csv", Path: "t.csv", Index: "id"}, dir); set.Inputs != 1 {
		t.Errorf("index id: got %d inputs, want 1", set.Inputs)
	}
	for spec, want := range map[*Spec]string{
		{Index: "id", Columns: []string{"id"}}: `columns: got "id", which names the rows, want another column (or index: false)`,
		{Index: "x"}:                           `index: got "x", want one of the header: id, \x1b[2Ja, y`,
	} {
		spec.Kind, spec.Path = "csv", "t.csv"
		if _, err := tryLoad(*spec, dir); err == nil || err.Error() != "dataset: "+dir+"/t.csv: "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	write(t, filepath.Join(dir, "t.csv"), "0,0.5,2\n1,0.25,3\n2,1.5,7\n")
	want = "dataset: " + dir + "/t.csv: the first column numbers the rows and there is no header: it may be an index or numbers; want index: true or index: false to say so"
	if _, err := tryLoad(Spec{Kind: "csv", Path: "t.csv"}, dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestArraysOfOthers(t *testing.T) {
	at := func(spec Spec) Spec {
		spec.Kind = "files"
		return spec
	}
	for _, test := range []struct {
		spec Spec
		d, m int
		read string
		err  string
	}{
		{spec: Spec{Inputs: "X.npy", Targets: "labels.npy"}, d: 4, m: 1, read: "inputs X.npy; targets labels.npy, integers as numbers (classification: true takes them as classes)"},
		{spec: Spec{Inputs: "X.npy", Targets: "labels.npy", Classification: true}, d: 4, m: 2, read: "inputs X.npy; targets labels.npy"},
		{spec: Spec{Inputs: "images.npy", Targets: "labels.npy", Classification: true, Flatten: true}, d: 36, m: 2, read: "inputs images.npy [60 6 6] as [60 36]; targets labels.npy"},
		{spec: Spec{Inputs: "kmnist-imgs.npz", Targets: "labels.npy", Classification: true, Flatten: true}, d: 36, m: 2, read: "inputs kmnist-imgs.npz:arr_0 [60 6 6] as [60 36]; targets labels.npy"},
		{spec: Spec{Inputs: "kmnist-imgs.npz:arr_0", Targets: "labels.npy", Flatten: true, Classification: true}, d: 36, m: 2, read: "inputs kmnist-imgs.npz:arr_0 [60 6 6] as [60 36]; targets labels.npy"},
		{spec: Spec{Inputs: "images.npy", Targets: "labels.npy"}, err: "images.npy: shape: got [60 6 6], want 2 dimensions (flatten: true takes it as [60 36])"},
		{spec: Spec{Inputs: "kmnist-imgs.npz:images", Targets: "labels.npy"}, err: `kmnist-imgs.npz: got no array "images", want one of "arr_0"`},
		{spec: Spec{Inputs: "labels.npy", Targets: "X.npy", Classification: true}, err: "labels.npy: shape: got [60], want 2 dimensions"},
		{spec: Spec{Inputs: "X.npy", Targets: "X.npy", Classification: true}, err: "X.npy: shape: got [60 4], want (N) labels, because classification is true"},
	} {
		spec := at(test.spec)
		d, m, dimErr := Dimensions(spec, "testdata/field")
		set, err := tryLoad(spec, "testdata/field")
		if test.err != "" {
			want := "dataset: testdata/field/" + test.err
			if err == nil || err.Error() != want || dimErr == nil || dimErr.Error() != want {
				t.Errorf("%+v:\n got %v\n and %v\nwant %s", test.spec, err, dimErr, want)
			}
			continue
		}
		if err != nil || dimErr != nil {
			t.Errorf("%+v: %v, %v", test.spec, err, dimErr)
			continue
		}
		if set.Inputs != test.d || set.Outputs != test.m || d != test.d || m != test.m || set.Read != test.read {
			t.Errorf("%+v: got %d, %d (Dimensions %d, %d), %s\nwant %d, %d, %s", test.spec, set.Inputs, set.Outputs, d, m, set.Read, test.d, test.m, test.read)
		}
	}
	want := []string{"testdata/field/kmnist-imgs.npz", "testdata/field/labels.npy"}
	files, err := Files(at(Spec{Inputs: "kmnist-imgs.npz:arr_0", Targets: "labels.npy"}), "testdata/field")
	if diff := cmp.Diff(want, files); diff != "" || err != nil {
		t.Errorf("Files: %v (-want +got):\n%s", err, diff)
	}
}

// TestFlattenedImages wants the pixels in the order of the file, from .npy and .npz alike.
func TestFlattenedImages(t *testing.T) {
	spec := Spec{Kind: "files", Inputs: "images.npy", Targets: "labels.npy", Flatten: true, Classification: true}
	set := load(t, spec, "testdata/field")
	if set.Samples != 60 || len(set.X) != 60*36 || set.Y[set.Labels[0]] != 1 || set.Y[1-set.Labels[0]] != 0 {
		t.Errorf("got %d samples, %d numbers, targets %v of class %d", set.Samples, len(set.X), set.Y[:2], set.Labels[0])
	}

	dir := t.TempDir()
	images := npytest.File(npytest.Array{Descr: "|u1", Shape: []int{2, 2, 2}, Values: []uint8{0, 1, 2, 3, 4, 5, 6, 255}})
	labels := npytest.File(npytest.Array{Descr: "<i8", Shape: []int{2}, Values: []int64{7, -3}})
	write(t, filepath.Join(dir, "both.npz"), archive(t, map[string][]byte{"x.npy": images, "y.npy": labels}))
	spec = Spec{Kind: "files", Inputs: "both.npz:x", Targets: "both.npz:y", Flatten: true, Classification: true}
	set = load(t, spec, dir)
	if diff := cmp.Diff([]float64{0, 1, 2, 3, 4, 5, 6, 255}, set.X); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"-3", "7"}, set.Classes); diff != "" || !slices.Equal(set.Labels, []int{1, 0}) {
		t.Errorf("labels %v, classes (-want +got):\n%s", set.Labels, diff)
	}
	for name, want := range map[string]string{
		"both.npz":   `got 2 arrays, want one of them behind a colon, as in both.npz:x, among "x", "y"`,
		"both.npz:z": `got no array "z", want one of "x", "y"`,
	} {
		spec.Inputs = name
		if _, err := tryLoad(spec, dir); err == nil || err.Error() != "dataset: "+dir+"/both.npz: "+want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	write(t, filepath.Join(dir, "y.npy"), string(npytest.File(npytest.Array{Shape: []int{2}, Values: []float64{0, 1.5}})))
	spec.Inputs, spec.Targets = "both.npz:x", "y.npy"
	want := "dataset: " + dir + "/y.npy: row 1: got 1.5, want an integer that names a class"
	if _, err := tryLoad(spec, dir); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestPackedZeros has a small .npz file that would fill the memory.
func TestPackedZeros(t *testing.T) {
	dir := t.TempDir()
	const n = 40 << 20
	zeros := npytest.File(npytest.Array{Descr: "|u1", Shape: []int{1, n}, Values: make([]uint8, n)})
	write(t, filepath.Join(dir, "x.npz"), archive(t, map[string][]byte{"x.npy": zeros}))
	spec := Spec{Kind: "files", Inputs: "x.npz", Targets: "x.npz"}
	_, err := tryLoad(spec, dir)
	if err == nil || !strings.Contains(err.Error(), "bytes for 335544320 of numbers, want at most 64 times as many (save the array as .npy)") {
		t.Errorf("got %v", err)
	}
}

// archive returns a .npz file as numpy.savez_compressed writes it.
func archive(t *testing.T, members map[string][]byte) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		m, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Write(members[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
