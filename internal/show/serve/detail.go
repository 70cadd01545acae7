package serve

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// known returns the study and the run that a request names.
func (s *Server) known(r *http.Request) (*study, *survey.Run, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, nil, err
	}
	seen := study.survey()
	run, err := seen.find(r.PathValue("run"))
	return study, run, err
}

// A runDetail is what the page of a run shows.
type runDetail struct {
	runInfo
	Planned     bool               `json:"planned"` // there is no folder yet
	Beat        time.Time          `json:"beat,omitzero"`
	Meta        *runfolder.Meta    `json:"meta,omitempty"`
	Config      json.RawMessage    `json:"config,omitempty"`
	Failure     *runfolder.Failure `json:"failure,omitempty"`
	Files       []fileInfo         `json:"files"`
	Log         string             `json:"log,omitempty"`
	Trouble     string             `json:"trouble,omitempty"` // why something could not be read
	Certifiable bool               `json:"certifiable"`       // whether certificates can say anything about the run
}

// run answers with everything about one run but its curves.
func (s *Server) run(r *http.Request) (any, error) {
	study, run, err := s.known(r)
	if err != nil {
		return nil, err
	}
	detail := runDetail{runInfo: newRunInfo(run), Beat: run.Beat, Files: []fileInfo{}}
	within := study.runPath(run.ID)
	if detail.Files, err = study.files(within, "checkpoint", "transfer"); errors.Is(err, fs.ErrNotExist) {
		detail.Planned, detail.Files = true, []fileInfo{}
		return detail, nil
	} else if err != nil {
		return nil, err
	}
	opened, err := study.open(run.ID)
	switch {
	case err == nil:
		meta := opened.Meta
		detail.Config, meta.Config = meta.Config, nil
		detail.Meta = &meta
		detail.Certifiable = opened.Done() && opened.Summary.SHA256["certificates.json"] != ""
	case !errors.Is(err, fs.ErrNotExist):
		detail.Trouble = err.Error()
	}
	if dir, err := study.contained(run.ID); err == nil {
		failure, err := runfolder.ReadFailure(dir)
		switch {
		case err == nil:
			detail.Failure = &failure
		case runfolder.Unreadable(err) && detail.Trouble == "":
			detail.Trouble = err.Error()
		}
	}
	for _, file := range detail.Files {
		if path.Ext(file.Name) == ".log" {
			detail.Log = study.text(path.Join(within, file.Name))
		}
	}
	return detail, nil
}

// maxRows bounds the records of a run that the page draws.
const maxRows = 1000

// trace answers with the columns of a run's trace, thinned to maxRows records.
func (s *Server) trace(r *http.Request) (any, error) {
	study, run, err := s.known(r)
	if err != nil {
		return nil, err
	}
	rows, err := study.rows(run)
	if err != nil {
		return nil, err
	}
	stride := (len(rows) + maxRows - 1) / maxRows
	iterations := []int{}
	columns := map[string]series{}
	for i := range rows {
		if i%stride != 0 && i != len(rows)-1 {
			continue
		}
		iterations = append(iterations, int(rows[i].Iteration))
		for _, column := range traceColumns {
			v := math.NaN()
			if p := column.value(&rows[i]); p != nil {
				v = *p
			}
			columns[column.name] = append(columns[column.name], v)
		}
	}
	for name, values := range columns {
		if !slices.ContainsFunc(values, func(v float64) bool { return !math.IsNaN(v) }) {
			delete(columns, name)
		}
	}
	return map[string]any{"iterations": iterations, "columns": columns, "stride": max(stride, 1), "records": len(rows)}, nil
}

