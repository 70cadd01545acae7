package study

import (
	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// parametrise hands the point's parametrisation to the sections that it is for.
func (p *point) parametrise(d *decoder) {
	name := p.doc.Parametrisation
	p.doc.Train.Parametrisation = name
	if name == "" {
		return
	}
	const path = "parametrisation"
	if err := field.OneOf(path, name, train.Parametrisations...); err != nil {
		d.add(p.tree.find(path).fault(path, err))
		return
	}
	if p.doc.Network.Alpha == nil {
		alpha, _ := train.ParametrisedAlpha(name)
		p.doc.Network.Alpha = &alpha
	}
}

// initial resolves the initial section for the point's network at a depth, 0 for none in
// particular, with the sizes of the parametrisation.
func (p *point) initial(depth int) (resnet.Initial, error) {
	section := p.doc.Initial
	if p.doc.Parametrisation != "" {
		section = p.doc.Train.ParametrisedInitial(section, p.run.Network)
	}
	return section.Resolve(p.run.Network, depth)
}
