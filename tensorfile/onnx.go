package tensorfile

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// The fields of ONNX's messages that lead to tensors (onnx.proto3).
const (
	modelGraph       = 7
	graphNode        = 1
	graphInitializer = 5
	nodeOutput       = 2
	nodeAttribute    = 5
	attributeTensor  = 5
	attributeGraph   = 6
	tensorDims       = 1
	tensorType       = 2
	tensorFloats     = 4
	tensorName       = 8
	tensorRaw        = 9
	tensorDoubles    = 10
	tensorExternal   = 13
)

// maxMessages bounds the fields of a model.
const maxMessages = 1 << 22

// onnxTypes are the types of numbers of ONNX by their number; others are named so.
var onnxTypes = map[uint64]string{1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 8: "string", 9: "BOOL", 10: "F16", 11: "F64", 16: "BF16", 17: "F8_E4M3", 19: "F8_E5M2"}

// onnxFile finds the initialisers of a model, and the constants of its nodes, which are weights too. Nothing is run.
type onnxFile struct {
	extents
	messages int
}

func newONNX(r io.ReaderAt, size int64) (*onnxFile, error) {
	f := &onnxFile{extents: extents{r: r, tensors: map[string]extent{}}}
	err := f.fields(0, size, func(number protowire.Number, from, to int64, _ uint64) error {
		if number == modelGraph {
			return f.graph("", from, to, maxNested)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ONNX: %w", err)
	}
	return f, f.whole()
}

// fields calls do for every field of the message from … to: with where the content of a message, string or packed
// list stands, or with the value of a number.
func (f *onnxFile) fields(from, to int64, do func(number protowire.Number, from, to int64, value uint64) error) error {
	for at := from; at < to; {
		if f.messages++; f.messages > maxMessages {
			return fmt.Errorf("got more than %d fields", maxMessages)
		}
		var buffer [2 * binary.MaxVarintLen64]byte
		n, err := f.r.ReadAt(buffer[:min(int64(len(buffer)), to-at)], at)
		if err != nil && err != io.EOF {
			return err
		}
		number, kind, used := protowire.ConsumeTag(buffer[:n])
		if used < 0 {
			return fmt.Errorf("byte %d: got no field of a protocol buffer", at)
		}
		value, length, rest := uint64(0), int64(0), buffer[used:n]
		switch kind {
		case protowire.VarintType, protowire.BytesType:
			var more int
			if value, more = protowire.ConsumeVarint(rest); more < 0 {
				return fmt.Errorf("byte %d: got no field of a protocol buffer", at)
			}
			used += more
			if kind == protowire.BytesType {
				if value > uint64(to) {
					return fmt.Errorf("byte %d: got a field of %d bytes: the file is cut short", at, value)
				}
				length = int64(value)
			}
		case protowire.Fixed32Type:
			length = 4
		case protowire.Fixed64Type:
			length = 8
		default:
			return fmt.Errorf("byte %d: got a field of type %d, want those of ONNX", at, kind)
		}
		start := at + int64(used)
		if length > to-start {
			return fmt.Errorf("byte %d: got a field of %d bytes: the file is cut short", at, length)
		}
		if err := do(number, start, start+length, value); err != nil {
			return err
		}
		at = start + length
	}
	return nil
}

// graph finds the tensors of a graph and of those inside its nodes.
func (f *onnxFile) graph(prefix string, from, to int64, depth int) error {
	if depth == 0 {
		return errors.New("got graphs nested too deep")
	}
	nodes := 0
	return f.fields(from, to, func(number protowire.Number, from, to int64, _ uint64) error {
		switch number {
		case graphInitializer:
			return f.tensor(prefix, "", from, to)
		case graphNode:
			nodes++
			return f.node(prefix, nodes, from, to, depth)
		}
		return nil
	})
}

// node finds the constant of a node, named by its output as the names of such tensors need not differ, and the graphs of its branches.
func (f *onnxFile) node(prefix string, at int, from, to int64, depth int) error {
	output, branch := "", 0
	return f.fields(from, to, func(number protowire.Number, from, to int64, _ uint64) (err error) {
		switch number {
		case nodeOutput:
			output, err = f.text(from, to)
		case nodeAttribute:
			err = f.fields(from, to, func(number protowire.Number, from, to int64, _ uint64) error {
				switch number {
				case attributeTensor:
					return f.tensor(prefix, output, from, to)
				case attributeGraph:
					branch++
					return f.graph(fmt.Sprintf("%snode%d.%c.", prefix, at, 'a'+(branch-1)%26), from, to, depth-1) // a letter: branches are no layers
				}
				return nil
			})
		}
		return err
	})
}

func (f *onnxFile) text(from, to int64) (string, error) {
	if to-from > maxName {
		return "", fmt.Errorf("byte %d: got a name of %d bytes, want at most %d", from, to-from, maxName)
	}
	text := make([]byte, to-from)
	if n, err := f.r.ReadAt(text, from); n < len(text) {
		return "", err
	}
	return string(text), nil
}

// tensor adds a tensor that is called output, or by its own name where that is "".
func (f *onnxFile) tensor(prefix, output string, from, to int64) error {
	e := extent{about: Info{Shape: []int{}}}
	own := ""
	err := f.fields(from, to, func(number protowire.Number, from, to int64, value uint64) (err error) {
		switch number {
		case tensorName:
			own, err = f.text(from, to)
		case tensorDims:
			err = e.addSizes(f.r, from, to, value)
		case tensorType:
			e.about.DType = "type " + strconv.FormatUint(value, 10)
			if known, ok := onnxTypes[value]; ok {
				e.about.DType = known
			}
		case tensorRaw, tensorFloats, tensorDoubles:
			if e.size > 0 {
				e.err = errors.New("got its numbers in several pieces, want one")
			}
			e.start, e.size = from, to-from
		case tensorExternal:
			e.err = errors.New("got its numbers in another file, want a model that holds them: onnx.save(onnx.load(FILE), OUT)")
		}
		return err
	})
	if err != nil {
		return err
	}
	name := cmp.Or(output, own)
	if name == "" {
		return nil // of a node without an output
	}
	return f.add(prefix+name, e)
}

// addSizes adds the sizes of a packed list, or one number.
func (e *extent) addSizes(r io.ReaderAt, from, to int64, value uint64) error {
	sizes := []uint64{value}
	if to > from {
		if to-from > 1<<10 {
			return fmt.Errorf("byte %d: got more than %d axes", from, maxAxes)
		}
		packed := make([]byte, to-from)
		if n, err := r.ReadAt(packed, from); n < len(packed) {
			return err
		}
		sizes = sizes[:0]
		for len(packed) > 0 {
			size, n := protowire.ConsumeVarint(packed)
			if n < 0 {
				return fmt.Errorf("byte %d: got no sizes", from)
			}
			sizes, packed = append(sizes, size), packed[n:]
		}
	}
	for _, size := range sizes {
		if size > math.MaxInt32 || len(e.about.Shape) == maxAxes {
			return fmt.Errorf("shape: got size %s on axis %d, want at most %d axes of at most %d", plain.Text(strconv.FormatUint(size, 10)), len(e.about.Shape), maxAxes, math.MaxInt32)
		}
		e.about.Shape = append(e.about.Shape, int(size))
	}
	return nil
}
