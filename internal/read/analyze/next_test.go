package analyze

import (
	"math"
	"strings"
	"testing"

	known "github.com/deeplimit/deeplimit/internal/planted"
	"github.com/deeplimit/deeplimit/scaling"
)

// After the largest seed of all come the smallest that are not there yet.
func TestNextSeedsAreNew(t *testing.T) {
	got := command("out", nil, &Next{Depths: []int{8, 16, 32}, Seeds: 4}, []uint64{0, math.MaxUint64})
	if !strings.Contains(got, "'seeds=[0, 18446744073709551615, 1, 2]'") {
		t.Errorf("got %s, want seeds that are not there yet", got)
	}
}

// No design is proposed where what one likely kind would show is not known.
func TestNextLeavesOutNoKind(t *testing.T) {
	var family known.Family
	for _, f := range known.Families() {
		if f.Name == "smooth + correlated noise 0.7" {
			family = f
		}
	}
	var paths []scaling.DepthPath
	for seed := range uint64(3) {
		for _, depth := range []int{16, 32, 64} {
			paths = append(paths, scaling.DepthPath{Depth: depth, Seed: seed, Path: family.Path(seed, depth, 1)})
		}
	}
	x, err := scaling.Infer(paths, scaling.Assumptions{})
	if err != nil || x.Verdict != "" {
		t.Fatalf("got verdict %q, error %v, want none of both", x.Verdict, err)
	}
	none := scaling.LimitKind("of no structure")
	if list, unknown := expectations(x, []scaling.LimitKind{scaling.RoughLimit, none}, scaling.Design{Depths: []int{16, 32, 64, 128}, Seeds: 3}); list != nil || !strings.HasSuffix(unknown, string(none)) {
		t.Errorf("got %v, %q, want the kind that nothing is expected of", list, unknown)
	}
}
