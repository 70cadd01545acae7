package cli

import (
	"reflect"
	"testing"

	"github.com/deeplimit/deeplimit/internal/glossary/glossarytest"
	"github.com/deeplimit/deeplimit/internal/read/cite"
)

// TestKeys wants an entry for every key that the commands print of their own.
func TestKeys(t *testing.T) {
	glossarytest.WantKeys(t,
		reflect.TypeFor[studyStatus](),
		reflect.TypeFor[planned](),
		reflect.TypeFor[prunedRun](),
		reflect.TypeFor[cite.Reference](),
		reflect.TypeFor[build](),
		reflect.TypeFor[finding](),
	)
}
