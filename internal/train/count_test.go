package train

import (
	"testing"

	"pgregory.net/rapid"
)

// TestCountRecorded holds the counts to the iterations themselves.
func TestCountRecorded(t *testing.T) {
	var d Descent[float64]
	all, norms := 0, 0
	for last := range 70000 {
		d.t = last
		if recorded(last) {
			all++
		}
		if geometric(last) {
			norms++
		}
		if got := countRecorded(last, 1); got != all {
			t.Fatalf("%d iterations: got %d recorded, want %d", last, got, all)
		}
		// The last iterate is recorded whether it is one of the others or not.
		if got := countNorms(last); got != norms && got != norms+1 {
			t.Fatalf("%d iterations: got %d norms, want %d or one more", last, got, norms)
		}
	}
}

// TestCountsAreMost runs through the loop's own questions and wants no count below them,
// and none three times as large.
func TestCountsAreMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := Spec{Method: "sgd", Stop: Stop{Iterations: new(rapid.IntRange(0, 30000).Draw(t, "iterations"))}}
		n := rapid.IntRange(1, 500).Draw(t, "samples")
		if rapid.Bool().Draw(t, "batches") {
			spec.Batch = rapid.IntRange(1, n).Draw(t, "batch")
		}
		if rapid.Bool().Draw(t, "variation") {
			spec.Variation = rapid.IntRange(1, 3000).Draw(t, "every")
		}
		spec.Record.Cadence = rapid.SampledFrom([]string{"", "geometric", "all", "ends", "off"}).Draw(t, "record")
		spec.Test.Cadence = rapid.SampledFrom([]string{"", "all", "ends"}).Draw(t, "test cadence")
		if spec.Test.Cadence == "ends" && rapid.Bool().Draw(t, "tests between") {
			spec.Test.Every = rapid.IntRange(1, 3000).Draw(t, "tests every")
		}
		test := rapid.Bool().Draw(t, "test")
		spec.Certify.Cadence = rapid.SampledFrom([]string{"off", "ends", "all"}).Draw(t, "cadence")
		got := spec.Count(n, test)
		want := Counts{Steps: *spec.Stop.Iterations}
		for i := range *spec.Stop.Iterations + 1 {
			last := i == *spec.Stop.Iterations
			per := 1
			if spec.Batch > 0 {
				per = (n + spec.Batch - 1) / spec.Batch
			}
			epoch := i%per == 0
			if spec.Batch > 0 && (epoch || last) {
				want.Full++
			}
			among := func(of int) bool { return of > 0 && i%of == 0 && recorded(i/of) }
			numbered := recorded(i) || spec.Batch > 0 && among(per)
			record := last && spec.records() || among(spec.Variation)
			switch spec.recordCadence() {
			case "geometric":
				record = record || epoch && geometric(i/per)
			case "all":
				record = record || numbered
			case "ends":
				record = record || i == 0
			}
			tested := test && (last || record && spec.Test.Cadence == "" || among(spec.Test.Every) ||
				(numbered || record) && spec.Test.Cadence == "all" || i == 0 && spec.Test.Cadence == "ends")
			if last || numbered || record || tested {
				want.Rows++
			}
			if tested {
				want.Tests++
			}
			if record {
				want.Records++
				if spec.Batch > 0 && !epoch && !last {
					want.Full++
				}
			}
			switch spec.Certify.Cadence {
			case "ends":
				if i == 0 || last {
					want.Measured++
				}
			case "all":
				if last || epoch && recorded(i) {
					want.Measured++
				}
			}
			if i < 8 || last {
				want.Norms++
			}
		}
		for what, c := range map[string][2]int{
			"rows": {got.Rows, want.Rows}, "losses": {got.Full, want.Full}, "tests": {got.Tests, want.Tests},
			"measured": {got.Measured, want.Measured}, "records": {got.Records, want.Records},
		} {
			if c[0] < c[1] || c[0] > 3*c[1]+5 {
				t.Fatalf("%s: got %d, want %d or somewhat more", what, c[0], c[1])
			}
		}
	})
}
