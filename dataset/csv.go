package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/table"
)

// openTables reads the table of a spec, and that of held-out samples where there is one.
func openTables(spec Spec, base string) (train, test *stored, err error) {
	path := under(base, spec.Path)
	t, train, err := readTable(path, spec, nil)
	if err != nil {
		return nil, nil, err
	}
	train.place, train.source, train.columnNames = path, "file of the user", t.columnNames()
	if spec.TestPath == "" {
		return train, nil, nil
	}
	path = under(base, spec.TestPath)
	if _, test, err = readTable(path, spec, t); err != nil {
		return nil, nil, err
	}
	test.place, test.source = path, "file of the user"
	train.read += "; test samples: " + test.read
	return train, test, nil
}

// readTable reads all of a table, as another one was read if like is not nil, and returns its columns, too. Its file is
// closed.
func readTable(path string, spec Spec, like *csvTable) (*csvTable, *stored, error) {
	t, err := openTable(path, spec, like)
	if err != nil {
		return nil, nil, at(path, err)
	}
	defer t.Close()
	s, err := t.stored()
	if err != nil {
		return nil, nil, at(path, err)
	}
	return t, s, nil
}

// csvDimensions reads the first rows, or all of them where classes or words must be counted.
func csvDimensions(path string, spec Spec) (d, m int, err error) {
	if spec.Classification || len(spec.Categories) > 0 {
		_, s, err := readTable(path, spec, nil)
		if err != nil {
			return 0, 0, err
		}
		return s.d, s.m, nil
	}
	t, err := openTable(path, spec, nil)
	if err != nil {
		return 0, 0, at(path, err)
	}
	defer t.Close()
	return len(t.inputs), len(t.targets), nil
}

// A csvTable is a table with its columns told apart.
type csvTable struct {
	io.Closer
	*table.Reader
	inputs, targets []int    // columns of the file
	categories      []int    // inputs that hold words
	words           []string // names of their inputs, of a table that was read
	classification  bool     // the target is a class

	// Of a table that was read: how its words and classes are numbered, and the means that stand for missing values.
	vocabulary [][]string // words by category
	classes    []string
	means      []float64
	like       *csvTable // the table of training samples, of one with held-out samples
}

