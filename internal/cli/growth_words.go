package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A label is what names a run to its user: data, settings, depth and seed by their fields.
type label map[string]string

func labelOf(data string, depth int, seed uint64, settings map[string]string) label {
	l := label{"data": data, "depth": strconv.Itoa(depth), "seed": strconv.FormatUint(seed, 10)}
	maps.Copy(l, settings)
	return l
}

func labelsOf(runs []*study.Run) []label {
	list := make([]label, len(runs))
	for i, r := range runs {
		list[i] = labelOf(r.Data.Name, r.Depth, r.Seed, r.Settings)
	}
	return list
}

func orphanLabels(runs []survey.Run) []label {
	list := make([]label, len(runs))
	for i := range runs {
		list[i] = labelOf(runs[i].Data, runs[i].Depth, runs[i].Seed, runs[i].Settings)
	}
	return list
}

// telling says which values of fields runs have and others do not, as ": depth 512; seed 4, 5".
func telling(runs, others []label) string {
	if len(others) == 0 {
		return ""
	}
	has := map[string]map[string]bool{}
	for _, l := range others {
		for name, value := range l {
			if has[name] == nil {
				has[name] = map[string]bool{}
			}
			has[name][value] = true
		}
	}
	own, names, all := map[string][]string{}, []string{}, true
	for _, l := range runs {
		telling := false
		for _, name := range slices.Sorted(maps.Keys(l)) {
			value := l[name]
			if has[name][value] {
				continue
			}
			telling = true
			if slices.Contains(own[name], value) {
				continue
			}
			if own[name] == nil {
				names = append(names, name)
			}
			own[name] = append(own[name], value)
		}
		all = all && telling
	}
	const most = 6
	var parts []string
	for _, name := range names {
		values := own[name]
		text := name + " " + strings.Join(values[:min(most, len(values))], ", ")
		if len(values) > most {
			text += ", …"
		}
		parts = append(parts, plain.Text(text))
	}
	if len(parts) == 0 {
		return ""
	}
	if !all {
		return ", among them all of " + strings.Join(parts, "; ")
	}
	return ": " + strings.Join(parts, "; ")
}

// reasons says what tells new runs from orphaned ones of the same data, settings, depth and
// seed: the fields of the study file that were changed.
func (g *growth) reasons() string {
	const most = 64 // pairs looked at; runs of one change tell the same
	orphans := map[string]*survey.Run{}
	for i, l := range orphanLabels(g.orphaned) {
		orphans[fmt.Sprint(l)] = &g.orphaned[i]
	}
	changes, names, looked := map[string][]string{}, []string{}, 0
	news := slices.Concat(g.runs[runExtended], g.runs[runNew])
	for i, l := range labelsOf(news) {
		orphan := orphans[fmt.Sprint(l)]
		if orphan == nil {
			continue
		}
		if looked++; looked > most {
			break
		}
		old, err := runfolder.Open(orphan.Dir)
		if err != nil || len(old.Meta.Config) == 0 {
			continue
		}
		before, after := flat(old.Meta.Config), flat(news[i].Config())
		for _, name := range slices.Sorted(maps.Keys(both(before, after))) {
			if before[name] == after[name] || derived(name) {
				continue
			}
			text := orNone(before[name]) + " → " + orNone(after[name])
			if changes[name] == nil {
				names = append(names, name)
			}
			if !slices.Contains(changes[name], text) {
				changes[name] = append(changes[name], text)
			}
		}
	}
	var parts []string
	for _, name := range names {
		list := changes[name]
		text := name + " " + list[0]
		if len(list) > 1 {
			text += " and other values"
		}
		parts = append(parts, plain.Text(text))
	}
	const shown = 4
	if len(parts) > shown {
		parts = append(parts[:shown], fmt.Sprintf("%d other fields", len(parts)-shown))
	}
	if len(parts) == 0 {
		return ""
	}
	return "changed: " + strings.Join(parts, "; ")
}

// derived reports whether a field of run.json follows from others: the step size at a depth, and names.
func derived(name string) bool {
	return name == "study" || name == "train.step.exponent" || name == "train.step.first" || strings.HasPrefix(name, "settings.")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func both(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// flat returns the scalars and lists of a JSON object by their paths.
func flat(text json.RawMessage) map[string]string {
	fields := map[string]string{}
	var add func(path string, text json.RawMessage)
	add = func(path string, text json.RawMessage) {
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) != nil || object == nil {
			fields[path] = string(text)
			return
		}
		for name, inner := range object {
			add(strings.TrimPrefix(path+"."+name, "."), inner)
		}
	}
	add("", text)
	return fields
}
