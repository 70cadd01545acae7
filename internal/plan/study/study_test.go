package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/resnet"
)

// mustRuns returns the runs of a study file that is right.
func mustRuns(t testing.TB, text string, set ...string) []Run {
	t.Helper()
	s, err := Parse(filepath.Join(t.TempDir(), "study.yaml"), []byte(text), set)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := s.Runs()
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// ids returns what tells the runs apart: their IDs without the hash.
func ids(runs []Run) []string {
	var out []string
	for _, r := range runs {
		out = append(out, strings.TrimSuffix(r.ID, "-"+r.Hash[:8]))
	}
	return out
}

func TestReadsTheDocumentedFile(t *testing.T) {
	s, err := Parse("dir/paper.yaml", []byte(`
name: paper-regime
depths: [16, 64, 256]
seeds: 3
dtype: float64
data: {kind: separated, width: 10, samples: 8, distance: 0.3}
network: {block: inner, activation: tanh, alpha: 0.5, residual: fixed, bias: false, loss: squared}
initial: {kind: normal, amplitude: 0.1, exponent: 1.0}
train:
  method: gd
  step: {rule: depth, value: 8}
  stop: {loss: 1e-10, iterations: 2000}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "paper-regime" || s.Base != "dir" || s.Train.Stop.Loss != 1e-10 || *s.Initial.Exponent != 1 {
		t.Errorf("got %+v", s)
	}
	runs, err := s.Runs()
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 9 {
		t.Fatalf("got %d runs, want 9", len(runs))
	}
	r := runs[4]
	if r.Depth != 64 || r.Seed != 2 || r.Study != "paper-regime" || r.Base != "dir" || r.DType != "float64" || r.Inputs != 10 || r.Outputs != 10 {
		t.Errorf("got %+v", r)
	}
	if *r.Data.Seed != 2 || r.Data.Name != "separated" || r.Network.Embed != "identity" || r.Train.Step.Value != 8 {
		t.Errorf("defaults: got %+v", r)
	}
	amplitude, exponent := 0.1, 1.0
	want := resnet.Initial{Parts: map[string]resnet.Initial{"A": {Kind: "normal", Amplitude: &amplitude, Exponent: &exponent}}}
	if diff := cmp.Diff(want, r.Initial); diff != "" {
		t.Errorf("initial (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	runs := mustRuns(t, "name: s\ndepths: [4]\ndata: {kind: diabetes}\n")
	if len(runs) != 1 {
		t.Fatalf("got %d runs, want 1", len(runs))
	}
	r := runs[0]
	if r.Seed != 1 || r.DType != "float64" || r.Network.Width != 10 || r.Outputs != 1 || r.Network.Readout != "orthonormal" || *r.Train.Stop.Iterations != 1000 {
		t.Errorf("got %+v", r)
	}
	if a := r.Initial.Parts["A"]; *a.Amplitude != 0.1 || *a.Exponent != 1 {
		t.Errorf("initial: got amplitude %g, exponent %g, want 1/d = 0.1 and beta + 1/2 = 1", *a.Amplitude, *a.Exponent)
	}
}

func TestSeedsAndSections(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"seeds: [7, 0]\n", []string{"separated-L0004-s7", "separated-L0004-s0", "separated-L0008-s7", "separated-L0008-s0"}},
		{"seeds: [18446744073709551615]\nnetwork:\ntrain: {}\ninitial: ~\n", []string{"separated-L0004-s18446744073709551615", "separated-L0008-s18446744073709551615"}},
	} {
		if diff := cmp.Diff(c.want, ids(mustRuns(t, head+c.text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

// TestScalars holds plain scalars to the core schema of YAML 1.2.
func TestScalars(t *testing.T) {
	for text, want := range map[string]float64{"8": 8, "+8": 8, "0o10": 8, "0x8": 8, "8.": 8, "8e0": 8, ".8e+1": 8, "80E-1": 8, "08": 8} {
		runs := mustRuns(t, head+"train: {step: {value: "+text+"}}\n")
		if got := runs[0].Train.Step.Value; got != want {
			t.Errorf("%s: got %g, want %g", text, got, want)
		}
	}
	for _, text := range []string{"1_000", "0b11", "1e", "e5", "--1", "1 2", "0o9", "0xg"} {
		if _, err := Parse("s.yaml", []byte(head+"train: {step: {value: "+text+"}}\n"), nil); err == nil {
			t.Errorf("%s: got no error, want it refused as a number", text)
		}
	}
}

func TestAliasesAndMergeKeys(t *testing.T) {
	runs := mustRuns(t, `
name: s
depths: [4]
data:
- &set {kind: separated, width: 4, samples: 2, distance: 0.3}
- {<<: *set, name: far, distance: 3}
network: {width: &w 4}
initial: {amplitude: *w}
`)
	if len(runs) != 2 || runs[1].Data.Distance != 3 || runs[1].Data.Width != 4 || *runs[0].Initial.Parts["A"].Amplitude != 4 {
		t.Errorf("got %+v", runs)
	}
}

func TestOverrides(t *testing.T) {
	const text = "name: s\ndepths: [4]\ndata: [{kind: separated, width: 4, samples: 2, distance: 0.3}]\ngrid: {network.alpha: [0.5, 1]}\n"
	runs := mustRuns(t, text, "data.samples=3", "data.0.distance=1", "grid.network.alpha=[0.75]", "train.stop.iterations=5", "depths=[2, 6]", "name=t")
	want := []string{"separated-alpha0.75-L0002-s1", "separated-alpha0.75-L0006-s1"}
	if diff := cmp.Diff(want, ids(runs)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r := runs[0]
	if r.Data.Samples != 3 || r.Data.Distance != 1 || r.Steps() != 5 || r.Study != "t" {
		t.Errorf("got %+v", r)
	}
	single := mustRuns(t, head, "data.0.samples=3")
	if single[0].Data.Samples != 3 {
		t.Errorf("data.0.samples of a mapping: got %d samples, want 3", single[0].Data.Samples)
	}
}

func TestGridAndZip(t *testing.T) {
	runs := mustRuns(t, `
name: s
depths: [4]
data: {kind: separated, width: 4, samples: 2, distance: 0.3}
grid:
  train.step.value: [8, 1e0]
  network.activation: [tanh, relu]
zip:
- {network.alpha: 0.50, initial.parts.A: {kind: zero}}
- {initial.parts.A: {amplitude: -2}, network.alpha: 1}
`)
	if len(runs) != 8 {
		t.Fatalf("got %d runs, want 8", len(runs))
	}
	want := map[string]string{"train.step.value": "1", "network.activation": "tanh", "network.alpha": "1", "initial.parts.A": "{amplitude: -2}"}
	if diff := cmp.Diff(want, runs[5].Settings); diff != "" {
		t.Errorf("settings of the sixth run (-want +got):\n%s", diff)
	}
	r := runs[5]
	if r.Train.Step.Value != 1 || r.Network.Activation != "tanh" || *r.Network.Alpha != 1 || *r.Initial.Parts["A"].Amplitude != -2 {
		t.Errorf("got %+v", r)
	}
	columns := mustRuns(t, head+"zip: {network.alpha: [0.5, 1], dtype: [float32, float64]}\n")
	if len(columns) != 4 || columns[0].DType != "float32" || columns[2].DType != "float64" || *columns[2].Network.Alpha != 1 {
		t.Errorf("zip of lists: got %+v", columns)
	}
}

// TestSeveralZips wants the product of groups, and the rest of the file where a row leaves a path out.
func TestSeveralZips(t *testing.T) {
	const adam = "network: {bias: true}\n"
	const rows = "- [{train.method: gd}, {train.method: adam, train.step.value: 0.05}]\n"
	for name, text := range map[string]string{
		"rows": "zip:\n" + rows + "- - {network.alpha: 0.5, initial.amplitude: 1}\n  - {network.alpha: 0.75, initial.amplitude: 2}\n",
		"both": "zip:\n" + rows + "- {network.alpha: [0.5, 0.75], initial.amplitude: [1, 2]}\n",
	} {
		runs := mustRuns(t, "name: s\ndepths: [4]\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\n"+adam+text)
		if len(runs) != 4 {
			t.Fatalf("%s: got %d runs, want 4", name, len(runs))
		}
		for i, want := range []map[string]string{
			{"train.method": "gd", "network.alpha": "0.5", "initial.amplitude": "1"},
			{"train.method": "gd", "network.alpha": "0.75", "initial.amplitude": "2"},
			{"train.method": "adam", "train.step.value": "0.05", "network.alpha": "0.5", "initial.amplitude": "1"},
			{"train.method": "adam", "train.step.value": "0.05", "network.alpha": "0.75", "initial.amplitude": "2"},
		} {
			if diff := cmp.Diff(want, runs[i].Settings); diff != "" {
				t.Errorf("%s: settings of run %d (-want +got):\n%s", name, i, diff)
			}
		}
		if runs[0].Train.Step.Value == 0.05 || runs[2].Train.Step.Value != 0.05 {
			t.Errorf("%s: got steps %v and %v, want the default and 0.05", name, runs[0].Train.Step.Value, runs[2].Train.Step.Value)
		}
	}
	without := mustRuns(t, head+"zip: [{}, {train.penalty.increments: 0.1}]\n")
	if len(without) != 4 || len(without[0].Settings) != 0 || without[0].Train.Penalty.Increments != 0 || without[2].Train.Penalty.Increments != 0.1 {
		t.Errorf("a row without a path: got %+v", without)
	}
	zero, none := mustRuns(t, head+"grid: {train.penalty.l2: [0, 0.1]}\n"), mustRuns(t, head)
	if zero[0].Hash != none[0].Hash || zero[2].Train.Penalty.L2 != 0.1 {
		t.Errorf("a penalty of 0: got %+v, want the run without one", zero[0])
	}
	columns := mustRuns(t, head+"zip:\n- {network.alpha: [0.5, 1]}\n- {dtype: [float32, float64], train.step.value: [1, 2]}\n")
	if len(columns) != 8 {
		t.Errorf("zips of lists: got %d runs, want 8: two groups of two, and two of the depths or seeds", len(columns))
	}
}

func TestGridOverDataSets(t *testing.T) {
	const text = "name: s\ndepths: [4]\ndata:\n- {kind: separated, width: 4, samples: 2, distance: 0.3}\n- {kind: rotation, width: 4, samples: 2, angle: 1}\n"
	all := mustRuns(t, text+"grid: {data.samples: [2, 3]}\n")
	if diff := cmp.Diff([]string{"separated-samples2-L0004-s1", "separated-samples3-L0004-s1", "rotation-samples2-L0004-s1", "rotation-samples3-L0004-s1"}, ids(all)); diff != "" {
		t.Errorf("all sets (-want +got):\n%s", diff)
	}
	one := mustRuns(t, text+"grid: {data.1.angle: [1, 2]}\n")
	if diff := cmp.Diff([]string{"separated-L0004-s1", "rotation-angle1-L0004-s1", "rotation-angle2-L0004-s1"}, ids(one)); diff != "" {
		t.Errorf("one set (-want +got):\n%s", diff)
	}
	if one[0].Settings != nil {
		t.Errorf("settings of the other set: got %v, want none", one[0].Settings)
	}
}

// TestIDIsAFileName gives names that would leave the folder or break a shell.
func TestIDIsAFileName(t *testing.T) {
	for name, want := range map[string]string{
		"../../etc":              "_.._etc-L0004-s1",
		"a b/c\\d\x00é$":         "a_b_c_d___-L0004-s1",
		"..":                     "_-L0004-s1",
		strings.Repeat("x", 500): strings.Repeat("x", 40) + "-L0004-s1",
	} {
		r := Run{Data: dataset.Spec{Name: name}, Depth: 4, Seed: 1, Hash: "0123456789"}
		got := strings.TrimSuffix(r.name(), "-01234567")
		if filepath.Base(got) != got || !filepath.IsLocal(got) {
			t.Errorf("%q: got %q, which is no file name", name, got)
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// TestFilesOfAStudy runs the case of arrays and initial weights from files.
func TestFilesOfAStudy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, header, data string) {
		t.Helper()
		// NPY format version 1.0: magic, version, header length, header padded to 64 bytes.
		for (10+len(header)+1)%64 != 0 {
			header += " "
		}
		header += "\n"
		text := "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), byte(len(header) >> 8)}) + header + data
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	array := func(shape string) string { return "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }" }
	write("X.npy", array("(2, 3)"), strings.Repeat("\x00", 48))
	write("Y.npy", array("(2, 3)"), strings.Repeat("\x00", 48))
	write("A-4.npy", array("(4, 3, 3)"), strings.Repeat("\x00", 288))
	write("A-8.npy", array("(8, 3, 3)"), strings.Repeat("\x00", 576))
	text := "name: s\ndepths: [4, 8]\ndata: {kind: files, inputs: X.npy, targets: Y.npy}\ninitial: {kind: file, path: \"A-{depth}.npy\"}\n"
	read := func() []Run {
		t.Helper()
		s, err := Parse(filepath.Join(dir, "s.yaml"), []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		runs, err := s.Runs()
		if err != nil {
			t.Fatal(err)
		}
		return runs
	}
	runs := read()
	if len(runs) != 2 || runs[0].Inputs != 3 || runs[0].Network.Width != 3 || runs[1].Initial.Parts["A"].Path != "A-8.npy" {
		t.Fatalf("got %+v", runs)
	}
	var roles []string
	for _, f := range runs[1].Files {
		roles = append(roles, f.Role+" "+f.Path)
	}
	if diff := cmp.Diff([]string{"data.0 X.npy", "data.1 Y.npy", "initial.A A-8.npy"}, roles); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if runs[0].Group != runs[1].Group {
		t.Errorf("the depths have different groups")
	}

	// Another name for the same content is the same run, other content is not.
	write("X2.npy", array("(2, 3)"), strings.Repeat("\x00", 48))
	text = strings.Replace(text, "X.npy", "X2.npy", 1)
	if renamed := read(); renamed[0].Hash != runs[0].Hash || renamed[0].Group != runs[0].Group {
		t.Error("a renamed file changed the hash")
	}
	write("X2.npy", array("(2, 3)"), strings.Repeat("\x01", 48))
	if changed := read(); changed[0].Hash == runs[0].Hash || changed[0].Group == runs[0].Group {
		t.Error("other data kept the hash or the group")
	}
	text = strings.Replace(text, "X2.npy", "X.npy", 1)
	write("A-4.npy", array("(4, 3, 3)"), strings.Repeat("\x01", 288))
	if changed := read(); changed[0].Hash == runs[0].Hash || changed[1].Hash != runs[1].Hash || changed[0].Group != runs[0].Group {
		t.Error("other initial weights of depth 4: want a new hash for that depth alone and the group kept")
	}
}

// TestFlops checks the formula against counts by hand.
func TestFlops(t *testing.T) {
	r := mustRuns(t, "name: s\ndepths: [5]\ndata: {kind: diabetes}\nnetwork: {block: mlp, hidden: 20, bias: true, width: 4, readout: trained}\ntrain: {method: adam}\ndtype: float32\n")[0]
	// Layers 12·4·20·7·5, E 2·4·10·7, C 6·4·1·7.
	if got, want := r.Flops(7), 33600.0+560+168; got != want {
		t.Errorf("flops: got %g, want %g", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head, "network.alpha=0.75")
	f.Add(Template(), "data.0.samples=3")
	f.Add(head+"grid: {data.samples: [1, 2], network: [{alpha: 1}]}\nzip: [{train.step: {value: 3}}]\n", "grid.initial.kind=[zero]")
	f.Add("a: &a [*a, {<<: *a}]\n? b\n: |\n  c\n", "data=[]")
	f.Fuzz(func(t *testing.T, text, set string) {
		for _, set := range [][]string{nil, {set}} {
			s, err := Parse("s.yaml", []byte(text), set)
			if err != nil {
				if strings.TrimSpace(err.Error()) == "" {
					t.Error("got an error without text")
				}
				continue
			}
			size := len(s.Depths) * len(s.Seeds) * len(s.Data)
			for _, axis := range s.Axes {
				size *= len(axis.Values)
			}
			if size <= 100 {
				_, _ = s.Runs() // bad values are errors; only a panic is a fault
			}
		}
	})
}

func BenchmarkRuns(b *testing.B) {
	s, err := Parse("s.yaml", []byte(head+"seeds: 100\ngrid: {network.alpha: [0, 0.25, 0.5, 0.75, 1], train.step.value: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}\n"), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		runs, err := s.Runs()
		if err != nil || len(runs) != 10_000 {
			b.Fatal(len(runs), err)
		}
	}
}

// TestIndexOfATable takes what YAML has as a bool or a number for the name of a column.
func TestIndexOfATable(t *testing.T) {
	for text, want := range map[string]string{"true": "true", "False": "false", "id": "id", "3": "3", `"0"`: "0"} {
		s, err := Parse("s.yaml", []byte("name: s\ndepths: [2]\ndata: {kind: csv, path: t.csv, index: "+text+"}\n"), nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := string(s.Data[0].Index); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	_, err := Parse("s.yaml", []byte("name: s\ndepths: [2]\ndata: {kind: csv, path: t.csv, index: [a]}\n"), nil)
	if want := "study: s.yaml:3:39: data.index: got a list, want text"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
