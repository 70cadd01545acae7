package analyze

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/runfolder"
)

// fingerprint returns a checksum of the weights at the end of a run as numbers, whatever
// else their file holds; −0 counts as 0.
func fingerprint(weights runfolder.Weights) (sum [sha256.Size]byte) {
	digest := sha256.New()
	buffer := make([]byte, 0, 1<<13)
	for _, name := range slices.Sorted(maps.Keys(weights.Tensors)) {
		if strings.HasSuffix(name, initialSuffix) {
			continue
		}
		t := weights.Tensors[name]
		fmt.Fprint(digest, name, t.Shape)
		for chunk := range slices.Chunk(t.Data, cap(buffer)/8) {
			buffer = buffer[:0]
			for _, v := range chunk {
				buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(v+0))
			}
			digest.Write(buffer)
		}
	}
	digest.Sum(sum[:0])
	return sum
}

// markCopies finds the runs of a depth in members, which are sorted by seed, that have the
// weights of another, and names that one in each: the run of the smallest seed, and of the
// first folder.
//
// They may be copies, or runs whose seed changes nothing. Either way they are one
// observation: counted as several, they would give intervals of width 0.
func markCopies(members []*outcome) {
	type key struct {
		depth   int
		weights [sha256.Size]byte
	}
	first := map[key]*outcome{}
	for _, o := range members {
		if o.err != nil || o.run.Diverged() {
			continue
		}
		k := key{o.run.Depth, o.weights}
		if other := first[k]; other != nil {
			o.run.CopyOf = other.run.ID
			continue
		}
		first[k] = o
	}
}

// noteCopies says which runs do not count.
func (g *Group) noteCopies(runs []Run) {
	copies := 0
	example := ""
	for _, run := range runs {
		if run.CopyOf == "" {
			continue
		}
		if copies++; example == "" {
			example = fmt.Sprintf("depth %d, seed %d: run %s has those of run %s", run.Depth, run.Seed, run.ID, run.CopyOf)
		}
	}
	if copies > 0 {
		g.Notes = append(g.Notes, fmt.Sprintf("copies: %d of %d runs have the very weights of another run of their depth (%s); each set of weights counts once, as equal ones say nothing of how seeds differ",
			copies, len(runs), example))
	}
}
