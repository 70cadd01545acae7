package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStratify(t *testing.T) {
	names := []string{"a", "b", "c"}
	for _, test := range []struct {
		n         int
		available []int
		want      []int
		err       string
	}{
		{n: 6, available: []int{10, 20, 30}, want: []int{1, 2, 3}},
		{n: 60, available: []int{10, 20, 30}, want: []int{10, 20, 30}},
		{n: 10, available: []int{10, 10, 10}, want: []int{4, 3, 3}}, // equal remainders, the first class first
		{n: 10, available: []int{33, 33, 34}, want: []int{3, 3, 4}}, // 3.3, 3.3, 3.4
		{n: 11, available: []int{46, 30, 24}, want: []int{5, 3, 3}}, // 5.06, 3.30, 2.64
		{n: 3, available: []int{1, 1, 1 << 40}, err: "got 3, of which class a with 1 of 1099511627778 samples has none"},
		{n: 2, available: []int{5, 5, 5}, err: "got 2, of which class c with 5 of 15 samples has none, want more (or stratified: false)"},
		{n: 2, available: []int{5, 5, 0}, want: []int{1, 1, 0}},
	} {
		got, err := stratify(test.n, test.available, names)
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("%d of %v: got error %v, want %s", test.n, test.available, err, test.err)
			}
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%d of %v: %v (-want +got):\n%s", test.n, test.available, err, diff)
		}
	}
}

// TestStratifyRounds wants each class within 1 of its share and within what it has.
func TestStratifyRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		available := rapid.SliceOfN(rapid.IntRange(0, 50), 1, 8).Draw(t, "available")
		total, names := 0, make([]string, len(available))
		for k, a := range available {
			total += a
			names[k] = fmt.Sprint(k)
		}
		n := rapid.IntRange(0, total).Draw(t, "n")
		quota, err := stratify(n, available, names)
		if err != nil {
			for k, a := range available {
				if share := float64(n) * float64(a) / float64(total); a > 0 && share < 1 && strings.Contains(err.Error(), "class "+names[k]+" ") {
					return
				}
			}
			t.Fatalf("refused without a class of share below 1: %v", err)
		}
		sum := 0
		for k, q := range quota {
			sum += q
			if total == 0 {
				continue
			}
			if share := float64(n) * float64(available[k]) / float64(total); q > available[k] || !(float64(q) > share-1 && float64(q) < share+1) {
				t.Fatalf("%d of %v: class %d gives %d, want within 1 of %g", n, available, k, q, share)
			}
		}
		if sum != n {
			t.Fatalf("%d of %v: got %v, which are %d", n, available, quota, sum)
		}
	})
}

func TestStratified(t *testing.T) {
	spec := Spec{Kind: "digits", Samples: 100, Test: 50, Stratified: true}
	set := load(t, spec, "")
	if diff := cmp.Diff([]int{10, 10, 10, 10, 10, 10, 10, 10, 10, 10}, set.Counts()); diff != "" {
		t.Errorf("training part (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, set.Test.Counts()); diff != "" {
		t.Errorf("test part (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(set, load(t, spec, "")); diff != "" {
		t.Errorf("not the same a second time:\n%s", diff)
	}
	fewer := spec
	fewer.Samples = 20
	if other := load(t, fewer, ""); len(other.Labels) != 20 || !slices.Equal(set.Test.Labels, other.Test.Labels) {
		t.Errorf("the test samples change with samples: got %v, want %v", other.Test.Labels, set.Test.Labels)
	}
	want := "samples of each class: 0: 10, 1: 10, 2: 10, 3: 10, 4: 10, 5: 10, 6: 10, 7: 10, 8: 10, 9: 10; " +
		"test samples: 0: 5, 1: 5, 2: 5, 3: 5, 4: 5, 5: 5, 6: 5, 7: 5, 8: 5, 9: 5"
	if got := set.About(); got != want {
		t.Errorf("about: got %s, want %s", got, want)
	}

	// The parts never share a sample.
	all := load(t, Spec{Kind: "digits", Test: 500, Stratified: true, Standardize: new(false), UnitNorm: new(false)}, "")
	if all.Samples != 1797-500 || all.Test.Samples != 500 {
		t.Errorf("all: got %d and %d samples", all.Samples, all.Test.Samples)
	}
	for spec, want := range map[*Spec]string{
		{Kind: "digits", Samples: 9, Stratified: true}:               "dataset: digits: samples: got 9, of which class 8 with 174 of 1797 samples has none, want more (or stratified: false)",
		{Kind: "digits", Test: 9, Stratified: true}:                  "dataset: digits: test: got 9, of which class 8 with 174 of 1797 samples has none, want more (or stratified: false)",
		{Kind: "diabetes", Stratified: true}:                         "stratified: got true, want it left out: kind diabetes has no stratified (for digits, mnist, fashion-mnist, csv, parquet, files)",
		{Kind: "csv", Path: "t.csv", Stratified: true}:               "stratified: got true, want it with classification: true alone: numbers have no classes",
		{Kind: "digits", Test: 1790, Stratified: true}:               "dataset: digits: test: got 1790, which takes all samples of class 0, want fewer (or stratified: false)",
		{Kind: "files", Inputs: "x", Targets: "y", Stratified: true}: "stratified: got true, want it with classification: true alone: numbers have no classes",
	} {
		if _, err := tryLoad(*spec, ""); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// TestManyClasses holds the line about a set to a length that a terminal shows.
func TestManyClasses(t *testing.T) {
	s := &Set{Outputs: 500}
	for k := range 500 {
		s.Classes = append(s.Classes, fmt.Sprintf("c\x1b%d", k))
		s.Labels = append(s.Labels, k, k)
	}
	s.Labels = append(s.Labels, 0)
	got := s.About()
	if !strings.HasPrefix(got, `samples of each class: c\x1b0: 3, c\x1b1: 2, `) || !strings.HasSuffix(got, " and 480 classes more, of 2 to 3 samples in all") {
		t.Errorf("got %q", got)
	}
}

// TestStratifiedImages has test samples in files of their own: both parts keep the shares of their file.
func TestStratifiedImages(t *testing.T) {
	dir := t.TempDir()
	images := func(n int) []byte { return idxFile(make([]byte, 2*n), n, 1, 2) }
	train, test := make([]byte, 60), make([]byte, 30)
	for i := range train {
		train[i] = byte(min(i%4, 2)) // 15, 15, 30
	}
	for i := range test {
		test[i] = byte(min(i%3, 1)) // 10, 20
	}
	write(t, filepath.Join(dir, "train-images-idx3-ubyte"), string(images(60)))
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), string(idxFile(train, 60)))
	write(t, filepath.Join(dir, "t10k-images-idx3-ubyte"), string(images(30)))
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), string(idxFile(test, 30)))
	set := load(t, Spec{Kind: "mnist", Path: dir, Samples: 12, Test: 9, Stratified: true, UnitNorm: new(false)}, "")
	if got := set.Counts()[:3]; !slices.Equal(got, []int{3, 3, 6}) {
		t.Errorf("training part: got %v, want [3 3 6]", got)
	}
	if got := set.Test.Counts()[:3]; !slices.Equal(got, []int{3, 6, 0}) {
		t.Errorf("test part: got %v, want [3 6 0]", got)
	}
}
