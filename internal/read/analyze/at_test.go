package analyze

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// descending returns a trace with J(t) = e^(−t/10) in every row, V_2 of the displacement t² and its norm 3t at iterations
// 0 … 8 and each fifteenth one.
func descending(last int) []runfolder.Row {
	rows := make([]runfolder.Row, last+1)
	for t := range rows {
		x := float64(t)
		rows[t] = runfolder.Row{Iteration: int64(t), Loss: new(math.Exp(-x / 10)), MaxFrobenius: 2 + x, Displacement: 3 * x}
		if t <= 8 || t%15 == 0 {
			rows[t].DisplacementVariation2, rows[t].Variation1 = new(x*x), new(5.0)
			rows[t].TestLoss, rows[t].TestAccuracy, rows[t].ValidationAccuracy = new(2*math.Exp(-x/10)), new(x/100), new(x/200)
		}
	}
	return rows
}

// TestAtPoint holds the numbers at points to those of the curves that the trace was made of.
func TestAtPoint(t *testing.T) {
	meta := &runfolder.Meta{ID: "r", Depth: 4, Samples: 10, Block: "inner", Config: []byte(`{"train":{"batch":3}}`)}
	end := &Run{ID: "r", Depth: 4, Stop: "iterations"}
	options, err := Options{}.resolve()
	if err != nil {
		t.Fatal(err)
	}
	rows := descending(60)
	for _, c := range []struct {
		point   string
		t       float64
		between [2]int
	}{
		{"loss=0.60653065971263342", 5, [2]int{5, 5}}, // e^(−1/2)
		{"loss=0.5", 10 * math.Ln2, [2]int{6, 7}},
		{"loss=0.02", 10 * math.Log(50), [2]int{30, 45}},
		{"iterations=7", 7, [2]int{7, 7}},
		{"epochs=15", 60, [2]int{60, 60}}, // of four batches
		{"layer-iterations=25", 6.25, [2]int{6, 7}},
	} {
		points, err := ParsePoints(c.point)
		if err != nil {
			t.Fatal(err)
		}
		run, why := atPoint(end, meta, rows, points[0], options)
		if run == nil {
			t.Errorf("%s: got no run: %s", c.point, why)
			continue
		}
		near := func(what string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) {
				t.Errorf("%s: %s: got %g, want %g", c.point, what, got, want)
			}
		}
		near("iteration", run.At.Iteration, c.t)
		near("loss", run.Loss, math.Exp(-c.t/10))
		near("norm", run.MaxFrobenius, 2+c.t)
		near("displacement", run.Displacement, 3*c.t)
		if run.At.Between == nil || *run.At.Between != c.between || run.Iterations != int(math.Ceil(c.t-1e-12)) {
			t.Errorf("%s: got records %v and %d iterations, want records %v around %g", c.point, run.At.Between, run.Iterations, c.between, c.t)
		}
		recorded := c.between[0] == c.between[1]
		if interpolated := slices.Contains(run.At.Interpolated, "displacement_v_2"); c.point != "loss=0.02" && interpolated == recorded {
			t.Errorf("%s: interpolated are %v", c.point, run.At.Interpolated)
		}
		if got := run.DisplacementPath.PVariation["2"]; c.point == "loss=0.02" {
			// From 30 to 45 the loss falls by more than e, and iterations grow by a half.
			if !math.IsNaN(got) || !strings.Contains(strings.Join(run.Notes, " "), "iterations 30 and 45") {
				t.Errorf("%s: got V_2 = %g with notes %q, want none between rows so far apart", c.point, got, run.Notes)
			}
		} else {
			low, high := float64(c.between[0]), float64(c.between[1])
			near("V_2 on a straight line", got, low*low+(c.t-low)*(high+low))
			near("test loss", *run.TestLoss, 2*math.Exp(-c.t/10))
			near("test accuracy", *run.TestAcc, c.t/100)
			near("validation accuracy", orNaN(run.ValidationAcc), c.t/200)
		}
	}
}

// TestPlaceIsWholeButForRounding wants 1.1 epochs of ten batches to end after 11 iterations.
func TestPlaceIsWholeButForRounding(t *testing.T) {
	meta := &runfolder.Meta{Depth: 4, Samples: 10, Config: []byte(`{"train":{"batch":1}}`)}
	if at, why := (Point{AtEpochs, 1.1}).place(meta, descending(11)); at != 11 || why != "" {
		t.Errorf("got iteration %v and %q, want 11", at, why)
	}
}

// TestNeverAtPoint wants the reason where a run never gets to a point.
func TestNeverAtPoint(t *testing.T) {
	meta := &runfolder.Meta{ID: "r", Depth: 4, Block: "inner"}
	sparse := descending(50)
	for i := range sparse {
		if i%25 != 0 {
			sparse[i].Loss = nil
		}
	}
	diverged := append(descending(50), runfolder.Row{Iteration: 51, Loss: new(math.NaN())})
	for _, c := range []struct {
		point string
		rows  []runfolder.Row
		want  string
	}{
		{"loss=1e-5", descending(50), "its least loss is 0.006738"},
		{"loss=1e-5", diverged, "its least loss is 0.006738"},
		{"loss=2", descending(50), "its loss is below from the start: 1"},
		{"iterations=51", descending(50), "it ends after 50 iterations"},
		{"layer-iterations=204", descending(50), "it ends after 50 iterations"},
		{"loss=0.5", sparse, "its loss falls from 1 to 0.08208 in one go, recorded at iterations 0 and 25: train.record.every has it in between"},
		{"iterations=12", sparse, "its loss at iteration 12 is not known"},
		{"loss=1", nil, "it has no trace"},
	} {
		points, err := ParsePoints(c.point)
		if err != nil {
			t.Fatal(err)
		}
		if run, why := atPoint(&Run{Stop: "iterations"}, meta, c.rows, points[0], Options{}); run != nil || why != c.want {
			t.Errorf("%s: got %v and %q, want %q", c.point, run, why, c.want)
		}
	}
	for _, wrong := range []string{"loss", "loss=", "loss=0", "loss=x", "losses=1", "iterations=1.5", "iterations=-1", "epochs=inf", "loss=NaN", "=1"} {
		if points, err := ParsePoints(wrong); err == nil {
			t.Errorf("%q: got %v, want it refused", wrong, points)
		}
	}
}
