package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// A place is a network on a data set.
type place struct {
	Data    string  `json:"data"`
	Depth   int     `json:"depth"`
	Block   string  `json:"block"`
	Alpha   float64 `json:"alpha"`
	Samples int     `json:"samples"`
}

var (
	sets         = []string{"diabetes", "digits"}
	depths       = []int{16, 64, 256}
	sampleCounts = []int{50, 100, 200}
	blocks       = []string{"inner", "outer", "mlp"}
	alphas       = []float64{0.5, 1}
)

// descents are the places at which plain gradient descent is followed.
var descents = []place{
	{"diabetes", 16, "inner", 0.5, 50},
	{"diabetes", 16, "outer", 0.5, 50},
	{"diabetes", 16, "mlp", 0.5, 50},
	{"diabetes", 64, "inner", 0.5, 50},
	{"diabetes", 16, "inner", 0.5, 100},
	{"diabetes", 16, "inner", 0.5, 200},
}

// cells returns the places of all cells of the table, the cheapest first.
func cells() []place {
	var all []place
	for _, set := range sets {
		for _, depth := range depths {
			for _, block := range blocks {
				for _, alpha := range alphas {
					for _, samples := range sampleCounts {
						all = append(all, place{set, depth, block, alpha, samples})
					}
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b place) int { return a.cost() - b.cost() })
	return all
}

// cost returns samples × outputs × depth.
func (p place) cost() int {
	outputs := 1
	if p.Data == "digits" {
		outputs = 10
	}
	return p.Samples * outputs * p.Depth
}

func (p place) String() string {
	return fmt.Sprintf("%s, N = %d, L = %d, %s, α = %g", p.Data, p.Samples, p.Depth, p.Block, p.Alpha)
}

// A cell is what Levenberg–Marquardt steps and the certificate at their end gave. Without a zero only Steps and Loss are given.
type cell struct {
	place
	Build      string   `json:"build"` // the commit
	Steps      int      `json:"steps"`
	Loss       float64  `json:"loss"`
	Zero       bool     `json:"zero"`
	Descent    bool     `json:"descent"`
	Rounding   string   `json:"rounding,omitempty"`
	LambdaMin  *float64 `json:"lambda_min"`
	LambdaMax  *float64 `json:"lambda_max"`
	LossNeeded *float64 `json:"loss_needed"`
}

// A descent is what plain gradient descent gave: a certificate after Steps at Loss, or none.
type descent struct {
	place
	Build      string   `json:"build"`
	Steps      int      `json:"steps"`
	Loss       float64  `json:"loss"`
	Issued     bool     `json:"issued"`
	LossNeeded *float64 `json:"loss_needed"`
	Certified  float64  `json:"certified"` // 1 − factor of a step
	Observed   float64  `json:"observed"`
	Length     float64  `json:"length"`   // within which a zero is
	Distance   float64  `json:"distance"` // of the one that Newton steps find
}

// A record holds what was measured.
type record struct {
	Cells    []cell    `json:"cells"`
	Descents []descent `json:"descents"`
}

// load returns the record of a file, an empty one where there is none.
func load(path string) (*record, error) {
	r := &record{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// save writes the record in the order of cells, whole or not at all.
func (r *record) save(path string) error {
	order := cells()
	slices.SortFunc(r.Cells, func(a, b cell) int { return slices.Index(order, a.place) - slices.Index(order, b.place) })
	slices.SortFunc(r.Descents, func(a, b descent) int { return slices.Index(descents, a.place) - slices.Index(descents, b.place) })
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// cell returns that of a place, nil where there is none.
func (r *record) cell(at place) *cell {
	if i := slices.IndexFunc(r.Cells, func(c cell) bool { return c.place == at }); i >= 0 {
		return &r.Cells[i]
	}
	return nil
}

// put keeps c in place of what was there.
func (r *record) put(c cell) {
	if old := r.cell(c.place); old != nil {
		*old = c
		return
	}
	r.Cells = append(r.Cells, c)
}

// descent returns that of a place, nil where there is none.
func (r *record) descent(at place) *descent {
	if i := slices.IndexFunc(r.Descents, func(d descent) bool { return d.place == at }); i >= 0 {
		return &r.Descents[i]
	}
	return nil
}

// putDescent keeps d in place of what was there.
func (r *record) putDescent(d descent) {
	if old := r.descent(d.place); old != nil {
		*old = d
		return
	}
	r.Descents = append(r.Descents, d)
}
