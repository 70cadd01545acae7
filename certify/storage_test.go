package certify_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestMeasurementsAreStored writes measurements as rows of a parquet file and as
// JSON and reads them back unchanged: absent slices and pointers stay absent.
func TestMeasurementsAreStored(t *testing.T) {
	full := draw(ordinary()).measureStep(1e-2)
	bare := full
	bare.Iteration = 7
	bare.Features, bare.Slopes, bare.WeightIncrements, bare.GradientIncrements = nil, nil, nil, nil
	bare.StepSize, bare.NextLoss = nil, nil
	rows := []certify.Measurement{full, bare}

	var file bytes.Buffer
	if err := parquet.Write(&file, rows); err != nil {
		t.Fatal(err)
	}
	read, err := parquet.Read[certify.Measurement](bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i := range read {
		if _, err := certify.New(draw(ordinary()).problem(), read[i]); err != nil {
			t.Errorf("row %d: %v", i, err)
		}
	}
	empty := cmp.FilterValues(func(x, y []float64) bool { return len(x) == 0 && len(y) == 0 }, cmp.Ignore())
	if diff := cmp.Diff(rows, read, empty); diff != "" {
		t.Errorf("parquet (-want +got):\n%s", diff)
	}

	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	var back []certify.Measurement
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, back); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// TestBoundJSON: numbers that JSON cannot write become null.
func TestBoundJSON(t *testing.T) {
	text, err := json.Marshal(certify.Bound{
		Name: "pl-ratio", Formula: "a ≥ b", Lower: true, Value: 0, Measured: math.NaN(), Slack: math.Inf(1), Margin: 1e-14,
		Verdict: certify.Undecided, Reason: "why", Source: "here",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"pl-ratio","formula":"a ≥ b","lower":true,"value":0,"measured":null,"slack":null,"margin":1e-14,"verdict":"undecided","reason":"why","source":"here"}`
	if got := strings.TrimSpace(string(text)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
