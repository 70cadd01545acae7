package tensorfile

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// maxSafetensorsHeader is the largest header that the format allows, in bytes.
const maxSafetensorsHeader = 100_000_000

// safetensorsFile is a file in the format of huggingface/safetensors. The header is read
// here and not by the library, which refuses a whole file for one dtype that it does not
// know, and new dtypes come every year.
type safetensorsFile struct {
	r       io.ReaderAt
	order   []string
	tensors map[string]placed
}

// placed is a tensor and where its bytes stand in the file.
type placed struct {
	about Info
	at    int64
}

// entry is a tensor as the header describes it.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []uint64 `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
}

func newSafetensors(r io.ReaderAt, size int64) (*safetensorsFile, error) {
	text, err := safetensorsHeader(r, size)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	entries := map[string]entry{}
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	for name, value := range raw {
		if name == "__metadata__" {
			continue
		}
		var e entry
		if err := json.Unmarshal(value, &e); err != nil {
			return nil, fmt.Errorf("header: tensor %.100q: %w", name, err)
		}
		if len(e.Offsets) != 2 {
			return nil, fmt.Errorf("header: tensor %.100q: got %d data offsets, want 2", name, len(e.Offsets))
		}
		entries[name] = e
	}
	return place(r, entries, int64(8+len(text)), uint64(size)-8-uint64(len(text)))
}

// safetensorsHeader returns the JSON text of the header.
func safetensorsHeader(r io.ReaderAt, size int64) ([]byte, error) {
	var length [8]byte
	section := io.NewSectionReader(r, 0, size)
	if _, err := io.ReadFull(section, length[:]); err != nil {
		return nil, noEOF(err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxSafetensorsHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("got a length of %d bytes in a file of %d", n, size)
	}
	text := make([]byte, n)
	_, err := io.ReadFull(section, text)
	return text, noEOF(err)
}

// place checks that the tensors fill the data bytes behind the header, which ends at
// start, without gap or overlap.
func place(r io.ReaderAt, entries map[string]entry, start int64, data uint64) (*safetensorsFile, error) {
	f := &safetensorsFile{r: r, tensors: make(map[string]placed, len(entries))}
	f.order = slices.SortedFunc(maps.Keys(entries), func(a, b string) int {
		return cmp.Or(slices.Compare(entries[a].Offsets, entries[b].Offsets), cmp.Compare(a, b))
	})
	end := uint64(0)
	for _, name := range f.order {
		e := entries[name]
		from, to := e.Offsets[0], e.Offsets[1]
		if from != end || to < from || to > data {
			return nil, fmt.Errorf("tensor %q: got data offsets %d to %d, want them to start at %d and end within the %d bytes of the file",
				name, from, to, end, data)
		}
		end = to
		shape, err := e.sizes()
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if kind, known := numberTypes[e.DType]; known {
			want := uint64(kind.size)
			for _, n := range shape {
				want *= uint64(n)
			}
			if want != to-from {
				return nil, fmt.Errorf("tensor %q: got %d bytes of data, want %d for shape %v of dtype %s", name, to-from, want, shape, e.DType)
			}
		}
		f.tensors[name] = placed{Info{e.DType, shape}, start + int64(from)}
	}
	if end != data {
		return nil, fmt.Errorf("header: got tensors of %d bytes, want the %d bytes of the file", end, data)
	}
	return f, nil
}

// sizes returns the shape, whose product is small enough to count with.
func (e entry) sizes() ([]int, error) {
	shape := make([]int, len(e.Shape))
	for i, n := range e.Shape {
		if n > math.MaxInt {
			return nil, fmt.Errorf("shape %v is too large", e.Shape)
		}
		shape[i] = int(n)
	}
	if _, err := count(shape, math.MaxInt/16); err != nil {
		return nil, fmt.Errorf("shape %v is too large", e.Shape)
	}
	return shape, nil
}

func (f *safetensorsFile) names() []string { return f.order }

func (f *safetensorsFile) info(name string) (Info, error) { return f.tensors[name].about, nil }

func (f *safetensorsFile) read(name string) ([]float64, error) {
	t := f.tensors[name]
	kind, ok := numberTypes[t.about.DType]
	if !ok {
		return nil, unreadable(t.about.DType)
	}
	entries := t.about.Entries()
	return kind.read(io.NewSectionReader(f.r, t.at, int64(kind.size)*int64(entries)), entries)
}

// errUnreadable is what is wrong with numbers that are no floats of 16 bits or more.
var errUnreadable = errors.New("want floats of 64, 32 or 16 bits: the numbers behind a quantised tensor need its scale, so save it as float32")

// unreadable is the error of a dtype that does not convert to float64 by itself.
func unreadable(dtype string) error {
	return fmt.Errorf("dtype: got %s, %w", plain.Text(dtype[:min(len(dtype), 40)]), errUnreadable)
}
