// Command neon writes the assembly of package kernel for arm64: one file of products, activations, vectors,
// normalisations or updates per run, in both element types. avo, which writes that for amd64, knows no other processor, so
// asm.go has what is needed of an assembler's front end: virtual registers, parameters, constants, encodings.
// Run it by `go generate ./internal/kernel` or ../../generate.sh.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	kind := flag.String("kind", "", "what to write: product, activation, vector, normalise or update")
	out := flag.String("out", "", "file for the assembly")
	stubs := flag.String("stubs", "", "file for the Go declarations")
	flag.Parse()
	write, ok := kinds[*kind]
	if !ok {
		fmt.Fprintf(os.Stderr, "neon: -kind: got %q, want product, activation, vector, normalise or update\n", *kind)
		os.Exit(2)
	}
	f := newFile(*kind)
	write(f)
	if err := f.save(*out, *stubs); err != nil {
		fmt.Fprintln(os.Stderr, "neon:", err)
		os.Exit(1)
	}
}

// kinds says what each file holds.
var kinds = map[string]func(f *file){
	"product": func(f *file) {
		for _, t := range f.targets() {
			t.product()
			t.interleavedOuter()
			t.transpose()
		}
	},
	"activation": func(f *file) {
		for _, t := range f.targets() {
			t.activation("tanh", tanh)
			t.activation("tanhValue", tanhValue)
			t.activation("gelu", gelu)
			for _, s := range smooth {
				t.activation(s.name, s.formula)
			}
			t.tanhLayers()
			t.tanhAdjoints()
		}
	},
	"vector": func(f *file) {
		prefetch(f)
		for _, t := range f.targets() {
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
		}
	},
	"normalise": func(f *file) {
		for _, t := range f.targets() {
			t.centre()
			t.normalise()
			t.addNormalised()
		}
	},
	"update": func(f *file) {
		for _, t := range f.targets() {
			t.scale()
			t.momentum()
			t.nesterov()
			t.adam()
			t.signDescent()
			t.lion()
		}
	},
}
