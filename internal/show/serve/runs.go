package serve

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/survey"
)

// A studyInfo is a line of the list of studies.
type studyInfo struct {
	Name     string         `json:"name"` // of the folder
	Progress *progress      `json:"progress,omitempty"`
	Error    string         `json:"error,omitempty"` // why there is no progress
	Groups   int            `json:"groups"`
	Depths   []int          `json:"depths"`
	Data     []string       `json:"data"`
	Updated  time.Time      `json:"updated,omitzero"`
	States   []survey.State `json:"-"`
}

// A progress says how far a study is. Event streams send it, too.
type progress struct {
	Total   int                  `json:"total"`
	Counts  map[survey.State]int `json:"counts"`
	Made    float64              `json:"made"` // of the runs that are running, in runs
	ETA     number               `json:"eta"`  // seconds until the last run ends, null while not known
	Best    number               `json:"best"` // the least loss of a finished run
	Changed string               `json:"changed"`
	Running []runningInfo        `json:"running"` // at most maxRunning
}

type runningInfo struct {
	ID        string `json:"id"`
	Iteration int    `json:"iteration"`
	Loss      number `json:"loss"`
	ETA       number `json:"eta"` // seconds

	Accuracies map[string]number `json:"accuracies,omitempty"`
}

const maxRunning = 200

// A groupInfo describes runs that differ in depth and seed alone.
type groupInfo struct {
	Group    string            `json:"group"`
	Label    string            `json:"label"`
	Data     string            `json:"data"`
	Settings map[string]string `json:"settings"`
	Depths   []int             `json:"depths"`
	Seeds    []uint64          `json:"seeds"`
	Runs     int               `json:"runs"`
}

// groupsOf returns the groups of runs sorted by data and group, in that order.
func groupsOf(runs []survey.Run) []groupInfo {
	var groups []groupInfo
	for i := range runs {
		r := &runs[i]
		if n := len(groups); n == 0 || groups[n-1].Group != r.Group || groups[n-1].Data != r.Data {
			groups = append(groups, groupInfo{Group: r.Group, Label: label(r), Data: r.Data, Settings: r.Settings})
		}
		g := &groups[len(groups)-1]
		g.Runs++
		g.Depths = insert(g.Depths, r.Depth)
		g.Seeds = insert(g.Seeds, r.Seed)
	}
	return groups
}

// insert adds v to a sorted list without repetition.
func insert[T cmp.Ordered](list []T, v T) []T {
	at, found := slices.BinarySearch(list, v)
	if found {
		return list
	}
	return slices.Insert(list, at, v)
}

