// Package study reads a study file, one YAML mapping that describes depths, seeds,
// data, network, initial weights and training, and resolves it into runs: every
// default filled in, seed and content hash fixed.
//
// The file is strict. An unknown key, a value of another type, a value that its
// section cannot use: each is an *Error that says where it stands, what was found
// there and what would be accepted.
package study

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"unicode"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/internal/yamltext"
	"github.com/deeplimit/deeplimit/resnet"
)

// A Study is a study file as it was read, overrides applied. Its sections hold what
// is written, before the grid, without defaults, and zero for expressions; Runs resolves them.
type Study struct {
	File    string         // the name given to Load or Parse
	Text    []byte         // the file as it was read
	Set     []string       // the overrides given to Load or Parse
	Base    string         // the folder that relative paths in the file start from
	Name    string         // usable as a file name
	Depths  []int          // strictly increasing, positive
	Seeds   []uint64       // distinct; default 1
	DType   string         // float64 (default) or float32
	Data    []dataset.Spec // one or more
	Network resnet.Spec
	Initial resnet.Initial
	Train   train.Spec
	Engine  engine.Spec
	Axes    []Axis // what the grid varies, one axis for each key in file order, then the zip

	tree *node
}

// document is the study file's top level; nodes are read further by hand.
type document struct {
	Name    string         `yaml:"name"`
	Depths  *node          `yaml:"depths"`
	Seeds   *node          `yaml:"seeds"`
	DType   string         `yaml:"dtype"`
	Data    *node          `yaml:"data"`
	Network resnet.Spec    `yaml:"network"`
	Initial resnet.Initial `yaml:"initial"`
	Train   train.Spec     `yaml:"train"`
	// Parametrisation sets initial sizes, steps, decay and ε together (train.Parametrisations).
	Parametrisation string      `yaml:"parametrisation"`
	Grid            *node       `yaml:"grid"`
	Zip             *node       `yaml:"zip"`
	Engine          engine.Spec `yaml:"engine"`
}

// maxSeeds bounds `seeds: n`: more is a slip of the pen.
const maxSeeds = 1_000_000

// Load reads the study file of the given name, standard input for "-". Each element of set is an override
// path=value, such as "network.alpha=0.75", "data.samples=8" (with one data set),
// "data.1.samples=8" or "grid.network.alpha=[0.5, 1]"; the value is YAML.
//
// What Load checks is the form: keys, types, depths, seeds, the grid's paths, and that
// there are at most MaxRuns runs. Whether the sections' values make sense together is for
// Runs. Errors are *Error, several of them joined, except where the file cannot be read.
func Load(file string, set []string) (*Study, error) { return LoadWithin(file, set, MaxRuns) }

// LoadWithin is Load for a study of at most that many runs.
func LoadWithin(file string, set []string, most int) (*Study, error) {
	text, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	return ParseWithin(file, text, set, most)
}

// read returns the text of a study file, which may be a pipe; more than yamltext.Limit
// bytes are an error.
func read(name string) ([]byte, error) {
	file := os.Stdin
	if name != "-" {
		opened, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		file = opened
	}
	status, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := status.Size()
	var text []byte
	if size <= yamltext.Limit {
		text, err = io.ReadAll(io.LimitReader(file, yamltext.Limit+1))
		size = int64(len(text))
	}
	if err == nil && size > yamltext.Limit {
		err = &disk.TooLargeError{Path: name, Size: size, Limit: yamltext.Limit}
	}
	return text, err
}

// Parse is Load for a file whose text is at hand; name is what errors call it, and
// its folder is Base.
func Parse(name string, text []byte, set []string) (*Study, error) {
	return ParseWithin(name, text, set, MaxRuns)
}

