// Package pipe answers the calls of another program, such as the Python package, over two
// pipes: numbers cross as raw buffers and never as text.
//
// A frame is the length of a header (4 bytes, little-endian), the header as JSON, and the
// buffers of the arrays that it lists, row-major and little-endian, one behind the other:
//
//	{"call": "pvar", "values": {"p": [2]}, "arrays": [{"name": "path", "dtype": "float64", "shape": [100, 3]}]}
//
// The answer has values and arrays, or error with the text that a command would print. The first frame
// that is written, {"values": {"protocol": 1, "version": …}}, says which protocol is spoken: who reads
// another number stops there. Serve ends where its input ends.
//
// An error of a call leaves the stream in step; an error of a frame ends Serve.
package pipe

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
)

// Protocol is the version of the frames and calls. It changes with either.
const Protocol = 1

// A call computes an answer from values (JSON) and arrays.
type call func(ctx context.Context, values json.RawMessage, arrays []Array) (any, []Array, error)

var calls = map[string]call{
	"pvar":         taking(variation),
	"index":        taking(pathIndex),
	"infer":        taking(infer),
	"scaling":      taking(slope),
	"study":        taking(study),
	"iterations":   taking(iterations),
	"certificates": taking(certificates),
	"weights":      taking(weights),
	"norms":        taking(norms),
	"glossary":     taking(words),
}

// taking returns the call of f, whose values have the fields of T: unknown ones are errors.
func taking[T any](f func(context.Context, T, []Array) (any, []Array, error)) call {
	return func(ctx context.Context, text json.RawMessage, arrays []Array) (any, []Array, error) {
		var values T
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&values); err != nil {
			return nil, nil, fmt.Errorf("pipe: values of the call: %w", err)
		}
		return f(ctx, values, arrays)
	}
}

// Serve answers the frames of r on w, one after the other, until r ends. version is that of the program.
func Serve(ctx context.Context, r io.Reader, w io.Writer, version string) error {
	in, out := bufio.NewReaderSize(r, chunk), bufio.NewWriterSize(w, chunk)
	greeting, err := json.Marshal(map[string]any{"protocol": Protocol, "version": version})
	if err != nil {
		return err
	}
	if err := writeFrame(out, header{Values: greeting}, nil); err != nil {
		return err
	}
	for {
		h, arrays, err := readFrame(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, results := answerTo(ctx, h, arrays)
		if err := writeFrame(out, answer, results); err != nil {
			return err
		}
	}
}

// answerTo makes one call.
func answerTo(ctx context.Context, h header, arrays []Array) (header, []Array) {
	run, ok := calls[h.Call]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(calls)), ", ")
		return header{Error: fmt.Sprintf("pipe: call: got %q, want one of %s", h.Call, known)}, nil
	}
	values, results, err := run(ctx, h.Values, arrays)
	var text []byte
	if err == nil {
		text, err = json.Marshal(values)
		err = field.NotFinite(values, err)
	}
	if err != nil {
		return header{Error: err.Error()}, nil
	}
	return header{Values: text}, results
}

// only returns the one array of a call.
func only(arrays []Array) (Array, error) {
	if len(arrays) != 1 {
		return Array{}, fmt.Errorf("pipe: arrays of the call: got %d, want 1", len(arrays))
	}
	return arrays[0], nil
}