// label names the group of a run: its data, and what the grid of the study varies.
func label(r *survey.Run) string {
	parts := []string{r.Data}
	for _, key := range sortedKeys(r.Settings) {
		parts = append(parts, key+" = "+r.Settings[key])
	}
	return strings.Join(parts, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// progressOf counts the runs of a study by state.
func progressOf(seen *snapshot) *progress {
	p := &progress{Total: len(seen.runs), Counts: map[survey.State]int{}, ETA: number(math.NaN()), Best: number(math.NaN()), Changed: seen.changed, Running: []runningInfo{}}
	for i := range seen.runs {
		r := &seen.runs[i]
		p.Counts[r.State]++
		switch r.State {
		case survey.Done:
			if !(r.Loss >= float64(p.Best)) && !math.IsNaN(r.Loss) {
				p.Best = number(r.Loss)
			}
		case survey.Running:
			if r.Iterations > 0 {
				p.Made += min(1, float64(r.Iteration)/float64(r.Iterations))
			}
			if len(p.Running) < maxRunning {
				p.Running = append(p.Running, runningInfo{ID: r.ID, Iteration: r.Iteration, Loss: number(r.Loss), ETA: seconds(r.ETA)})
			}
		}
	}
	p.ETA = studyETA(seen.runs)
	return p
}

// progress is progressOf with the accuracies of the running runs.
func (s *study) progress(seen *snapshot) *progress {
	p := progressOf(seen)
	for i := range p.Running {
		if run, err := seen.find(p.Running[i].ID); err == nil {
			p.Running[i].Accuracies = numbers(s.scoreOf(run))
		}
	}
	return p
}

// seconds returns a duration as a number of seconds, null for one that is not known.
func seconds(d time.Duration) number {
	if d <= 0 {
		return number(math.NaN())
	}
	return number(math.Round(d.Seconds()))
}

// studies answers with the list of studies.
func (s *Server) studies(*http.Request) (any, error) {
	names, err := s.folder.names()
	if err != nil {
		return nil, err
	}
	list := []studyInfo{}
	for _, name := range names {
		study, err := s.folder.study(name)
		if err != nil {
			continue // removed a moment ago
		}
		list = append(list, study.info())
	}
	return map[string]any{"folder": path.Base(s.folder.dir), "studies": list}, nil
}

// info returns the study's line in the list.
func (s *study) info() studyInfo {
	seen := s.survey()
	info := studyInfo{Name: s.name, Depths: []int{}, Data: []string{}}
	if seen.err != nil {
		info.Error = seen.err.Error()
		return info
	}
	info.Progress, info.Groups = progressOf(&seen), len(seen.groups)
	info.Progress.Running = nil // the list does not show them
	for _, g := range seen.groups {
		info.Data = insert(info.Data, g.Data)
		for _, depth := range g.Depths {
			info.Depths = insert(info.Depths, depth)
		}
	}
	for i := range seen.runs {
		r := &seen.runs[i]
		for _, t := range []time.Time{r.Start, r.Beat} {
			if t.After(info.Updated) {
				info.Updated = t
			}
		}
	}
	return info
}

// maxText bounds a study file or log that is shown in the page.
const maxText = 256 << 10

// study answers with the facts about a study, without its runs.
func (s *Server) study(r *http.Request) (any, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, err
	}
	seen := study.survey()
	if seen.err != nil {
		return nil, seen.err
	}
	files, err := study.files(study.within, "report", "report/figures")
	if err != nil {
		return nil, err
	}
	note, tags := study.notes()
	return map[string]any{
		"name": study.name, "note": note, "tags": tags, "progress": study.progress(&seen), "groups": seen.groups,
		"text": study.text(path.Join(study.within, "study.yaml")), "set": study.overrides(), "files": files,
	}, nil
}

// overrides returns what --set changed of the study file when the study was last started.
func (s *study) overrides() []string {
	record := struct {
		Set []string `json:"set"`
	}{Set: []string{}}
	if text := s.text(path.Join(s.within, "study.json")); text != "" && json.Unmarshal([]byte(text), &record) != nil {
		return []string{} // the survey names a study.json that is damaged
	}
	return record.Set
}

// notes returns what people have written about the study.
func (s *study) notes() (note string, tags []string) {
	record := struct {
		Note string   `json:"note"`
		Tags []string `json:"tags"`
	}{Tags: []string{}}
	if text := s.text(path.Join(s.within, "notes.json")); text != "" && json.Unmarshal([]byte(text), &record) != nil {
		return "", []string{} // deeplimit status names a notes.json that is damaged
	}
	return plain.Lines(record.Note), record.Tags
}

// text returns the beginning of a text file, "" when there is none.
func (s *study) text(name string) string {
	file, err := openRegular(s.root, name)
	if err != nil {
		return ""
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxText))
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

// A runInfo is a line of the list of runs.
type runInfo struct {
	ID         string            `json:"id"`
	Group      string            `json:"group"`
	Label      string            `json:"label"`
	Data       string            `json:"data"`
	Depth      int               `json:"depth"`
	Seed       uint64            `json:"seed"`
	Settings   map[string]string `json:"settings,omitempty"`
	State      survey.State      `json:"state"`
	Iteration  int               `json:"iteration"`
	Iterations int               `json:"iterations"`
	Loss       number            `json:"loss"`
	Stop       string            `json:"stop,omitempty"`
	Start      time.Time         `json:"start,omitzero"`
	Seconds    number            `json:"seconds"`
	ETA        number            `json:"eta"`
	Host       string            `json:"host,omitempty"`
	Job        string            `json:"job,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	// Accuracies are shares of samples in their class, by the names of their columns.
	Accuracies map[string]number `json:"accuracies,omitempty"`
}

func newRunInfo(r *survey.Run) runInfo {
	return runInfo{
		ID: r.ID, Group: r.Group, Label: label(r), Data: r.Data, Depth: r.Depth, Seed: r.Seed, Settings: r.Settings,
		State: r.State, Iteration: r.Iteration, Iterations: r.Iterations, Loss: number(r.Loss), Stop: r.Stop,
		Start: r.Start, Seconds: number(r.Seconds), ETA: seconds(r.ETA), Host: r.Host, Job: r.Job, Reason: r.Reason,
	}
}
