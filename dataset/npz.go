package dataset

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/npy"
)

// arrayFile splits the name of an array into its file and the member of a .npz file behind a colon.
func arrayFile(name string) (path, member string) {
	if i := strings.LastIndex(strings.ToLower(name), ".npz:"); i >= 0 {
		return name[:i+4], name[i+5:]
	}
	return name, ""
}

// Member returns the name of the array in a .npz file, from Spec.Inputs or Spec.Targets; "" if
// there is none.
func Member(name string) string {
	_, member := arrayFile(name)
	return member
}

func isArchive(path string) bool { return strings.EqualFold(filepath.Ext(path), ".npz") }

// inArchive calls use with a member of a .npz file, which is a .npy file, and its size. Without a
// name the archive must have a single member.
func (a *array) inArchive(use func(r io.Reader, size int64) error) error {
	archive, err := zip.OpenReader(a.path)
	if err != nil {
		return bare(err)
	}
	defer archive.Close()
	var names []string
	var found *zip.File
	for _, f := range archive.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		names = append(names, name)
		if name == a.member || a.member == "" && len(archive.File) == 1 {
			if found != nil {
				return fmt.Errorf("got two arrays %q, want names that differ", name)
			}
			found = f
		}
	}
	switch shown := quoted(names); {
	case len(names) == 0:
		return errors.New("got no arrays, want those of numpy.savez")
	case a.member == "" && found == nil:
		return fmt.Errorf("got %d arrays, want one of them behind a colon, as in %s:%s, among %s", len(names), filepath.Base(a.path), names[0], shown)
	case found == nil:
		return fmt.Errorf("got no array %q, want one of %s", a.member, shown)
	}
	a.member = strings.TrimSuffix(found.Name, ".npy")
	r, err := found.Open()
	if err != nil {
		return err
	}
	size := int64(min(found.UncompressedSize64, math.MaxInt64))
	return errors.Join(use(r, size), r.Close())
}

// header reads the shape of the array.
func (a *array) header() (err error) {
	if !isArchive(a.path) {
		a.shape, err = npy.Shape(a.path)
		return err
	}
	return a.inArchive(func(r io.Reader, size int64) error {
		a.shape, _, err = npy.DecodeHeader(r, size)
		return err
	})
}

// maxRatio bounds the memory of the numbers relative to the size of a .npz file; leastPacked bytes
// are always allowed. Images of bytes with many zeros are a fortieth of their size as float64.
const (
	maxRatio    = 64
	leastPacked = 1 << 28
)

// content reads the numbers of the array.
func (a *array) content() (values []float64, err error) {
	if !isArchive(a.path) {
		_, values, err = npy.Read(a.path)
		return values, err
	}
	packed, err := fileSize(a.path)
	if err != nil {
		return nil, err
	}
	if need := 8 * int64(a.rows) * int64(a.columns); need > max(leastPacked, maxRatio*packed) {
		return nil, fmt.Errorf("got %d bytes for %d of numbers, want at most %d times as many (save the array as .npy)", packed, need, maxRatio)
	}
	err = a.inArchive(func(r io.Reader, size int64) error {
		if _, values, err = npy.Decode(r, size); err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, r) // package zip verifies the checksum at the end
		return err
	})
	return values, err
}

// quoted lists names for a message, the first ten of them.
func quoted(names []string) string {
	slices.Sort(names)
	var texts []string
	for _, name := range names[:min(len(names), 10)] {
		texts = append(texts, fmt.Sprintf("%.60q", name))
	}
	text := strings.Join(texts, ", ")
	if more := len(names) - len(texts); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
