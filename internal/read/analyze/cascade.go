package analyze

import (
	"encoding/json"
	"fmt"
	"strings"

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

// prolongOf returns how a run's cascade takes weights to the next depth, "" without one.
func prolongOf(meta *runfolder.Meta) string {
	var config struct {
		Train struct {
			Cascade struct {
				Prolong string `json:"prolong"`
			} `json:"cascade"`
		} `json:"train"`
	}
	if json.Unmarshal(meta.Config, &config) != nil {
		return "" // of weights from elsewhere
	}
	return config.Train.Cascade.Prolong
}

// cascadeNotes says of the runs of a group whose weights are those of shallower networks taken to their depth what that does to
// what is compared over depth.
func cascadeNotes(runs []Run) []string {
	most, first := 0, 0
	for _, run := range runs {
		if len(run.Levels) > 0 {
			most++
			first = run.Levels[0].Depth
		}
	}
	if most == 0 {
		return nil
	}
	note := fmt.Sprintf("cascade: %d of %d runs began at depth %d and were taken to their own; ", most, len(runs), first)
	var ways []string
	for _, run := range runs {
		if way := run.prolong; way != "" && !strings.Contains(strings.Join(ways, " "), way) {
			ways = append(ways, way)
		}
	}
	if strings.Join(ways, "") == "limit" {
		note += "their noise is that of their own depth, but what training has added comes from another way of descent than that of training at this depth alone"
	} else {
		note += "the noise of their weights is that of the first depth, so that exponents of norms and variations, and the kind of limit, are those of cascades and not of training at each depth (prolong: limit keeps the law of the noise)"
	}
	return []string{note}
}
