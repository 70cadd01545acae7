// Package fixedseed makes the property tests of a package start from one seed, so
// that a test that passes once passes always. Import it for that effect in a test
// file of every package that uses rapid; `go test -rapid.seed=0` explores instead.
package fixedseed

import (
	"flag"

	_ "pgregory.net/rapid" // registers the flag
)

func init() {
	if err := flag.Set("rapid.seed", "20220415"); err != nil {
		panic("fixedseed: rapid.seed: " + err.Error())
	}
}
