package analyze

import (
	"github.com/deeplimit/deeplimit/internal/read/network"
)

// openFamilies reads what an import measured of networks, if there is any.
func (p *pass) openFamilies() error {
	measured, err := network.Read(p.dir)
	if err == nil && measured != nil {
		p.families, err = measured.Result()
	}
	return err
}

// addFamilies puts the families of imported networks into a result.
func (p *pass) addFamilies(r *Result) {
	if p.families != nil {
		r.Families, r.Invariants, r.Trainings, r.FamilyNotes = p.families.Families, p.families.Invariants, p.families.Trainings, p.families.Notes
	}
}

// Networks returns the families of imported networks, nil where there are none, and whether the folder holds nothing
// else.
func (r *Result) Networks() (families *network.Result, alone bool) {
	if len(r.Families) == 0 {
		return nil, false
	}
	return &network.Result{Families: r.Families, Invariants: r.Invariants, Trainings: r.Trainings, Notes: r.FamilyNotes}, len(r.Runs)+len(r.Unfinished)+len(r.Damaged) == 0
}
