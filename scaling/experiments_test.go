//go:build experiments

package scaling

import "testing"

// TestRegimeLong is the acceptance of the verdicts: 200 draws of each kind, right in 95 %.
func TestRegimeLong(t *testing.T) {
	for _, dim := range []int{9, 100} {
		for _, seeds := range []int{3, 5} {
			checkVerdicts(t, 200, dim, seeds, 0.95)
		}
	}
}
