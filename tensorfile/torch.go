package tensorfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// torchFile is what torch.save writes: a pickle of the objects and storages of numbers, members of a zip archive since
// version 1.6 and one behind the other before (legacy.go).
type torchFile struct {
	file     io.ReaderAt
	storages map[string]storage
	order    []string
	tensors  map[string]torchTensor
}

// A storage is the numbers that tensors are views of.
type storage struct {
	size   int64 // bytes
	packed int64 // bytes in the file, fewer where it is compressed
	// start is where the bytes begin in the file, where they stand there as they are; −1 for none.
	start int64
	open  func() (io.ReadCloser, error)
}

// A torchTensor is a view of a storage: entry (i_1, i_2 …) stands at
// offset + Σ i_j·strides_j.
type torchTensor struct {
	about   Info
	storage string
	offset  int
	strides []int
	err     error // why it cannot be read; nil when it can
}

// Limits of what a pickle may hold: the state of a network has a few names a layer, none
// of them deep or long.
const (
	maxPickle = 16 << 20 // bytes
	maxNested = 32       // dictionaries and lists inside each other
	maxName   = 1000     // bytes
	maxAxes   = 16
)

func newTorch(r io.ReaderAt, members map[string]*zip.File, folder string) (*torchFile, error) {
	f := &torchFile{file: r, storages: map[string]storage{}, tensors: map[string]torchTensor{}}
	for name, member := range members {
		if key, ok := strings.CutPrefix(name, folder+"/data/"); ok && int64(member.UncompressedSize64) >= 0 {
			f.storages[key] = newStorage(member)
		}
	}
	if order, ok := members[folder+"/byteorder"]; ok {
		text, err := content(order, 16)
		if err != nil || string(text) != "little" {
			return nil, errors.Join(fmt.Errorf("byte order: got %q, want little", text), err)
		}
	}
	data, err := content(members[folder+"/data.pkl"], maxPickle)
	if err != nil {
		return nil, fmt.Errorf("member data.pkl: %w", err)
	}
	root, err := unpickle(data)
	if err != nil {
		return nil, fmt.Errorf("member data.pkl: %w", err)
	}
	return f, f.find(root, len(data))
}

// find finds the tensors of the objects of a pickle of so many bytes.
func (f *torchFile) find(root any, size int) error {
	// A value that is referenced twice is visited twice, so a small pickle may be a large tree.
	walk := walker{file: f, left: min(size, maxValues)}
	if err := walk.visit("", root, maxNested); err != nil {
		return err
	}
	if len(f.order) == 0 {
		return errors.New("got no tensors, want a state dict, as torch.save(model.state_dict(), …) writes it")
	}
	return nil
}

func newStorage(member *zip.File) storage {
	s := storage{size: int64(member.UncompressedSize64), packed: int64(member.CompressedSize64), start: -1, open: member.Open}
	if member.Method == zip.Store && member.CompressedSize64 == member.UncompressedSize64 {
		if start, err := member.DataOffset(); err == nil {
			s.start = start
		}
	}
	return s
}

// content returns the bytes of a member of at most limit bytes.
func content(member *zip.File, limit uint64) ([]byte, error) {
	if member.UncompressedSize64 > limit {
		return nil, fmt.Errorf("got %d bytes, want at most %d", member.UncompressedSize64, limit)
	}
	r, err := member.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(tensorheader.NoEOF(err), r.Close())
}

// walker finds the tensors in nested dictionaries and lists. The name of a tensor is the
// path of keys to it, joined by dots.
type walker struct {
	file *torchFile
	left int // values that may still be visited
}

