// Package tensorfile reads arrays of numbers from files that other programs wrote, as
// float64: safetensors, NumPy's .npy and .npz, PyTorch's .pt of all versions and TorchScript, GGUF, ONNX, and the MessagePack of
// Flax.
//
// Open detects the format by the content. Names lists the tensors, Info has the shape and
// the type of one, Read its entries in row-major order: entry (i, j) of a tensor of shape
// (r, c) is data[i·c + j].
//
// Tensors of 64-, 32-, 16- and 8-bit floats (bfloat16 among them) convert to float64 exactly;
// .npy files may hold integers, too. Asking for a tensor of another type is an error, and so
// are entries that are NaN or infinite. The other tensors of the file can still be read.
//
// Files are not trusted. Sizes are compared with the file before memory is allocated, the
// pickles of PyTorch are parsed without running code, and the tensors that Read returns from one
// file, each counted once, are at most 16 times its size (or 32 MiB, if that is more). Every error is an *Error
// with the path and the tensor.
//
// Open reads the header alone, so the cost of opening is independent of the data. Read takes
// 8 bytes of memory for each entry.
package tensorfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// Info is the type and the shape of a tensor.
type Info struct {
	DType string // as the format names it: F32, <f4, FloatStorage …
	Shape []int
}

// Entries returns the product of the shape; 1 for a scalar.
func (i Info) Entries() int {
	count := 1
	for _, n := range i.Shape {
		count *= n
	}
	return count
}

// An Error says what is wrong with a file, or with one of its tensors.
type Error struct {
	Path   string
	Tensor string // "" when it is the file, or its only tensor
	Err    error
}

// Error returns the path, the tensor and what is wrong.
func (e *Error) Error() string {
	path := plain.Text(e.Path)
	if e.Tensor == "" {
		return fmt.Sprintf("tensorfile: %s: %v", path, e.Err)
	}
	return fmt.Sprintf("tensorfile: %s: tensor %q: %v", path, e.Tensor, e.Err)
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// A File is an open file of tensors. It is not safe for concurrent use.
type File struct {
	path   string
	source source
	known  map[string]bool // the names
	close  func() error
	budget int64           // bytes of float64 that Read may still return
	paid   map[string]bool // the tensors that Read has returned, which cost nothing again
}

// source is a file of one format. Errors do not name the file or the tensor.
type source interface {
	// names returns the names of the tensors, each once, in the order of the file.
	names() []string
	// info returns what is known without reading the entries.
	info(name string) (Info, error)
	// read returns the entries in row-major order. The caller has asked info before,
	// and holds the result to its budget.
	read(name string) ([]float64, error)
}

// Open opens a file of any of the formats. A .npy file holds one tensor, named "". The
// caller closes the file.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &Error{Path: path, Err: bare(err)}
	}
	status, err := file.Stat()
	if err == nil && !status.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	var s source
	if err == nil {
		s, err = decode(file, status.Size(), strings.ToLower(filepath.Ext(path)))
	}
	if err != nil {
		file.Close()
		return nil, &Error{Path: path, Err: bare(err)}
	}
	return newFile(path, s, status.Size(), file.Close), nil
}

func newFile(path string, s source, size int64, closeFile func() error) *File {
	known := make(map[string]bool, len(s.names()))
	for _, name := range s.names() {
		known[name] = true
	}
	return &File{path, s, known, closeFile, budget(size), map[string]bool{}}
}

// most is the largest ratio of the numbers read, as float64, to the size of their file. A
// dtype of 2 bytes gives 4, which leaves a factor of 4 for compression; trained weights
// compress by less than 2.
const most = 16

// budget returns how many bytes of numbers may be read from a file of size bytes.
func budget(size int64) int64 { return max(32<<20, most*min(size, math.MaxInt64/most)) }

