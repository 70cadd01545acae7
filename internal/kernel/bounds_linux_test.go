package kernel

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// No tier reads or writes outside an array: here arrays end at, or start behind, a page
// that may not be touched.

// fenced returns an array of n elements with such a page at its end or its start.
func fenced[T Float | byte](t *testing.T, n int, atEnd bool) []T {
	t.Helper()
	page := syscall.Getpagesize()
	size := n * int(unsafe.Sizeof(T(0)))
	inside := (size + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, inside+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(memory); err != nil {
			t.Error(err)
		}
	})
	for _, fence := range [][]byte{memory[:page], memory[page+inside:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	start := page
	if atEnd {
		start += inside - size
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&memory[start])), n)
}

func TestNothingOutsideIsTouched(t *testing.T) {
	nothingOutsideIsTouched[float32](t, "float32")
	nothingOutsideIsTouched[float64](t, "float64")
}

func nothingOutsideIsTouched[T Float](t *testing.T, name string) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, ops := range Tiers[T]() {
		for _, shape := range [][3]int{{1, 1, 8}, {3, 5, 8}, {7, 9, 24}, {10, 10, 8}, {10, 10, 16}, {13, 17, 40}, {18, 23, 16}, {25, 33, 8}, {6, 31, 24}} {
			for _, atEnd := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/%v/%v", name, ops.Tier, shape, atEnd), func(t *testing.T) {
					rows, c, n := shape[0], shape[1], shape[2]
					array := func(n int) []T {
						v := fenced[T](t, n, atEnd)
						for i := range v {
							v[i] = T(r.NormFloat64())
						}
						return v
					}
					w, h, b, e := array(rows*c), array(c*n), array(rows), array(rows*n)
					ops.Affine(array(rows*n), w, h, b, rows, c, n)
					ops.AddTransposed(array(c*n), w, e, rows, c, n)
					ops.AddOuter(array(rows*c), e, h, rows, c, n, array(OuterScratch(rows, c, n)))
					ops.AddRowSums(b, e, rows, n)
					ops.Centre(array(c*n), h, c, n)
					ops.Normalise(array(c*n), array(n), h, c, n, 1e-5)
					ops.AddNormalised(array(c*n), h, array(c*n), array(n), c, n)
					u, y := array(rows*c), array(rows*c) // an odd length
					ops.ActivateAdd(Tanh, array(rows*c), array(rows*c), u, w, 0.5)
					ops.ActivateAdd(GELU, array(rows*c), nil, u, w, 0.5)
					ops.AddScaled(y, 0.5, u)
					ops.ScaleMul(y, 0.5, u, w)
					ops.SquaredDistances(fenced[float64](t, 8, atEnd), array(c*8), array(c))
					ops.FromBfloat16(fenced[float64](t, rows*c, atEnd), fenced[byte](t, 2*rows*c, atEnd))
					if sum := ops.SumSquares(u) + ops.SumSquaredDifferences(u, w); !(sum > 0) {
						t.Errorf("sum of squares: got %v", sum)
					}
				})
			}
		}
	}
}
