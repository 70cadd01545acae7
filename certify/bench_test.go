package certify_test

import (
	"testing"

	"github.com/deeplimit/deeplimit/certify"
)

// BenchmarkIterate times everything done at one measured iterate of the reference
// network (d, N, L) = (10, 8, 1000), the measuring itself left out.
func BenchmarkIterate(b *testing.B) {
	n := paperRegime(1000, 8, 0.5)
	p, m := n.problem(), n.measureStep(1)
	for b.Loop() {
		it, err := certify.New(p, m)
		if err != nil {
			b.Fatal(err)
		}
		it.Bounds()
		if _, err := it.CertifiedStepSize(); err != nil {
			b.Fatal(err)
		}
		_, _ = it.Converge()
	}
}

// BenchmarkCertifiedStepSize times the step-size rule alone.
func BenchmarkCertifiedStepSize(b *testing.B) {
	n := paperRegime(1000, 8, 0.5)
	it, err := certify.New(n.problem(), n.measureStep(1))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := it.CertifiedStepSize(); err != nil {
			b.Fatal(err)
		}
	}
}