// traceColumns are the columns of the trace, by their names in trace.parquet.
var traceColumns = []struct {
	name  string
	value func(*runfolder.Row) *float64
}{
	{"loss", func(r *runfolder.Row) *float64 { return r.Loss }},
	{"batch_loss", func(r *runfolder.Row) *float64 { return r.BatchLoss }},
	{"penalty", func(r *runfolder.Row) *float64 { return r.Penalty }},
	{"test_loss", func(r *runfolder.Row) *float64 { return r.TestLoss }},
	{"gradient_norm", func(r *runfolder.Row) *float64 { return r.GradientNorm }},
	{"pl_ratio", func(r *runfolder.Row) *float64 { return r.PLRatio }},
	{"step_size", func(r *runfolder.Row) *float64 { return r.StepSize }},
	{"accuracy", func(r *runfolder.Row) *float64 { return r.Accuracy }},
	{"test_accuracy", func(r *runfolder.Row) *float64 { return r.TestAccuracy }},
	{"max_frobenius", func(r *runfolder.Row) *float64 { return &r.MaxFrobenius }},
	{"root_sum_squares", func(r *runfolder.Row) *float64 { return &r.RootSquares }},
	{"displacement", func(r *runfolder.Row) *float64 { return &r.Displacement }},
	{"v_1", func(r *runfolder.Row) *float64 { return r.Variation1 }},
	{"v_1.5", func(r *runfolder.Row) *float64 { return r.Variation15 }},
	{"v_2", func(r *runfolder.Row) *float64 { return r.Variation2 }},
	{"v_2.5", func(r *runfolder.Row) *float64 { return r.Variation25 }},
	{"v_3", func(r *runfolder.Row) *float64 { return r.Variation3 }},
}

// proofs caches the proofs about runs, which need their weights.
type proofs struct {
	mu   sync.Mutex
	kept map[string]*proof.Report // by ID and hash of the run, which fixes its bytes; not changed
}

const maxProofs = 1000

// proof returns the proofs about a finished run, at the first iterate, the last one and that of
// the certificate.
func (s *study) proof(r *survey.Run) (*proof.Report, error) {
	key := r.ID + "/" + r.Hash
	s.proofs.mu.Lock()
	defer s.proofs.mu.Unlock() // also limits the memory to the weights of one run
	if kept, ok := s.proofs.kept[key]; ok {
		return kept, nil
	}
	run, err := s.open(r.ID)
	if err != nil {
		return nil, err
	}
	report, err := proof.Read(run)
	if err != nil {
		return nil, err
	}
	report.Keep(report.Chosen()...)
	if s.proofs.kept == nil || len(s.proofs.kept) >= maxProofs {
		s.proofs.kept = map[string]*proof.Report{}
	}
	s.proofs.kept[key] = report
	return report, nil
}

// certificate answers with the hypotheses, bounds and promises of a run.
func (s *Server) certificate(r *http.Request) (any, error) {
	study, run, err := s.known(r)
	if err != nil {
		return nil, err
	}
	report, err := study.proof(run)
	if err != nil {
		return nil, err
	}
	return map[string]any{"report": report, "conclusion": report.Conclusion()}, nil
}

// A proofLine is the outcome for one run in the list of a group.
type proofLine struct {
	Run         string               `json:"run"`
	Depth       int                  `json:"depth"`
	Seed        uint64               `json:"seed"`
	Verdict     string               `json:"verdict"`
	Conclusion  string               `json:"conclusion"`
	Certificate *certify.Certificate `json:"certificate"`
	Tightest    map[string]number    `json:"slack"` // of the bounds at the last iterate, by name
}

const maxProved = 100

// certificates answers with what was proved about the finished runs of a group.
func (s *Server) certificates(r *http.Request) (any, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, err
	}
	seen := study.survey()
	if seen.err != nil {
		return nil, seen.err
	}
	lines, notes, skipped := []proofLine{}, []string{}, 0
	for _, run := range seen.group(r.URL.Query().Get("group")) {
		if run.State != survey.Done {
			continue
		}
		if len(lines)+len(notes) >= maxProved {
			skipped++
			continue
		}
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		report, err := study.proof(run)
		if err != nil {
			notes = append(notes, err.Error())
			continue
		}
		line := proofLine{run.ID, run.Depth, run.Seed, report.Verdict, report.Conclusion(), report.Certificate, map[string]number{}}
		if n := len(report.Iterates); n > 0 {
			for _, bound := range report.Iterates[n-1].Bounds {
				line.Tightest[bound.Name] = number(bound.Slack)
			}
		}
		lines = append(lines, line)
	}
	return map[string]any{"runs": lines, "notes": notes, "skipped": skipped}, nil
}