// openTable detects the dialect of a table, and which columns are inputs and targets.
func openTable(path string, spec Spec, like *csvTable) (*csvTable, error) {
	f, err := table.Open(path, spec.tableOptions())
	if err != nil {
		return nil, hint(err)
	}
	if spec.Kind == "parquet" && !f.Parquet() {
		f.Close()
		return nil, errors.New("got a table of text, want a Parquet file (kind: csv reads text)")
	}
	var t *csvTable
	if like != nil {
		t, err = newTableLike(f.Reader, like)
	} else {
		t, err = newTable(f.Reader, spec.Columns, spec.Categories, spec.Classification)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	t.Closer = f
	return t, nil
}

func (s Spec) tableOptions() table.Options {
	return table.Options{
		Header: s.Header, Index: string(s.Index), Delimiter: s.Delimiter, Decimal: s.Decimal, Missing: s.Missing, MissingKey: true, Least: 2, Limit: maxNumbers,
	}
}

// newTable finds the target columns by their names, of which none mean the last column, and those of categories.
func newTable(r *table.Reader, names, categories []string, classification bool) (*csvTable, error) {
	t := &csvTable{Reader: r, classification: classification}
	for _, name := range names {
		j, err := r.Column(name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("columns: %w", err)
		case slices.Contains(r.Index(), j):
			return nil, fmt.Errorf("columns: got %q, which names the rows, want another column (or index: false)", name)
		}
		t.targets = append(t.targets, j)
	}
	for j := range r.Width() {
		if !slices.Contains(r.Index(), j) && !slices.Contains(t.targets, j) {
			t.inputs = append(t.inputs, j)
		}
	}
	if n := len(t.inputs); len(names) == 0 && n > 0 {
		t.targets, t.inputs = t.inputs[n-1:], t.inputs[:n-1]
	}
	if err := t.findCategories(categories); err != nil {
		return nil, err
	}
	switch {
	case len(t.inputs)+len(t.categories) > 0:
		return t, nil
	case len(names) > 0:
		return nil, fmt.Errorf("columns: got all %d columns as targets, want at least one input", len(t.targets))
	}
	return nil, fmt.Errorf("got %d column beside the index, want inputs and targets", len(t.targets))
}

// stored reads all rows. The classes of a classification are numbered in sorted order.
func (t *csvTable) stored() (*stored, error) {
	text := slices.Clone(t.categories)
	if t.classification {
		text = append(text, t.targets...)
	}
	rows, err := t.Read(text...)
	if err != nil {
		return nil, err
	}
	if rows.Counts && len(t.inputs) > 1 && t.inputs[0] == 0 {
		return nil, t.AskIndex()
	}
	s := &stored{n: rows.Rows, d: len(t.inputs), m: len(t.targets), read: rows.Reading.String() + "; target " + t.targetNames()}
	x, y := places(rows.Columns, t.inputs), places(rows.Columns, t.targets)
	pick := func(columns []int) func(i int, dst []float64) {
		return func(i int, dst []float64) {
			row := rows.Numbers[i*len(rows.Columns):]
			for k, j := range columns {
				dst[k] = row[j]
			}
		}
	}
	s.x = pick(x)
	t.means = rows.Means
	if err := t.addCategories(s, rows.Text); err != nil {
		return nil, err
	}
	if !t.classification {
		s.y = pick(y)
		return s, nil
	}
	var labels []int
	if t.like != nil {
		t.classes = t.like.classes
		labels, err = classesLike(rows.Text[len(t.categories)], t.classes)
	} else {
		labels, t.classes = numberClasses(rows.Text[len(t.categories)])
	}
	names := t.classes
	if err != nil {
		return nil, err
	}
	if len(names) < 2 {
		return nil, fmt.Errorf("got the one class %q in all rows, want at least 2", names[0])
	}
	if !fits(s.n, s.d, len(names)) {
		return nil, fmt.Errorf("got %d rows of %d inputs and %d classes, want at most 2^31 numbers", s.n, s.d, len(names))
	}
	s.m, s.classes = len(names), names
	s.label = func(i int) int { return labels[i] }
	return s, nil
}

// targetNames lists the target columns, by number where they have no names.
func (t *csvTable) targetNames() string {
	names := make([]string, len(t.targets))
	for k, j := range t.targets {
		names[k] = t.columnName(j)
	}
	return strings.Join(names, ", ")
}

// columnNames returns the names of the inputs and of the target columns of a table that was read.
func (t *csvTable) columnNames() []string {
	var names []string
	for _, j := range t.inputs {
		names = append(names, t.columnName(j))
	}
	names = append(names, t.words...)
	for _, j := range t.targets {
		names = append(names, t.columnName(j))
	}
	return names
}

// places returns the index in columns of each wanted column, and −1 for a column of text.
func places(columns, wanted []int) []int {
	at := make([]int, len(wanted))
	for k, j := range wanted {
		found := false
		if at[k], found = slices.BinarySearch(columns, j); !found {
			at[k] = -1
		}
	}
	return at
}

// numberClasses returns the class number of each value and the names of the classes, sorted as
// numbers if all values are numbers (1 and 1.0 are then one class) and as text otherwise.
func numberClasses(values []string) (labels []int, names []string) {
	numbers := make([]float64, len(values))
	for i, v := range values {
		number, err := strconv.ParseFloat(v, 64)
		if err != nil || !finite(number) {
			return ranks(values)
		}
		numbers[i] = number
	}
	labels, distinct := ranks(numbers)
	return labels, numberNames(distinct)
}

func numberNames(numbers []float64) []string {
	names := make([]string, len(numbers))
	for i, v := range numbers {
		names[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return names
}

// ranks returns the index of each value among the sorted distinct values, and these.
func ranks[T cmp.Ordered](values []T) (labels []int, distinct []T) {
	distinct = slices.Compact(slices.Sorted(slices.Values(values)))
	labels = make([]int, len(values))
	for i, v := range values {
		labels[i], _ = slices.BinarySearch(distinct, v)
	}
	return labels, distinct
}
