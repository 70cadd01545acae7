// Package random derives every random number of a run from its seed.
//
// A stream is named by its purpose ("initial/A", "batches", …), so a new use of randomness
// never changes the numbers of an old one, and the order in which streams are opened does not
// matter.
package random

import (
	"hash/fnv"
	"math/rand/v2"
)

// New returns the PCG generator of the stream that seed and purpose name. Equal
// arguments give equal streams, on every machine.
func New(seed uint64, purpose string) *rand.Rand { return rand.New(Source(seed, purpose)) }

// Source returns the generator of New, whose state a checkpoint can store.
func Source(seed uint64, purpose string) *rand.PCG {
	hash := fnv.New64a()
	hash.Write([]byte(purpose))
	return rand.NewPCG(seed, hash.Sum64())
}
