// Command generate writes the assembly of package kernel: one file of products,
// activations, vectors, normalisations or updates per run, each with the AVX2 and the AVX-512 tier in both
// element types. It is a module of its own, so that avo is no dependency of
// deeplimit. Run it by `go generate ./internal/kernel` or ../generate.sh.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	kind := flag.String("kind", "", "what to write: product, activation, vector, normalise or update")
	flag.Parse()
	ConstraintExpr("!purego")
	if *kind == "vector" {
		prefetch()
	}
	for _, t := range targets {
		switch *kind {
		case "product":
			t.product()
			t.interleavedOuter()
			if !t.zmm {
				t.transpose()
			}
		case "activation":
			t.activation("tanh", tanh)
			t.activation("tanhValue", tanh.inPlaceOfSlope())
			t.activation("gelu", gelu)
			for _, s := range smooth {
				t.activation(s.name, s.formula)
			}
			for _, narrow := range []bool{false, true} {
				if !narrow || t.lanes() == 8 { // kernel.Lanes
					t.tanhLayers(narrow)
					t.tanhAdjoints(narrow)
				}
			}
		case "vector":
			t.addScaled()
			t.scaleMul()
			t.scaleMulSlope()
			t.sumScaled()
			t.addRowSums()
			t.sumSquares(false)
			t.sumSquares(true)
			t.squaredDistances()
			if t.double {
				t.fromBfloat16()
			}
			t.peak()
		case "normalise":
			t.centre()
			t.normalise()
			t.addNormalised()
		case "update":
			t.scale()
			t.momentum()
			t.nesterov()
			t.adam()
			t.signDescent()
			t.lion()
		default:
			fmt.Fprintf(os.Stderr, "generate: -kind: got %q, want product, activation, vector, normalise or update\n", *kind)
			os.Exit(2)
		}
	}
	Generate()
}
