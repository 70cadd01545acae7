package analyze

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/deeplimit/deeplimit/runfolder"
)

// notOneNetwork says why a run with a cascade has no rate.
const notOneNetwork = "the run is a cascade: its iterations are those of networks of several depths"

// lastLevel returns the rows of the last network of a run, and the sum of depth times steps before them: all rows and 0 without
// a cascade.
func lastLevel(meta *runfolder.Meta, rows []runfolder.Row) (last []runfolder.Row, before float64) {
	for i := range rows {
		if level := rows[i].Level; level == nil || int(*level) == meta.Depth {
			return rows[i:], before
		}
		if i+1 < len(rows) { // where a level begins there is a row
			before += *rows[i].Level * float64(rows[i+1].Iteration-rows[i].Iteration)
		}
	}
	return nil, before
}

// prolongOf returns how a finished run's cascade takes weights to the next depth, "" without one.
func prolongOf(run *runfolder.Run) string {
	var config struct {
		Train struct {
			Cascade struct {
				Prolong string `json:"prolong"`
			} `json:"cascade"`
		} `json:"train"`
	}
	if run.Summary == nil || len(run.Summary.Levels) == 0 || json.Unmarshal(run.Meta.Config, &config) != nil {
		return ""
	}
	return config.Train.Cascade.Prolong
}

// cascadeNotes says of the runs of a group whose weights are those of shallower networks taken to their depth what that does to
// what is compared over depth.
func cascadeNotes(runs []Run) []string {
	cascades, firsts := 0, map[int]bool{}
	for _, run := range runs {
		if len(run.Levels) > 0 {
			cascades++
			firsts[run.Levels[0].Depth] = true
		}
	}
	if cascades == 0 {
		return nil
	}
	note := fmt.Sprintf("cascade: %d of %d runs began at depth %s and were taken to their own; ", cascades, len(runs), numbers(depthsOf(firsts)))
	if !slices.ContainsFunc(runs, func(run Run) bool { return len(run.Levels) > 0 && run.prolong != "limit" }) {
		note += "their noise is that of their own depth, but what training has added comes from another way of descent than that of training at this depth alone"
	} else {
		note += "the noise of their weights is that of the first depth, so that exponents of norms and variations, and the kind of limit, are those of cascades and not of training at each depth (prolong: limit keeps the law of the noise)"
	}
	return []string{note}
}
