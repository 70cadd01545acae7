package importer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/weightpath"
)

// maxSketch bounds the entries of the weights that are kept to compare checkpoints.
const maxSketch = 1 << 16

// fingerprint fills in the checksum of the weights as numbers, whatever their file, their
// type or what else the file holds, and a sketch of them.
func (p *plan) fingerprint(o *Options) error {
	sum := sha256.New()
	err := p.checkpoint.use(func(f *opened) error {
		found, err := findParts(f, o.Layout, o.Layers)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(found)) {
			t, err := found[name].read(f)
			if err != nil {
				return err
			}
			fmt.Fprint(sum, name, t.Shape)
			addNumbers(sum.Write, t.Data)
			if found[name] == found.main() {
				p.sketch = sketch(t)
			}
		}
		return nil
	})
	p.weights = hex.EncodeToString(sum.Sum(nil))
	return err
}

// addNumbers hands the bits of numbers to write; −0 counts as 0.
func addNumbers(write func([]byte) (int, error), data []float64) {
	buffer := make([]byte, 0, 1<<13)
	for i, v := range data {
		buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(v+0))
		if len(buffer) == cap(buffer) || i == len(data)-1 {
			_, _ = write(buffer) // to a hash, which never fails
			buffer = buffer[:0]
		}
	}
}

// sketch returns entries that are spread evenly over a path.
func sketch(t weightpath.Tensor) []float64 {
	stride := (len(t.Data) + maxSketch - 1) / maxSketch
	part := make([]float64, 0, min(len(t.Data), maxSketch))
	for i := 0; i < len(t.Data); i += stride {
		part = append(part, t.Data[i])
	}
	return part
}

// joinCopies keeps the first of checkpoints with the same weights, among those of one
// kind, and notes on it which were left out.
func joinCopies(plans []*plan, kind func(*plan) string) []*plan {
	first := map[string]*plan{}
	var kept []*plan
	for _, p := range plans {
		key := p.weights + kind(p)
		if other := first[key]; other != nil && p.weights != "" {
			other.leave(p, "the same weights, number by number, as "+plain.Text(other.path)+": counted once")
			continue
		}
		first[key] = p
		kept = append(kept, p)
	}
	return kept
}

// related reports whether the weights of two plans have more in common than those of two
// draws: their correlation is above 0.1 and above what chance gives, or above 0.9 where
// there are so few that chance could give any.
func related(plans []*plan) bool {
	for i, a := range plans {
		for _, b := range plans[:i] {
			limit := min(max(0.1, 4/math.Sqrt(float64(len(a.sketch)))), 0.9)
			if c := correlation(a.sketch, b.sketch); !(math.Abs(c) <= limit) {
				return true
			}
		}
	}
	return false
}

// correlation returns the cosine of the angle between two vectors of one length, NaN when
// one of them is 0.
func correlation(a, b []float64) float64 {
	aa, bb, ab := 0.0, 0.0, 0.0
	for i := range a {
		aa += a[i] * a[i]
		bb += b[i] * b[i]
		ab += a[i] * b[i]
	}
	return ab / math.Sqrt(aa) / math.Sqrt(bb)
}
