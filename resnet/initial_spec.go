package resnet

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
)

// Initial is the `initial` section of a study file: how the weights of every
// layer start. Entries are amplitude · L^−exponent times a standard draw.
type Initial struct {
	// Kind is one of: normal; truncated-normal (at ±2, not rescaled); uniform
	// (variance 1, on [−√3, √3]); constant; zero; gaussian-process (smooth in
	// k/L, squared-exponential kernel); fractional-brownian (its values at k/L);
	// fractional-noise (its increments, variance 1); file. Default normal.
	Kind string `yaml:"kind,omitempty" json:"kind,omitempty"`
	// Amplitude defaults to 1/d (d the width), 0 for kind zero.
	Amplitude *float64 `yaml:"amplitude,omitempty" json:"amplitude,omitempty"`
	// Exponent is ρ in L^−ρ; default β + 1/2.
	Exponent *float64 `yaml:"exponent,omitempty" json:"exponent,omitempty"`
	// Tied makes one draw for all layers (normal, truncated-normal, uniform).
	Tied bool `yaml:"tied,omitempty" json:"tied,omitempty"`
	// Coupled draws the layer noise (normal, fractional-noise, fractional-brownian) from one path
	// per seed, shared by all depths: A_k ∝ B(k/L) − B((k−1)/L). For the fractional
	// kinds the path is drawn on a grid, so L must divide CoupledGrid.
	Coupled bool `yaml:"coupled,omitempty" json:"coupled,omitempty"`
	// Hurst is the Hurst exponent H of the fractional kinds, in (0,1); default 1/2.
	Hurst float64 `yaml:"hurst,omitempty" json:"hurst,omitempty"`
	// Length is the correlation length ℓ of gaussian-process, in units of k/L, from 1e-4
	// (a draw costs about 1/ℓ) to 1e4 (where a path is constant to 1e-4); default 0.1.
	Length float64 `yaml:"length,omitempty" json:"length,omitempty"`
	// Path names the file of kind file, and may hold {depth}: a .npy array (L,d,d), or
	// (L,d,m) for V and (L,m,d) for W, or a .safetensors file with a tensor of the
	// group's name. A .safetensors file of the section, not of a part, gives every group that it holds:
	// b, c, delta, E and C, too.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
	// Bias names the (L,d) file for b of kind file; zero when absent and not in the file of Path.
	Bias string `yaml:"bias,omitempty" json:"bias,omitempty"`
	// Embed and Readout multiply the orthonormal E and C; default 1, for which they are left 0.
	Embed   float64 `yaml:"embed,omitempty" json:"embed,omitempty"`
	Readout float64 `yaml:"readout,omitempty" json:"readout,omitempty"`
	// Parts overrides the above for a parameter group on its own: A, V, W, b, c.
	// Without it b and c start at zero and V, W as the rest says. A part takes what
	// it leaves out from the section, as far as its kind has a use for it; it is tied
	// or coupled when it or the section says so.
	Parts map[string]Initial `yaml:"parts,omitempty" json:"parts,omitempty"`
}

// CoupledGrid is the number of points of [0,1] on which the coupled fractional kinds
// draw their path; the depth must divide it.
const CoupledGrid = 1 << 16

// The range of Initial.Length.
const minLength, maxLength = 1e-4, 1e4

// depthMark stands for the depth in a file name.
const depthMark = "{depth}"

// Resolve returns how every parameter group of spec's block starts: an Initial whose
// Parts has one complete entry for each of A, or V and W, and with a bias b, and c
// for block mlp, and which holds nothing else but Embed and Readout. A complete entry has its kind, and
// the fields which that kind uses:
//
//	every random kind, constant    Amplitude and Exponent, not nil
//	zero                           Amplitude, zero
//	fractional-brownian, -noise    Hurst in (0,1)
//	gaussian-process               Length in [1e-4, 1e4]
//	file                           Path, with {depth} replaced
//
// Depth 0 stands for no depth in particular: {depth} stays as it is, and what
// depends on the depth is not checked. Resolving a resolved Initial changes nothing.
//
// spec must be resolved. A field that is wrong, or that no part has a use for, is
// refused with a *field.Error whose path is relative to the section.
func (i Initial) Resolve(spec Spec, depth int) (Initial, error) {
	if spec.Alpha == nil || spec.Width < 1 || depth < 0 {
		return Initial{}, fmt.Errorf("resnet: Initial.Resolve: got depth %d and width %d, want depth ≥ 0 and a resolved network section", depth, spec.Width)
	}
	if err := i.checkKeys(spec); err != nil {
		return Initial{}, err
	}
	frames, err := i.frames(spec)
	if err != nil {
		return Initial{}, err
	}
	resolved := Initial{Embed: frames[0], Readout: frames[1], Parts: map[string]Initial{}}
	used := map[string]bool{} // the fields of the section that some part uses
	for _, name := range partNames(spec) {
		part, err := i.part(name, spec, used)
		if err == nil {
			err = part.check(depth)
		}
		if err != nil {
			return Initial{}, i.place(name, err)
		}
		if depth > 0 {
			part.Path = strings.ReplaceAll(part.Path, depthMark, strconv.Itoa(depth))
		}
		resolved.Parts[name] = part
	}
	for _, f := range i.settings() {
		if !used[f.name] {
			return Initial{}, &field.Error{Path: f.name, Got: f.value, Want: "it left out, as no part is of a kind that uses it (" + strings.Join(users(f.name), ", ") + ")"}
		}
	}
	return resolved, nil
}

