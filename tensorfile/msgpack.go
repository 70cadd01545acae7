package tensorfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// numpyTypes are the names that flax.serialization gives types of numbers; others are kept as they are.
var numpyTypes = map[string]string{"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}

// flaxArray is the extension of flax.serialization that holds an array: [shape, type, bytes].
const flaxArray = 1

// flaxFile is what flax.serialization.to_bytes writes: dictionaries of arrays, in MessagePack.
type flaxFile struct {
	extents
	at, size int64
	values   int
}

func newFlax(r io.ReaderAt, size int64) (*flaxFile, error) {
	f := &flaxFile{extents: extents{r: r, tensors: map[string]extent{}}, size: size}
	if err := f.visit("", maxNested); err != nil {
		return nil, fmt.Errorf("MessagePack: byte %d: %w", f.at, err)
	}
	if f.at != size {
		return nil, fmt.Errorf("MessagePack: got %d bytes behind the end of its value", size-f.at)
	}
	return f, f.whole()
}

// A head is the kind of a value and its length: entries of a map or a list, bytes of a text.
type head struct {
	kind byte // m map, l list, s text, b bytes, x extension, i integer, - other
	n    uint64
	ext  byte
}

// take returns the next n bytes as a big-endian number.
func (f *flaxFile) take(n int64) (uint64, error) {
	var b [8]byte
	if n > f.size-f.at {
		return 0, errCut
	}
	if read, err := f.r.ReadAt(b[:n], f.at); int64(read) < n {
		return 0, err
	}
	f.at += n
	v := uint64(0)
	for _, x := range b[:n] {
		v = v<<8 | uint64(x)
	}
	return v, nil
}

// next reads the head of a value.
func (f *flaxFile) next() (head, error) {
	if f.values++; f.values > 8*maxTensors {
		return head{}, errors.New("got more values than a network has")
	}
	code, err := f.take(1)
	if err != nil {
		return head{}, err
	}
	c := byte(code)
	sized := func(kind byte, bytes int64) (head, error) {
		n, err := f.take(bytes)
		return head{kind: kind, n: n}, err
	}
	switch {
	case c <= msgpcode.PosFixedNumHigh || c >= msgpcode.NegFixedNumLow:
		return head{kind: 'i', n: uint64(int64(int8(c)))}, nil
	case msgpcode.IsFixedMap(c):
		return head{kind: 'm', n: uint64(c & msgpcode.FixedMapMask)}, nil
	case msgpcode.IsFixedArray(c):
		return head{kind: 'l', n: uint64(c & msgpcode.FixedArrayMask)}, nil
	case msgpcode.IsFixedString(c):
		return head{kind: 's', n: uint64(c & msgpcode.FixedStrMask)}, nil
	}
	switch c {
	case msgpcode.Nil, msgpcode.False, msgpcode.True:
		return head{kind: '-'}, nil
	case msgpcode.Bin8, msgpcode.Bin16, msgpcode.Bin32:
		return sized('b', 1<<(c-msgpcode.Bin8))
	case msgpcode.Str8, msgpcode.Str16, msgpcode.Str32:
		return sized('s', 1<<(c-msgpcode.Str8))
	case msgpcode.Array16, msgpcode.Array32:
		return sized('l', 2<<(c-msgpcode.Array16))
	case msgpcode.Map16, msgpcode.Map32:
		return sized('m', 2<<(c-msgpcode.Map16))
	case msgpcode.Uint8, msgpcode.Uint16, msgpcode.Uint32, msgpcode.Uint64:
		return sized('i', 1<<(c-msgpcode.Uint8))
	case msgpcode.Int8, msgpcode.Int16, msgpcode.Int32, msgpcode.Int64:
		return sized('i', 1<<(c-msgpcode.Int8))
	case msgpcode.Float, msgpcode.Double:
		_, err := f.take(4 << (c - msgpcode.Float))
		return head{kind: '-'}, err
	case msgpcode.FixExt1, msgpcode.FixExt2, msgpcode.FixExt4, msgpcode.FixExt8, msgpcode.FixExt16:
		ext, err := f.take(1)
		return head{kind: 'x', n: 1 << (c - msgpcode.FixExt1), ext: byte(ext)}, err
	case msgpcode.Ext8, msgpcode.Ext16, msgpcode.Ext32:
		h, err := sized('x', 1<<(c-msgpcode.Ext8))
		if err == nil {
			var ext uint64
			ext, err = f.take(1)
			h.ext = byte(ext)
		}
		return h, err
	}
	return head{}, fmt.Errorf("got the code %#x, which MessagePack does not have", c)
}

// skip goes on behind the bytes of a text or an extension.
func (f *flaxFile) skip(n uint64) error {
	if n > uint64(f.size-f.at) {
		return errCut
	}
	f.at += int64(n)
	return nil
}

func (f *flaxFile) text(h head) (string, error) {
	if h.kind != 's' || h.n > maxName {
		return "", fmt.Errorf("want a name of at most %d bytes", maxName)
	}
	text := make([]byte, h.n)
	if int64(h.n) > f.size-f.at {
		return "", errCut
	}
	if read, err := f.r.ReadAt(text, f.at); read < len(text) {
		return "", err
	}
	f.at += int64(h.n)
	return string(text), nil
}

// visit finds the arrays of a value. The name of one is the path of keys to it, joined by slashes.
func (f *flaxFile) visit(name string, depth int) error {
	if depth == 0 || len(name) > maxName {
		return fmt.Errorf("entry %.100q: nested too deep", name)
	}
	h, err := f.next()
	if err != nil {
		return err
	}
	below := func(key string) string {
		if name == "" {
			return key
		}
		return name + "/" + key
	}
	switch h.kind {
	case 'm':
		for range h.n {
			k, err := f.next()
			if err != nil {
				return err
			}
			key := strconv.FormatInt(int64(k.n), 10)
			if k.kind != 'i' {
				if key, err = f.text(k); err != nil {
					return err
				}
			}
			if key == "__msgpack_chunked_array__" {
				return fmt.Errorf("entry %.100q: got an array in several pieces, want one: flax.serialization divides arrays of more than 2^30 bytes; save it as safetensors", name)
			}
			if err := f.visit(below(key), depth-1); err != nil {
				return err
			}
		}
	case 'l':
		for i := range h.n {
			if err := f.visit(below(strconv.FormatUint(i, 10)), depth-1); err != nil {
				return err
			}
		}
	case 'x':
		if h.n > uint64(f.size-f.at) {
			return errCut
		}
		end := f.at + int64(h.n)
		if h.ext == flaxArray {
			if err := f.array(name); err != nil {
				return fmt.Errorf("array %.100q: %w", name, err)
			}
			if f.at != end {
				return fmt.Errorf("array %.100q: got an extension of another length than its array", name)
			}
			return nil
		}
		f.at = end
	case 's', 'b':
		return f.skip(h.n)
	}
	return nil
}

// array reads [shape, type, bytes].
func (f *flaxFile) array(name string) error {
	h, err := f.next()
	if err == nil && (h.kind != 'l' || h.n != 3) {
		err = errors.New("want shape, type and bytes")
	}
	if err != nil {
		return err
	}
	shape, err := f.next()
	if err == nil && (shape.kind != 'l' || shape.n > maxAxes) {
		err = fmt.Errorf("want a shape of at most %d axes", maxAxes)
	}
	if err != nil {
		return err
	}
	e := extent{about: Info{Shape: []int{}}}
	for range shape.n {
		n, err := f.next()
		if err == nil && (n.kind != 'i' || n.n > math.MaxInt32) {
			err = fmt.Errorf("want sizes of at most %d", math.MaxInt32)
		}
		if err != nil {
			return err
		}
		e.about.Shape = append(e.about.Shape, int(n.n))
	}
	kind, err := f.next()
	if err != nil {
		return err
	}
	if e.about.DType, err = f.text(kind); err != nil {
		return err
	}
	if known, ok := numpyTypes[e.about.DType]; ok {
		e.about.DType = known
	}
	data, err := f.next()
	if err == nil && data.kind != 'b' {
		err = errors.New("want bytes")
	}
	if err != nil {
		return err
	}
	e.start, e.size = f.at, int64(data.n)
	if err := f.skip(data.n); err != nil {
		return err
	}
	return f.add(name, e)
}
