package tensorfile_test

import (
	"fmt"

	"github.com/deeplimit/deeplimit/tensorfile"
)

// The tensors of a checkpoint: names, types and shapes, and the entries of one.
func ExampleOpen() {
	file, err := tensorfile.Open("../internal/read/importer/testdata/residual-4.safetensors")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	for _, name := range file.Names()[:2] {
		info, err := file.Info(name)
		if err != nil {
			panic(err)
		}
		fmt.Println(name, info.DType, info.Shape)
	}
	weights, err := file.Read("layers.0.weight")
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d entries, the first is %.4f\n", len(weights), weights[0])
	// Output:
	// layers.0.bias F32 [4]
	// layers.0.weight F32 [4 4]
	// 16 entries, the first is -0.4904
}