// ParseWithin is Parse for a study of at most that many runs.
func ParseWithin(name string, text []byte, set []string, most int) (*Study, error) {
	tree, err := parse(text, place{file: name, line: 1, column: 1})
	if err != nil {
		return nil, err
	}
	if tree.kind != mapping {
		return nil, tree.fault("", fmt.Errorf("got %v, want a study: a YAML mapping with name, depths and data", tree.got()))
	}
	if tree, err = override(tree, name, set); err != nil {
		return nil, err
	}
	s := &Study{File: name, Text: text, Set: set, Base: filepath.Dir(name), tree: tree}
	d := decoder{formulas: true}
	var doc document
	d.decode("", tree, reflect.ValueOf(&doc).Elem())
	s.Name, s.Network, s.Initial, s.Train, s.Engine = doc.Name, doc.Network, doc.Initial, doc.Train, doc.Engine
	d.checkName(tree, doc.Name)
	s.Depths = d.depths(tree, doc.Depths)
	s.Seeds = d.seeds(doc.Seeds)
	s.DType = d.dtype(tree, doc.DType)
	s.Data = d.data(tree)
	if d.list == nil {
		s.Axes = d.axes(doc.Grid, doc.Zip)
	}
	if d.list == nil {
		d.checkCount(s, most)
	}
	if d.list == nil {
		d.checkAxes(s)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// checkName refuses a name that cannot be a file's on every system.
func (d *decoder) checkName(tree *node, name string) {
	n := tree.child("name")
	const want = "a name of letters, digits, dots, dashes and underscores that begins with a letter or digit, at most 100 of them"
	if n == nil || n.isNull() {
		d.add(tree.wrong("name", phrase("nothing"), want))
		return
	}
	if !n.isText() {
		return // the decoder has said so
	}
	ok := name != "" && len([]rune(name)) <= 100
	for i, r := range name {
		ok = ok && (unicode.IsLetter(r) || unicode.IsDigit(r) || i > 0 && (r == '.' || r == '-' || r == '_'))
	}
	if !ok {
		d.add(n.wrong("name", n.got(), want))
	}
}

// depths reads a list of positive, strictly increasing depths.
func (d *decoder) depths(tree, n *node) []int {
	if n == nil || n.isNull() {
		d.add(tree.wrong("depths", phrase("nothing"), "a list of depths, such as [16, 64, 256]"))
		return nil
	}
	before := len(d.list)
	var depths []int
	d.decode("depths", n, reflect.ValueOf(&depths).Elem())
	if len(d.list) > before {
		return nil
	}
	if len(depths) == 0 {
		d.add(n.wrong("depths", phrase("an empty list"), "at least one depth"))
	}
	for i, depth := range depths {
		path := join("depths", strconv.Itoa(i))
		switch {
		case depth < 1:
			d.add(n.items[i].wrong(path, depth, "a depth ≥ 1"))
		case i > 0 && depth <= depths[i-1]:
			d.add(n.items[i].wrong(path, depth, fmt.Sprintf("a depth above %d, the one before it", depths[i-1])))
		}
	}
	return depths
}

// seeds reads a count n, which stands for 1..n, or a list of distinct seeds.
func (d *decoder) seeds(n *node) []uint64 {
	if n == nil || n.isNull() {
		return []uint64{1}
	}
	if n.kind != sequence {
		count, err := parseInt(n.text)
		if n.kind != scalar || n.quoted || err != nil || count < 1 || count > maxSeeds {
			d.add(n.wrong("seeds", n.got(), fmt.Sprintf("how many seeds, from 1 to %d, or a list of them", maxSeeds)))
			return nil
		}
		seeds := make([]uint64, count)
		for i := range seeds {
			seeds[i] = uint64(i) + 1
		}
		return seeds
	}
	var seeds []uint64
	before := len(d.list)
	d.decode("seeds", n, reflect.ValueOf(&seeds).Elem())
	if len(d.list) > before {
		return nil
	}
	if len(seeds) == 0 {
		d.add(n.wrong("seeds", phrase("an empty list"), "at least one seed"))
	}
	first := map[uint64]int{}
	for i, seed := range seeds {
		if j, ok := first[seed]; ok {
			d.add(n.items[i].wrong(join("seeds", strconv.Itoa(i)), seed, fmt.Sprintf("each seed once (it is seeds.%d already)", j)))
			continue
		}
		first[seed] = i
	}
	return seeds
}

// dtype returns the element type, float64 unless given.
func (d *decoder) dtype(tree *node, dtype string) string {
	n := tree.child("dtype")
	if n == nil || n.isNull() {
		return "float64"
	}
	if err := field.OneOf("dtype", dtype, "float64", "float32"); err != nil && n.isText() {
		d.add(n.fault("dtype", err))
	}
	return dtype
}

// data reads one data set, a mapping, or a list of them.
func (d *decoder) data(tree *node) []dataset.Spec {
	n := tree.child("data")
	switch {
	case n == nil || n.isNull():
		d.add(tree.wrong("data", phrase("nothing"), "a data set, such as {kind: digits}, or a list of them"))
		return nil
	case n.kind == scalar:
		d.add(n.wrong("data", n.got(), "a data set, such as {kind: digits}, or a list of them"))
		return nil
	case n.kind == sequence && len(n.items) == 0:
		d.add(n.wrong("data", phrase("an empty list"), "at least one data set"))
		return nil
	}
	sets := make([]dataset.Spec, dataCount(tree))
	for i := range sets {
		path := dataPath(tree, i)
		section := tree.find(path)
		if section.isNull() {
			d.add(section.wrong(path, phrase("nothing"), "a data set, such as {kind: digits}"))
			continue
		}
		d.decode(path, section, reflect.ValueOf(&sets[i]).Elem())
	}
	return sets
}

// dataCount returns the number of data sets in a tree.
func dataCount(tree *node) int {
	if n := tree.child("data"); n != nil && n.kind == sequence {
		return len(n.items)
	}
	return 1
}

// dataPath returns where data set i stands: data when the file has one mapping there,
// data.i in a list.
func dataPath(tree *node, i int) string {
	if n := tree.child("data"); n != nil && n.kind == sequence {
		return "data." + strconv.Itoa(i)
	}
	return "data"
}
