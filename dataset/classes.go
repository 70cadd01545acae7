package dataset

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// About describes in one line what the study file does not say: how files of the user were read,
// and how many samples each class has. It is empty for a generated regression.
func (s *Set) About() string {
	var parts []string
	if s.Read != "" {
		parts = append(parts, s.Read)
	}
	if s.Labels != nil {
		parts = append(parts, "samples of each class: "+s.classCounts())
		if s.Test != nil {
			parts = append(parts, "test samples: "+s.Test.classCounts())
		}
		if s.Validation != nil {
			parts = append(parts, "validation samples: "+s.Validation.classCounts())
		}
	}
	return strings.Join(parts, "; ")
}

// Counts returns the number of samples of each class, nil for a regression.
func (s *Set) Counts() []int {
	if s.Labels == nil {
		return nil
	}
	counts := make([]int, s.Outputs)
	for _, label := range s.Labels {
		counts[label]++
	}
	return counts
}

// shownClasses is the largest number of classes that a line lists.
const shownClasses = 20

// classCounts lists the classes with their numbers of samples.
func (s *Set) classCounts() string {
	counts := s.Counts()
	texts := make([]string, 0, shownClasses)
	for k, n := range counts[:min(len(counts), shownClasses)] {
		texts = append(texts, fmt.Sprintf("%s: %d", plain.Text(s.Classes[k]), n))
	}
	text := strings.Join(texts, ", ")
	if len(counts) > shownClasses {
		text += fmt.Sprintf(" and %d classes more, of %d to %d samples in all", len(counts)-shownClasses, slices.Min(counts), slices.Max(counts))
	}
	return text
}

// stratify returns how many of n samples come from each class, given the available numbers: the
// share n·available_k/Σ available rounded down, plus one for the largest remainders until the sum is
// n; ties go to the first class. No class gives more than it has, because n is at most the sum.
//
// It is an error if a class with samples would give none: a subset without it is another problem.
func stratify(n int, available []int, names []string) ([]int, error) {
	total := uint64(0)
	for _, a := range available {
		total += uint64(a)
	}
	quota, remainder := make([]int, len(available)), make([]uint64, len(available))
	left := n
	for k, a := range available {
		high, low := bits.Mul64(uint64(n), uint64(a))
		q, r := bits.Div64(high, low, max(total, 1))
		quota[k], remainder[k] = int(q), r
		left -= int(q)
	}
	order := make([]int, len(available))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(remainder[j], remainder[i]) })
	for _, k := range order[:left] {
		quota[k]++
	}
	for k, q := range quota {
		if q == 0 && available[k] > 0 {
			return nil, fmt.Errorf("got %d, of which class %s with %d of %d samples has none, want more (or stratified: false)", n, plain.Text(names[k]), available[k], total)
		}
	}
	return quota, nil
}

// split divides a stored set by a permutation: the test part comes from its end, the training part
// from its beginning. samples 0 means all rows that the test part leaves. part is what errors call
// the test part.
func (s *stored) split(order []int, samples, test int, stratified bool, part string) (train, held []int, err error) {
	if !stratified {
		rest := order[:len(order)-test]
		if samples > 0 {
			rest = rest[:samples]
		}
		return rest, order[len(order)-test:], nil
	}
	available := make([]int, s.m)
	for _, row := range order {
		available[s.label(row)]++
	}
	backward := slices.Clone(order)
	slices.Reverse(backward)
	if held, err = s.draw(backward, available, test); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", part, err)
	}
	taken := map[int]bool{}
	for _, row := range held {
		taken[row] = true
		k := s.label(row)
		if available[k]--; available[k] == 0 {
			return nil, nil, fmt.Errorf("%s: got %d, which takes all samples of class %s, want fewer (or stratified: false)", part, test, plain.Text(s.classes[k]))
		}
	}
	rest := slices.DeleteFunc(slices.Clone(order), func(row int) bool { return taken[row] })
	if samples == 0 {
		return rest, held, nil
	}
	if train, err = s.draw(rest, available, samples); err != nil {
		return nil, nil, fmt.Errorf("samples: %w", err)
	}
	return train, held, nil
}

// draw returns n of the rows, the first of each class.
func (s *stored) draw(rows, available []int, n int) ([]int, error) {
	if n == 0 {
		return nil, nil
	}
	quota, err := stratify(n, available, s.classes)
	if err != nil {
		return nil, err
	}
	chosen := make([]int, 0, n)
	for _, row := range rows {
		if k := s.label(row); quota[k] > 0 {
			quota[k]--
			chosen = append(chosen, row)
		}
	}
	return chosen, nil
}
