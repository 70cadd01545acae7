package layerorder_test

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/layerorder"
)

func ExampleAnalyze() {
	layers := make([][]float64, 12)
	for k := range layers {
		s := float64(k) / 12
		layers[k] = []float64{1 + s, math.Cos(2 * s), math.Exp(-s), s * s}
	}
	gram, err := layerorder.NewGram(layers)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := layerorder.Analyze(gram)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, p = %.3f\n", result.Verdict, result.Order.P)
	// Output: smooth, p = 0.001
}
