// Package npytest writes .npy files for tests, right and wrong ones.
package npytest

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// An Array is what File writes. The zero value of a field means what numpy.save
// mostly writes.
type Array struct {
	Descr   string           // element type; default <f8
	Fortran bool             // whether Values stand in Fortran order
	Shape   []int            // nil for a scalar
	Order   binary.ByteOrder // of Values; default little-endian
	Values  any              // a slice or number of fixed size
}

// File returns the bytes of a .npy file: magic, version 1.0, header padded to 64
// bytes, values. Nothing is checked: shape, type and values may disagree. It panics
// when encoding/binary cannot write the values.
func File(a Array) []byte {
	if a.Descr == "" {
		a.Descr = "<f8"
	}
	if a.Order == nil {
		a.Order = binary.LittleEndian
	}
	fortran := "False"
	if a.Fortran {
		fortran = "True"
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", a.Descr, fortran, tuple(a.Shape))
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(file[8:], uint16(len(header)))
	file, err := binary.Append(append(file, header...), a.Order, a.Values)
	if err != nil {
		panic(err)
	}
	return file
}

// tuple writes a shape as Python does, with a comma behind a single size.
func tuple(shape []int) string {
	sizes := make([]string, len(shape))
	for i, n := range shape {
		sizes[i] = strconv.Itoa(n)
	}
	if len(sizes) == 1 {
		return "(" + sizes[0] + ",)"
	}
	return "(" + strings.Join(sizes, ", ") + ")"
}
