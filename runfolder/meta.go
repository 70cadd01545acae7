package runfolder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/deeplimit/deeplimit/field"
)

// encodeJSON writes value with an indent of two spaces. Struct fields keep their
// order and map keys are sorted, so equal values give equal bytes.
func encodeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return field.NotFinite(value, encoder.Encode(value))
}

// encodeMeta returns the bytes of run.json.
func encodeMeta(meta Meta) ([]byte, error) { return encodeWithChecksum(meta) }

// decodeMeta reads run.json. Unknown fields are passed over: a later version may
// have written them.
func decodeMeta(data []byte) (Meta, error) {
	var meta Meta
	if err := decodeWithChecksum(data, &meta); err != nil {
		return Meta{}, err
	}
	if err := meta.check(); err != nil {
		return Meta{}, err
	}
	if meta.Config != nil {
		var compact bytes.Buffer
		if err := json.Compact(&compact, meta.Config); err != nil {
			return Meta{}, err
		}
		meta.Config = compact.Bytes()
	}
	return meta, nil
}

// check refuses what no run can be: readers divide by the depth, take powers
// with alpha and make folders called ID.
func (m *Meta) check() error {
	switch {
	case m.ID == "" || m.ID == "." || m.ID == ".." || m.ID != filepath.Base(m.ID):
		return fmt.Errorf("id: got %q, want the name of a folder", m.ID)
	case m.Hash == "":
		return errors.New(`hash: got "", want the content hash of the configuration`)
	case m.Depth < 1:
		return fmt.Errorf("depth: got %d, want at least 1", m.Depth)
	case m.DType != "float64" && m.DType != "float32":
		return fmt.Errorf("dtype: got %q, want float64 or float32", m.DType)
	case math.IsNaN(m.Alpha) || math.IsInf(m.Alpha, 0):
		return fmt.Errorf("alpha: got %v, want a finite number", m.Alpha)
	}
	return nil
}

// summaryFile is Summary as JSON has it: a loss that is not finite is null.
type summaryFile struct {
	Iterations int               `json:"iterations"`
	Stop       string            `json:"stop_reason"`
	Loss       *float64          `json:"loss"`
	TestLoss   *float64          `json:"test_loss,omitempty"`
	Validation *float64          `json:"validation_loss,omitempty"`
	Seconds    float64           `json:"seconds"`
	Layers     int               `json:"layer_iterations,omitempty"`
	Evaluated  *int              `json:"layer_evaluations,omitempty"`
	Flops      *float64          `json:"flops,omitempty"`
	Levels     []Level           `json:"levels,omitempty"`
	Violation  string            `json:"violation,omitempty"`
	SHA256     map[string]string `json:"sha256"`
}

// MarshalJSON writes a loss that is not finite as null.
func (s Summary) MarshalJSON() ([]byte, error) {
	return json.Marshal(summaryFile{s.Iterations, s.Stop, finite(&s.Loss), finite(s.TestLoss), finite(s.ValidationLoss), s.Seconds, s.LayerIterations, s.LayerEvaluations, finite(s.Flops), s.Levels, s.Violation, s.SHA256})
}

// finite returns x, or nil where it has no number that JSON can hold.
func finite(x *float64) *float64 {
	if x == nil || math.IsNaN(*x) || math.IsInf(*x, 0) {
		return nil
	}
	return x
}

// UnmarshalJSON reads a null loss as NaN.
func (s *Summary) UnmarshalJSON(data []byte) error {
	var file summaryFile
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	*s = Summary{
		Iterations: file.Iterations, Stop: file.Stop, Loss: math.NaN(), TestLoss: file.TestLoss, ValidationLoss: file.Validation, Seconds: file.Seconds,
		LayerIterations: file.Layers, LayerEvaluations: file.Evaluated, Flops: file.Flops, Levels: file.Levels, Violation: file.Violation, SHA256: file.SHA256,
	}
	if file.Loss != nil {
		s.Loss = *file.Loss
	}
	return nil
}

// encodeSummary returns the bytes of result.json.
func encodeSummary(summary Summary) ([]byte, error) { return encodeWithChecksum(summary) }

// decodeSummary reads result.json and checks it against its own checksum.
func decodeSummary(data []byte) (Summary, error) {
	var summary Summary
	checksum, err := checksumOf(data)
	if err == nil {
		err = json.Unmarshal(data, &summary)
	}
	summary.Checksum = checksum
	return summary, err
}
