package layerorder

import (
	"fmt"
	"testing"

	"github.com/deeplimit/deeplimit/internal/process"
)

// BenchmarkAdd takes entries of all layers into the inner products; bytes are those of bfloat16.
func BenchmarkAdd(b *testing.B) {
	for _, layers := range []int{12, 32, 80} {
		b.Run(fmt.Sprintf("layers=%d", layers), func(b *testing.B) {
			pieces := make([][]float64, layers)
			for k := range pieces {
				pieces[k] = make([]float64, 1<<12)
				for i := range pieces[k] {
					pieces[k][i] = float64(i%7) - 3
				}
			}
			g := EmptyGram(layers, 1<<20)
			b.SetBytes(int64(2 * layers * len(pieces[0])))
			before, _ := process.CPUTime()
			for b.Loop() {
				if err := g.Add(0, pieces); err != nil {
					b.Fatal(err)
				}
			}
			after, _ := process.CPUTime()
			b.ReportMetric(float64(b.N)*float64(2*layers*len(pieces[0]))/1e9/(after-before).Seconds(), "GB/cpu-s")
		})
	}
}
