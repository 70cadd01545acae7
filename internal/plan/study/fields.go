package study

import (
	"math"
	"reflect"
	"strings"

	"github.com/deeplimit/deeplimit/internal/filter"
)

// Fields returns the resolved values of a run by the names they have in a study file:
// depth, seed and dtype, and the sections data, network, initial and train, each a map
// of its own. What a run does not have is NaN for a number, "" or an empty list else.
func (r *Run) Fields() map[string]any {
	all := map[string]any{
		"depth": r.Depth, "seed": r.Seed, "dtype": r.DType, "id": r.ID, "parametrisation": r.Train.Parametrisation,
		"data":    fields(reflect.ValueOf(r.Data)),
		"network": fields(reflect.ValueOf(r.Network)),
		"initial": fields(reflect.ValueOf(r.Initial)),
		"train":   fields(reflect.ValueOf(r.Train)),
	}
	// What the grid varies is found as it is written there, where resolving moves it.
	for path, text := range r.Settings {
		if section, name, ok := strings.Cut(path, "."); ok && !strings.Contains(name, ".") {
			if inner, ok := all[section].(map[string]any); ok {
				inner[name] = filter.Value(text)
			}
		}
	}
	return all
}

// fields returns the fields of a section by their YAML names.
func fields(section reflect.Value) map[string]any {
	values := map[string]any{}
	for i := range section.NumField() {
		name, options, _ := strings.Cut(section.Type().Field(i).Tag.Get("yaml"), ",")
		value := section.Field(i)
		if value.Kind() == reflect.Pointer {
			if value.IsNil() {
				value = reflect.Zero(value.Type().Elem())
				if value.CanFloat() || value.CanInt() || value.CanUint() {
					value = reflect.ValueOf(math.NaN())
				}
			} else {
				value = value.Elem()
			}
		}
		switch {
		case name == "-" || !value.CanInterface():
		case value.Kind() == reflect.Struct && strings.Contains(options, "inline"):
			for inner, v := range fields(value) {
				values[inner] = v
			}
		case value.Kind() == reflect.Struct:
			values[name] = fields(value)
		case name != "" && value.Kind() == reflect.String: // whatever type of text it is
			values[name] = value.String()
		case name != "" && value.CanFloat():
			values[name] = value.Float()
		case name != "" && value.CanInt():
			values[name] = int(value.Int())
		case name != "":
			values[name] = value.Interface()
		}
	}
	return values
}
