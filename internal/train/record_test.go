package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// recordedAt returns the iterations of the rows that hold V_1 of the displacement.
func recordedAt(rows []runfolder.Row) (iterations []int64) {
	for _, row := range rows {
		if row.DisplacementVariation1 != nil {
			iterations = append(iterations, row.Iteration)
		}
	}
	return iterations
}

// TestRecordColumns holds the last record of a run to sums over the layers that are written out here, from
// the weights that the run leaves.
func TestRecordColumns(t *testing.T) {
	d := separated(t, 16, 0.25, func(s *Spec) {
		s.Stop, s.Record = Stop{Iterations: new(12)}, Record{Cadence: "ends"}
	})
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := recordedAt(out.Rows), []int64{0, 12}; !slices.Equal(got, want) {
		t.Fatalf("got records at %v, want %v", got, want)
	}
	last := out.Rows[len(out.Rows)-1]
	factor := math.Pow(16, 0.75)
	for _, source := range runfolder.Sources {
		points := make([]float64, 16*100) // d = 10
		for i := range points {
			points[i] = d.Theta[i]
			if source == runfolder.FromDisplacement {
				points[i] -= d.Initial[i]
			}
		}
		norms, first, most, squares := 0.0, 0.0, 0.0, 0.0
		for k := range 16 {
			step := 0.0
			for i := range 100 {
				x := points[100*k+i]
				norms += x * x
				if k > 0 {
					step += (x - points[100*(k-1)+i]) * (x - points[100*(k-1)+i])
				}
			}
			first += factor * math.Sqrt(step)
			most = max(most, math.Sqrt(step))
			squares += factor * factor * step
		}
		for i := range points {
			points[i] *= factor
		}
		want := map[string]float64{"root_sum_squares": math.Sqrt(norms), "max_increment": most, "quadratic_variation": squares, "v_1": first}
		for name, p := range map[string]float64{"v_1.5": 1.5, "v_2": 2, "v_2.5": 2.5, "v_3": 3} {
			v, err := pvar.Compute(pvar.Points{Dim: 100, Data: points}, p)
			if err != nil {
				t.Fatal(err)
			}
			want[name] = v[0].Value
		}
		for name, v := range want {
			got := last.Column(source.Key(name))
			if got == nil || !(math.Abs(*got-v) <= 1e-12*v) {
				t.Errorf("%s of %s: got %v, want %g", name, source, got, v)
			}
		}
	}
	if v := out.Rows[0].DisplacementVariation2; v == nil || *v != 0 {
		t.Errorf("V_2 of the displacement before the first step: got %v, want 0", v)
	}
}

// TestRecordOfDelta holds the size of a trained δ in the last record to the parameters that the run leaves, and wants none of a
// fixed one.
func TestRecordOfDelta(t *testing.T) {
	const depth, size = 6, 100 // d = 10
	for _, residual := range []string{"layered", "shared", "fixed"} {
		d := separatedOf(t, resnet.Spec{Residual: residual}, depth, func(s *Spec) {
			s.Step, s.Stop = Step{Value: 0.5}, Stop{Iterations: new(5)}
		})
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		last := out.Rows[len(out.Rows)-1]
		if residual == "fixed" {
			if last.Delta != nil || last.DeltaMaxFrobenius != nil {
				t.Errorf("fixed: got δ in the trace, want none")
			}
			continue
		}
		delta, weights := resnet.View(d.Network.Layout, d.Theta, "delta"), resnet.View(d.Network.Layout, d.Theta, "A")
		if want := map[string]int{"layered": depth, "shared": 1}[residual]; len(delta) != want {
			t.Fatalf("%s: got %d numbers δ, want %d", residual, len(delta), want)
		}
		mean, largest := 0.0, 0.0
		for k := range depth {
			scale := delta[min(k, len(delta)-1)]
			mean += math.Abs(scale) / depth
			squares := 0.0
			for _, w := range weights[k*size : (k+1)*size] {
				squares += scale * scale * w * w
			}
			largest = max(largest, math.Sqrt(squares))
		}
		if last.Delta == nil || !(math.Abs(*last.Delta-mean) <= 1e-14) || !(math.Abs(*last.DeltaMaxFrobenius-largest) <= 1e-14*largest) {
			t.Errorf("%s: got mean and largest layer %v and %v, want %v and %v", residual, last.Delta, last.DeltaMaxFrobenius, mean, largest)
		}
		if first := out.Rows[0]; *first.Delta == *last.Delta {
			t.Errorf("%s: got δ = %v at both ends, want it to move", residual, mean)
		}
	}
}

