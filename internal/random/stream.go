// Package random derives every random number of a run from its seed.
//
// A stream is named by what it is for ("initial/A", "batches", …), so adding a
// new use of randomness never changes the numbers an old one sees, and the
// order in which streams are opened does not matter.
package random

import (
	"hash/fnv"
	"math/rand/v2"
)

// New returns the PCG generator of the stream that seed and purpose name. Equal
// arguments give equal streams, on every machine.
func New(seed uint64, purpose string) *rand.Rand { return rand.New(Source(seed, purpose)) }

// Source is New before the wrapping in rand.Rand: its state can be marshalled
// into a checkpoint.
func Source(seed uint64, purpose string) *rand.PCG {
	hash := fnv.New64a()
	hash.Write([]byte(purpose))
	return rand.NewPCG(seed, hash.Sum64())
}
