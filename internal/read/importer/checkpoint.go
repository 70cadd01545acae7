package importer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/tensorfile"
)

// A checkpoint is the files that hold one network: a single one, or its shards.
type checkpoint struct {
	path   string   // names it: the file, or that of the shards without their number
	files  []string // in their order
	index  string   // path of the index of shards, "" for none
	mapped map[string]string
	beside []LeftOut // files of its folder that are no weights
}

// opened is a checkpoint whose files are open: their tensors together.
type opened struct {
	files  []*tensorfile.File
	names  []string
	holder map[string]*tensorfile.File
}

// open opens the files of c and checks that they are the whole network that an index
// promises.
func (c *checkpoint) open() (*opened, error) {
	o := &opened{holder: map[string]*tensorfile.File{}}
	for _, path := range c.files {
		f, err := tensorfile.Open(path)
		if err != nil {
			return nil, errors.Join(err, o.Close())
		}
		o.files = append(o.files, f)
		for _, name := range f.Names() {
			if other := o.holder[name]; other != nil {
				err := fmt.Errorf("importer: %s: tensor %q: got one in %s, too, want parts of one network; those of a tensor that was split have to be joined first",
					plain.Text(path), name, plain.Text(other.Path()))
				return nil, errors.Join(err, o.Close())
			}
			o.holder[name] = f
			o.names = append(o.names, name)
		}
	}
	if err := c.checkIndex(o); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// Close closes all files.
func (o *opened) Close() error {
	var failures []error
	for _, f := range o.files {
		failures = append(failures, f.Close())
	}
	return errors.Join(failures...)
}

// Info returns what a tensor is.
func (o *opened) Info(name string) (tensorfile.Info, error) {
	if f := o.holder[name]; f != nil {
		return f.Info(name)
	}
	return tensorfile.Info{}, fmt.Errorf("tensor %q: got no such tensor, want one of %s", name, tensorfile.List(o.names))
}

// scaleOf returns the name of the tensor without which the numbers of another one have no meaning: the scale of 8-bit
// floats. "" for none.
func (o *opened) scaleOf(name string) string {
	info, err := o.Info(name)
	if err != nil || !strings.HasPrefix(info.DType, "F8") && !strings.HasPrefix(info.DType, "float8") {
		return ""
	}
	stem, last := strings.TrimSuffix(name, lastPart(name)), lastPart(name)
	for _, scale := range []string{
		name + "_scale", name + "_scale_inv", name + ".scale", name + "_scale_2", stem + "scale", stem + "scale_" + last, stem + "weight_scale", stem + "scales",
	} {
		if o.holder[scale] != nil {
			return scale
		}
	}
	return ""
}

// shape returns the shape of a tensor, nil when there is none that can be told.
func (o *opened) shape(name string) []int {
	if o.holder[name] == nil {
		return nil
	}
	info, err := o.holder[name].Info(name)
	if err != nil {
		return nil
	}
	return info.Shape
}

// Read returns the entries of a tensor.
func (o *opened) Read(name string) ([]float64, error) { return o.holder[name].Read(name) }

// InPieces and ReadPiece are those of the file that holds a tensor.
func (o *opened) InPieces(name string) bool { return o.holder[name].InPieces(name) }

// ReadPiece fills dst with entries of a tensor.
func (o *opened) ReadPiece(name string, from int, dst []float64) error {
	return o.holder[name].ReadPiece(name, from, dst)
}

// afford is an error when the tensors of these names are more than their files may give.
func (o *opened) afford(names []string) error {
	for _, f := range o.files {
		own := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return o.holder[name] != f })
		if err := f.Afford(own...); err != nil {
			return err
		}
	}
	return nil
}

// use opens the checkpoint, calls do, and puts the path before an error that lacks it.
func (c *checkpoint) use(do func(*opened) error) error {
	f, err := c.open()
	if err != nil {
		return err
	}
	err = errors.Join(do(f), f.Close())
	if _, ok := errors.AsType[*tensorfile.Error](err); ok || err == nil {
		return err // names the file itself
	}
	return fmt.Errorf("importer: %s: %w", plain.Text(c.path), err)
}

// checkIndex compares the tensors with those that the index of the shards lists.
func (c *checkpoint) checkIndex(o *opened) error {
	for _, name := range slices.Sorted(maps.Keys(c.mapped)) {
		holder := o.holder[name]
		if holder == nil || !sameFile(holder.Path(), c.mapped[name]) {
			return fmt.Errorf("importer: %s: tensor %q: got none in %s, want what the index lists; is the shard of another version?",
				plain.Text(c.index), name, plain.Text(c.mapped[name]))
		}
	}
	return nil
}
