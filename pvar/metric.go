package pvar

import (
	"fmt"
)

// Metric is a norm on R^Dim whose differences measure distance. The zero value
// is Euclidean.
type Metric struct {
	kind       kind
	rows, cols int
}

type kind int

const (
	euclidean kind = iota
	spectral
	l1
	sup
)

// The metrics that need no shape. Euclidean is the root of the sum of squares,
// for matrices the Frobenius norm; L1 is the sum of absolute entries; Sup is the
// largest absolute entry.
var (
	Euclidean = Metric{kind: euclidean}
	L1        = Metric{kind: l1}
	Sup       = Metric{kind: sup}
)

// Spectral returns the metric of the largest singular value, for paths of
// rows×cols matrices. It is not the Frobenius norm: ‖A‖₂ ≤ ‖A‖_F ≤ √rank ‖A‖₂.
func Spectral(rows, cols int) Metric { return Metric{kind: spectral, rows: rows, cols: cols} }

// ParseMetric returns the metric called frobenius (or euclidean), spectral, l1
// or sup, for paths of rows×cols matrices; a path of vectors has cols = 1.
func ParseMetric(name string, rows, cols int) (Metric, error) {
	switch name {
	case "frobenius", "euclidean":
		return Euclidean, nil
	case "spectral":
		return Spectral(rows, cols), nil
	case "l1":
		return L1, nil
	case "sup":
		return Sup, nil
	}
	return Metric{}, fmt.Errorf("pvar: metric: got %q, want frobenius, spectral, l1 or sup", name)
}

// String returns the name that ParseMetric reads.
func (m Metric) String() string {
	return [...]string{"frobenius", "spectral", "l1", "sup"}[m.kind]
}

// check returns an error if the metric cannot measure points of R^dim.
func (m Metric) check(dim int) error {
	if m.kind == spectral && (m.rows < 1 || m.cols < 1 || m.rows*m.cols != dim) {
		return fmt.Errorf("pvar: spectral metric: got %d×%d matrices, want rows and cols whose product is the dimension %d", m.rows, m.cols, dim)
	}
	return nil
}
