package glossary_test

import (
	"reflect"
	"testing"

	"github.com/deeplimit/deeplimit/internal/ask/bench"
	"github.com/deeplimit/deeplimit/internal/ask/compare"
	"github.com/deeplimit/deeplimit/internal/ask/depth"
	"github.com/deeplimit/deeplimit/internal/ask/transfer"
	"github.com/deeplimit/deeplimit/internal/glossary/glossarytest"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestKeys wants an entry for every key and column of what commands print as JSON and of the
// tables that they write.
func TestKeys(t *testing.T) {
	glossarytest.WantKeys(t,
		reflect.TypeFor[analyze.Result](),
		reflect.TypeFor[analyze.Edge](),
		reflect.TypeFor[analyze.Kernels](),
		reflect.TypeFor[analyze.Tune](),
		reflect.TypeFor[analyze.Coordinates](),
		reflect.TypeFor[analyze.StartResult](),
		reflect.TypeFor[analyze.RunRow](),
		reflect.TypeFor[analyze.ExponentRow](),
		reflect.TypeFor[proof.Report](),
		reflect.TypeFor[transfer.Result](),
		reflect.TypeFor[bench.Result](),
		reflect.TypeFor[depth.Result](),
		reflect.TypeFor[compare.Result](),
		reflect.TypeFor[runfolder.Row](),
		reflect.TypeFor[runfolder.Draw](),
		reflect.TypeFor[runfolder.Meta](),
	)
}
