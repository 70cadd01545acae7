package serve

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/filter"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/survey"
)

// A columnInfo is a column of the table of runs: a field that tells the groups of the study apart.
type columnInfo struct {
	Name  string `json:"name"`  // as --columns of status and analyze, sorting and conditions take it
	Title string `json:"title"` // as a header shows it; conditions and sorting take that, too
}

// varyingOf returns the columns of what differs between groups, those that the overview of status, analyze and the report has.
func varyingOf(groups []groupInfo) []columnInfo {
	shared := make([]analyze.Shared, len(groups))
	for i := range groups {
		shared[i] = groups[i].shared()
	}
	columns := []columnInfo{}
	fields := analyze.Varying(shared)
	for _, name := range fields {
		title := analyze.ShortName(name, fields)
		if orders[title].number != nil || orders[title].text != nil { // a column of every table
			title = name
		}
		columns = append(columns, columnInfo{name, title})
	}
	return columns
}

// tellApart labels groups by the columns in which they differ. A group that has none of them keeps its label.
func tellApart(groups []groupInfo, columns []columnInfo) {
	for i := range groups {
		var parts []string
		for _, c := range columns {
			if value, ok := groups[i].shared().Field(c.Name); ok {
				parts = append(parts, c.Title+" = "+value)
			}
		}
		if len(parts) > 0 {
			groups[i].Label = strings.Join(parts, ", ")
		}
	}
}

func (g *groupInfo) shared() analyze.Shared {
	return analyze.Shared{Data: g.Data, Settings: g.Settings}
}

// field returns the name of the field that a column has for its name or title, the text itself for none.
func (s *snapshot) field(text string) string {
	for _, c := range s.varying {
		if c.Name == text {
			return text
		}
	}
	for _, c := range s.varying {
		if c.Title == text {
			return c.Name
		}
	}
	return text
}

// errCondition says that a condition on runs cannot be read or answered.
var errCondition = errors.New("filter")

// choose returns the runs with the state, depth, seed and group of a query for which its text q holds: comparisons such as
// depth>=64, words that the run's name, settings, host or reasons have, or a condition in the language of --only.
func (s *snapshot) choose(query url.Values) ([]*survey.Run, error) {
	search := filter.ReadSearch(query.Get("q"))
	var conditions *survey.Conditions
	if search.Condition != "" || len(search.Comparisons) > 0 {
		conditions = survey.NewConditions(s.runs)
		var texts []string
		if search.Condition != "" {
			texts = append(texts, search.Condition)
		}
		for _, c := range search.Comparisons {
			texts = append(texts, c.Condition(s.field(c.Name), conditions.Example()))
		}
		if err := conditions.Set(texts); err != nil {
			return nil, fmt.Errorf("%w: %w", errCondition, err)
		}
	}
	words := make([]string, len(search.Words))
	for i, word := range search.Words {
		words[i] = strings.ToLower(word)
	}
	var chosen []*survey.Run
	for i := range s.runs {
		run := &s.runs[i]
		if !(matches(query.Get("state"), string(run.State)) && matches(query.Get("depth"), strconv.Itoa(run.Depth)) &&
			matches(query.Get("seed"), strconv.FormatUint(run.Seed, 10)) && matches(query.Get("group"), run.Group) && holds(run, words)) {
			continue
		}
		if conditions != nil {
			if met, err := conditions.Match(run); err != nil {
				return nil, fmt.Errorf("%w: %w", errCondition, err)
			} else if !met {
				continue
			}
		}
		chosen = append(chosen, run)
	}
	return chosen, nil
}

func matches(want, got string) bool { return want == "" || want == got }

// holds reports whether a run has every word (in lower case) somewhere in its texts.
func holds(r *survey.Run, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(fmt.Sprintf("%s %s L%d L=%d s%d seed=%d %s %s %s %s %s", r.ID, label(r), r.Depth, r.Depth, r.Seed, r.Seed, r.State, r.Stop, r.Host, r.Job, r.Reason))
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}

// An order is what runs are sorted by: a number, NaN where it is not known, or a text, "" where there is none.
type order struct {
	number func(*survey.Run) float64
	text   func(*survey.Run) string
}

// orders are the columns of every table of runs by which it can be sorted.
var orders = map[string]order{
	"run":       {text: func(r *survey.Run) string { return r.ID }},
	"depth":     {number: func(r *survey.Run) float64 { return float64(r.Depth) }},
	"seed":      {number: func(r *survey.Run) float64 { return float64(r.Seed) }},
	"state":     {text: func(r *survey.Run) string { return string(r.State) }},
	"iteration": {number: func(r *survey.Run) float64 { return float64(r.Iteration) }},
	"loss":      {number: func(r *survey.Run) float64 { return r.Loss }},
	"seconds":   {number: func(r *survey.Run) float64 { return r.Seconds }},
	"ends":      {text: func(r *survey.Run) string { return cmp.Or(r.Reason, r.Stop) }},
	"group":     {text: label},
}