// TestRecordTimes wants records where the section asks for them, with the loss over all samples beside each.
func TestRecordTimes(t *testing.T) {
	geometricTo17 := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 16, 17}
	every := func(n, last int64) (list []int64) {
		for i := int64(0); i < last; i += n {
			list = append(list, i)
		}
		return append(list, last)
	}
	for name, c := range map[string]struct {
		edit func(*Spec)
		want []int64
	}{
		"default":  {func(*Spec) {}, geometricTo17},
		"off":      {func(s *Spec) { s.Record.Cadence = "off" }, nil},
		"ends":     {func(s *Spec) { s.Record.Cadence = "ends" }, []int64{0, 17}},
		"all":      {func(s *Spec) { s.Record.Cadence = "all" }, every(1, 17)},
		"every":    {func(s *Spec) { s.Record.Every = 5 }, every(5, 17)},
		"epochs":   {func(s *Spec) { s.Method, s.Batch, s.Step.Value = "sgd", 3, 1 }, every(3, 17)},
		"between":  {func(s *Spec) { s.Method, s.Batch, s.Step.Value, s.Record.Every = "sgd", 3, 1, 5 }, every(5, 17)},
		"momentum": {func(s *Spec) { s.Method, s.Step.Value = "momentum", 1 }, geometricTo17},
	} {
		d := separated(t, 16, 0.5, func(s *Spec) { s.Stop = Stop{Iterations: new(17)}; c.edit(s) })
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := recordedAt(out.Rows); !slices.Equal(got, c.want) {
			t.Errorf("%s: got records at %v, want %v", name, got, c.want)
		}
		for _, row := range out.Rows {
			if powers := row.Variation2 != nil; row.Variation1 != nil && (row.Loss == nil || powers != (name != "default" && name != "epochs" && name != "momentum")) {
				t.Errorf("%s: iteration %d: got loss %v and V_2 %v beside V_1", name, row.Iteration, row.Loss, row.Variation2)
			}
		}
	}
}

// TestRecordedLoss holds the loss of a record between epochs to that of its weights, and wants it to change no step.
func TestRecordedLoss(t *testing.T) {
	batches := func(s *Spec) {
		s.Method, s.Batch, s.Step.Value, s.Stop = "sgd", 3, 1, Stop{Iterations: new(11)}
	}
	plain := separated(t, 16, 0.5, batches)
	if _, err := plain.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	d := separated(t, 16, 0.5, func(s *Spec) { batches(s); s.Record.Cadence = "all" })
	after := map[int64][]float64{0: slices.Clone(d.Theta)}
	d.Observe = func(row runfolder.Row) { after[row.Iteration+1] = slices.Clone(d.Theta) }
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Theta, plain.Theta) {
		t.Error("records changed the steps")
	}
	for _, row := range out.Rows {
		if want := d.Full.Loss(after[row.Iteration]).Loss; row.Loss == nil || *row.Loss != want {
			t.Errorf("iteration %d: got loss %v, want %g", row.Iteration, row.Loss, want)
		}
	}
}

// TestRecordLosses wants the first iterate at or below each level recorded, also by a run that is interrupted, and no
// other.
func TestRecordLosses(t *testing.T) {
	levels := []float64{1e-5, 0.02, 1e-3, 0.02}
	spec := func(s *Spec) {
		s.Step.Value, s.Stop, s.Record = 1, Stop{Iterations: new(120)}, Record{Cadence: "off", Losses: levels}
	}
	whole := separated(t, 16, 0.5, spec)
	want, err := whole.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var first []int64
	for _, level := range []float64{0.02, 1e-3, 1e-5} {
		for _, row := range want.Rows {
			if *row.Loss <= level {
				first = append(first, row.Iteration)
				break
			}
		}
	}
	if got := recordedAt(want.Rows); len(first) != 3 || !slices.Equal(got, append(first, 120)) {
		t.Errorf("got records at %v, want the first iterates %v at or below the levels, and 120", got, first)
	}
	for _, stopAt := range []int64{first[0] - 1, first[0], first[1] + 1} {
		ctx, cancel := context.WithCancel(t.Context())
		d := separated(t, 16, 0.5, spec)
		d.Observe = func(row runfolder.Row) {
			if row.Iteration == stopAt {
				cancel()
			}
		}
		var saved *runfolder.Checkpoint
		d.Save = func(c *runfolder.Checkpoint) error { saved = c; return nil }
		if _, err := d.Run(ctx, nil); err != nil || saved == nil {
			t.Fatal(err, saved == nil)
		}
		got, err := separated(t, 16, 0.5, spec).Run(t.Context(), saved)
		if err != nil {
			t.Fatal(err)
		}
		if !sameRows(t, got.Rows, want.Rows) {
			t.Errorf("interrupted at %d: the trace differs from the uninterrupted run's", stopAt)
		}
	}
}

