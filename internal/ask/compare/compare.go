// Package compare measures distances between trained networks: of their outputs and hidden states, evaluated on the
// same inputs, and of their weights and displacements as functions of s = k/L.
//
// # Distances
//
// With L^β the factor that rescales weights, a distance is
//
//	outputs       ( (1/N) Σ_i ‖ŷ(x_i) − ŷ′(x_i)‖² )^½
//	states        ( ∫_0^1 (1/N) Σ_i ‖h_s(x_i) − h′_s(x_i)‖² ds )^½,  h linear between s = k/L, k = 0..L
//	weights       ( ∫_0^1 ‖(L^β A − L′^β A′)(s)‖_F² ds )^½,  A_k on ((k − 1)/L, k/L]
//	displacement  the same of A(T) − A(0)
//
// for norm l2. Norm sup takes the largest over s (over i for outputs) in the place of the mean, and integral
// sup_s ‖∫_0^s‖, which layer noise vanishes in. Weights of block mlp are V and W together.
package compare

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/surface"
)

// Options of Study.
type Options struct {
	Of      string // outputs, states, weights or displacement; outputs when empty
	Between string // depths, seeds, groups or all; what suits To when empty
	// To is what every run is compared with: deepest, widest or mean, the first two also of the mean over seeds
	// (deepest-mean, widest-mean), or a folder of a run or of a study whose runs differ in seed alone, for their mean.
	// Empty for all pairs.
	To      string
	Norm    string   // l2, sup or integral; l2 when empty
	Parts   []string // of weights; A, or V and W when empty
	Permute bool     // the least distance over the orders of the hidden units of every layer
	Inputs  string   // train, test or a .npy file of shape (N,inputs); train when empty
	Base    string   // as of plan.Recorded
	Only    []string // conditions on runs, as of package filter
	In      []string // fields of the exponents; what varies when empty
	Model   *surface.Model
	Workers int                   // runs and pairs at a time; GOMAXPROCS when 0
	Observe func(done, total int) // as of analyze.Options
}

// A Result is what was measured.
type Result struct {
	Of        string   `json:"of"`
	Between   string   `json:"between,omitempty"`
	To        string   `json:"to,omitempty"`
	Norm      string   `json:"norm"`
	Permuted  bool     `json:"permuted,omitempty"`
	Parts     []string `json:"parts,omitempty"`
	Inputs    string   `json:"inputs,omitempty"`
	Samples   int      `json:"samples,omitempty"`   // that outputs and states are of
	Reference []string `json:"reference,omitempty"` // runs whose mean the folder To is
	Pairs     []Pair   `json:"pairs"`
	// Exponents are those of the distance in what varies.
	Exponents []Exponent `json:"exponents"`
	// Fits are those of Options.Model.
	Fits []surface.Fit `json:"fits,omitempty"`
	// Powers are the fits of Exponents, for figures.
	Powers []surface.Fit `json:"-"`
	Notes  []string      `json:"notes,omitempty"`
	Runs   []Labelled    `json:"runs"`
}

// A Pair is how far two runs are apart.
type Pair struct {
	A        string  `json:"a"`
	B        string  `json:"b"` // a run, or the mean over seeds of the runs that it names
	Distance float64 `json:"distance"`
	// DepthA and SeedA are those of A, and so on; SeedB is null of a mean.
	DepthA int     `json:"depth_a"`
	DepthB int     `json:"depth_b"`
	SeedA  uint64  `json:"seed_a"`
	SeedB  *uint64 `json:"seed_b"`
}

// An Exponent is that of the distance in one field, with its 95 % interval.
type Exponent struct {
	In       string            `json:"in"`
	Exponent float64           `json:"exponent"`
	Low      *float64          `json:"low"`
	High     *float64          `json:"high"`
	At       map[string]string `json:"at,omitempty"`
	Along    []string          `json:"along,omitempty"`
	R2       float64           `json:"r2"`
	Method   string            `json:"method"`
	Points   int               `json:"points"`
	Seeds    []uint64          `json:"seeds"`
	Warning  string            `json:"warning,omitempty"`
}

