package dataset_test

import (
	"fmt"
	"log"

	"github.com/deeplimit/deeplimit/dataset"
)

func ExampleLoad() {
	spec, err := dataset.Spec{Kind: "digits", Samples: 1000, Test: 500}.Resolve(1)
	if err != nil {
		log.Fatal(err)
	}
	set, err := dataset.Load(spec, ".")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Samples, set.Test.Samples, set.Inputs, set.Outputs)
	fmt.Println(set.Source)
	// Output:
	// 1000 500 64 10
	// Optical Recognition of Handwritten Digits, UCI (Alpaydin & Kaynak 1998), by way of scikit-learn; licence: CC BY 4.0
}

func ExampleSpec_Resolve() {
	_, err := dataset.Spec{Kind: "separated", Samples: 11, Width: 10, Distance: 0.3}.Resolve(1)
	fmt.Println(err)
	// Output:
	// samples: got 11, want at most 10, the width: no more vectors are orthonormal
}