func (w *walker) visit(name string, value any, depth int) error {
	switch w.left--; {
	case w.left < 0:
		return fmt.Errorf("entry %.100q: got more objects than a network has", name)
	case depth == 0:
		return fmt.Errorf("entry %.100q: nested too deep", name)
	}
	if len(name) > maxName {
		return fmt.Errorf("entry %.100q…: got a name of %d bytes, want at most %d", name, len(name), maxName)
	}
	below := func(key string) string {
		switch {
		case key == "_modules" || key == "_parameters" || key == "_buffers":
			return name // of a module: its state dict has no such words
		case name == "":
			return key
		}
		return name + "." + key
	}
	switch v := value.(type) {
	case *dict:
		for i, key := range v.keys {
			var text string
			switch k := key.(type) {
			case string:
				text = k
			case int64:
				text = strconv.FormatInt(k, 10)
			default:
				continue // state dicts have no such keys
			}
			if err := w.visit(below(text), v.values[i], depth-1); err != nil {
				return err
			}
		}
	case *list:
		return w.visitAll(below, *v, depth)
	case tuple:
		return w.visitAll(below, v, depth)
	case built:
		if _, ok := newTorchTensor(v.call); ok {
			return w.visit(name, v.call, depth)
		}
		return w.visit(name, v.state, depth-1) // a module, of TorchScript or of torch.save(model, …)
	case call:
		tensor, ok := newTorchTensor(v)
		if !ok {
			return nil // an object that is no tensor
		}
		if _, twice := w.file.tensors[name]; twice {
			return fmt.Errorf("tensor %q: got two of this name, want names that differ", name)
		}
		w.file.order = append(w.file.order, name)
		w.file.tensors[name] = tensor
	}
	return nil
}