// A Labelled is a run that was compared, with what tells it from the others.
type Labelled struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// resolve fills in defaults; what is wrong is a *field.Error.
func (o Options) resolve() (Options, error) {
	if o.Of == "" {
		o.Of = "outputs"
	}
	if o.Norm == "" {
		o.Norm = "l2"
	}
	if o.Inputs == "" {
		o.Inputs = "train"
	}
	if o.Between == "" {
		switch o.To {
		case "", "deepest", "deepest-mean":
			o.Between = "depths"
		case "widest", "widest-mean":
			o.Between = "groups"
		case "mean":
			o.Between = "seeds"
		}
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	for _, check := range []struct {
		path, value string
		known       []string
	}{
		{"of", o.Of, []string{"outputs", "states", "weights", "displacement"}},
		{"norm", o.Norm, []string{"l2", "sup", "integral"}},
		{"between", o.Between, []string{"depths", "seeds", "groups", "all", ""}},
	} {
		if !slices.Contains(check.known, check.value) {
			return o, field.OneOf(check.path, check.value, slices.DeleteFunc(check.known, func(s string) bool { return s == "" })...)
		}
	}
	return o, o.consistent()
}

// consistent returns a *field.Error for options that do not go together.
func (o Options) consistent() error {
	network := o.Of == "outputs" || o.Of == "states"
	size := strings.TrimSuffix(o.To, "-mean")
	switch {
	case network && o.Permute:
		return &field.Error{Path: "permute", Got: true, Want: "it with --of weights or displacement: the order of hidden units changes neither outputs nor states"}
	case network && len(o.Parts) > 0:
		return &field.Error{Path: "part", Got: o.Parts, Want: "it with --of weights or displacement"}
	case !network && o.Inputs != "train":
		return &field.Error{Path: "inputs", Got: o.Inputs, Want: "it with --of outputs or states: weights need no inputs"}
	case o.Of == "outputs" && o.Norm == "integral":
		return &field.Error{Path: "norm", Got: o.Norm, Want: "l2 or sup of outputs, which are no functions of k/L"}
	case o.Permute && o.Norm == "integral":
		return &field.Error{Path: "norm", Got: o.Norm, Want: "l2 or sup with --permute: an integral over layers with orders of their own means nothing"}
	case o.Permute && (o.To == "mean" || o.To == "deepest-mean" || o.To == "widest-mean"):
		return &field.Error{Path: "to", Got: o.To, Want: "a run with --permute: a mean over seeds whose units have orders of their own means nothing"}
	case o.Between == "all" && o.To != "":
		return &field.Error{Path: "between", Got: o.Between, Want: "it without --to: every run has the one reference"}
	case o.Between == "all" && (len(o.In) > 0 || o.Model != nil):
		return &field.Error{Path: "between", Got: o.Between, Want: "depths, seeds or groups for exponents and models: runs that differ in all have none in common"}
	case size == "deepest" && o.Between != "depths":
		return &field.Error{Path: "between", Got: o.Between, Want: "depths with --to " + o.To}
	case size == "widest" && o.Between != "groups":
		return &field.Error{Path: "between", Got: o.Between, Want: "groups with --to " + o.To}
	case o.To == "mean" && o.Between != "seeds":
		return &field.Error{Path: "between", Got: o.Between, Want: "seeds with --to mean, or --to deepest-mean or widest-mean"}
	}
	return nil
}

// Study measures the runs of a study folder. It writes nothing.
//
// Runs that are unfinished, diverged or damaged are left out with a note. Runs with samples of their own, or of
// different shape, cannot be compared, which is an error that says what to choose.
func Study(ctx context.Context, dir string, options Options) (*Result, error) {
	o, err := options.resolve()
	if err != nil {
		return nil, err
	}
	c := &comparison{options: o, result: &Result{
		Of: o.Of, Between: o.Between, To: o.To, Norm: o.Norm, Permuted: o.Permute, Pairs: []Pair{}, Exponents: []Exponent{}, Runs: []Labelled{},
	}}
	if err := c.open(dir); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if err := c.read(ctx); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if err := c.measure(ctx); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if err := c.fit(); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	c.label()
	return c.result, nil
}

// measure computes the distance of every pair.
func (c *comparison) measure(ctx context.Context) error {
	pairs, err := c.pairs()
	if err != nil {
		return err
	}
	if len(pairs) == 0 {
		want := "two or more"
		if c.options.Between != "all" {
			want = "runs that differ in " + c.options.Between + " alone"
		}
		return fmt.Errorf("got no two runs to compare among %d, want %s", len(c.members), want)
	}
	c.compared = pairs
	c.result.Pairs = make([]Pair, len(pairs))
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(c.options.Workers)
	for i, p := range pairs {
		workers.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			d, err := c.distance(p.a.profile, p.b.profile)
			if err != nil {
				return fmt.Errorf("%s and %s: %w", p.a.id, p.b.id, err)
			}
			pair := Pair{A: p.a.id, B: p.b.id, Distance: d, DepthA: p.a.depth, DepthB: p.b.depth, SeedA: p.a.seeds[0]}
			if len(p.b.seeds) == 1 {
				pair.SeedB = &p.b.seeds[0]
			}
			c.result.Pairs[i] = pair
			return nil
		})
	}
	return workers.Wait()
}
