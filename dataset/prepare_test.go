package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/floats"
	"pgregory.net/rapid"
)

func TestEmbeddedFilesAreThePublishedOnes(t *testing.T) {
	readme, err := os.ReadFile("data/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"digits.csv.gz":            "46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a",
		"diabetes_data_raw.csv.gz": "fc08fc59c1cbfe65550d9ebb36321d505de9e8f004bf92c1566d2908962f08ff",
		"diabetes_target.csv.gz":   "bf1ddd1f9d377278450a5f02c24b5e77b1501f2ad673fe9fdf4c4090d27eb5cc",
	} {
		content, err := data.ReadFile("data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: got sha256 %s, want %s", name, got, want)
		}
		if !strings.Contains(string(readme), want) {
			t.Errorf("data/README.md lacks the sum of %s", name)
		}
	}
}

// The numbers were computed from the files with awk.
func TestDigits(t *testing.T) {
	set := load(t, Spec{Kind: "digits", Standardize: new(false), UnitNorm: new(false)}, "")
	if set.Samples != 1797 || set.Inputs != 64 || set.Outputs != 10 {
		t.Fatalf("got %d × %d → %d, want 1797 × 64 → 10", set.Samples, set.Inputs, set.Outputs)
	}
	counts := make([]int, 10)
	for _, label := range set.Labels {
		counts[label]++
	}
	if diff := cmp.Diff([]int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}, counts); diff != "" {
		t.Errorf("images of each class (-want +got):\n%s", diff)
	}
	if got := floats.Sum(set.X); got != 561718 {
		t.Errorf("sum of all pixels: got %v, want 561718", got)
	}
	column := 0.0
	for row := range slices.Chunk(set.X, 64) {
		column += row[21]
	}
	if column != 14028 {
		t.Errorf("sum of pixel 22: got %v, want 14028", column)
	}
	if diff := cmp.Diff([]float64{0, 0, 5, 13, 9, 1, 0, 0}, set.X[:8]); diff != "" || set.Labels[0] != 0 {
		t.Errorf("first image, first row (-want +got):\n%s", diff)
	}
}

func TestDiabetes(t *testing.T) {
	set := load(t, Spec{Kind: "diabetes", Standardize: new(false), UnitNorm: new(false)}, "")
	if set.Samples != 442 || set.Inputs != 10 || set.Outputs != 1 || set.Labels != nil {
		t.Fatalf("got %d × %d → %d, want 442 × 10 → 1", set.Samples, set.Inputs, set.Outputs)
	}
	sums := make([]float64, 10)
	for row := range slices.Chunk(set.X, 10) {
		floats.Add(sums, row)
	}
	want := []float64{21445, 649, 11658.1, 41833.98, 83600, 51024.1, 22006.5, 1799.05, 2051.5036, 40337}
	if !floats.EqualFunc(sums, want, func(a, b float64) bool { return math.Abs(a-b) <= 1e-6 }) {
		t.Errorf("column sums: got %v, want %v", sums, want)
	}
	if sum, squares := floats.Sum(set.Y), floats.Dot(set.Y, set.Y); sum != 67243 || squares != 12850921 {
		t.Errorf("targets: got sum %v and squares %v, want 67243 and 12850921", sum, squares)
	}
}

func TestStandardizeAndUnitNorm(t *testing.T) {
	set := load(t, Spec{Kind: "diabetes", Samples: 300, Test: 100, UnitNorm: new(false)}, "")
	for name, part := range map[string]struct {
		d      int
		values []float64
	}{"inputs": {10, set.X}, "targets": {1, set.Y}} {
		sums, squares := make([]float64, part.d), make([]float64, part.d)
		for row := range slices.Chunk(part.values, part.d) {
			floats.Add(sums, row)
			for j, v := range row {
				squares[j] += v * v
			}
		}
		for j := range part.d {
			if !(math.Abs(sums[j]) <= 1e-10) || !(math.Abs(squares[j]-300) <= 1e-10) {
				t.Errorf("%s, column %d: got sum %g and squares %g, want 0 and 300", name, j, sums[j], squares[j])
			}
		}
	}

	set = load(t, Spec{Kind: "digits", Samples: 900, Test: 400}, "")
	for s := set; s != nil; s = s.Test {
		for row := range slices.Chunk(s.X, 64) {
			if got := floats.Norm(row, 2); !(math.Abs(got-1) <= 1e-14) {
				t.Fatalf("‖x‖: got %v, want 1", got)
			}
			if row[0] != 0 {
				t.Fatalf("pixel 1, which is 0 in all images: got %v, want 0", row[0])
			}
		}
	}
}

