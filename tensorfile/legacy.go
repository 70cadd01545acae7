package tensorfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// legacyMagic is how torch.save began a file before version 1.6: a pickle of a number of ten bytes.
const legacyMagic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

// entrySizes are the bytes of an entry of the storages of a legacy file, which says how many entries there are.
var entrySizes = map[string]int64{
	"DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2,
	"CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16,
}

// newLegacy opens a file of torch.save before version 1.6: pickles of a magic number, a version, what machine wrote it, the
// objects and the keys of the storages, and then for each of them the number of its entries and these.
func newLegacy(r io.ReaderAt, size int64) (*torchFile, error) {
	data := make([]byte, min(size, maxPickle))
	if n, err := r.ReadAt(data, 0); int64(n) < int64(len(data)) {
		return nil, err
	}
	m := machine{data: data}
	var values [5]any
	for i := range values {
		var err error
		if values[i], err = m.next(); err != nil {
			return nil, fmt.Errorf("part %d of a file of torch.save before version 1.6: %w", i+1, err)
		}
	}
	// Values of other kinds are not printed: a few bytes of a pickle can stand for 2^60 of them.
	switch version, ok := values[1].(int64); {
	case !ok:
		return nil, fmt.Errorf("protocol: got no number, want 1001; %s", resave)
	case version != 1001:
		return nil, fmt.Errorf("protocol: got %d, want 1001, that of torch.save from version 0.1.10 to 1.5; %s", version, resave)
	}
	if info, ok := values[2].(*dict); ok && !info.isLittle() {
		return nil, errors.New("byte order: got big, want little")
	}
	keys, ok := values[4].(*list)
	if !ok {
		return nil, errors.New("got no list of storages, want that of torch.save before version 1.6")
	}
	f := &torchFile{file: r, storages: map[string]storage{}, tensors: map[string]torchTensor{}}
	if err := f.placeStorages(*keys, m.references, int64(m.at), size); err != nil {
		return nil, err
	}
	return f, f.find(values[3], len(data))
}

// isLittle reports whether the entry little_endian does not say otherwise.
func (d *dict) isLittle() bool {
	for i, key := range d.keys {
		if key == "little_endian" {
			return d.values[i] != false
		}
	}
	return true
}

// placeStorages finds where every storage stands. Its class is in the references to it.
func (f *torchFile) placeStorages(keys list, references []persistent, at, size int64) error {
	classes := map[string]string{}
	for _, reference := range references {
		id, _ := reference.id.(tuple)
		if len(id) < 5 {
			continue
		}
		class, isClass := id[1].(global)
		key, isKey := id[2].(string)
		if isClass && isKey {
			classes[key] = class.name
		}
		if len(id) > 5 && id[5] != nil {
			return errors.New("got a storage that is a view of another one, as before version 0.4; " + resave)
		}
	}
	for i, value := range keys {
		key, isKey := value.(string)
		if !isKey {
			return fmt.Errorf("storage %d: got no name, want one; %s", i, resave)
		}
		entry, known := entrySizes[classes[key]]
		if !known {
			return fmt.Errorf("storage %.100q: got the type %.100q, want one of floats or integers; %s", key, strings.TrimSuffix(classes[key], "Storage"), resave)
		}
		var count [8]byte
		if n, err := f.file.ReadAt(count[:], at); n < len(count) {
			return err
		}
		at += int64(len(count))
		entries := int64(binary.LittleEndian.Uint64(count[:]))
		if entries < 0 || entries > (size-at)/entry {
			return fmt.Errorf("storage %.100q: got %d entries of %d bytes, want them to end within the %d bytes of the file", key, entries, entry, size)
		}
		start, length := at, entries*entry
		f.storages[key] = storage{size: length, packed: length, start: start, open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(f.file, start, length)), nil
		}}
		at += length
	}
	return nil
}