// place puts the path of err, which is about the named part, where the wrong value
// stands: in the part, or in the section when the part inherits it.
func (i Initial) place(name string, err error) error {
	e, ok := err.(*field.Error)
	part, own := i.Parts[name]
	has := func(settings []setting) bool {
		return slices.ContainsFunc(settings, func(s setting) bool { return s.name == e.Path })
	}
	switch {
	case !ok:
		return err
	case name == "b" && !own && e.Path == "path":
		return &field.Error{Path: "bias", Got: e.Got, Want: e.Want}
	case own && (has(part.settings()) || !has(i.settings())):
		return field.Under("parts."+name, err)
	}
	return err
}

// partNames lists the groups of a block's layer: weights first, then biases.
func partNames(spec Spec) []string {
	names := []string{"A"}
	if spec.Block == "mlp" {
		names = []string{"V", "W"}
	}
	if spec.Bias {
		names = append(names, "b")
		if spec.Block == "mlp" {
			names = append(names, "c")
		}
	}
	return names
}

// checkKeys refuses kinds that do not exist, parts that the block does not have, and
// what makes no sense inside a part.
func (i Initial) checkKeys(spec Spec) error {
	if err := field.OneOf("kind", cmp.Or(i.Kind, "normal"), kindNames()...); err != nil {
		return err
	}
	names := partNames(spec)
	for _, name := range slices.Sorted(maps.Keys(i.Parts)) {
		path, part := "parts."+name, i.Parts[name]
		switch {
		case (name == "b" || name == "c") && !spec.Bias:
			return &field.Error{Path: path, Got: name, Want: strings.Join(names, " or ") + " (the network has no bias: set network.bias)"}
		case !slices.Contains(names, name):
			return &field.Error{Path: path, Got: name, Want: strings.Join(names, " or ") + ", the parts of block " + spec.Block}
		case part.Parts != nil:
			return &field.Error{Path: path + ".parts", Got: "parts", Want: "no parts inside a part"}
		case part.Embed != 0 || part.Readout != 0:
			return &field.Error{Path: path, Got: "embed or readout", Want: "them in the section initial itself"}
		case part.Bias != "":
			return &field.Error{Path: path + ".bias", Got: part.Bias, Want: "a part b of kind file instead"}
		}
		if part.Kind != "" {
			if err := field.OneOf(path+".kind", part.Kind, kindNames()...); err != nil {
				return err
			}
		}
	}
	if i.Bias == "" {
		return nil
	}
	switch _, own := i.Parts["b"]; {
	case i.Kind != "file":
		return &field.Error{Path: "bias", Got: i.Bias, Want: "kind: file beside it, or parts: {b: {kind: file, path: …}}"}
	case !spec.Bias:
		return &field.Error{Path: "bias", Got: i.Bias, Want: "network.bias: true, or no file for it"}
	case own:
		return &field.Error{Path: "bias", Got: i.Bias, Want: "either bias or parts.b"}
	}
	return nil
}

