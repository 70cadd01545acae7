package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// An answer is the form in which a command prints what it found for other programs: JSON, or the table in it
// as CSV; neither for people.
type answer struct{ json, csv bool }

// add registers --json and --csv.
func (a *answer) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.json, "json", false, "print JSON")
	cmd.Flags().BoolVar(&a.csv, "csv", false, "print the table as CSV, with the names and numbers of the JSON")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
}

// addJSON registers --json for a command whose answer is no table, which refuses --csv by name.
func (a *answer) addJSON(cmd *cobra.Command) {
	a.add(cmd)
	if err := cmd.Flags().MarkHidden("csv"); err != nil {
		panic("cli: " + err.Error()) // it was added just now
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if !a.csv {
			return nil
		}
		name := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
		return fmt.Errorf("%s: got --csv, want --json: what it prints is no table", name)
	}
}

// asked reports whether the answer is for other programs.
func (a answer) asked() bool { return a.json || a.csv }

// print writes value as JSON, or its rows as CSV: the elements of the list at path, whose steps are keys of
// objects. With no step value is the list itself.
//
// A column has the name of a field; those of objects in a row have theirs joined by dots. A list inside a row
// stands there as JSON. Where a step leads through a list, its elements' fields come first in the rows of the
// inner list, whose columns have the step before their names. Null is an empty field, and a list without
// elements prints nothing.
func (a answer) print(w io.Writer, value any, path ...string) error {
	if a.json {
		return printJSON(w, value)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("printing CSV: %w", field.NotFinite(value, err))
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	root, err := decodeOrdered(decoder)
	if err != nil {
		return fmt.Errorf("printing CSV: %w", err)
	}
	var t csvTable
	t.collect(root, nil, "", path)
	return t.write(w)
}

// An object is that of a JSON text, with its keys in their order.
type object struct {
	keys   []string
	values []any
}

// decodeOrdered returns the next value: an object, a list as []any, or a scalar.
func decodeOrdered(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := &object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeOrdered(d)
			if err != nil {
				return nil, err
			}
			o.keys, o.values = append(o.keys, key.(string)), append(o.values, value)
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := decodeOrdered(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

// MarshalJSON writes the keys in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(key)
		value, failed := json.Marshal(o.values[i])
		if err := errors.Join(err, failed); err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// A csvTable is a header with rows that may lack columns.
type csvTable struct {
	columns []string
	rows    []map[string]string
}

// A pair is a field of a row.
type pair struct{ name, text string }

// collect adds the rows at path below a value; before are the fields of the elements that the way led through.
func (t *csvTable) collect(value any, before []pair, prefix string, path []string) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			if len(path) == 0 {
				t.add(append(slices.Clone(before), flatten(prefix, element, true)...))
				continue
			}
			t.collect(element, append(slices.Clone(before), flatten(prefix, element, false)...), path[0]+".", path)
		}
	case *object:
		if len(path) == 0 {
			return
		}
		if i := slices.Index(value.keys, path[0]); i >= 0 {
			t.collect(value.values[i], before, prefix, path[1:])
		}
	}
}

// flatten returns the fields of a value, those of objects inside it by their way, with lists or without.
func flatten(name string, value any, lists bool) []pair {
	switch value := value.(type) {
	case *object:
		var pairs []pair
		if name != "" {
			name = strings.TrimSuffix(name, ".") + "."
		}
		for i, key := range value.keys {
			pairs = append(pairs, flatten(name+key, value.values[i], lists)...)
		}
		return pairs
	case []any:
		if !lists {
			return nil
		}
		text, err := json.Marshal(value)
		if err != nil {
			panic("cli: a decoded list has no JSON: " + err.Error())
		}
		return []pair{{name, plain.Text(string(text))}}
	case nil:
		return []pair{{name, ""}}
	case string:
		return []pair{{name, plain.Text(value)}}
	}
	return []pair{{name, fmt.Sprint(value)}}
}

// add adds a row. A column that it is the first to have stands behind the one before it.
func (t *csvTable) add(pairs []pair) {
	row, at := map[string]string{}, -1
	for _, p := range pairs {
		if p.text == "" {
			// A null where other rows have an object is none of its fields.
			if last := t.lastBelow(p.name); last >= 0 {
				at = last
				continue
			}
		}
		row[p.name] = p.text
		if i := slices.Index(t.columns, p.name); i >= 0 {
			at = i
			continue
		}
		at++
		t.columns = slices.Insert(t.columns, at, p.name)
	}
	t.rows = append(t.rows, row)
}

// lastBelow returns the last column of the fields of an object, -1 for none.
func (t *csvTable) lastBelow(name string) int {
	for i, column := range slices.Backward(t.columns) {
		if strings.HasPrefix(column, name+".") {
			return i
		}
	}
	return -1
}

// write writes the header and the rows.
func (t *csvTable) write(w io.Writer) error {
	if len(t.rows) == 0 {
		return nil
	}
	columns := slices.DeleteFunc(slices.Clone(t.columns), func(name string) bool {
		return t.lastBelow(name) >= 0 && !slices.ContainsFunc(t.rows, func(row map[string]string) bool { return row[name] != "" })
	})
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, row := range t.rows {
		cells := make([]string, len(columns))
		for i, name := range columns {
			cells[i] = row[name]
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
