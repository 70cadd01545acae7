package runfolder

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestStepMetadata reads the law of the steps back from a trace, whose rows are the same
// with it and without.
func TestStepMetadata(t *testing.T) {
	exponent, first := -0.5, 0.015
	law := &StepLaw{Rule: "depth", Schedule: "cosine", Value: 0.06, Exponent: &exponent, First: &first, Epsilon: 2.5e-9}
	rows := sampleRows()
	var trace bytes.Buffer
	if err := encodeTrace(&trace, rows, law); err != nil {
		t.Fatal(err)
	}
	got, err := decodeTrace(trace.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, got, sameBits); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	file, err := parquet.OpenFile(bytes.NewReader(trace.Bytes()), int64(trace.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"step_rule": "depth", "step_schedule": "cosine", "step_value": "0.06", "step_exponent": "-0.5", "step_first": "0.015", "adam_epsilon": "2.5e-09",
	} {
		if value, ok := file.Lookup(key); !ok || value != want {
			t.Errorf("%s: got %q (there: %t), want %q", key, value, ok, want)
		}
	}
}

func TestStepLawInWords(t *testing.T) {
	half, zero, first := -0.5, 0.0, 1.0
	for want, law := range map[string]StepLaw{
		"rule depth, η₀ = 0.06·L^−0.5, schedule cosine":         {Rule: "depth", Schedule: "cosine", Value: 0.06, Exponent: &half, First: &first},
		"rule constant, η₀ = 8":                                 {Rule: "constant", Schedule: "constant", Value: 8, Exponent: &zero, First: &first},
		"rule armijo, η₀ = 64·L^0, where each search starts":    {Rule: "armijo", Schedule: "constant", Value: 64, Exponent: &zero, First: &first},
		"rule certified, η = 0.5 times the certified step size": {Rule: "certified", Schedule: "constant", Value: 0.5},
	} {
		if got := law.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
