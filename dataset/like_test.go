package dataset

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/sbinet/npyio/npy"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"gonum.org/v1/gonum/mat"
)

// tables are a training table and one of held-out samples with its columns in another order.
var tables = map[string]string{
	"train.csv":   "a,sex,class\n1,f,cat\n2,m,dog\n,f,cat\n6,m,owl\n",
	"test.csv":    "class,a,sex\nowl,,m\ncat,7,f\n",
	"bare.csv":    "1.5,2,3\n4,5.5,6\n",
	"baretest":    "7.5,8,9.5\n",
	"class.csv":   "class,a,sex\nfox,1,m\n",
	"word.csv":    "class,a,sex\nowl,1,x\n",
	"columns.csv": "class,a,sex,b\nowl,1,m,2\n",
	"lacks.csv":   "class,sex\nowl,m\n",
}

func TestHeldOutTable(t *testing.T) {
	dir := t.TempDir()
	for name, text := range tables {
		write(t, filepath.Join(dir, name), text)
	}
	spec := Spec{
		Kind: "csv", Path: "train.csv", TestPath: "test.csv", Categories: []string{"sex"}, Missing: "mean", Classification: true,
		Standardize: new(false), UnitNorm: new(false),
	}
	set := load(t, spec, dir)
	if diff := cmp.Diff([]float64{1, 1, 0, 2, 0, 1, 3, 1, 0, 6, 0, 1}, set.X); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{3, 0, 1, 7, 1, 0}, set.Test.X); diff != "" {
		t.Errorf("held-out inputs, the mean being that of the training table (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{2, 0}, set.Test.Labels); diff != "" {
		t.Errorf("classes of the training table (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cat", "dog", "owl"}, set.Test.Classes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := "filled with the mean of the column of the training table"; !strings.Contains(set.Read, want) {
		t.Errorf("got %q, want it to say %q", set.Read, want)
	}
	files, err := Files(spec, dir)
	if diff := cmp.Diff([]string{filepath.Join(dir, "train.csv"), filepath.Join(dir, "test.csv")}, files); err != nil || diff != "" {
		t.Errorf("Files: %v (-want +got):\n%s", err, diff)
	}
	spec.Test = 1
	if set := load(t, spec, dir); set.Test.Samples != 1 || set.Samples != 4 {
		t.Errorf("got %d and %d samples, want 4 of the table and 1 held out", set.Samples, set.Test.Samples)
	}
	set = load(t, Spec{Kind: "csv", Path: "bare.csv", TestPath: "baretest", Standardize: new(false), UnitNorm: new(false)}, dir)
	if diff := cmp.Diff([]float64{7.5, 8, 9.5}, append(set.Test.X, set.Test.Y...)); diff != "" {
		t.Errorf("without names (-want +got):\n%s", diff)
	}
	for file, want := range map[string]string{
		"class.csv":   `got the class "fox", which no training sample has, want one of "cat", "dog", "owl"`,
		"word.csv":    `sex: got "x", which no training sample has, want one of "f", "m"`,
		"columns.csv": `got a column "b" that the training table does not have, want the same columns`,
		"lacks.csv":   `a column of the training table: got "a", want one of the header: class, sex`,
		"baretest":    `got no names in the first row, want those of the training table`,
	} {
		spec.TestPath, spec.Test = file, 0
		if _, err := tryLoad(spec, dir); err == nil || err.Error() != "dataset: "+filepath.Join(dir, file)+": "+want {
			t.Errorf("%s: got %v, want %s", file, err, want)
		}
	}
}

// TestParquet wants the same set of a Parquet file as of a table of text, under either kind.
func TestParquet(t *testing.T) {
	dir := t.TempDir()
	type row struct {
		A     float64 `parquet:"a"`
		Sex   string  `parquet:"sex,dict"`
		Class string  `parquet:"class"`
	}
	var file bytes.Buffer
	if err := parquet.Write(&file, []row{{1, "f", "cat"}, {2.5, "m", "dog"}, {4, "f", "cat"}}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "t.parquet"), file.String())
	write(t, filepath.Join(dir, "t.csv"), "a,sex,class\n1,f,cat\n2.5,m,dog\n4,f,cat\n")
	spec := Spec{Kind: "csv", Name: "t", Path: "t.csv", TestPath: "t.parquet", Categories: []string{"sex"}, Classification: true}
	want := load(t, spec, dir)
	for _, kind := range []string{"csv", "parquet"} {
		spec.Kind, spec.Path = kind, "t.parquet"
		got := load(t, spec, dir)
		want.Read, got.Read, want.Test.Read, got.Test.Read = "", "", "", ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
		if d, m, err := Dimensions(spec, dir); d != 3 || m != 2 || err != nil {
			t.Errorf("%s: got %d inputs, %d targets, %v, want 3 and 2", kind, d, m, err)
		}
	}
	spec.Path = "t.csv"
	message := "dataset: " + filepath.Join(dir, "t.csv") + ": got a table of text, want a Parquet file (kind: csv reads text)"
	if _, err := tryLoad(spec, dir); err == nil || err.Error() != message {
		t.Errorf("got %v, want %s", err, message)
	}
}