func (w *walker) visitAll(below func(string) string, values []any, depth int) error {
	for i, v := range values {
		if err := w.visit(below(strconv.Itoa(i)), v, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// newTorchTensor returns the tensor that a call would build; ok is false for other objects. A
// tensor that cannot be read holds the error that read returns.
func newTorchTensor(c call) (t torchTensor, ok bool) {
	fn, isGlobal := c.fn.(global)
	if !isGlobal || fn.module != "torch._utils" || !strings.HasPrefix(fn.name, "_rebuild_") {
		return t, false
	}
	switch fn.name {
	case "_rebuild_parameter": // (tensor, requires_grad, hooks)
		if inner, isCall := first(c.args).(call); isCall && inner.fn != c.fn {
			return newTorchTensor(inner)
		}
		return torchTensor{err: errors.New("got a parameter without a tensor")}, true
	case "_rebuild_tensor", // (storage, offset, shape, strides), before version 0.4
		"_rebuild_tensor_v2", // (storage, offset, shape, strides, …)
		"_rebuild_tensor_v3": // (…, requires_grad, hooks, dtype) for types without a storage class
		return newView(c.args), true
	}
	return torchTensor{err: fmt.Errorf("got a tensor of %s, want a plain one of floats; %s", plain.Text(fn.name), resave)}, true
}

// newView returns the view of a storage that the arguments of _rebuild_tensor describe.
func newView(args tuple) torchTensor {
	malformed := torchTensor{err: errors.New("got a description that is malformed, want that of torch.save")}
	reference, isStorage := first(args).(persistent)
	id, isTuple := reference.id.(tuple) // ("storage", class, key, location, entries)
	if !isStorage || !isTuple || len(id) < 3 || len(args) < 4 {
		return malformed
	}
	class, isClass := id[1].(global)
	key, isKey := id[2].(string)
	offset, isOffset := args[1].(int64)
	shape, isShape := integers(args[2])
	strides, isStrides := integers(args[3])
	if !isClass || !isKey || !isOffset || !isShape || !isStrides || offset < 0 || len(shape) != len(strides) {
		return malformed
	}
	if len(args) > 6 && isNegated(args[len(args)-1]) {
		return torchTensor{err: fmt.Errorf("got a view whose numbers PyTorch negates, want a plain tensor; %s", resave)}
	}
	dtype := class.name
	if len(args) > 6 && class.name == "UntypedStorage" {
		if named, ok := args[6].(global); ok {
			dtype = named.name
		}
	}
	return torchTensor{about: Info{dtype, shape}, storage: key, offset: int(offset), strides: strides}
}

// isNegated reports whether the metadata of a tensor, the last argument of _rebuild_tensor_v2 and _v3 since version 2 of
// PyTorch, say that its numbers are minus those of the storage.
func isNegated(metadata any) bool {
	d, ok := metadata.(*dict)
	if !ok {
		return false
	}
	for i, key := range d.keys {
		if key == "neg" && d.values[i] == true {
			return true
		}
	}
	return false
}

func first(values tuple) any {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

// integers returns the numbers of a shape or of strides, none of them negative.
func integers(value any) ([]int, bool) {
	values, ok := value.(tuple)
	if !ok || len(values) > maxAxes {
		return nil, false
	}
	numbers := make([]int, len(values))
	for i, v := range values {
		n, ok := v.(int64)
		if !ok || n < 0 {
			return nil, false
		}
		numbers[i] = int(n)
	}
	return numbers, true
}

// storageTypes are the storages that convert to float64 exactly, by their class.
var storageTypes = map[string]string{
	"DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
	"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}

func (f *torchFile) names() []string { return f.order }

func (f *torchFile) info(name string) (Info, error) {
	t := f.tensors[name]
	if t.err != nil {
		return t.about, t.err
	}
	if _, readable := storageTypes[t.about.DType]; !readable {
		_, err := count(t.about.Shape, math.MaxInt/16)
		return t.about, err // the size of an entry is not known, nor that of the storage
	}
	// Shape and strides come from the pickle: compare both with the storage.
	_, err := f.span(t)
	return t.about, err
}

// storage returns the storage with the entries of t and their type.
func (f *torchFile) storage(t torchTensor) (storage, numberType, error) {
	kind, ok := numberTypes[storageTypes[t.about.DType]]
	if !ok {
		return storage{}, kind, unreadable(strings.TrimSuffix(t.about.DType, "Storage"))
	}
	s, ok := f.storages[t.storage]
	if !ok {
		return s, kind, fmt.Errorf("got no member data/%.100s, want its storage", t.storage)
	}
	return s, kind, nil
}

// span returns how many entries of the storage t spans, from t.offset on.
func (f *torchFile) span(t torchTensor) (int, error) {
	s, kind, err := f.storage(t)
	if err != nil {
		return 0, err
	}
	entries := s.size / int64(kind.size)
	// A stride of 0 repeats entries, so there may be more in the shape than in the file.
	const limit = 1 << 40
	if n, err := count(t.about.Shape, limit); n == 0 || err != nil {
		return 0, err
	}
	last := int64(t.offset)
	for axis, n := range t.about.Shape {
		steps, stride := int64(n-1), int64(t.strides[axis])
		if last >= entries || stride > 0 && steps > (entries-1-last)/stride {
			return 0, fmt.Errorf("shape %v with strides %v from entry %d: got a storage of %d entries, which is too small", t.about.Shape, t.strides, t.offset, entries)
		}
		last += steps * stride
	}
	if last >= entries {
		return 0, fmt.Errorf("entry %d: got a storage of %d entries", last, entries)
	}
	return int(last) - t.offset + 1, nil
}

func (f *torchFile) read(name string) ([]float64, error) {
	t := f.tensors[name]
	span, err := f.span(t)
	if err != nil || span == 0 {
		return nil, err
	}
	s, kind, err := f.storage(t)
	if err != nil {
		return nil, err
	}
	// The whole storage is read, for its checksum, even if the tensor is a view of a part.
	if limit := budget(s.packed); s.size > limit || int64(span) > limit/8 {
		return nil, fmt.Errorf("got a storage of %d bytes packed into %d, want a file that is not compressed, as torch.save writes it", s.size, s.packed)
	}
	r, err := s.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, int64(t.offset)*int64(kind.size)); err != nil {
		return nil, err
	}
	stored, err := kind.read(r, span)
	if err != nil {
		return nil, err
	}
	if err := drain(r); err != nil {
		return nil, err
	}
	return t.gather(stored), nil
}

// gather returns the entries of t in row-major order from those of its storage.
func (t torchTensor) gather(stored []float64) []float64 {
	data := make([]float64, t.about.Entries())
	place := make([]int, len(t.about.Shape))
	at := 0 // Σ place_j·strides_j
	for k := range data {
		data[k] = stored[at]
		for axis := len(place) - 1; axis >= 0; axis-- {
			at += t.strides[axis]
			if place[axis]++; place[axis] < t.about.Shape[axis] {
				break
			}
			at -= place[axis] * t.strides[axis]
			place[axis] = 0
		}
	}
	return data
}
