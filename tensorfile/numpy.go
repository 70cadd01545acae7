package tensorfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deeplimit/deeplimit/internal/npy"
)

// array is a .npy file: one tensor without a name.
type array struct {
	r     *io.SectionReader
	size  int64
	about Info
}

func newArray(r *io.SectionReader, size int64) (*array, error) {
	shape, dtype, err := npy.DecodeHeader(r, size)
	if err != nil {
		return nil, err
	}
	return &array{r, size, Info{dtype, shape}}, nil
}

func (a *array) names() []string           { return []string{""} }
func (a *array) info(string) (Info, error) { return a.about, nil }

func (a *array) read(string) ([]float64, error) {
	if _, err := a.r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	_, data, err := npy.Decode(a.r, a.size)
	return data, err
}

// newArchive opens a zip archive: one of PyTorch if it has a data.pkl, else a .npz file.
func newArchive(r io.ReaderAt, size int64) (source, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("zip archive: %w", err)
	}
	members := make(map[string]*zip.File, len(archive.File))
	for _, member := range archive.File {
		if members[member.Name] != nil {
			return nil, fmt.Errorf("zip archive: got two members %q, want names that differ", member.Name)
		}
		members[member.Name] = member
	}
	for name := range members {
		if folder, ok := strings.CutSuffix(name, "/data.pkl"); ok {
			return newTorch(r, members, folder)
		}
	}
	if members["model.weights.h5"] != nil {
		return nil, errors.New("got an archive of Keras; " + fromKeras)
	}
	return newArrays(archive.File)
}

// arrays is a .npz file: a zip archive of .npy files. Other members are ignored. An array of
// an unsupported type is an error when it is read, not when the file is opened.
type arrays struct {
	order   []string
	members map[string]*zip.File // by name without .npy
}

func newArrays(members []*zip.File) (*arrays, error) {
	a := &arrays{members: make(map[string]*zip.File, len(members))}
	for _, member := range members {
		if name, ok := strings.CutSuffix(member.Name, ".npy"); ok {
			a.order = append(a.order, name)
			a.members[name] = member
		}
	}
	if len(a.order) == 0 {
		return nil, errors.New("zip archive: got no .npy file in it, want some, as numpy.savez writes them")
	}
	return a, nil
}

func (a *arrays) names() []string { return a.order }

func (a *arrays) info(name string) (info Info, err error) {
	err = a.open(name, func(r io.Reader, size int64) error {
		info.Shape, info.DType, err = npy.DecodeHeader(r, size)
		return err
	})
	return info, err
}

func (a *arrays) read(name string) (data []float64, err error) {
	err = a.open(name, func(r io.Reader, size int64) error {
		if _, data, err = npy.Decode(r, size); err != nil {
			return err
		}
		return drain(r)
	})
	return data, err
}

// open calls use with the content of a member and the size that the archive declares.
func (a *arrays) open(name string, use func(r io.Reader, size int64) error) error {
	member := a.members[name]
	r, err := member.Open()
	if err != nil {
		return err
	}
	size := int64(member.UncompressedSize64)
	if size < 0 {
		return errors.Join(fmt.Errorf("got a size of %d bytes", member.UncompressedSize64), r.Close())
	}
	return errors.Join(use(r, size), r.Close())
}

// drain reads r to its end, where package zip verifies size and checksum.
func drain(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
