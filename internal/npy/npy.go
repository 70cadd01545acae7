// Package npy reads NumPy array files into float64, whatever real type and order
// they have.
package npy

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"reflect"

	"codeberg.org/sbinet/npyio/npy"
)

// Read returns the shape of the array in the file and its entries in row-major
// order. It takes booleans, integers and floats of any width and byte order, in C
// or Fortran order. Entries that are not finite are refused, as is a file whose
// size does not agree with its header.
func Read(path string) (shape []int, data []float64, err error) {
	shape, data, err = read(path)
	if err != nil {
		return nil, nil, fmt.Errorf("npy: %s: %w", path, err)
	}
	return shape, data, nil
}

func read(path string) ([]int, []float64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	reader, err := npy.NewReader(bufio.NewReader(file))
	if err != nil {
		return nil, nil, fmt.Errorf("not a .npy file: %w", err)
	}
	header := reader.Header.Descr
	kind := npy.TypeFrom(header.Type)
	if kind == nil {
		return nil, nil, fmt.Errorf("dtype: got %s, want integers or floats (save it with .astype(float))", header.Type)
	}
	size, entries := int64(kind.Size()), int64(1)
	for _, s := range header.Shape {
		if s < 0 || (s > 0 && entries > info.Size()/int64(s)) {
			return nil, nil, fmt.Errorf("shape %v: got a file of %d bytes, too short for it; write the file again", header.Shape, info.Size())
		}
		entries *= int64(s)
	}
	if entries > info.Size()/size {
		return nil, nil, fmt.Errorf("shape %v of %s: got a file of %d bytes, want at least %d; write the file again", header.Shape, header.Type, info.Size(), entries*size)
	}
	stored := reflect.New(reflect.SliceOf(kind))
	if err := reader.Read(stored.Interface()); err != nil {
		return nil, nil, fmt.Errorf("reading %d entries of %s: %w", entries, header.Type, err)
	}
	data := make([]float64, entries)
	for i := range data {
		v := stored.Elem().Index(i)
		switch {
		case v.CanFloat():
			data[i] = v.Float()
		case v.CanInt():
			data[i] = float64(v.Int())
		case v.CanUint():
			data[i] = float64(v.Uint())
		case v.Kind() == reflect.Bool && v.Bool():
			data[i] = 1
		case v.Kind() != reflect.Bool:
			return nil, nil, fmt.Errorf("dtype: got %s, want integers or floats (save it with .astype(float))", header.Type)
		}
		if math.IsNaN(data[i]) || math.IsInf(data[i], 0) {
			return nil, nil, fmt.Errorf("entry %d: got %v, want a finite number", i, data[i])
		}
	}
	return header.Shape, data, nil
}
