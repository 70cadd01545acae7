package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// NotFinite returns err, of encoding value as JSON, with the field that holds a number
// JSON has no form for; an error about anything else is returned as it is.
func NotFinite(value any, err error) error {
	if !errors.As(err, new(*json.UnsupportedValueError)) {
		return err
	}
	path, number, ok := notFinite(reflect.ValueOf(value), 0)
	if !ok {
		return err
	}
	return &Error{Path: path, Got: number, Want: "a finite number, as JSON has no other"}
}

// notFinite returns the path of the first number that is NaN or infinite. Values with
// their own JSON are left out.
func notFinite(v reflect.Value, depth int) (path string, number float64, ok bool) {
	if !v.IsValid() || depth > 50 {
		return "", 0, false
	}
	if v.CanInterface() {
		if marshaler, own := v.Interface().(json.Marshaler); own {
			if v.Kind() == reflect.Pointer && v.IsNil() {
				return "", 0, false
			}
			if _, err := marshaler.MarshalJSON(); err == nil {
				return "", 0, false
			}
		}
	}
	below := func(key string, inner reflect.Value) bool {
		rest, x, found := notFinite(inner, depth+1)
		if found {
			path, number, ok = strings.TrimSuffix(key+"."+rest, "."), x, true
		}
		return found
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return "", v.Float(), math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)
	case reflect.Pointer, reflect.Interface:
		return notFinite(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if below(fmt.Sprint(i), v.Index(i)) {
				return path, number, ok
			}
		}
	case reflect.Map:
		for entry := v.MapRange(); entry.Next(); {
			if below(fmt.Sprint(entry.Key()), entry.Value()) {
				return path, number, ok
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if name == "" {
				name = f.Name
			}
			if below(name, v.Field(i)) {
				return path, number, ok
			}
		}
	}
	return "", 0, false
}
