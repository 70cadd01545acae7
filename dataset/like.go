package dataset

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/table"
)

// newTableLike finds the columns of a table of held-out samples: those of the training table, by their names in any order, or by
// their places where neither table has names.
func newTableLike(r *table.Reader, like *csvTable) (*csvTable, error) {
	t := &csvTable{Reader: r, classification: like.classification, like: like}
	switch named := like.Names() != nil; {
	case named && r.Names() == nil:
		return nil, errors.New("got no names in the first row, want those of the training table")
	case !named && r.Names() != nil:
		return nil, errors.New("got names in the first row, want a table without, as that of the training samples (or header: false)")
	case !named && (r.Width() != like.Width() || !slices.Equal(r.Index(), like.Index())):
		return nil, fmt.Errorf("got %d columns, %d of which name rows, want %d and %d as in the training table", r.Width(), len(r.Index()), like.Width(), len(like.Index()))
	}
	taken, means := make([]bool, r.Width()), make([]float64, r.Width())
	for _, group := range []struct {
		from []int
		to   *[]int
	}{{like.inputs, &t.inputs}, {like.categories, &t.categories}, {like.targets, &t.targets}} {
		for _, from := range group.from {
			j := from
			if like.Names() != nil {
				var err error
				if j, err = r.Column(like.Names()[j]); err != nil {
					return nil, fmt.Errorf("a column of the training table: %w", err)
				}
			}
			*group.to, taken[j] = append(*group.to, j), true
			if like.means != nil {
				means[j] = like.means[from]
			}
		}
	}
	for j, ok := range taken {
		isIndex := slices.Contains(r.Index(), j)
		if ok != isIndex {
			continue
		}
		switch name := plain.Text(r.Names()[j]); { // tables without names have the same columns
		case isIndex:
			return nil, fmt.Errorf("got the column %q as names of rows, want the input or target that it is in the training table (or index: %s for both)", name, name)
		case slices.Contains(like.Names(), r.Names()[j]):
			return nil, fmt.Errorf("got the column %q as an input or target, want names of rows as in the training table (or index: %s for both)", name, name)
		default:
			return nil, fmt.Errorf("got a column %q that the training table does not have, want the same columns", name)
		}
	}
	if like.means != nil {
		r.FillWith(means, " of the training table")
	}
	return t, nil
}

// ranksLike returns the place of each value among known ones, sorted.
func ranksLike(values, known []string) ([]int, error) {
	labels := make([]int, len(values))
	for i, v := range values {
		var ok bool
		if labels[i], ok = slices.BinarySearch(known, v); !ok {
			return nil, fmt.Errorf("got %q, which no training sample has, want one of %s", plain.Text(v), quoted(slices.Clone(known)))
		}
	}
	return labels, nil
}

// classesLike returns the number of the class of each value, by the names of the training table.
func classesLike(values, names []string) ([]int, error) {
	numbers := map[string]int{}
	for k, name := range names {
		numbers[name] = k
	}
	labels := make([]int, len(values))
	for i, v := range values {
		k, ok := numbers[v]
		if number, err := strconv.ParseFloat(v, 64); !ok && err == nil {
			k, ok = numbers[strconv.FormatFloat(number, 'g', -1, 64)]
		}
		if !ok {
			return nil, fmt.Errorf("got the class %q, which no training sample has, want one of %s", plain.Text(v), quoted(slices.Clone(names)))
		}
		labels[i] = k
	}
	return labels, nil
}
