package edge

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// holed is what a scan tries: stable up to an end, but for intervals at which the loss
// exceeds its first value, with shoulders on both sides at which it regains half of its fall.
type holed struct {
	end   float64
	holes [][2]float64
}

func (h holed) try(etas []float64) ([]float64, error) {
	shares := make([]float64, len(etas))
	for i, eta := range etas {
		if !(eta < h.end) {
			shares[i] = math.Inf(1)
		}
		for _, hole := range h.holes {
			switch from, to := hole[0], hole[1]; {
			case from <= eta && eta <= to:
				shares[i] = math.Inf(1)
			case from*from/to <= eta && eta <= to*to/from:
				shares[i] = max(shares[i], 0.5)
			}
		}
	}
	return shares, nil
}

// TestScan plants an end and holes wider than the scan wherever they may lie, and wants
// the edge below the lowest hole that is no further than a factor of two below what would
// be the edge without it, for any number of workers.
func TestScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := holed{end: math.Exp(rapid.Float64Range(-5, 5).Draw(t, "end"))}
		lowest := h.end
		for range rapid.IntRange(0, 3).Draw(t, "holes") {
			from := lowest * rapid.Float64Range(0.55, 0.98).Draw(t, "from")
			h.holes = append(h.holes, [2]float64{from, from * rapid.Float64Range(1.011, 1.02).Draw(t, "width")})
			lowest = from
		}
		if len(h.holes) > 0 {
			n := len(h.holes) - 1
			lowest = lowest * lowest / h.holes[n][1] // its shoulder
		}
		precision := rapid.SampledFrom([]float64{0.01, 0.0005}).Draw(t, "precision")
		var before float64
		for _, workers := range []int{1, 3} {
			s := newScan(1, Options{Scan: 0.01, Precision: precision, Workers: workers}, h.try)
			stable, unstable, err := s.edges()
			if err != nil {
				t.Fatal(err)
			}
			if !(stable < lowest && stable*(1+precision)*(1+1e-9) >= lowest) {
				t.Fatalf("%d workers: got stable %v, want it just below %v of %+v", workers, stable, lowest, h)
			}
			if shares, _ := h.try([]float64{*unstable}); !(*unstable > stable) || !(shares[0] > 1) {
				t.Fatalf("%d workers: got unstable %v above %v, want it unstable", workers, *unstable, stable)
			}
			if before != 0 && before != stable {
				t.Fatalf("got stable %v with one worker and %v with %d", before, stable, workers)
			}
			before = stable
		}
	})
}

// TestScanEnds wants a scan that meets no instability to say up to where, and one that
// meets nothing else, or a broken trial, to fail.
func TestScanEnds(t *testing.T) {
	run := func(try func([]float64) ([]float64, error)) (float64, *float64, error) {
		return newScan(1, Options{Scan: 0.01, Precision: 0.01}, try).edges()
	}
	stable, unstable, err := run(holed{end: math.Inf(1)}.try)
	if err != nil || unstable != nil || !(stable > 900 && stable < 1100) {
		t.Errorf("always stable: got %v, %v, %v, want about 1000 and none", stable, unstable, err)
	}
	// Wild from 1 on, unstable nowhere.
	stable, unstable, err = run(func(etas []float64) ([]float64, error) {
		shares, _ := holed{end: 1}.try(etas)
		for i := range shares {
			shares[i] = min(shares[i], 0.5)
		}
		return shares, nil
	})
	if err != nil || unstable != nil || !(stable < 1 && stable > 0.98) {
		t.Errorf("never above the start: got %v, %v, %v, want about 1 and none", stable, unstable, err)
	}
	if _, _, err := run(holed{end: 0}.try); err == nil {
		t.Error("never stable: got no error")
	}
	broken := errors.New("broken")
	if _, _, err := run(func([]float64) ([]float64, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of a trial", err)
	}
}
