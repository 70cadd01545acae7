package importer

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entries is a tensor of a made checkpoint: 1, 2, 3 … from start on.
type entries struct {
	shape []int
	start float64
}

// makeCheckpoint writes a safetensors file of F32 tensors.
func makeCheckpoint(t *testing.T, tensors map[string]entries) string {
	t.Helper()
	header := map[string]any{}
	var data []byte
	for name, e := range tensors {
		count, from := 1, len(data)
		for _, n := range e.shape {
			count *= n
		}
		for i := range count {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(e.start+float64(i))))
		}
		header[name] = map[string]any{"dtype": "F32", "shape": e.shape, "data_offsets": []int{from, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.safetensors")
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	if err := os.WriteFile(path, append(file, data...), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// imported returns the tensors of a run folder by name, shape and entries together.
func imported(t *testing.T, o Options, path string) map[string]string {
	t.Helper()
	o.Out, o.Alpha = filepath.Join(t.TempDir(), "run"), 0.5
	if _, err := Import(t.Context(), []string{path}, o); err != nil {
		t.Fatal(err)
	}
	tensors := map[string]string{}
	for name, tensor := range mustWeights(t, o.Out).Tensors {
		tensors[name] = fmt.Sprint(tensor.Shape, tensor.Data)
	}
	return tensors
}

func TestImport(t *testing.T) {
	sequential := map[string]entries{
		"net.0.weight": {[]int{2, 2}, 0}, "net.0.bias": {[]int{2}, 10},
		"net.2.weight": {[]int{2, 2}, 4}, "net.2.bias": {[]int{2}, 12},
		"net.4.weight": {[]int{2, 2}, 8}, "net.4.bias": {[]int{2}, 14},
	}
	for _, c := range []struct {
		name    string
		tensors map[string]entries
		layout  Layout
		layers  Range
		want    map[string]string
	}{
		{
			"sequential counts activations", sequential, mustPreset(t, "sequential"),
			Range{},
			map[string]string{"A": "[3 2 2] [0 1 2 3 4 5 6 7 8 9 10 11]", "b": "[3 2] [10 11 12 13 14 15]"},
		},
		{
			"some layers", sequential, mustPreset(t, "sequential"),
			Range{1, 4},
			map[string]string{"A": "[2 2 2] [4 5 6 7 8 9 10 11]", "b": "[2 2] [12 13 14 15]"},
		},
		{
			"without the ends", sequential, mustPreset(t, "sequential"),
			Range{1, -2},
			map[string]string{"A": "[1 2 2] [4 5 6 7]", "b": "[1 2] [12 13]"},
		},
		{
			"layers in numerical order",
			map[string]entries{
				"h.9.w": {[]int{1, 1}, 9}, "h.10.w": {[]int{1, 1}, 10}, "h.11.w": {[]int{1, 1}, 11},
			},
			Layout{Weight: "h.{k}.w", Convention: ColumnVectors},
			Range{9, 11},
			map[string]string{"A": "[3 1 1] [9 10 11]"},
		},
		{
			"transposed",
			map[string]entries{"w.1": {[]int{2, 3}, 0}, "w.2": {[]int{2, 3}, 6}},
			Layout{Weight: "w.{k}", Convention: RowVectors},
			Range{},
			map[string]string{"A": "[2 3 2] [0 3 1 4 2 5 6 9 7 10 8 11]"},
		},
		{
			"convolutions",
			map[string]entries{"layer3.0.conv2.weight": {[]int{2, 2, 1, 2}, 0}, "layer3.1.conv2.weight": {[]int{2, 2, 1, 2}, 8}},
			mustPreset(t, "resnet"),
			Range{},
			map[string]string{"A": "[2 2 4] [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15]"},
		},
		{
			"one tensor for all layers",
			map[string]entries{"stack": {[]int{2, 1, 2}, 0}},
			Layout{Weight: "stack", Convention: RowVectors, LayersAxis: new(0)},
			Range{},
			map[string]string{"A": "[2 2 1] [0 1 2 3]"},
		},
		{
			"two maps",
			map[string]entries{
				"0.v": {[]int{1, 2}, 0}, "1.v": {[]int{1, 2}, 2}, "0.w": {[]int{2, 1}, 4}, "1.w": {[]int{2, 1}, 6},
				"0.b": {[]int{2}, 8}, "1.b": {[]int{2}, 10}, "0.c": {[]int{1}, 12}, "1.c": {[]int{1}, 13},
			},
			Layout{Weight: "{k}.v", Inner: "{k}.w", InnerBias: "{k}.b", Bias: "{k}.c", Convention: ColumnVectors},
			Range{},
			map[string]string{"V": "[2 1 2] [0 1 2 3]", "W": "[2 2 1] [4 5 6 7]", "b": "[2 2] [8 9 10 11]", "c": "[2 1] [12 13]"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := imported(t, Options{Layout: c.layout, Layers: c.layers}, makeCheckpoint(t, c.tensors))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestImportRefuses(t *testing.T) {
	square, wide := []int{2, 2}, []int{2, 3}
	plain := Layout{Weight: "*layers.{k}.weight", Convention: ColumnVectors}
	with := func(change func(*Layout)) Layout {
		l := plain
		change(&l)
		return l
	}
	layers := func(more map[string]entries, indices ...int) map[string]entries {
		tensors := map[string]entries{}
		for _, k := range indices {
			tensors[fmt.Sprintf("layers.%d.weight", k)] = entries{square, 0}
		}
		for name, e := range more {
			tensors[name] = e
		}
		return tensors
	}
	for _, c := range []struct {
		name    string
		tensors map[string]entries
		layout  Layout
		layers  Range
		want    string
	}{
		{"missing layer", layers(nil, 0, 1, 3), plain, Range{}, `layer 2 is missing: no tensor "*layers.2.weight"; found 3 layers from 0 to 3`},
		{"missing layers", layers(nil, 0, 1, 900000000), plain, Range{}, `layers 2 to 899999999 are missing: no tensor "*layers.2.weight"; found 3 layers from 0 to 900000000`},
		{"missing first", layers(nil, 2, 3), plain, Range{}, `layers 0 to 1 are missing: no tensor "*layers.0.weight"; found 2 layers from 2 to 3`},
		{"missing last", layers(nil, 0, 1), plain, Range{0, 2}, `layer 2 is missing: no tensor "*layers.2.weight"; found 2 layers from 0 to 1`},
		{"missing with a stride", map[string]entries{"0.weight": {square, 0}, "2.weight": {square, 0}, "6.weight": {square, 0}}, mustPreset(t, "sequential"), Range{}, `layer 4 is missing: no tensor "*4.weight"; found 3 layers from 0 to 6`},
		{"none left", layers(nil, 0, 1), plain, Range{0, -3}, `pattern "*layers.{k}.weight": got 2 layers, want more than the 2 to leave out at the end`},
		{"duplicate layer", layers(map[string]entries{"ema.layers.1.weight": {square, 0}}, 0, 1), plain, Range{}, `layer 1: got tensors `},
		{"index with zeros", layers(map[string]entries{"layers.01.weight": {square, 0}}, 0, 1), plain, Range{}, `layer 1: got tensors `},
		{"huge index", layers(map[string]entries{"layers.99999999999999999999.weight": {square, 0}}, 0), plain, Range{}, `tensor "layers.99999999999999999999.weight": layer: got 99999999999999999999, want an index`},
		{"mixed shapes", layers(map[string]entries{"layers.2.weight": {wide, 0}}, 0, 1), plain, Range{}, `layer 2: tensor "layers.2.weight": got shape [2 3], want [2 2] as in layer 0; choose layers of one shape with --layers`},
		{"vectors", map[string]entries{"layers.0.weight": {[]int{2}, 0}}, plain, Range{}, `tensor "layers.0.weight": got shape [2] a layer, want a matrix`},
		{"empty matrices", map[string]entries{"layers.0.weight": {[]int{2, 0}, 0}}, plain, Range{}, `tensor "layers.0.weight": got shape [2 0], want sizes of at least 1`},
		{"convolution of rows", map[string]entries{"layers.0.weight": {[]int{2, 2, 3, 3}, 0}}, with(func(l *Layout) { l.Convention = RowVectors }), Range{}, `tensor "layers.0.weight": got shape [2 2 3 3] a layer, want a matrix for convention xA`},
		{"no tensor", layers(nil, 0, 1), with(func(l *Layout) { l.Weight = "h.{k}.w" }), Range{}, `pattern "h.{k}.w": got no tensor; patterns that fit, with their layers: layers.{k}.weight (2)`},
		{"no bias", layers(nil, 0, 1), with(func(l *Layout) { l.Bias = "layers.{k}.bias" }), Range{}, `pattern "layers.{k}.bias": got no tensor; patterns that fit, with their layers: layers.{k}.weight (2)`},
		{"bias of one layer", layers(map[string]entries{"layers.0.bias": {[]int{2}, 0}}, 0, 1), with(func(l *Layout) { l.Bias = "layers.{k}.bias" }), Range{}, `layer 1 is missing: no tensor "layers.1.bias", but there is "layers.1.weight"; found 1 layers from 0 to 0; if they are all there should be, say so with --layers 0:0`},
		{"bias too long", layers(map[string]entries{"layers.0.bias": {[]int{3}, 0}}, 0), with(func(l *Layout) { l.Bias = "layers.{k}.bias" }), Range{}, `tensor "layers.0.bias": got a bias of length 3, want 2`},
		{"bias of matrices", layers(map[string]entries{"layers.0.bias": {square, 0}}, 0), with(func(l *Layout) { l.Bias = "layers.{k}.bias" }), Range{}, `tensor "layers.0.bias": got shape [2 2] a layer, want a vector for the bias`},
		{"maps that do not fit", map[string]entries{"0.v": {wide, 0}, "0.w": {wide, 0}}, Layout{Weight: "{k}.v", Inner: "{k}.w", Convention: ColumnVectors}, Range{}, `tensor "0.w": got a 2×3 matrix for W·x, want 3×2 beside the 2×3 of "0.v": is the convention right?`},
		{"several without index", layers(nil, 0, 1), with(func(l *Layout) { l.Weight = "layers.*" }), Range{}, `pattern "layers.*": got tensors `},
		{"range of a stack", map[string]entries{"stack": {[]int{2, 1, 2}, 0}}, with(func(l *Layout) { l.Weight = "stack" }), Range{0, 1}, `tensor "stack" holds all layers, want a pattern with {k} to choose some`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, out := makeCheckpoint(t, c.tensors), filepath.Join(t.TempDir(), "run")
			_, err := Import(t.Context(), []string{path}, Options{Out: out, Layout: c.layout, Layers: c.layers})
			if want := "importer: " + path + ": " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error:\n got %v\nwant %s", err, want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestOptionsRefused(t *testing.T) {
	good := Options{Out: "out", Layout: mustPreset(t, "layers")}
	for _, c := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.Out = "" }, `importer: out: got "", want a folder`},
		{func(o *Options) { o.Name = "a/b" }, `importer: name: got "a/b", want a name that a folder can have`},
		{func(o *Options) { o.Name = ".." }, `importer: name: got "..", want a name that a folder can have`},
		{func(o *Options) { o.Alpha = math.NaN() }, `importer: alpha: got NaN, want a finite number`},
		{func(o *Options) { o.Layout.Weight = "{k}.{k}" }, `importer: pattern: got "{k}.{k}", want {k} once`},
		{func(o *Options) { o.Layout.InnerBias = "{k}.b" }, `importer: inner bias: got "{k}.b", want an inner pattern beside it`},
		{func(o *Options) { o.Layout.Convention = "A" }, `importer: convention: got "A", want one of Ax, xA`},
		{func(o *Options) { o.Layout.LayersAxis = new(-1) }, `importer: layers-axis: got -1, want an axis, counted from 0`},
		{func(o *Options) { o.Steps = "first" }, `importer: steps: got "first", want last, all, series or the number of a step`},
		{func(o *Options) { o.Names = "{step}{step}" }, `importer: names: got "{step}{step}", want a name with {depth}, {seed}, {step} and * such as 'L{depth}-seed{seed}.pt', each once`},
		{func(o *Options) { o.Names = "L{depth}" }, `importer: names: got "testdata/residual-4.safetensors", want a name that the pattern fits, as it has to fit those of all checkpoints`},
	} {
		o := good
		c.change(&o)
		if _, err := Import(t.Context(), []string{"testdata/residual-4.safetensors"}, o); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if _, err := Import(t.Context(), nil, good); err == nil || err.Error() != "importer: got no checkpoints, want one file or more" {
		t.Errorf("no files: %v", err)
	}
}

func TestParseRange(t *testing.T) {
	for text, want := range map[string]Range{"": {}, "0:3": {0, 3}, "2:2": {2, 2}, "1:-2": {1, -2}, "0:-1": {0, -1}} {
		if got, err := ParseRange(text); got != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"3", "3:", ":3", "3:2", "0:0", "-1:3", "a:b"} {
		if got, err := ParseRange(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func FuzzSuggest(f *testing.F) {
	f.Add("layers.0.weight", "layers.1.weight", "*layers.{k}.weight")
	f.Add("a1b2", "a3b2", "a{k}*")
	f.Fuzz(func(t *testing.T, a, b, pattern string) {
		names := []string{a, b}
		Suggest(names)
		found, err := locate(pattern, names, Range{}, true)
		if err == nil && len(found.indices) > 0 && len(found.indices) != len(found.names) {
			t.Fatalf("got %d indices for %d names", len(found.indices), len(found.names))
		}
	})
}
