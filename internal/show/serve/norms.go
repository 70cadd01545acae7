package serve

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	maxFrames = 60  // iterations of one run in an answer
	maxLayers = 512 // layers of one frame
)

// A normCurve holds the norms of the layers of one run along training, rescaled by L^β.
type normCurve struct {
	Run        string   `json:"run"`
	Depth      int      `json:"depth"`
	Seed       uint64   `json:"seed"`
	X          series   `json:"x"` // k/L of the layers that are shown
	Iterations []int64  `json:"iterations"`
	Frames     []series `json:"frames"` // one for each iteration
}

// norms answers with the norms along training of the finished runs of one group and
// seed, of the weights or of their displacement.
func (s *Server) norms(r *http.Request) (any, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	of := cmp.Or(query.Get("of"), "trained")
	if err := field.OneOf("of", of, "trained", "displacement"); err != nil {
		return nil, err
	}
	seen := study.survey()
	if seen.err != nil {
		return nil, seen.err
	}
	curves, notes := []normCurve{}, []string{}
	for _, run := range seen.group(query.Get("group")) {
		if run.State != survey.Done || !matches(query.Get("seed"), strconv.FormatUint(run.Seed, 10)) || len(curves) == 64 {
			continue
		}
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		c, err := study.normCurve(run, query.Get("part"), of == "displacement")
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", run.ID, err))
			continue
		}
		curves = append(curves, c)
	}
	slices.SortStableFunc(curves, func(a, b normCurve) int { return cmp.Compare(a.Depth, b.Depth) })
	return map[string]any{"curves": curves, "notes": notes}, nil
}

// errNoNorms says that a run recorded no norms.
var errNoNorms = errors.New("recorded no norms of its layers along training (train.norms)")

func (s *study) normCurve(r *survey.Run, part string, moved bool) (normCurve, error) {
	run, err := s.open(r.ID)
	if err != nil {
		return normCurve{}, err
	}
	norms, err := run.Norms()
	if err != nil {
		return normCurve{}, err
	}
	if norms == nil {
		return normCurve{}, errNoNorms
	}
	layers, ok := norms.Parts[cmp.Or(part, run.Meta.Part())]
	if !ok {
		return normCurve{}, fmt.Errorf("norms of part %q: %w", part, fs.ErrNotExist)
	}
	return newNormCurve(r, &run.Meta, norms.Iterations, layers, moved), nil
}

func newNormCurve(r *survey.Run, meta *runfolder.Meta, iterations []int64, layers runfolder.LayerNorms, moved bool) normCurve {
	values := layers.Frobenius
	if moved {
		values = layers.Displacement
	}
	depth := meta.Depth
	c := normCurve{Run: r.ID, Depth: depth, Seed: r.Seed, X: series{}, Iterations: []int64{}, Frames: []series{}}
	var shown []int
	for k := range depth {
		if step := (depth + maxLayers - 1) / maxLayers; k%step == 0 || k == depth-1 {
			shown = append(shown, k)
			c.X = append(c.X, float64(k+1)/float64(depth))
		}
	}
	scale := math.Pow(float64(depth), meta.Beta())
	for m, t := range iterations {
		if step := (len(iterations) + maxFrames - 1) / maxFrames; m%step != 0 && m != len(iterations)-1 {
			continue
		}
		frame := make(series, len(shown))
		for i, k := range shown {
			frame[i] = scale * values[m*depth+k]
		}
		c.Iterations, c.Frames = append(c.Iterations, t), append(c.Frames, frame)
	}
	return c
}
