// Package bench times a step of gradient descent (loss, gradient, update) and
// relates it to the fused multiply-add rate of the machine. The network of a workload is the
// plainest, tanh, block inner, no bias, squared loss, α = 1/2, unless another is asked for.
package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// Shape is a workload (d, N, L): width, samples and depth. In JSON it is a list.
type Shape [3]int

// Shapes returns the workloads of docs/performance.md.
func Shapes() []Shape {
	return []Shape{
		{10, 8, 1000},
		{10, 1024, 1000},
		{32, 1024, 500},
		{64, 2048, 100},
		{128, 512, 64},
		{10, 8, 100000},
	}
}

// maxEntries bounds the numbers in X and in A: 2^30 of them are 8 GiB as float64.
const maxEntries = 1 << 30

// ParseShape reads "d,N,L", three whole numbers ≥ 1. Shapes whose inputs (d·N) or weights (d²·L)
// are more than 2^30 numbers are errors.
func ParseShape(text string) (Shape, error) {
	bad := func(want string) error {
		return fmt.Errorf("bench: shape: got %q, want %s", text, want)
	}
	fields := strings.Split(text, ",")
	var shape Shape
	if len(fields) != len(shape) {
		return Shape{}, bad("d,N,L (width, samples, depth), such as 10,1024,1000")
	}
	for i, name := range []string{"width d", "number of samples N", "depth L"} {
		n, err := strconv.Atoi(strings.TrimSpace(fields[i]))
		if err != nil || n < 1 {
			return Shape{}, bad(name + " a whole number ≥ 1")
		}
		shape[i] = n
	}
	if !fits(shape.Width(), shape.Samples()) || !fits(shape.Width(), shape.Width(), shape.Depth()) {
		return Shape{}, bad("at most 2^30 inputs d·N and weights d²·L")
	}
	return shape, nil
}

// fits says whether a product of numbers ≥ 1 is at most maxEntries.
func fits(sizes ...int) bool {
	room := maxEntries
	for _, size := range sizes {
		room /= size
	}
	return room > 0
}

// Width returns d.
func (s Shape) Width() int { return s[0] }

// Samples returns N.
func (s Shape) Samples() int { return s[1] }

// Depth returns L.
func (s Shape) Depth() int { return s[2] }

// String returns the form that ParseShape reads.
func (s Shape) String() string { return fmt.Sprintf("%d,%d,%d", s[0], s[1], s[2]) }
