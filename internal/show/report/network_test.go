package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/layerorder"
)

// networks are a smooth family and one of noise at two steps of a training, with a name that is hostile.
func networks(t *testing.T) *network.Result {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	return measured(t, map[string]func(k, e int) float64{
		"smooth.{k}":   func(k, e int) float64 { return math.Cos(float64(k)/8 + float64(e)) },
		"<script>.{k}": func(int, int) float64 { return random.NormFloat64() },
	})
}

// measured are families of 12 layers of 40 entries at two steps of a training.
func measured(t *testing.T, families map[string]func(k, e int) float64) *network.Result {
	t.Helper()
	m := &network.Measurement{}
	for _, step := range []float64{100, 2000} {
		for _, pattern := range slices.Backward(slices.Sorted(maps.Keys(families))) {
			layers := make([][]float64, 12)
			for k := range layers {
				layers[k] = make([]float64, 40)
				for e := range layers[k] {
					layers[k][e] = families[pattern](k, e)
				}
			}
			gram, err := layerorder.NewGram(layers)
			if err != nil {
				t.Fatal(err)
			}
			m.Families = append(m.Families, network.MeasuredFamily{Gram: gram, Family: network.Family{
				Origin: network.Origin{Run: "net-" + exact(step), Depth: 12, Seed: 1, Step: &step}, Pattern: pattern, Layers: 12, Rows: 8, Columns: 5, Role: "mlp", Orientation: "Ax",
			}})
		}
	}
	result, err := m.Result()
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestWriteNetwork wants a card for each family, the series along training, and names that stay text.
func TestWriteNetwork(t *testing.T) {
	dir := t.TempDir()
	path, err := WriteNetwork(context.Background(), dir, "index.html", networks(t), Options{Formats: []string{"svg"}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Smooth path, with a share of noise of 0 %", "No order beyond chance", "&lt;script&gt;.{k}", `id="family-4"`, `id="training-2"`, "net-2000, step 2000"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("page: got no %q", want)
		}
	}
	if bytes.Contains(page, []byte("<script")) {
		t.Error("page: got markup from the name of a tensor")
	}
	text, err := os.ReadFile(filepath.Join(dir, "report", "families.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Errorf("families.csv: got %d rows and error %v, want a head and 4", len(rows), err)
	}
}

// TestWriteEqualLayers wants a report of layers that are all zero or all one, as before training.
func TestWriteEqualLayers(t *testing.T) {
	result := measured(t, map[string]func(k, e int) float64{
		"zero.{k}": func(int, int) float64 { return 0 },
		"one.{k}":  func(int, int) float64 { return 1 },
	})
	path, err := WriteNetwork(context.Background(), t.TempDir(), "index.html", result, Options{Formats: []string{"svg"}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"All layers are equal: nothing changes with depth", `id="family-4"`, `id="training-2"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("page: got no %q", want)
		}
	}
}
