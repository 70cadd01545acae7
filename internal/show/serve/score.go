package serve

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// scores keeps the accuracies of runs: those of a finished run do not change, and of one at work only what it has added is read.
type scores struct {
	mu   sync.Mutex
	kept map[string]score // by ID of the run
}

type score struct {
	hash       string
	finished   bool
	next       int64 // where the live file goes on
	accuracies map[string]float64
}

// scoreTitles are the heads of the columns of accuracies.
var scoreTitles = map[string]string{"accuracy": "Accuracy", "validation_accuracy": "Validation accuracy", "test_accuracy": "Test accuracy"}

// scoreOf returns the accuracies at which a run stands, by survey.AccuracyColumns; nil for one without, or that cannot be read, as its state says.
func (s *study) scoreOf(r *survey.Run) map[string]float64 {
	if r.State == survey.Pending {
		return nil
	}
	s.scores.mu.Lock()
	defer s.scores.mu.Unlock()
	if s.scores.kept == nil {
		s.scores.kept = map[string]score{}
	}
	known, ok := s.scores.kept[r.ID]
	if known.hash != r.Hash {
		known, ok = score{hash: r.Hash}, false
	}
	if known.finished {
		return known.accuracies
	}
	dir, err := s.contained(r.ID)
	if err != nil {
		return nil
	}
	if r.State != survey.Running {
		run, err := runfolder.Open(dir)
		if err == nil && run.Done() {
			rows, err := run.TraceColumns(survey.AccuracyColumns...)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed a moment ago
			}
			known.finished, known.accuracies = true, survey.Accuracies(rows)
			s.scores.kept[r.ID] = known
			return known.accuracies
		}
	}
	rows, next, err := runfolder.ReadLive(dir, known.next)
	if err != nil {
		next = 0 // a resume rewrites the file: read it from the beginning
	}
	if !ok || len(rows) > 0 || next != known.next {
		accuracies := maps.Clone(known.accuracies) // others may hold it
		if accuracies == nil {
			accuracies = survey.Accuracies(rows)
		} else {
			maps.Copy(accuracies, survey.Accuracies(rows))
		}
		known.next, known.accuracies = next, accuracies
		s.scores.kept[r.ID] = known
	}
	return known.accuracies
}

// maxSampled bounds the groups that are looked at for a classification.
const maxSampled = 200

// scored returns the columns of accuracies that the runs of a study have, as a begun run of each group tells.
func (s *study) scored(runs []survey.Run) []columnInfo {
	found, sampled := map[string]bool{}, map[string]bool{}
	for i := range runs {
		r := &runs[i]
		group := r.Data + "\x00" + r.Group
		if r.State == survey.Pending || sampled[group] {
			continue
		}
		if len(sampled) == maxSampled || len(found) == len(survey.AccuracyColumns) {
			break
		}
		accuracies := s.scoreOf(r)
		for name := range accuracies {
			found[name] = true
		}
		sampled[group] = accuracies != nil || r.State != survey.Running // one at work may have recorded nothing yet
	}
	columns := []columnInfo{}
	for _, name := range survey.AccuracyColumns {
		if found[name] {
			columns = append(columns, columnInfo{name, scoreTitles[name]})
		}
	}
	return columns
}

// withScores returns what was seen with the accuracies of all runs, which takes a moment where there are many that nobody asked about before.
func (s *study) withScores(ctx context.Context, seen *snapshot) (*snapshot, error) {
	full := *seen
	full.runs = slices.Clone(seen.runs)
	for i := range full.runs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		full.runs[i].Accuracies = s.scoreOf(&full.runs[i])
	}
	return &full, nil
}

// asksForScores reports whether a query filters or sorts by an accuracy.
func asksForScores(query url.Values) bool {
	return strings.Contains(query.Get("sort"), "accuracy") || strings.Contains(query.Get("q"), "accuracy")
}

// numbers makes JSON of accuracies.
func numbers(accuracies map[string]float64) map[string]number {
	if len(accuracies) == 0 {
		return nil
	}
	list := make(map[string]number, len(accuracies))
	for name, v := range accuracies {
		list[name] = number(v)
	}
	return list
}