// part returns the named group's entry with everything it inherits filled in, and
// marks in used the fields of the section it inherited.
func (i Initial) part(name string, spec Spec, used map[string]bool) (Initial, error) {
	p, own := i.Parts[name]
	if !own && (name == "b" || name == "c") {
		p.Kind = "zero"
		if name == "b" && i.Bias != "" {
			p.Kind, p.Path = "file", i.Bias
		}
	}
	p.Kind = cmp.Or(p.Kind, i.Kind, "normal")
	for _, f := range p.settings() {
		if !f.usedBy(p.Kind) {
			return Initial{}, &field.Error{Path: f.name, Got: f.value, Want: "it left out, as kind " + p.Kind + " does not use it (" + strings.Join(users(f.name), ", ") + " do)"}
		}
	}
	for _, f := range i.settings() {
		used[f.name] = used[f.name] || f.usedBy(p.Kind)
	}
	if uses(p.Kind, "amplitude") {
		p.Amplitude = pointer(p.Amplitude, i.Amplitude, 1/float64(spec.Width))
		p.Exponent = pointer(p.Exponent, i.Exponent, 1-*spec.Alpha+0.5)
	}
	if p.Kind == "zero" {
		p.Amplitude = new(float64)
	}
	p.Tied = p.Tied || i.Tied && uses(p.Kind, "tied")
	p.Coupled = p.Coupled || i.Coupled && uses(p.Kind, "coupled")
	if uses(p.Kind, "hurst") {
		p.Hurst = cmp.Or(p.Hurst, i.Hurst, 0.5)
	}
	if uses(p.Kind, "length") {
		p.Length = cmp.Or(p.Length, i.Length, 0.1)
	}
	if p.Kind == "file" && p.Path == "" {
		p.Path = i.Path
		if p.Path == "" {
			return Initial{}, &field.Error{Path: "path", Got: "", Want: "the name of a .npy or .safetensors file, as the kind is file"}
		}
		if filepath.Ext(p.Path) == ".npy" && i.shared(name, spec) {
			return Initial{}, &field.Error{Path: "path", Got: p.Path, Want: "a .safetensors file with a tensor for each of " + strings.Join(partNames(spec), ", ") + ", or a path for each under parts"}
		}
	}
	return p, nil
}

// shared says whether another part than the named one reads its array from the
// section's Path, too.
func (i Initial) shared(name string, spec Spec) bool {
	return slices.ContainsFunc(partNames(spec), func(other string) bool {
		p, own := i.Parts[other]
		bias := other == "b" || other == "c"
		return other != name && p.Path == "" && cmp.Or(p.Kind, i.Kind) == "file" && (own || !bias)
	})
}

// check refuses values out of range in a complete entry.
func (p Initial) check(depth int) error {
	finite := func(v *float64) bool { return v == nil || !math.IsNaN(*v) && !math.IsInf(*v, 0) }
	extension := filepath.Ext(p.Path)
	switch {
	case !finite(p.Amplitude):
		return &field.Error{Path: "amplitude", Got: *p.Amplitude, Want: "a finite number"}
	case !finite(p.Exponent):
		return &field.Error{Path: "exponent", Got: *p.Exponent, Want: "a finite number"}
	case p.Tied && p.Coupled:
		return &field.Error{Path: "coupled", Got: true, Want: "false with tied (one draw for all layers leaves no layer noise to couple)"}
	case uses(p.Kind, "hurst") && !(p.Hurst > 0 && p.Hurst < 1):
		return &field.Error{Path: "hurst", Got: p.Hurst, Want: "a number in (0, 1)"}
	case uses(p.Kind, "hurst") && p.Coupled && depth > 0 && CoupledGrid%depth != 0:
		return &field.Error{Path: "coupled", Got: true, Want: fmt.Sprintf("false at depth %d with kind %s: its coupled path is drawn at %d points, which the depth must divide", depth, p.Kind, CoupledGrid)}
	case uses(p.Kind, "length") && !(p.Length >= minLength && p.Length <= maxLength):
		return &field.Error{Path: "length", Got: p.Length, Want: fmt.Sprintf("a number in [%g, %g]", minLength, maxLength)}
	case p.Kind == "file" && extension != ".npy" && extension != ".safetensors":
		return &field.Error{Path: "path", Got: p.Path, Want: "a name that ends in .npy or .safetensors"}
	}
	return nil
}

// setting is a field of an Initial that is set.
type setting struct {
	name  string
	value any
}

// usedBy says whether the kind uses the setting. Kind zero has the amplitude 0 alone.
func (s setting) usedBy(kind string) bool {
	return uses(kind, s.name) || s.name == "amplitude" && kind == "zero" && s.value == 0.0
}

// settings lists the fields of i that are set and that only some kinds use.
func (i Initial) settings() []setting {
	value := func(p *float64) any {
		if p == nil {
			return nil
		}
		return *p
	}
	list := []setting{
		{"amplitude", value(i.Amplitude)},
		{"exponent", value(i.Exponent)},
		{"tied", present(i.Tied)},
		{"coupled", present(i.Coupled)},
		{"hurst", present(i.Hurst)},
		{"length", present(i.Length)},
		{"path", present(i.Path)},
	}
	return slices.DeleteFunc(list, func(s setting) bool { return s.value == nil })
}

// present returns v, or nil where it is the zero value.
func present[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// pointer returns a copy of the first of own and section that is not nil, else a
// pointer to otherwise.
func pointer(own, section *float64, otherwise float64) *float64 {
	if v := cmp.Or(own, section); v != nil {
		otherwise = *v
	}
	return &otherwise
}
