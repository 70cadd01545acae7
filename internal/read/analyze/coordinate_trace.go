package analyze

import (
	"github.com/deeplimit/deeplimit/runfolder"
)

// changesOf returns what a trace says of the changes that training made, after 1, 2, 4 … iterations: nothing of a run without
// train.coordinates.
func changesOf(rows []runfolder.Row, parts []string) []Coordinate {
	var out []Coordinate
	for i := range rows {
		r := &rows[i]
		if r.LastState == nil || r.Iteration == 0 || r.Iteration&(r.Iteration-1) != 0 {
			continue
		}
		for _, name := range runfolder.Coordinates {
			of := []string{""}
			switch name {
			case "update-norm", "update-rank", "alignment":
				of = parts
			}
			for _, part := range of {
				if part == "b" || part == "c" {
					continue
				}
				if at := r.Coordinate(name, part); at != nil && *at != nil {
					out = append(out, Coordinate{Name: name, Part: part, Iteration: int(r.Iteration), Value: **at})
				}
			}
		}
	}
	return out
}

// coordinatesOf fits the changes of all runs over depth; nil where no run has any.
func coordinatesOf(study string, runs []Run) *Coordinates {
	var of []CoordinateRun
	for i := range runs {
		r := &runs[i]
		if len(r.changes) == 0 {
			continue
		}
		of = append(of, CoordinateRun{
			ID: r.ID, Group: r.Group, Settings: r.Settings, Data: r.Data, Method: r.method, Alpha: r.Alpha, Depth: r.Depth, Seed: r.Seed,
			Coordinates: r.changes, Diverged: r.Diverged(),
		})
	}
	if of == nil {
		return nil
	}
	return NewCoordinates(study, of)
}
