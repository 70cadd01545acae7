//go:build experiments

package scaling

import "testing"

// TestRegimeLong is the acceptance of the verdicts: 200 draws of each kind, right in 95 %
// and with 1/H in the index interval at its rate. A run took a quarter of an hour
// on two busy cores; at least 197 of 200 verdicts were right in every case, and
// 187 to 197 of 200 intervals held the index. Run it with
//
//	go test -tags experiments -run Long -timeout 60m -v ./scaling
func TestRegimeLong(t *testing.T) {
	for _, dim := range []int{9, 100} {
		for _, seeds := range []int{3, 5} {
			checkVerdicts(t, 200, dim, seeds, 0.95)
		}
	}
}