func TestHeldOutArrays(t *testing.T) {
	dir := t.TempDir()
	for name, values := range map[string]any{
		"x.npy": mat.NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6}), "y.npy": []int64{4, 9, 4}, "xt.npy": mat.NewDense(2, 2, []float64{7, 8, 9, 10}),
		"yt.npy": []int64{9, 4}, "yn.npy": []int64{9, 5}, "wide.npy": mat.NewDense(2, 3, make([]float64, 6)),
	} {
		var file bytes.Buffer
		if err := npy.Write(&file, values); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), file.String())
	}
	spec := Spec{Kind: "files", Inputs: "x.npy", Targets: "y.npy", TestInputs: "xt.npy", TestTargets: "yt.npy", Classification: true}
	set := load(t, spec, dir)
	if diff := cmp.Diff([]float64{7, 8, 9, 10}, set.Test.X); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1, 0}, set.Test.Labels); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	shown, err := Show(spec, dir)
	if err != nil || shown.Samples != 3 || shown.TestSamples != 2 {
		t.Errorf("Show: got %+v, %v, want 3 samples and 2 held out", shown, err)
	}
	for _, test := range []struct {
		change func(*Spec)
		want   string
	}{
		{func(s *Spec) { s.TestTargets = "yn.npy" }, filepath.Join(dir, "yn.npy") + `: got the class "5", which no training sample has, want one of "4", "9"`},
		{func(s *Spec) { s.TestInputs = "wide.npy" }, filepath.Join(dir, "wide.npy") + ": shape: got [2 3], want 2 numbers a sample as in the training inputs"},
		{func(s *Spec) { s.TestTargets = "" }, `test-targets: got "", want the file of the targets of test-inputs`},
		{func(s *Spec) { s.Test = 3 }, filepath.Join(dir, "xt.npy") + ": got 2 samples, want at least test: 3"},
	} {
		changed := spec
		test.change(&changed)
		if _, err := tryLoad(changed, dir); err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// TestHeldOutIndex wants an error for a held-out table in which a column names rows that is an input of the training table, or the
// other way round.
func TestHeldOutIndex(t *testing.T) {
	dir := t.TempDir()
	type row struct {
		Row int64   `parquet:"__index_level_0__"` // the name that pandas gives an index
		A   float64 `parquet:"a"`
		Y   float64 `parquet:"y"`
	}
	var file bytes.Buffer
	if err := parquet.Write(&file, []row{{5, 1.5, 2}, {7, 3, 4.5}}); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "t.parquet"), file.String())
	write(t, filepath.Join(dir, "t.csv"), "__index_level_0__,a,y\n5,1.5,2\n7,3,4.5\n")
	for _, test := range []struct{ path, testPath, want string }{
		{"t.csv", "t.parquet", `got the column "__index_level_0__" as names of rows, want the input or target that it is in the training table (or index: __index_level_0__ for both)`},
		{"t.parquet", "t.csv", `got the column "__index_level_0__" as an input or target, want names of rows as in the training table (or index: __index_level_0__ for both)`},
	} {
		_, err := tryLoad(Spec{Kind: "csv", Path: test.path, TestPath: test.testPath}, dir)
		if want := "dataset: " + filepath.Join(dir, test.testPath) + ": " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", test.testPath, err, want)
		}
	}
	for _, test := range [][2]string{{"t.csv", "t.parquet"}, {"t.parquet", "t.csv"}} {
		if set := load(t, Spec{Kind: "csv", Path: test[0], TestPath: test[1], Index: "__index_level_0__"}, dir); set.Inputs != 1 || set.Test.Samples != 2 {
			t.Errorf("%v: got %d inputs and %d held-out samples, want 1 and 2", test, set.Inputs, set.Test.Samples)
		}
	}
}
