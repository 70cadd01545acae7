package study

import (
	"fmt"
	"math/big"
	"strings"
)

// MaxRuns is the most runs of a study unless LoadWithin or ParseWithin is told otherwise:
// more is often a slip of the pen, and resolving them takes minutes and gigabytes.
const MaxRuns = 100_000

// checkCount refuses a study of more than most runs, before any of them is made.
func (d *decoder) checkCount(s *Study, most int) {
	total, points := new(big.Int), new(big.Int)
	for set := range dataCount(s.tree) {
		product := big.NewInt(1)
		for i := range s.Axes {
			if a := &s.Axes[i]; a.varies(set) {
				product.Mul(product, big.NewInt(int64(len(a.points))))
			}
		}
		points.Add(points, product)
	}
	total.Mul(points, big.NewInt(int64(len(s.Depths))))
	total.Mul(total, big.NewInt(int64(len(s.Seeds))))
	if total.Cmp(big.NewInt(int64(most))) <= 0 {
		return
	}
	var factors []string
	for _, f := range []struct {
		count *big.Int
		name  string
	}{
		{points, "data sets and grid points"},
		{big.NewInt(int64(len(s.Depths))), "depths"},
		{big.NewInt(int64(len(s.Seeds))), "seeds"},
	} {
		if f.count.Cmp(big.NewInt(1)) > 0 {
			factors = append(factors, f.count.String()+" "+f.name)
		}
	}
	at := s.tree
	for _, key := range []string{"depths", "seeds", "zip", "grid"} {
		if n := s.tree.child(key); n != nil {
			at = n
		}
	}
	d.add(at.fault("", fmt.Errorf("got %v runs (%s), want at most %d; --max-runs raises the limit", total, strings.Join(factors, " × "), most)))
}
