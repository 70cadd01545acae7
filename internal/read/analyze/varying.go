package analyze

import (
	"maps"
	"slices"
	"strings"
)

// Shared is what the runs of a group have in common: their data, and settings of the study file by their paths.
type Shared struct {
	Data     string
	Settings map[string]string
}

// dataField names the data of a group beside the settings of the study file.
const dataField = "data"

// Field returns the value of a field, and whether the group has one.
func (s Shared) Field(name string) (value string, ok bool) {
	if name == dataField {
		return s.Data, true
	}
	value, ok = s.Settings[name]
	return value, ok
}

// Varying returns the fields that do not have one value in all groups, data first: the columns by which tables tell groups apart.
func Varying(groups []Shared) []string {
	names := map[string]bool{}
	for _, g := range groups {
		for name := range g.Settings {
			names[name] = true
		}
	}
	fields := []string{}
	if len(groups) == 0 {
		return fields
	}
	for _, name := range append([]string{dataField}, slices.Sorted(maps.Keys(names))...) {
		first, there := groups[0].Field(name)
		if slices.ContainsFunc(groups, func(g Shared) bool { v, ok := g.Field(name); return v != first || ok != there }) {
			fields = append(fields, name)
		}
	}
	return fields
}

// ShortName returns a field without its section, as alpha for network.alpha, where none of the other fields ends so.
func ShortName(name string, fields []string) string {
	_, short, ok := strings.Cut(name, ".")
	if !ok || slices.ContainsFunc(fields, func(other string) bool {
		_, end, _ := strings.Cut(other, ".")
		return other != name && (end == short || other == short)
	}) {
		return name
	}
	return short
}