// byScore sorts by an accuracy of runs that have been given theirs.
func byScore(name string) func(*survey.Run) float64 {
	return func(r *survey.Run) float64 {
		if v, ok := r.Accuracies[name]; ok {
			return v
		}
		return math.NaN()
	}
}

// order returns what a column sorts by, the fields of the study file by their names or titles.
func (s *snapshot) order(column string) (order, error) {
	if o, ok := orders[column]; ok {
		return o, nil
	}
	names := sortedKeys(orders)
	for _, c := range s.scores {
		if c.Name == column {
			return order{number: byScore(column)}, nil
		}
		names = append(names, c.Name)
	}
	for _, c := range s.varying {
		if c.Name != s.field(column) {
			names = append(names, c.Name)
			continue
		}
		value := func(r *survey.Run) string {
			text, _ := analyze.Shared{Data: r.Data, Settings: r.Settings}.Field(c.Name)
			return text
		}
		return order{text: value, number: func(r *survey.Run) float64 {
			if v, ok := filter.Value(value(r)).(float64); ok {
				return v
			}
			return math.NaN()
		}}, nil
	}
	return order{}, field.OneOf("sort", column, names...)
}

// sort orders runs, stably: by their numbers, then those without one by their texts. What is not known is last, whether the order
// is descending or not.
func (o order) sort(runs []*survey.Run, descending bool) {
	type key struct {
		run    *survey.Run
		number float64
		text   string
	}
	keys := make([]key, len(runs))
	for i, r := range runs {
		keys[i] = key{run: r, number: math.NaN()}
		if o.number != nil {
			keys[i].number = o.number(r)
		}
		if o.text != nil && math.IsNaN(keys[i].number) {
			keys[i].text = o.text(r)
		}
	}
	rank := func(k *key) int {
		switch {
		case !math.IsNaN(k.number):
			return 0
		case k.text != "":
			return 1
		}
		return 2
	}
	if descending { // equal ones turn, too
		slices.Reverse(keys)
	}
	slices.SortStableFunc(keys, func(a, b key) int {
		if x, y := rank(&a), rank(&b); x != y {
			return x - y
		}
		sign := 1
		if descending {
			sign = -1
		}
		return sign * cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.text, b.text))
	})
	for i := range keys {
		runs[i] = keys[i].run
	}
}

// asked returns the study of a request, what was seen of it, and the runs that the request's query chooses, in its order.
func (s *Server) asked(r *http.Request) (*study, *snapshot, []*survey.Run, error) {
	study, err := s.folder.study(r.PathValue("study"))
	if err != nil {
		return nil, nil, nil, err
	}
	seen := study.survey()
	if seen.err != nil {
		return nil, nil, nil, seen.err
	}
	query := r.URL.Query()
	order, err := seen.order(cmp.Or(query.Get("sort"), "depth"))
	if err != nil {
		return nil, nil, nil, err
	}
	known := &seen
	if len(seen.scores) > 0 && asksForScores(query) {
		if known, err = study.withScores(r.Context(), &seen); err != nil {
			return nil, nil, nil, err
		}
	}
	runs, err := known.choose(query)
	if err != nil {
		return nil, nil, nil, err
	}
	order.sort(runs, query.Get("order") == "desc")
	return study, known, runs, nil
}

const maxPage = 500

// runs answers with a page of the runs of a study that a query chooses, and the columns that tell their groups apart.
func (s *Server) runs(r *http.Request) (any, error) {
	size, err := integer(r, "size", 100, 1, maxPage)
	if err != nil {
		return nil, err
	}
	page, err := integer(r, "page", 1, 1, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	study, seen, chosen, err := s.asked(r)
	if err != nil {
		return nil, err
	}
	total := len(chosen)
	page = min(page, max(1, (total+size-1)/size))
	from := (page - 1) * size
	list := []runInfo{}
	for _, run := range chosen[from:min(from+size, total)] {
		line := newRunInfo(run)
		if len(seen.scores) > 0 {
			line.Accuracies = numbers(study.scoreOf(run))
		}
		list = append(list, line)
	}
	return map[string]any{"runs": list, "columns": seen.varying, "scores": seen.scores, "matching": total, "total": len(seen.runs), "page": page, "size": size, "changed": seen.changed}, nil
}
