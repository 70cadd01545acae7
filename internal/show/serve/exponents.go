package serve

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/scaling"
)

// maxAnalysed bounds the finished runs of a study that the page analyses; `deeplimit
// analyze` has no bound.
const maxAnalysed = 2000

// An analysis is the analysis of a study's finished runs. One core computes it in the background,
// and again after some time when more runs are finished.
type analysis struct {
	mu      sync.Mutex
	working bool
	since   time.Time // when the work began
	ended   time.Time
	took    time.Duration
	of      string // the finished runs that it is about, or was to be about
	view    *analysisView
	err     error
}

// analysisView is what the page gets.
type analysisView struct {
	State  string          `json:"state"` // computing, ready or failed
	Stale  bool            `json:"stale"` // whether more runs are finished now
	Since  time.Time       `json:"since,omitzero"`
	Error  string          `json:"error,omitempty"`
	Runs   int             `json:"runs"`
	Groups []analyze.Group `json:"groups"`
	// Rows are the tables of exponents, by group.
	Rows   map[string][]analyze.Row `json:"rows"`
	Points []analysisPoint          `json:"points"`
	Broken []analyze.Damage         `json:"damaged"`
}

// An analysisPoint holds the numbers of a run that the charts over depth draw.
type analysisPoint struct {
	Run        string            `json:"run"`
	Group      string            `json:"group"`
	Depth      int               `json:"depth"`
	Seed       uint64            `json:"seed"`
	Iterations int               `json:"iterations"`
	Stop       string            `json:"stop"`
	Loss       number            `json:"loss"`
	Accuracy   number            `json:"accuracy"`
	TestAcc    number            `json:"test_accuracy"`
	Rate       *analyze.Rate     `json:"rate"`
	RateText   string            `json:"rate_text"` // "" where there is no fit
	R2Text     string            `json:"r2_text"`
	RateReason string            `json:"rate_reason,omitempty"`
	Frobenius  number            `json:"max_frobenius"`
	Moved      number            `json:"displacement"`
	Quadratic  number            `json:"quadratic_variation"`
	Variation  map[string]number `json:"p_variation"`
}

// analysis answers with exponents and variations, or that they are being computed.
func (s *Server) analysis(r *http.Request) (any, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, err
	}
	seen := study.survey()
	if seen.err != nil {
		return nil, seen.err
	}
	return study.analysis.get(s.hub.ctx, study, seen)
}

// get returns the last analysis, and starts a new one if that is out of date.
func (a *analysis) get(ctx context.Context, s *study, seen snapshot) (analysisView, error) {
	finished := 0
	for i := range seen.runs {
		if state := seen.runs[i].State; state == survey.Done || state == survey.Diverged {
			finished++
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	of := fmt.Sprintf("%d/%s", finished, seen.changed)
	switch {
	case finished == 0:
		return analysisView{State: "ready", Groups: []analyze.Group{}, Points: []analysisPoint{}}, nil
	case finished > maxAnalysed:
		return analysisView{State: "failed", Error: fmt.Sprintf("%d runs are finished, and the page analyses at most %d: run `deeplimit analyze`", finished, maxAnalysed)}, nil
	case !a.working && of != a.of && time.Since(a.ended) > rests*a.took:
		a.working, a.since, a.of = true, time.Now(), of
		go a.work(ctx, s, seen)
	}
	switch {
	case a.view != nil:
		view := *a.view
		view.Stale, view.Since = a.of != of || a.working, a.since
		return view, nil
	case a.working:
		return analysisView{State: "computing", Since: a.since}, nil
	}
	return analysisView{State: "failed", Error: a.err.Error()}, nil
}

// analysing limits all studies to one analysis at a time.
var analysing = make(chan struct{}, 1)

func (a *analysis) work(ctx context.Context, s *study, seen snapshot) {
	analysing <- struct{}{}
	defer func() { <-analysing }()
	start := time.Now()
	view, err := newAnalysis(ctx, s, seen)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.working, a.ended, a.took = false, time.Now(), time.Since(start)
	if err != nil {
		a.err, a.view = err, nil
		return
	}
	a.view = view
}

func newAnalysis(ctx context.Context, s *study, seen snapshot) (*analysisView, error) {
	for i := range seen.runs {
		if r := &seen.runs[i]; r.State == survey.Done || r.State == survey.Diverged {
			if _, err := s.contained(r.ID); err != nil {
				return nil, err
			}
		}
	}
	result, err := analyze.Study(ctx, s.dir, analyze.Options{Workers: 1, PathMemory: 512 << 20})
	if result == nil {
		return nil, err
	}
	view := &analysisView{State: "ready", Runs: len(result.Runs), Groups: result.Groups, Broken: result.Damaged, Points: []analysisPoint{}, Rows: map[string][]analyze.Row{}}
	for i := range result.Groups {
		g := &result.Groups[i]
		view.Rows[g.Group] = g.Rows()
	}
	for i := range result.Runs {
		r := &result.Runs[i]
		p := analysisPoint{
			Run: r.ID, Group: r.Group, Depth: r.Depth, Seed: r.Seed, Iterations: r.Iterations, Stop: r.Stop, Loss: number(r.Loss),
			Accuracy: optional(r.Accuracy), TestAcc: optional(r.TestAcc), Rate: r.Rate, RateReason: r.RateReason, Frobenius: number(r.MaxFrobenius), Moved: number(r.Displacement),
			Quadratic: number(r.QuadraticVariation), Variation: map[string]number{},
		}
		if r.Rate != nil {
			p.RateText, p.R2Text = r.Rate.Text(), scaling.R2Text(r.Rate.R2)
		}
		for exponent, v := range r.PVariation {
			p.Variation[exponent] = number(v)
		}
		view.Points = append(view.Points, p)
	}
	return view, nil
}

// optional is null for a number that a run has not.
func optional(v *float64) number {
	if v == nil {
		return number(math.NaN())
	}
	return number(*v)
}

func sortedKeysInt[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
