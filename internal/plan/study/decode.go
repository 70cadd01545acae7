package study

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/dataset"
)

// decoder fills Go values from a tree, strictly: no key that the struct does not
// have, no conversion between types. It collects every error with its place and path. (The
// YAML library's decoder, with its checks on, takes 010 for 8, yes for true, 5 for the text
// "5" and nothing for any value, and names no path.)
type decoder struct {
	faults
	formulas bool // whether a number may be an expression, which leaves its field zero
	found    []formula
}

// decode fills v, which must be settable, from n, which has the dotted path. Structs
// take mappings by their yaml tags, an absent or null key leaving the zero value; a
// *node takes the tree as it is.
func (d *decoder) decode(path string, n *node, v reflect.Value) {
	if v.Type() == reflect.TypeFor[*node]() {
		v.Set(reflect.ValueOf(n))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct && n.isNull() {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(path, n, v.Elem())
	case reflect.Struct:
		if n.isNull() {
			return
		}
		if n.kind != mapping {
			d.add(n.wrong(path, n.got(), "a mapping with keys among "+strings.Join(keys(v.Type()), ", ")))
			return
		}
		for _, e := range n.entries {
			i := fieldIndex(v.Type(), e.key)
			if i < 0 {
				d.add(e.unknownKey(join(path, e.key), e.key, keys(v.Type())))
				continue
			}
			d.decode(join(path, e.key), e.value, v.Field(i))
		}
	case reflect.Map:
		if n.kind != mapping {
			d.add(n.wrong(path, n.got(), "a mapping"))
			return
		}
		v.Set(reflect.MakeMapWithSize(v.Type(), len(n.entries)))
		for _, e := range n.entries {
			value := reflect.New(v.Type().Elem()).Elem()
			d.decode(join(path, e.key), e.value, value)
			v.SetMapIndex(reflect.ValueOf(e.key), value)
		}
	case reflect.Slice:
		if n.kind != sequence {
			d.add(n.wrong(path, n.got(), "a list, such as [a, b]"))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
		for i, item := range n.items {
			d.decode(join(path, strconv.Itoa(i)), item, v.Index(i))
		}
	default:
		d.scalar(path, n, v)
	}
}

// scalar fills a string, a bool or a number.
func (d *decoder) scalar(path string, n *node, v reflect.Value) {
	plain := n.kind == scalar && !n.quoted
	want := ""
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[dataset.Index]() && n.kind == scalar && !n.isNull() {
			v.SetString(column(n))
			return
		}
		if n.isText() {
			v.SetString(n.text)
			return
		}
		want = "text"
		if plain && !n.isNull() {
			want += " (in quotes: " + strconv.Quote(n.text) + ")"
		}
	case reflect.Bool:
		if plain && isBool(n.text) {
			v.SetBool(n.text[0] == 't' || n.text[0] == 'T')
			return
		}
		want = "true or false"
	case reflect.Int:
		x, err := parseInt(n.text)
		if plain && err == nil {
			v.SetInt(x)
			return
		}
		want = words(err, errNotInteger)
	case reflect.Uint64:
		x, err := parseUint(n.text)
		if plain && err == nil {
			v.SetUint(x)
			return
		}
		want = words(err, errNotInteger)
	case reflect.Float64:
		x, err := parseFloat(n.text)
		if plain && err == nil {
			v.SetFloat(x)
			return
		}
		want = words(err, errNotNumber)
	default:
		panic("study: decode: a section has a field of kind " + v.Kind().String())
	}
	if v.CanInt() || v.CanUint() || v.CanFloat() {
		if d.formula(path, n, v, want) {
			return
		}
	}
	if n.quoted && v.Kind() != reflect.String && (isNumber(n.text) || isBool(n.text)) {
		want += " (without quotes)"
	}
	d.add(n.wrong(path, n.got(), want))
}

// column returns true, false, or the name or number of a column.
func column(n *node) string {
	if !n.quoted && isBool(n.text) {
		return strings.ToLower(n.text)
	}
	return n.text
}

// words returns the text of err, or of otherwise where the text would have done.
func words(err, otherwise error) string {
	if err == nil {
		err = otherwise
	}
	return err.Error()
}

// keys lists the keys of a section's struct in the order of its fields.
func keys(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if name := tag(t.Field(i)); name != "" {
			keys = append(keys, name)
		}
	}
	return keys
}

func fieldIndex(t reflect.Type, key string) int {
	return slices.IndexFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return key != "" && tag(f) == key })
}

// tag returns the key of a struct's field, "" for one that has none.
func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}
