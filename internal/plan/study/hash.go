package study

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// format returns what every hash begins with. A change of what a resolved configuration
// means, with the same fields, must change it, so that old results are not taken for new
// ones; for the runs alone that it changes, so that other results stay of use.
//
//	1  the first
//	2  rule depth has a law for each method and network; Armijo's rule stops at the floor of
//	   the loss; the end of a run in float32 is evaluated in float64
func (r *Run) format() string {
	alpha, step := *r.Network.Alpha, r.Train.Step
	law := step.Rule == "depth" && (r.Train.Method == "adam" || train.DepthExponent(r.Train.Method, r.Network) != 2*alpha-1)
	if law || step.Rule == "armijo" || r.DType == "float32" {
		return "deeplimit run 2"
	}
	return "deeplimit run 1"
}

// canonical is what a hash is taken of: JSON with the fields in this order, map keys
// sorted, numbers in their shortest form that reads back the same.
type canonical struct {
	Format  string         `json:"format"`
	Data    dataset.Spec   `json:"data"`
	Files   []File         `json:"files"`
	Depth   int            `json:"depth"`
	Seed    uint64         `json:"seed"`
	DType   string         `json:"dtype"`
	Network resnet.Spec    `json:"network"`
	Initial resnet.Initial `json:"initial"`
	Train   train.Spec     `json:"train"`
	// Expressions are those of depth, of a group alone.
	Expressions map[string]string `json:"expressions,omitempty"`
}

// canonical returns the run's configuration without file names.
func (r *Run) canonical() canonical {
	c := canonical{
		Format: r.format(), Data: r.Data, Files: slices.Clone(r.Files), Depth: r.Depth, Seed: r.Seed,
		DType: r.DType, Network: r.Network, Initial: r.Initial, Train: r.Train,
	}
	c.Data.Path, c.Data.TestPath = "", ""
	for _, name := range []*string{&c.Data.Inputs, &c.Data.Targets, &c.Data.TestInputs, &c.Data.TestTargets} {
		*name = dataset.Member(*name)
	}
	for i := range c.Files {
		c.Files[i].Path = ""
	}
	c.Initial.Parts = maps.Clone(r.Initial.Parts)
	for name, part := range c.Initial.Parts {
		part.Path = ""
		c.Initial.Parts[name] = part
	}
	return c
}

// digest returns the run's Hash.
func (r *Run) digest() string { return r.canonical().digest() }

// Kin returns the digest of all that Hash is taken of but when the run stops, with the times of its
// schedule, which may follow from that: of runs of one kin, one that ends later may go on from another.
func (r *Run) Kin() string {
	c := r.canonical()
	c.Train.Stop.Loss, c.Train.Stop.Iterations = 0, nil
	c.Train.Step.Every, c.Train.Step.Warmup, c.Train.Step.Cooldown = 0, 0, 0
	return c.digest()
}

// group returns the run's Group. pattern is the initial section resolved for no depth
// in particular, expressions what a depth makes of it; unless seeded, the data's seed is that of the
// run and left out, too.
func (r *Run) group(seeded bool, pattern resnet.Initial, expressions map[string]string) string {
	c := r.canonical()
	c.Expressions = expressions
	c.Depth, c.Seed = 0, 0
	if !seeded {
		c.Data.Seed = nil
	}
	for i, f := range c.Files {
		name, initial := strings.CutPrefix(f.Role, "initial.")
		if path := pattern.Parts[name].Path; initial && strings.Contains(path, "{depth}") {
			c.Files[i] = File{Role: f.Role, Path: path}
		}
	}
	return c.digest()
}

// digest returns the hexadecimal SHA-256 of the canonical JSON.
func (c canonical) digest() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic("study: a resolved configuration has no JSON: " + err.Error()) // no section can hold NaN, a channel or a function
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Step returns the step sizes of the run: the rule's law at its depth, and the schedule.
func (r *Run) Step() *runfolder.StepLaw {
	law := r.Train.At(r.Depth, r.Network)
	return &law
}

// trainConfig is the train section of run.json: with the schedule by name, and with what
// the step's law gives at this depth.
type trainConfig struct {
	train.Spec
	Step stepConfig `json:"step"`
}

type stepConfig struct {
	train.Step
	Schedule string   `json:"schedule"`
	Exponent *float64 `json:"exponent,omitempty"`
	First    *float64 `json:"first,omitempty"`
}

// Config returns the resolved configuration as JSON for run.json: what the hash is
// taken of, with file names, the study's name and settings, and the step at this depth.
func (r *Run) Config() json.RawMessage {
	law := r.Step()
	section := trainConfig{r.Train, stepConfig{r.Train.Step, law.Schedule, law.Exponent, law.First}}
	text, err := json.Marshal(struct {
		Study    string            `json:"study"`
		Settings map[string]string `json:"settings,omitempty"`
		Data     dataset.Spec      `json:"data"`
		Files    []File            `json:"files,omitempty"`
		Depth    int               `json:"depth"`
		Seed     uint64            `json:"seed"`
		DType    string            `json:"dtype"`
		Network  resnet.Spec       `json:"network"`
		Initial  resnet.Initial    `json:"initial"`
		Train    trainConfig       `json:"train"`
	}{r.Study, r.Settings, r.Data, r.Files, r.Depth, r.Seed, r.DType, r.Network, r.Initial, section})
	if err != nil {
		panic("study: a resolved configuration has no JSON: " + err.Error())
	}
	return text
}

// ParseConfig returns the run that Config was called of, as far as its network, samples and
// training go: without names, hash and group.
func ParseConfig(config json.RawMessage) (Run, error) {
	var c canonical
	if err := json.Unmarshal(config, &c); err != nil {
		return Run{}, err
	}
	if c.Train.WeightDecay == nil {
		c.Train.WeightDecay = new(train.Decay(0))
	}
	return Run{Data: c.Data, Files: c.Files, Depth: c.Depth, Seed: c.Seed, DType: c.DType, Network: c.Network, Initial: c.Initial, Train: c.Train}, nil
}

// Recorded is ParseConfig for a run folder's run.json, held to the hash that is recorded there: an
// error where this program gives that configuration another hash, as it means something else by it.
func Recorded(meta *runfolder.Meta) (Run, error) {
	run, err := ParseConfig(meta.Config)
	if err != nil {
		return Run{}, fmt.Errorf("study: run %s: config: %w", meta.ID, err)
	}
	if run.Network.Alpha == nil || run.Train.Stop.Iterations == nil {
		return Run{}, fmt.Errorf("study: run %s: got a configuration that is not resolved", meta.ID)
	}
	run.ID, run.Hash, run.Group, run.Base = meta.ID, meta.Hash, meta.Group, meta.Base
	if hash := run.digest(); hash != meta.Hash {
		return Run{}, fmt.Errorf("study: run %s: got a configuration with hash %s, want the recorded %s", meta.ID, hash, meta.Hash)
	}
	return run, nil
}

// digests holds the hexadecimal SHA-256 of each file read so far, by path.
type digests map[string]string

func (d digests) of(path string) (string, error) {
	if sum, ok := d[path]; ok {
		return sum, nil
	}
	// A pipe or a device would block or never end.
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", errors.New("it is no regular file")
	} else if err := machine.Fits(float64(info.Size())); err != nil {
		return "", err // it is to be read whole
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	d[path] = hex.EncodeToString(h.Sum(nil))
	return d[path], nil
}

// reason returns why a file cannot be read, without its name.
func reason(err error) string {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// clone returns a copy of m, nil where it is empty.
func clone(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return maps.Clone(m)
}
