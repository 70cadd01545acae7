package pipe

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// The limits of a frame, so that a stream out of step asks for no memory it has no bytes for.
const (
	mostHeader = 64 << 20
	mostArrays = 1 << 20
	chunk      = 1 << 16 // bytes that are read or written at once
)

// An Array is a row-major array of float64, or of int64 where Ints is not nil.
type Array struct {
	Name   string
	Shape  []int
	Floats []float64
	Ints   []int64
}

// arrayHeader is what the header says of an array, in the order of the buffers behind it.
type arrayHeader struct {
	Name  string `json:"name"`
	DType string `json:"dtype"` // float64 or int64, little-endian
	Shape []int  `json:"shape"`
}

// header precedes the buffers of a frame.
type header struct {
	Call   string          `json:"call,omitempty"`
	Values json.RawMessage `json:"values,omitempty"`
	Error  string          `json:"error,omitempty"`
	Arrays []arrayHeader   `json:"arrays,omitempty"`
}

// readFrame reads the length of the header (4 bytes, little-endian), the header as JSON and the
// buffers. It returns io.EOF where the stream ends before a frame.
func readFrame(r *bufio.Reader) (header, []Array, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("pipe: length of a frame: %w", err)
		}
		return header{}, nil, err
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > mostHeader {
		return header{}, nil, fmt.Errorf("pipe: length of a header: got %d bytes, want %d at most", n, mostHeader)
	}
	text := make([]byte, n)
	var h header
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, nil, fmt.Errorf("pipe: header of a frame: %w", noEOF(err))
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return header{}, nil, fmt.Errorf("pipe: header of a frame: %w", err)
	}
	if len(h.Arrays) > mostArrays {
		return header{}, nil, fmt.Errorf("pipe: arrays of a frame: got %d, want %d at most", len(h.Arrays), mostArrays)
	}
	arrays := make([]Array, len(h.Arrays))
	for i, a := range h.Arrays {
		var err error
		if arrays[i], err = readArray(r, a); err != nil {
			return header{}, nil, fmt.Errorf("pipe: array %q: %w", a.Name, err)
		}
	}
	return h, arrays, nil
}

// readArray reads the buffer of one array.
func readArray(r io.Reader, h arrayHeader) (Array, error) {
	if h.DType != "float64" {
		return Array{}, fmt.Errorf("dtype: got %q, want float64", h.DType)
	}
	n := 1
	for _, size := range h.Shape {
		if size < 0 || size > 0 && n > math.MaxInt/8/size {
			return Array{}, fmt.Errorf("shape: got %v, want sizes that memory can hold", h.Shape)
		}
		n *= size
	}
	a := Array{Name: h.Name, Shape: h.Shape}
	buffer := make([]byte, chunk)
	for n > 0 {
		part := buffer[:min(8*n, chunk)]
		if _, err := io.ReadFull(r, part); err != nil {
			return Array{}, noEOF(err)
		}
		if a.Floats == nil { // some of the bytes are there
			a.Floats = make([]float64, 0, min(n, 1<<24))
		}
		for i := 0; i < len(part); i += 8 {
			a.Floats = append(a.Floats, math.Float64frombits(binary.LittleEndian.Uint64(part[i:])))
		}
		n -= len(part) / 8
	}
	return a, nil
}

// noEOF returns err, an end of the stream inside a frame being unexpected.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writeFrame writes what readFrame reads, and flushes.
func writeFrame(w *bufio.Writer, h header, arrays []Array) error {
	h.Arrays = make([]arrayHeader, len(arrays))
	for i, a := range arrays {
		h.Arrays[i] = arrayHeader{a.Name, "float64", a.Shape}
		if a.Ints != nil {
			h.Arrays[i].DType = "int64"
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if int64(len(text)) > math.MaxUint32 {
		return fmt.Errorf("pipe: length of a header: got %d bytes, want below 4 GiB", len(text))
	}
	var size [4]byte
	binary.LittleEndian.PutUint32(size[:], uint32(len(text)))
	w.Write(size[:]) // the writer keeps its first error for Flush
	w.Write(text)
	buffer := make([]byte, 0, chunk)
	for _, a := range arrays {
		for n := range max(len(a.Floats), len(a.Ints)) {
			var bits uint64
			if a.Ints != nil {
				bits = uint64(a.Ints[n])
			} else {
				bits = math.Float64bits(a.Floats[n])
			}
			if buffer = binary.LittleEndian.AppendUint64(buffer, bits); len(buffer) == chunk {
				w.Write(buffer)
				buffer = buffer[:0]
			}
		}
		w.Write(buffer)
		buffer = buffer[:0]
	}
	return w.Flush()
}
