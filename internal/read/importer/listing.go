package importer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/network"
)

// A Listing is the families that one checkpoint holds.
type Listing struct {
	Source   string           `json:"source"`
	Depth    int              `json:"depth"` // the largest number of layers of a family of maps; of vectors where there are no maps
	Families []network.Family `json:"families"`
	// Others is the number of tensors of floats that are in no family.
	Others int      `json:"other_tensors"`
	Notes  []string `json:"notes,omitempty"`
}

// List returns the families of every checkpoint, from the headers alone.
func List(ctx context.Context, paths []string, o Options) ([]Listing, error) {
	found, _, err := o.find(paths)
	if err != nil {
		return nil, err
	}
	if err := refusePieces(found, &o); err != nil {
		return nil, err
	}
	var out []Listing
	for _, c := range found {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("importer: %s: %w", plain.Text(c.path), err)
		}
		l, err := c.list(&o)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// list returns the families of a checkpoint; none at all is an error.
func (c *checkpoint) list(o *Options) (Listing, error) {
	l := Listing{Source: c.path}
	return l, c.use(func(f *opened) error {
		found, others := findFamilies(f)
		l.Others = others
		for i := range found {
			family, problem := found[i].describe(f, o.roles())
			if problem != "" {
				l.Notes = append(l.Notes, "not a family: "+problem)
				l.Others++
				continue
			}
			family.Source = plain.Text(stem(c.path))
			l.Families = append(l.Families, family)
		}
		if len(l.Families) == 0 {
			return fmt.Errorf("got no tensors of floats that are there for two layers or more%s; %s", f.otherTypes(), suggestion(f.names))
		}
		slices.SortStableFunc(l.Families, func(a, b network.Family) int { return cmp.Compare(isVector(a), isVector(b)) })
		for _, family := range l.Families {
			if isVector(family) == isVector(l.Families[0]) {
				l.Depth = max(l.Depth, family.Layers)
			}
		}
		for i := range l.Families {
			l.Families[i].Depth = l.Depth
		}
		return nil
	})
}

// isVector is 1 for norms and biases, which are listed behind the maps.
func isVector(f network.Family) int { return boolInt(f.Orientation == "vector") }

// roles are those of the options, or the ones that are built in.
func (o *Options) roles() Roles {
	if o.Roles == nil {
		o.Roles = DefaultRoles()
	}
	return o.Roles
}

// otherTypes says why tensors hold no weights, a type each; "" where all that there are do.
func (o *opened) otherTypes() string {
	var reasons []string
	for _, name := range o.names {
		info, err := o.Info(name)
		if err == nil {
			err = info.CheckFloat()
		}
		if err != nil && !slices.Contains(reasons, err.Error()) && len(reasons) < 3 {
			reasons = append(reasons, err.Error())
		}
	}
	if len(reasons) == 0 {
		return ""
	}
	return " (of others: " + plain.Text(strings.Join(reasons, "; ")) + ")"
}
