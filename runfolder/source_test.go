package runfolder

import "testing"

// TestSourceKeys wants a column for every statistic of either source, and no two in one place.
func TestSourceKeys(t *testing.T) {
	row := sampleRows()[2]
	for i, source := range Sources {
		row.SetPath(source, Path{Depth: 3, Rows: 1, Cols: 1, Data: []float64{float64(i), 2, 5}}, 2, 1.5, 2, 2.5, 3)
	}
	// Steps 2, 3 and 1, 3 of the paths, twice as long where they are rescaled; the largest V_p for p > 1 is that of the whole way.
	for _, c := range []struct {
		statistic             string
		weights, displacement float64
	}{
		{"max_frobenius", 3, 5}, // as the rows had it
		{"max_increment", 3, 3},
		{"quadratic_variation", 4*4 + 6*6, 2*2 + 6*6},
		{"v_1", 10, 8},
		{"v_2", 100, 64},
		{"v_3", 1000, 512},
	} {
		for source, want := range map[Source]float64{FromWeights: c.weights, FromDisplacement: c.displacement} {
			if got := row.Column(source.Key(c.statistic)); got == nil || *got != want {
				t.Errorf("%s of %s: got %v, want %g", c.statistic, source, got, want)
			}
		}
	}
	if row.Column("iteration") != nil || row.Column("nothing") != nil {
		t.Error("got a number from a column that holds none")
	}
}