// decode detects the format of the size bytes of r, by the content and the file's extension.
func decode(r io.ReaderAt, size int64, extension string) (source, error) {
	var start [8]byte
	n, err := r.ReadAt(start[:], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	section := func() *io.SectionReader { return io.NewSectionReader(r, 0, size) }
	switch text := string(start[:n]); {
	case strings.HasPrefix(text, "\x93NUMPY"):
		return newArray(section(), size)
	case strings.HasPrefix(text, "PK\x03\x04"), strings.HasPrefix(text, "PK\x05\x06"):
		return newArchive(r, size)
	case strings.HasPrefix(text, "GGUF"):
		return newGGUF(r, size)
	case text == "\x89HDF\r\n\x1a\n":
		return nil, errors.New("got HDF5, as Keras writes it; " + fromKeras)
	case extension == ".onnx":
		return newONNX(r, size)
	case extension == ".msgpack":
		return newFlax(r, size)
	case strings.HasPrefix(legacyMagic, text) && n == len(start):
		return newLegacy(r, size)
	case slices.Contains([]string{".pt", ".pth", ".bin", ".ckpt"}, extension):
		return nil, errors.New("got a file that is neither a zip archive nor what torch.save wrote before version 1.6; " + resave)
	case extension == ".safetensors" || n == 8 && start[7] == 0 && start[6] == 0:
		return newSafetensors(r, size)
	default:
		return nil, fmt.Errorf("got a file that begins with %q, want safetensors, .npy, .npz, .pt of PyTorch, GGUF, .onnx or .msgpack of Flax", text)
	}
}

// resave tells the user how to write a file that can be read.
const resave = `save it in Python: safetensors.torch.save_file({k: v.contiguous() for k, v in model.state_dict().items()}, "model.safetensors")`

// fromKeras is how a network of Keras becomes a file that can be read, in two lines of Python.
const fromKeras = `save it in Python: model = keras.saving.load_model("FILE"); numpy.savez("model.npz", **{w.path: w.numpy() for w in model.weights})`

// Path returns the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Close closes the file.
func (f *File) Close() error { return f.close() }

// Names returns the names of the tensors, each once, in the order of the file.
func (f *File) Names() []string { return slices.Clone(f.source.names()) }

// Info returns what the tensor called name is, without reading its entries.
func (f *File) Info(name string) (Info, error) {
	if !f.known[name] {
		return Info{}, f.at(name, fmt.Errorf("got no such tensor, want one of %s", List(f.source.names())))
	}
	info, err := f.source.info(name)
	if err != nil {
		return Info{}, f.at(name, err)
	}
	return info, nil
}

// Read returns the entries of the tensor called name in row-major order. Conversion to
// float64 is exact: integers beyond ±2^53 are an error. NaN and infinities are errors, too,
// with the index of the entry.
func (f *File) Read(name string) ([]float64, error) {
	info, err := f.Info(name)
	if err != nil {
		return nil, err
	}
	if err := f.Afford(name); err != nil {
		return nil, err
	}
	if !f.paid[name] {
		f.budget -= 8 * int64(info.Entries())
		f.paid[name] = true
	}
	data, err := f.source.read(name)
	if err != nil {
		return nil, f.at(name, tensorheader.NoEOF(err))
	}
	for k, v := range data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, f.at(name, fmt.Errorf("entry %v: got %v, want a finite number", indices(k, info.Shape), v))
		}
	}
	return data, nil
}

// Afford returns an error if the tensors of these names that were not read before are together larger than what Read
// may still return of the file. Callers that read several ask before they allocate memory.
func (f *File) Afford(names ...string) error {
	left := f.budget / 8
	for _, name := range names {
		info, err := f.Info(name)
		if err != nil {
			return err
		}
		if f.paid[name] {
			continue
		}
		entries, err := count(info.Shape, left)
		if err != nil {
			return f.at(name, fmt.Errorf("shape %v: got more numbers than %d times the size of the file, want one that is neither compressed nor made of repeated entries", info.Shape, most))
		}
		left -= int64(entries)
	}
	return nil
}

// at puts file and tensor before an error.
func (f *File) at(name string, err error) error { return &Error{f.path, name, err} }

// List joins the first twenty names for a message.
func List(names []string) string {
	if len(names) == 0 {
		return "no tensors"
	}
	shown := make([]string, 0, 20)
	for _, name := range names[:min(len(names), 20)] {
		shown = append(shown, fmt.Sprintf("%.100q", name))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// count returns the number of entries of a shape, or an error if it exceeds the limit.
func count(shape []int, limit int64) (int, error) {
	entries := int64(1)
	for _, n := range shape {
		switch {
		case n < 0:
			return 0, fmt.Errorf("shape: got %v, want sizes of at least 0", shape)
		case n > 0 && entries > limit/int64(n):
			return 0, fmt.Errorf("shape: got %v, want at most %d entries", shape, limit)
		}
		entries *= int64(n)
	}
	return int(entries), nil
}

// indices returns the multi-index of entry k in row-major order.
func indices(k int, shape []int) []int {
	place := make([]int, len(shape))
	for axis := len(shape) - 1; axis >= 0; axis-- {
		place[axis] = k % shape[axis]
		k /= shape[axis]
	}
	return place
}

// bare strips the operation and the path from an error of package os.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return tensorheader.NoEOF(err)
}
