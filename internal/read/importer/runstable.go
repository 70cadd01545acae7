package importer

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// tableColumns are those of Options.Table; all but the first may be left out.
var tableColumns = []string{"file", "depth", "seed", "step"}

// maxRuns bounds the rows of a table of runs.
const maxRuns = 100_000

// find returns the checkpoints of paths, or those of the table of runs.
func (o *Options) find(paths []string) (found []checkpoint, several bool, err error) {
	if o.Table == "" {
		return findCheckpoints(paths)
	}
	if len(paths) > 0 || o.Names != "" {
		return nil, false, fmt.Errorf("importer: %w", &field.Error{Path: "table", Got: o.Table, Want: "the table alone: it names the files and says what they are"})
	}
	if o.rows, err = readRuns(o.Table); err != nil {
		return nil, false, fmt.Errorf("importer: %s: %w", plain.Text(o.Table), err)
	}
	for _, row := range o.rows {
		c, err := newCheckpoint(row.name)
		if err != nil {
			return nil, false, err
		}
		if slices.ContainsFunc(found, func(other checkpoint) bool { return slices.Equal(other.files, c.files) }) {
			return nil, false, fmt.Errorf("importer: %s: got two rows for %s, want one", plain.Text(o.Table), plain.Text(c.path))
		}
		found = append(found, c)
	}
	return found, true, nil
}

// namings returns what tables or names say of the checkpoints.
func (o *Options) namings(found []checkpoint) ([]naming, error) {
	if o.Table != "" {
		return o.rows, nil
	}
	return readNamings(found, o.Names)
}

// readRuns reads a table with the columns file, depth, seed, step. Files are relative to the folder of the table.
func readRuns(path string) ([]naming, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.TrimLeadingSpace = true
	head, err := reader.Read()
	if err != nil {
		return nil, errors.Join(errors.New("got no header, want the columns file, depth, seed, step"), err)
	}
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if err := field.OneOf("column", head[i], tableColumns...); err != nil {
			return nil, err
		}
		if slices.Contains(head[:i], head[i]) {
			return nil, fmt.Errorf("column %s: got it twice, want it once", head[i])
		}
	}
	if !slices.Contains(head, "file") {
		return nil, fmt.Errorf("got the columns %s, want one called file", strings.Join(head, ", "))
	}
	rest, err := reader.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 || len(rest) > maxRuns {
		return nil, fmt.Errorf("got %d rows, want 1 to %d", len(rest), maxRuns)
	}
	rows := make([]naming, len(rest))
	for i, cells := range rest {
		if rows[i], err = readRow(filepath.Dir(path), head, cells); err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
	}
	return rows, nil
}

// readRow reads one row; an empty cell says nothing.
func readRow(dir string, head, cells []string) (naming, error) {
	n := naming{given: true, settings: map[string]string{}}
	for i, text := range cells {
		text = strings.TrimSpace(text)
		switch head[i] {
		case "file":
			if text == "" {
				return n, errors.New("file: got none, want the name of a checkpoint")
			}
			if !filepath.IsAbs(text) {
				text = filepath.Join(dir, filepath.FromSlash(text))
			}
			n.name = text
		case "seed":
			n.seed = text
		default:
			if text == "" {
				continue
			}
			value, err := strconv.ParseFloat(text, 64)
			if err != nil || !(value >= 0 && value <= 1<<53) {
				return n, &field.Error{Path: head[i], Got: text, Want: "a number of at least 0"}
			}
			n.numbers = append(n.numbers, number{role: roles[head[i]], word: head[i], text: text, value: value})
		}
	}
	return n, nil
}
