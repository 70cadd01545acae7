package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/deeplimit/deeplimit/internal/planted"
	"github.com/deeplimit/deeplimit/scaling"
)

// A cell is a family at a set of depths and a width.
type cell struct {
	family planted.Family
	set    depthSet
	width  int
	suffix string // of the heading of its table
}

// inferred is what one draw of a cell gives, a line of its file.
type inferred struct {
	Draw      int                   `json:"draw"`
	Verdict   scaling.LimitKind     `json:"verdict"`
	Intervals map[string][2]float64 `json:"intervals"` // by quantity; what has none is left out
	Error     string                `json:"error,omitempty"`
}

// quantities are the columns of a table.
var quantities = []struct {
	key string
	of  func(*scaling.Inference) *scaling.LimitExponent
}{
	{"variation_1", func(x *scaling.Inference) *scaling.LimitExponent { return x.Variation(1) }},
	{"variation_2", func(x *scaling.Inference) *scaling.LimitExponent { return x.Variation(2) }},
	{"index", (*scaling.Inference).Index},
	{"root_sum_squares", (*scaling.Inference).RootSumSquares},
	{"max_frobenius", (*scaling.Inference).MaxFrobenius},
	{"max_increment", (*scaling.Inference).MaxIncrement},
	{"hurst", func(x *scaling.Inference) *scaling.LimitExponent { return x.Hurst }},
}

// truth returns the exponent of a quantity in the limit; known is false where it has none.
func (c cell) truth(key string) (value float64, known bool) {
	if key == "hurst" {
		return c.family.Hurst, c.family.Hurst > 0
	}
	value, known = c.family.Exponents[key]
	return value, known
}

// paths are those of draw n.
func (c cell) paths(n int) (paths []scaling.DepthPath) {
	for seed := range c.set.seeds {
		for _, depth := range c.set.depths {
			s := uint64(n*c.set.seeds + seed)
			paths = append(paths, scaling.DepthPath{Depth: depth, Seed: s, Path: c.family.Path(s, depth, c.width*c.width)})
		}
	}
	return paths
}

// infer does draw n.
func (c cell) infer(n int) inferred {
	d := inferred{Draw: n, Intervals: map[string][2]float64{}}
	x, err := scaling.Infer(c.paths(n), scaling.Assumptions{})
	if err != nil {
		d.Error = err.Error()
		return d
	}
	d.Verdict = x.Verdict
	for _, q := range quantities {
		if e := q.of(x); e != nil {
			d.Intervals[q.key] = [2]float64{e.Low, e.High}
		}
	}
	return d
}

func (c cell) file(folder string) string {
	name := strings.NewReplacer("/", "∕", " ", "_").Replace(c.family.Name)
	return filepath.Join(folder, fmt.Sprintf("%s-width-%d", c.set.name, c.width), name+".jsonl")
}

// extend adds draws to the file of a cell until it has so many.
func (c cell) extend(folder string, wanted int) error {
	name := c.file(folder)
	draws, whole, err := readDraws(name)
	if err != nil || len(draws) >= wanted {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(whole); err != nil {
		return err
	}
	for n := len(draws); n < wanted; n++ {
		line, err := json.Marshal(c.infer(n))
		if err != nil {
			return err
		}
		line = append(line, '\n')
		if _, err := file.WriteAt(line, whole); err != nil {
			return err
		}
		whole += int64(len(line))
	}
	return file.Close()
}

// readDraws returns the draws of a file, none where there is no file, and the bytes of its whole lines: the last one
// may have been cut off.
func readDraws(name string) (draws []inferred, whole int64, err error) {
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, err
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	for line := range bytes.Lines(data) {
		var d inferred
		if err := json.Unmarshal(line, &d); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
		if d.Draw != len(draws) {
			return nil, 0, fmt.Errorf("%s: got draw %d in line %d, want %d (delete the file)", name, d.Draw, len(draws)+1, len(draws))
		}
		draws = append(draws, d)
	}
	return draws, int64(len(data)), nil
}

// tabulate returns the tables of the draws that all cells of a table have, as many as are wanted at most; tables
// without any are left out.
func tabulate(folder string, cells []cell, wanted int) (tables []table, err error) {
	for from, to := 0, 0; from < len(cells); from = to {
		first := cells[from]
		for to = from; to < len(cells) && cells[to].set.name == first.set.name && cells[to].width == first.width && cells[to].suffix == first.suffix; {
			to++
		}
		all := make([][]inferred, 0, to-from)
		fewest := wanted
		for _, c := range cells[from:to] {
			draws, _, err := readDraws(c.file(folder))
			if err != nil {
				return nil, err
			}
			fewest = min(fewest, len(draws))
			all = append(all, draws)
		}
		if fewest == 0 {
			continue
		}
		t := table{set: first.set, width: first.width, suffix: first.suffix, draws: fewest}
		for i, draws := range all {
			t.rows = append(t.rows, count(cells[from+i], draws[:fewest]))
		}
		tables = append(tables, t)
	}
	return tables, nil
}
