package kernelproof

import (
	"math"
	"os"
	"testing"
	"time"
)

// TestPartial wants what was saved back bit for bit, and nothing of a short proof, other samples or a damaged file.
func TestPartial(t *testing.T) {
	type part struct {
		Values []float64
		Why    string
	}
	p := &partial{dir: t.TempDir() + "/kernel/partial", key: "k", start: time.Now()}
	saved := part{[]float64{math.Pi, math.Inf(1), math.NaN(), math.Copysign(0, -1), 5e-324}, "why"}
	p.Save("a", saved)
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("a short proof keeps parts")
	}
	p.start = p.start.Add(-saveAfter)
	p.Save("a", saved)
	var got part
	if !p.Load("a", &got) || got.Why != "why" || len(got.Values) != len(saved.Values) {
		t.Fatalf("got %+v, want %+v", got, saved)
	}
	for i, v := range saved.Values {
		if math.Float64bits(got.Values[i]) != math.Float64bits(v) {
			t.Errorf("got %g, want %g", got.Values[i], v)
		}
	}
	other := &partial{dir: p.dir, key: "l"}
	if other.Load("a", &got) || p.Load("b", &got) {
		t.Error("got a part that was not saved")
	}
	data, err := os.ReadFile(p.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(p.path("a"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	if p.Load("a", &got) {
		t.Error("got a damaged part")
	}
	p.end()
	if _, err := os.Stat(p.dir); err == nil {
		t.Error("parts are left")
	}
}
