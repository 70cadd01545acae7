package network_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/layerorder"
)

// grown are two families of 12 layers at steps 0, 10 and 200 of each of two trainings, given out of order: rough is noise at every step, and
// smooth a smooth path from the step since on.
func grown(t *testing.T, since ...float64) *network.Result {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	m := &network.Measurement{}
	for i, from := range since {
		for _, step := range []float64{200, 0, 10} {
			for _, pattern := range []string{"rough.{k}", "smooth.{k}"} {
				layers := make([][]float64, 12)
				for k := range layers {
					layers[k] = make([]float64, 40)
					for e := range layers[k] {
						layers[k][e] = random.NormFloat64()
						if pattern == "smooth.{k}" && step >= from {
							layers[k][e] = math.Cos(float64(k)/8 + float64(e))
						}
					}
				}
				gram, err := layerorder.NewGram(layers)
				if err != nil {
					t.Fatal(err)
				}
				m.Families = append(m.Families, network.MeasuredFamily{Gram: gram, Family: network.Family{
					Origin:  network.Origin{Run: "net" + string(rune('a'+i)) + strings.Repeat("'", int(step)/10), Depth: 12, Seed: uint64(i + 1), Step: &step},
					Pattern: pattern, Layers: 12, Rows: 8, Columns: 5, Role: "mlp", Orientation: "Ax",
				}})
			}
		}
	}
	result, err := m.Result()
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestTrainings wants, of each family and training, the step from which on its layers are in an order.
func TestTrainings(t *testing.T) {
	result := grown(t, 10, 0)
	since := map[string]string{}
	for i := range result.Trainings {
		training := &result.Trainings[i]
		since[strings.Repeat("'", int(training.Seed))+training.Name] = training.Since()
		if got := training.Steps; len(got) != 3 || got[0] != 0 || got[2] != 200 {
			t.Errorf("%s: got steps %v, want 0, 10 and 200", training.Name, got)
		}
	}
	want := map[string]string{"'rough.{k}": "not at the end", "'smooth.{k}": "10", "''rough.{k}": "not at the end", "''smooth.{k}": "the first step"}
	for name, text := range want {
		if since[name] != text {
			t.Errorf("%s: got ordered from %q, want %q", name, since[name], text)
		}
	}
	if got, want := result.Growth(), "Along training, layers are in an order at the last step in 2 of 4 families of maps and invariants; first in smooth.{k}, from step 0 on."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := len(result.Earlier()); got != 4 {
		t.Errorf("got %d earlier networks, want 4", got)
	}
	var table strings.Builder
	if err := result.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"depth 12, seed 2, 3 steps", "4 networks of earlier steps", "neta" + strings.Repeat("'", 20) + ": depth 12, step 200"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("table: got no %q in\n%s", want, table.String())
		}
	}
	if strings.Contains(table.String(), "step 10\n") {
		t.Errorf("table: got a network of an earlier step\n%s", table.String())
	}
}

// TestNoTraining wants nothing about trainings of networks without steps.
func TestNoTraining(t *testing.T) {
	result := &network.Result{}
	if got := result.Growth(); got != "" || len(result.Earlier()) > 0 {
		t.Errorf("got %q and %v, want nothing", got, result.Earlier())
	}
}

// TestTrainingShown wants the ends of any training in its table, and no step twice.
func TestTrainingShown(t *testing.T) {
	for n := 2; n < 40; n++ {
		training := &network.Training{Steps: make([]float64, n)}
		shown := training.Shown()
		if shown[0] != 0 || shown[len(shown)-1] != n-1 || len(shown) > 6 {
			t.Errorf("%d steps: got %v", n, shown)
		}
		for i := 1; i < len(shown); i++ {
			if shown[i] <= shown[i-1] {
				t.Errorf("%d steps: got %v, want growing places", n, shown)
			}
		}
	}
}

// TestNotesOnce wants a note that is said of several files in one line.
func TestNotesOnce(t *testing.T) {
	m := &network.Measurement{Notes: []network.Note{{File: "a.pt", Text: "4 heads"}, {File: "b.pt", Text: "damaged"}, {File: "c.pt", Text: "4 heads"}}}
	result, err := m.Result()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(result.Notes, "; "), "a.pt and 1 more: 4 heads; b.pt: damaged"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
