package study

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// A Run is one training, fully resolved: one data set, one point of the grid, one
// depth and one seed of a study.
type Run struct {
	ID    string // folder name, such as "separated-alpha0.75-L0064-s1-3f2a9c01"
	Hash  string // of everything the result depends on, see Runs
	Group string // of the same without depth and seed: runs of a group are compared over depth

	Study    string            // name of the study
	Base     string            // folder that relative paths of Data and Initial start from
	Settings map[string]string // the fields that grid and zip vary, path → value
	Files    []File            // what the run reads, with its content's hash

	Data            dataset.Spec
	Inputs, Outputs int // dimensions of the data
	Depth           int
	Seed            uint64
	DType           string // float64 or float32
	Network         resnet.Spec
	Initial         resnet.Initial
	Train           train.Spec
}

// A File is one that a run reads.
type File struct {
	Role   string `json:"role"` // "data.0", "data.1" in the order of dataset.Files; "initial.A" and so on
	Path   string `json:"path"` // relative to Base where it is below it
	SHA256 string `json:"sha256"`
}

// Runs returns the product of data sets, grid, zip, depths and seeds, in that order,
// every run resolved. It reads the files that the study names, for their dimensions
// and hashes.
//
// Hash is the SHA-256, in hex, of the canonical JSON of what the run's result depends
// on: data, depth, seed, element type, network, initial and train, all resolved, with
// the content's hash in the place of a file's path. The study's name, its folder, the
// form of the YAML and the grid's way of arriving at a value have no part in it. Group
// is the same with depth and seed left out, and with the file names of the initial
// weights as written where they contain {depth}. Two runs with one hash are an error.
//
// Errors are *Error, several of them joined.
func (s *Study) Runs() ([]Run, error) {
	r := resolver{study: s, dimensions: map[string][2]int{}, digests: digests{}, hashes: map[string]string{}, names: map[string]string{}}
	r.engine()
	for set := range dataCount(s.tree) {
		r.combine(s.tree, 0, set, map[string]string{})
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return r.runs, nil
}

// name returns the run's folder name: data set, settings, depth, seed and the first 8
// digits of the hash. It holds letters, digits, dots, dashes and underscores of ASCII
// alone, whatever the data set is called.
func (r *Run) name() string { return fmt.Sprintf("%s-s%d-%s", r.label(), r.Seed, r.Hash[:8]) }

// label is what name has before the seed.
func (r *Run) label() string {
	var b strings.Builder
	b.WriteString(safe(r.Data.Name, 40))
	for _, path := range sorted(r.Settings) {
		if b.Len() > 100 {
			break // the hash tells the rest apart
		}
		last := path[strings.LastIndexByte(path, '.')+1:]
		b.WriteString("-" + safe(last+r.Settings[path], 32))
	}
	fmt.Fprintf(&b, "-L%04d", r.Depth)
	return b.String()
}

// Ensemble names the runs that differ from this one in seed alone, as ID does with the
// seed left out and the digits of the group.
func (r *Run) Ensemble() string { return r.label() + "-" + r.Group[:8] }

// describe names the run in errors, where two of them share a hash.
func (r *Run) describe() string {
	var b strings.Builder
	b.WriteString(strconv.Quote(r.Data.Name))
	for _, path := range sorted(r.Settings) {
		fmt.Fprintf(&b, " %s=%s", path, r.Settings[path])
	}
	fmt.Fprintf(&b, " depth %d seed %d", r.Depth, r.Seed)
	return b.String()
}

// safe returns text with every character that is not safe in a file name replaced by
// an underscore, cut to at most most bytes, not beginning with a dot or dash.
func safe(text string, most int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'):
			return r
		}
		return '_'
	}, text)
	clean = strings.TrimLeft(clean, ".-")
	if clean == "" {
		return "_"
	}
	return clean[:min(len(clean), most)]
}
