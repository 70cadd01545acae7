package dataset_test

import (
	"fmt"
	"log"

	"github.com/deeplimit/deeplimit/dataset"
)

// Training and test samples of an embedded set.
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

// A table of the user: delimiter and header are detected, the last column is the target.
func ExampleLoad_table() {
	spec, err := dataset.Spec{Kind: "csv", Path: "plain.csv"}.Resolve(1)
	if err != nil {
		log.Fatal(err)
	}
	set, err := dataset.Load(spec, "testdata/field")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d samples of %d inputs and %d target\n", set.Samples, set.Inputs, set.Outputs)
	fmt.Println(set.Read)
	// Output:
	// 60 samples of 4 inputs and 1 target
	// 60 rows; header a, b, c, d, y; no index; separated by commas; decimal point; target y
}

// Resolve says what is wrong with a specification, and what it would accept.
func ExampleSpec_Resolve() {
	_, err := dataset.Spec{Kind: "separated", Samples: 11, Width: 10, Distance: 0.3}.Resolve(1)
	fmt.Println(err)
	// Output:
	// samples: got 11, want at most 10, the width: no more vectors are orthonormal
}
