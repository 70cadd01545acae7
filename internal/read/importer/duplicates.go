package importer

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/runfolder"
)

// maxSketch bounds the entries of the weights that are kept to compare checkpoints.
const maxSketch = 1 << 16

// A precision is that of a type of floats.
type precision struct {
	bits     int // of the significand, with the leading one
	smallest int // exponent of the smallest number above 0
}

// precisions are those in which a program may have saved a copy: F32, F16 and BF16.
var precisions = []precision{{24, -149}, {11, -24}, {8, -133}}

// round returns the nearest number of precision p, of two the even one. Numbers too large
// for the type stay: a copy has no infinite weights.
func (p precision) round(v float64) float64 {
	_, exponent := math.Frexp(v)
	unit := math.Ldexp(1, max(exponent-p.bits, p.smallest))
	return math.RoundToEven(v/unit) * unit
}

// eachPart reads the parts of the network of p in the order of their names.
func (p *plan) eachPart(o *Options, do func(name string, main bool, t runfolder.Tensor)) error {
	return p.checkpoint.use(func(f *opened) error {
		if o.All {
			return p.eachTensor(f, do)
		}
		found, err := findParts(f, o.Layout, o.Layers)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(found)) {
			t, err := found[name].read(f)
			if err != nil {
				return err
			}
			do(name, found[name] == found.main(), t)
		}
		return nil
	})
}

// eachTensor reads the layers of all families one by one, as maps of A·x whatever the file holds, families of one kind one behind the
// other: names and formats do not matter. The layers of the first are the main part.
func (p *plan) eachTensor(f *opened, do func(name string, main bool, t runfolder.Tensor)) error {
	families := slices.Clone(p.families)
	slices.SortStableFunc(families, func(a, b network.Family) int { return cmp.Compare(kindOf(&a), kindOf(&b)) })
	for i := range families {
		family := &families[i]
		err := family.EachLayer(f, func(data []float64) {
			do(kindOf(family), i == 0, runfolder.Tensor{Shape: []int{family.Rows, family.Columns}, Data: data})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// kindOf is what a family has in common with that of a copy under another name or in another format.
func kindOf(f *network.Family) string { return fmt.Sprintf("%s %d×%d", f.Role, f.Rows, f.Columns) }

// fingerprint fills in the checksum of the weights as numbers, whatever their file, their
// type or what else the file holds, and a sketch of them.
func (p *plan) fingerprint(o *Options) error {
	sum := sha256.New()
	err := p.eachPart(o, func(name string, main bool, t runfolder.Tensor) {
		addNumbers(sum, name, t.Shape, t.Data)
		if main && len(p.sketch) < maxSketch {
			p.sketch = append(p.sketch, sketch(t)...)
		}
	})
	p.weights = hex.EncodeToString(sum.Sum(nil))
	return err
}

// fingerprints fills in the checksums of plans and, of those that are near to another,
// the checksums that they have when rounded.
func fingerprints(plans []*plan, o *Options) error {
	for _, p := range plans {
		if err := p.fingerprint(o); err != nil {
			return err
		}
	}
	for _, p := range plans {
		if !slices.ContainsFunc(plans, func(other *plan) bool {
			return other.weights != p.weights && other.stepText() == p.stepText() && isNear(p, other)
		}) {
			continue
		}
		sums := make([]hash.Hash, len(precisions))
		for i := range sums {
			sums[i] = sha256.New()
		}
		if err := p.eachPart(o, func(name string, _ bool, t runfolder.Tensor) {
			values := make([]float64, len(t.Data))
			for i, precision := range precisions {
				for k, v := range t.Data {
					values[k] = precision.round(v)
				}
				addNumbers(sums[i], name, t.Shape, values)
			}
		}); err != nil {
			return err
		}
		for _, sum := range sums {
			p.rounded = append(p.rounded, hex.EncodeToString(sum.Sum(nil)))
		}
	}
	return nil
}

// addNumbers adds a part of the network to a checksum; −0 counts as 0.
func addNumbers(sum hash.Hash, name string, shape []int, data []float64) {
	fmt.Fprint(sum, name, shape)
	buffer := make([]byte, 0, 1<<13)
	for i, v := range data {
		buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(v+0))
		if len(buffer) == cap(buffer) || i == len(data)-1 {
			_, _ = sum.Write(buffer) // a hash never fails
			buffer = buffer[:0]
		}
	}
}

// sketch returns entries that are spread evenly over a path.
func sketch(t runfolder.Tensor) []float64 {
	stride := (len(t.Data) + maxSketch - 1) / maxSketch
	part := make([]float64, 0, min(len(t.Data), maxSketch))
	for i := 0; i < len(t.Data); i += stride {
		part = append(part, t.Data[i])
	}
	return part
}

// joinCopies keeps one of checkpoints with the same weights, among those of one kind, and
// notes on it which were left out: the first, or that of which the others are rounded.
func joinCopies(plans []*plan, kind func(*plan) string) []*plan {
	var kept []*plan
	for _, p := range plans {
		if p.weights == "" {
			kept = append(kept, p)
			continue
		}
		i := slices.IndexFunc(kept, func(other *plan) bool {
			return kind(p) == kind(other) && (p.weights == other.weights || slices.Contains(other.rounded, p.weights))
		})
		if i >= 0 {
			kept[i].leave(p, kept[i].sameAs(p))
			continue
		}
		kept = slices.DeleteFunc(kept, func(other *plan) bool {
			rounded := kind(p) == kind(other) && slices.Contains(p.rounded, other.weights)
			if rounded {
				p.leave(other, p.sameAs(other))
			}
			return rounded
		})
		kept = append(kept, p)
	}
	return kept
}

// sameAs says why another checkpoint is a copy of p.
func (p *plan) sameAs(other *plan) string {
	if p.weights == other.weights {
		return "the same weights, number by number, as " + plain.Text(p.path) + ": counted once"
	}
	return "the weights of " + plain.Text(p.path) + " rounded to fewer digits: counted once"
}

// minNear is a correlation of weights that no two draws have: theirs is about 0.
const minNear = 0.99

func isNear(a, b *plan) bool { return correlation(a.sketch, b.sketch) > minNear }

// noteNear notes on each plan which other seed has nearly the same weights.
func noteNear(plans []*plan) {
	for i, p := range plans {
		for _, other := range plans[:i] {
			if p.seed != other.seed && isNear(p, other) {
				p.notes = append(p.notes, fmt.Sprintf("nearly the weights of %s, with a correlation above %g: seeds of a training that began with the same weights, or none; --names says how names are read",
					plain.Text(other.path), minNear))
				break
			}
		}
	}
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
