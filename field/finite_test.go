package field

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
)

func TestNotFinite(t *testing.T) {
	type inner struct {
		Loss  float64            `json:"loss"`
		Notes map[string]float64 `json:"notes,omitempty"`
	}
	type outer struct {
		Name string   `json:"name"`
		Runs []*inner `json:"runs"`
		Any  any      `json:"any"`
	}
	for want, value := range map[string]any{
		"runs.1.loss: got NaN, want a finite number, as JSON has no other":       outer{Runs: []*inner{{}, {Loss: math.NaN()}}},
		"runs.0.notes.a.b: got +Inf, want a finite number, as JSON has no other": outer{Runs: []*inner{{Notes: map[string]float64{"a.b": math.Inf(1)}}}},
		"any.0: got -Inf, want a finite number, as JSON has no other":            &outer{Any: []float64{math.Inf(-1)}},
	} {
		_, err := json.Marshal(value)
		if got := NotFinite(value, err); got == nil || got.Error() != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	other := errors.New("other")
	if got := NotFinite(outer{}, other); got != other {
		t.Errorf("got %v, want the error itself", got)
	}
}