// TestTestTimes counts at which iterates held-out samples are looked at.
func TestTestTimes(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Spec)
		want []int64
	}{
		"default": {func(*Spec) {}, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12}},
		"record":  {func(s *Spec) { s.Record.Cadence = "ends" }, []int64{0, 12}},
		"all":     {func(s *Spec) { s.Test.Cadence = "all" }, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"ends":    {func(s *Spec) { s.Test.Cadence = "ends" }, []int64{0, 12}},
		"every":   {func(s *Spec) { s.Test.Every = 5 }, []int64{0, 5, 10, 12}},
		"no rows": {func(s *Spec) { s.Record.Cadence = "off" }, []int64{12}},
	} {
		d := separated(t, 16, 0.5, func(s *Spec) { s.Stop = Stop{Iterations: new(12)}; c.edit(s) })
		d.Test = d.Full
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, row := range out.Rows {
			if row.TestLoss != nil {
				got = append(got, row.Iteration)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got the test set at %v, want %v", name, got, c.want)
		}
	}
}

// TestResolveRecord wants one meaning to have one form, and the default to have none.
func TestResolveRecord(t *testing.T) {
	for name, c := range map[string]struct{ a, b Spec }{
		"every":   {Spec{Variation: 7}, Spec{Record: Record{Every: 7}}},
		"both":    {Spec{Variation: 7}, Spec{Variation: 7, Record: Record{Every: 7}}},
		"losses":  {Spec{Record: Record{Losses: []float64{0.1, 1, 0.1}}}, Spec{Record: Record{Cadence: "geometric", Losses: []float64{1, 0.1}}}},
		"test":    {Spec{}, Spec{Test: Test{Cadence: "record"}}},
		"between": {Spec{Test: Test{Every: 3}}, Spec{Test: Test{Cadence: "ends", Every: 3}}},
	} {
		a, err := c.a.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.b.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.Resolve(0)
		if err != nil || gocmp.Diff(a, b) != "" || gocmp.Diff(b, again) != "" {
			t.Errorf("%s: got %+v and %+v, want the same, and itself when it is resolved again (%v)", name, a.Record, b.Record, err)
		}
	}
	for path, s := range map[string]Spec{
		"record.cadence":  {Record: Record{Cadence: "often"}},
		"record.every":    {Variation: 3, Record: Record{Every: 2}},
		"record.losses.1": {Record: Record{Losses: []float64{1, 0}}},
		"test.cadence":    {Test: Test{Cadence: "off"}},
		"test.every":      {Test: Test{Every: -1}},
	} {
		_, err := s.Resolve(0)
		if e, ok := err.(*field.Error); !ok || e.Path != path {
			t.Errorf("got error %v, want one about %s", err, path)
		}
	}
}

// TestCostOfChanges wants a record to be timed with what Changes does, and its error returned.
func TestCostOfChanges(t *testing.T) {
	const pause = 20 * time.Millisecond
	d := separated(t, 4, 0.5, func(*Spec) {})
	failed := errors.New("failed")
	var err error
	d.Changes = func(*runfolder.Row, []float64, []float64) error {
		for begun := time.Now(); time.Since(begun) < pause; { // at work, as time asleep may not count
		}
		return err
	}
	if c, err := d.Costs(t.Context(), 1, time.Millisecond); err != nil || !(c.Record >= pause.Seconds()/10) {
		t.Errorf("got %g s a record and %v, want about %v", c.Record, err, pause)
	}
	err = failed
	if _, err := d.Costs(t.Context(), 1, time.Millisecond); !errors.Is(err, failed) {
		t.Errorf("got %v, want %v", err, failed)
	}
}
