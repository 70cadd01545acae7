package analyze

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/runfolder"
)

// An End is how a finished run ended.
type End struct {
	ID string
	// Parameters are the fields of the study that a grid varies, and depth, seed and data.
	Parameters map[string]string
	Summary    *runfolder.Summary
	Last       []*float64 // last values of the columns that Ends was asked for; nil where a run has none
}

// Ends returns how those finished runs of a study folder ended that wanted takes, by their
// parameters, and counts the runs without a readable result. It reads run.json and
// result.json alone and, for the last values of columns, each of which may be nil, the traces.
func Ends(ctx context.Context, dir string, wanted func(parameters map[string]string) bool, columns ...func(*runfolder.Row) *float64) (ends []End, unfinished int, err error) {
	listing, err := runfolder.OpenStudy(dir, nil, nil)
	if err != nil {
		return nil, 0, err
	}
	for _, m := range listing.Members {
		if err := ctx.Err(); err != nil {
			return nil, 0, fmt.Errorf("reading %s: %w", dir, err)
		}
		if runfolder.Unreadable(m.Err) {
			return nil, 0, m.Err
		}
		if m.Run == nil || !m.Run.Done() {
			unfinished++
			continue
		}
		meta := &m.Run.Meta
		end := End{ID: meta.ID, Summary: m.Run.Summary, Parameters: map[string]string{}}
		maps.Copy(end.Parameters, meta.Settings)
		end.Parameters["depth"], end.Parameters["seed"], end.Parameters["data"] = strconv.Itoa(meta.Depth), strconv.FormatUint(meta.Seed, 10), meta.Data
		if !wanted(end.Parameters) {
			continue
		}
		end.Last = make([]*float64, len(columns))
		wants := slices.ContainsFunc(columns, func(c func(*runfolder.Row) *float64) bool { return c != nil })
		if wants && end.Summary.Stop != runfolder.Diverged {
			rows, err := m.Run.Trace()
			if err != nil {
				return nil, 0, fmt.Errorf("run %s: %w", meta.ID, err)
			}
			for i, column := range columns {
				if column == nil {
					continue
				}
				if _, values := runfolder.Series(rows, column); len(values) > 0 {
					end.Last[i] = &values[len(values)-1]
				}
			}
		}
		ends = append(ends, end)
	}
	return ends, unfinished, nil
}
