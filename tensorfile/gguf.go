package tensorfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// ggufTypes are the types of GGML by their number; those that are packed in blocks are named so.
var ggufTypes = map[uint32]string{
	0: "F32", 1: "F16", 28: "F64", 30: "BF16", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
	2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K",
}

// ggufSizes are the bytes of the values of metadata by their type: 8 is a string, 9 a list.
var ggufSizes = map[uint32]int64{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

// A ggufReader reads the header of a file of llama.cpp (versions 2 and 3) front to back.
type ggufReader struct {
	r        io.ReaderAt
	at, size int64
	values   int
}

// newGGUF opens a file of llama.cpp: metadata, what each tensor is, and the tensors, of which those in blocks (Q4_0 …) are
// quantised. The first size of GGML is that of the last axis here.
func newGGUF(r io.ReaderAt, size int64) (*extents, error) {
	g := &ggufReader{r: r, at: 4, size: size}
	version, err := g.uint32()
	if err == nil && version != 2 && version != 3 {
		return nil, fmt.Errorf("GGUF: got version %d, want 2 or 3, little-endian", version)
	}
	tensors, err2 := g.uint64()
	pairs, err3 := g.uint64()
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, fmt.Errorf("GGUF: %w", err)
	}
	if tensors > maxTensors || pairs > maxTensors {
		return nil, fmt.Errorf("GGUF: got %d tensors and %d entries of metadata, want at most %d", tensors, pairs, maxTensors)
	}
	f := &extents{r: r, tensors: map[string]extent{}}
	alignment := int64(32)
	for range pairs {
		key, err := g.text()
		if err == nil {
			err = g.entry(key, &alignment)
		}
		if err != nil {
			return nil, fmt.Errorf("GGUF: metadata %.100q: %w", key, err)
		}
	}
	var names []string
	var found []extent
	for range tensors {
		name, e, err := g.tensor()
		if err != nil {
			return nil, fmt.Errorf("GGUF: tensor %.100q: %w", name, err)
		}
		names, found = append(names, name), append(found, e)
	}
	data := (g.at + alignment - 1) / alignment * alignment
	for i, e := range found {
		kind, known := numberTypes[e.about.DType]
		if n, err := count(e.about.Shape, math.MaxInt/16); err != nil {
			e.err = err
		} else if known {
			e.size = int64(n) * int64(kind.size)
		}
		if e.start > size-data || e.size > size-data-e.start {
			return nil, fmt.Errorf("GGUF: tensor %.100q: got %d bytes at %d: the file is cut short", names[i], e.size, e.start)
		}
		e.start += data
		if err := f.add(names[i], e); err != nil {
			return nil, err
		}
	}
	return f, f.whole()
}

// bytes returns the next n bytes, at most maxName.
func (g *ggufReader) bytes(n int64) ([]byte, error) {
	if n > g.size-g.at {
		return nil, errCut
	}
	text := make([]byte, n)
	if read, err := g.r.ReadAt(text, g.at); read < len(text) {
		return nil, err
	}
	g.at += n
	return text, nil
}

func (g *ggufReader) uint32() (uint32, error) {
	b, err := g.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (g *ggufReader) uint64() (uint64, error) {
	b, err := g.bytes(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// text returns a name.
func (g *ggufReader) text() (string, error) {
	n, err := g.uint64()
	if err == nil && n > maxName {
		err = fmt.Errorf("got a name of %d bytes, want at most %d", n, maxName)
	}
	if err != nil {
		return "", err
	}
	text, err := g.bytes(int64(n))
	return string(text), err
}

// skip goes on by n bytes.
func (g *ggufReader) skip(n uint64) error {
	if n > uint64(g.size-g.at) {
		return errCut
	}
	g.at += int64(n)
	return nil
}

// entry reads a value of metadata, of which the alignment of the data matters alone.
func (g *ggufReader) entry(key string, alignment *int64) error {
	kind, err := g.uint32()
	if err != nil {
		return err
	}
	if key == "general.alignment" {
		if kind != 4 {
			return fmt.Errorf("got a value of type %d, want 4", kind)
		}
		n, err := g.uint32()
		if err == nil && (n == 0 || n > 1<<20 || n&(n-1) != 0) {
			err = fmt.Errorf("got %d, want a power of two", n)
		}
		*alignment = int64(n)
		return err
	}
	return g.value(kind, maxNested)
}

// value skips a value of metadata.
func (g *ggufReader) value(kind uint32, depth int) error {
	if g.values++; g.values > 1<<24 || depth == 0 {
		return errors.New("got more values than a network has")
	}
	switch kind {
	case 8:
		n, err := g.uint64()
		if err != nil {
			return err
		}
		return g.skip(n)
	case 9:
		of, err := g.uint32()
		if err != nil {
			return err
		}
		n, err := g.uint64()
		if err != nil {
			return err
		}
		if size, fixed := ggufSizes[of]; fixed {
			if n > uint64(g.size) {
				return errCut
			}
			return g.skip(n * uint64(size))
		}
		for range n {
			if err := g.value(of, depth-1); err != nil {
				return err
			}
		}
		return nil
	}
	size, ok := ggufSizes[kind]
	if !ok {
		return fmt.Errorf("got a value of type %d, want 0 to 12", kind)
	}
	return g.skip(uint64(size))
}

// tensor reads what a tensor is; its start counts from the beginning of the data.
func (g *ggufReader) tensor() (name string, e extent, err error) {
	if name, err = g.text(); err != nil {
		return name, e, err
	}
	axes, err := g.uint32()
	if err == nil && axes > maxAxes {
		err = fmt.Errorf("got %d axes, want at most %d", axes, maxAxes)
	}
	if err != nil {
		return name, e, err
	}
	e.about.Shape = []int{}
	for range axes {
		n, err := g.uint64()
		if err == nil && n > math.MaxInt32 {
			err = fmt.Errorf("got a size of %d, want at most %d", n, math.MaxInt32)
		}
		if err != nil {
			return name, e, err
		}
		e.about.Shape = append(e.about.Shape, int(n))
	}
	slices.Reverse(e.about.Shape)
	kind, err := g.uint32()
	if err != nil {
		return name, e, err
	}
	e.about.DType = "type " + strconv.FormatUint(uint64(kind), 10)
	if known, ok := ggufTypes[kind]; ok {
		e.about.DType = known
	}
	start, err := g.uint64()
	if err == nil && start > uint64(g.size) {
		err = errCut
	}
	e.start = int64(start)
	return name, e, err
}
