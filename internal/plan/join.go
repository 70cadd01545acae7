package plan

import (
	"maps"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// Join returns a plan of runs from several plans, each of which New has found good, as a
// plan of the study s.
func Join(s *study.Study, plans []*Plan, runs []study.Run) *Plan {
	joined := &Plan{Study: s, Runs: runs, sets: map[string]*dataset.Set{}}
	for _, p := range plans {
		maps.Copy(joined.sets, p.sets)
	}
	return joined
}