// A test sample goes through the statistics of the training part, by hand.
func TestStandardizeUsesTrainingStatistics(t *testing.T) {
	train := []float64{1, 0.1, 3, 0.1, 5, 0.1}
	test := []float64{7, 0.2}
	if err := standardize(2, train, test); err != nil {
		t.Fatal(err)
	}
	s := math.Sqrt(8.0 / 3)
	want := []float64{-2 / s, 0, 0, 0, 2 / s, 0}
	if !floats.EqualApprox(train, want, 1e-15) || !floats.EqualApprox(test, []float64{4 / s, 0}, 1e-15) {
		t.Errorf("got %v and %v, want %v and [%v 0]", train, test, want, 4/s)
	}
}

func TestChoiceOfSamples(t *testing.T) {
	dir := t.TempDir()
	var table strings.Builder
	for i := range 30 {
		fmt.Fprintf(&table, "%d,%d\n", i+1, 100+i)
	}
	write(t, filepath.Join(dir, "rows.csv"), table.String())
	choose := func(samples, test int, seed uint64) *Set {
		return load(t, Spec{
			Kind: "csv", Path: "rows.csv", Samples: samples, Test: test, Seed: &seed,
			Standardize: new(false), UnitNorm: new(false),
		}, dir)
	}
	if all := choose(0, 0, 3); !slices.IsSorted(all.X) || all.Samples != 30 {
		t.Errorf("all samples: got %v, want them in stored order", all.X)
	}
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		test := rapid.IntRange(0, 10).Draw(rt, "test")
		fewer := rapid.IntRange(1, 20).Draw(rt, "fewer")
		more := rapid.IntRange(fewer, 20).Draw(rt, "more")
		a, b, rest := choose(fewer, test, seed), choose(more, test, seed), choose(0, test, seed)
		if a.Samples != fewer || b.Samples != more || rest.Samples != 30-test {
			rt.Fatalf("got %d, %d and %d samples, want %d, %d and %d", a.Samples, b.Samples, rest.Samples, fewer, more, 30-test)
		}
		for _, x := range a.X {
			if !slices.Contains(b.X, x) {
				rt.Fatalf("row %v of %d samples is not among %d", x, fewer, more)
			}
		}
		for i, x := range b.X {
			if !slices.Contains(rest.X, x) || b.Y[i] != x+99 {
				rt.Fatalf("row %v → %v is not a row of the file", x, b.Y[i])
			}
		}
		if (test > 0) != (b.Test != nil) {
			rt.Fatalf("got a test set: %v, want %v", b.Test != nil, test > 0)
		}
		if test > 0 {
			if diff := cmp.Diff(a.Test, b.Test); diff != "" || a.Test.Samples != test {
				rt.Fatalf("the number of samples changed the test samples:\n%s", diff)
			}
			for _, x := range b.Test.X {
				if slices.Contains(rest.X, x) {
					rt.Fatalf("row %v is in both parts", x)
				}
			}
		}
	})
}

func TestPrepareRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "four.csv"), "1,2,9\n3,4,9\n0,0,8\n7,8,7\n")
	write(t, filepath.Join(dir, "huge.csv"), "a,b\n1e308,1\n1.5e308,2\n")
	write(t, filepath.Join(dir, "tiny.csv"), "a,b\n1e-300,1\n2e-300,2\n")
	no := new(false)
	for _, test := range []struct {
		spec Spec
		want string
	}{
		{Spec{Path: "four.csv", Samples: 5}, "DIR/four.csv: got 4 samples, want at least samples: 5"},
		{Spec{Path: "four.csv", Samples: 3, Test: 2}, "DIR/four.csv: got 4 samples, want at least 3 + 2 for samples and test"},
		{Spec{Path: "four.csv", Test: 4}, "DIR/four.csv: got 4 samples, want at least 1 + 4 for samples and test"},
		{Spec{Path: "four.csv", Standardize: no}, "DIR/four.csv: sample 3: got an input of norm 0, want one that can be scaled to 1 (or unit-norm: false)"},
		{Spec{Path: "four.csv", Samples: 1, Seed: new(uint64(5))}, "DIR/four.csv: sample 4: got an input of norm 0, want one that can be scaled to 1 (or unit-norm: false)"},
		{Spec{Path: "huge.csv"}, "DIR/huge.csv: input column 1: got standard deviation +Inf of values from 1e+308 to 1.5e+308, want one that float64 can hold: rescale the column"},
		{Spec{Path: "tiny.csv"}, "DIR/tiny.csv: input column 1: got standard deviation 0 of values from 1e-300 to 2e-300, want one that float64 can hold: rescale the column"},
	} {
		test.spec.Kind = "csv"
		_, err := tryLoad(test.spec, dir)
		want := "dataset: " + strings.ReplaceAll(test.want, "DIR", dir)
		if err == nil || err.Error() != want {
			t.Errorf("%+v:\n got %v\nwant %s", test.spec, err, want)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
