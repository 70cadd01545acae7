package importer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/half"
)

// TestReadNaming reads names as programs write them.
func TestReadNaming(t *testing.T) {
	for name, want := range map[string]string{
		"L128-step1000.safetensors":                  "depth 128, step 1000",
		"epoch=9-step=500.ckpt":                      "step 9, step 500",
		"epoch=9-step=500-val_loss=0.25.ckpt":        "step 9, step 500, result 0.25",
		"iter_0005000.pt":                            "step 0005000",
		"ckpt-500.pt":                                "step 500",
		"checkpoint-1500/model.safetensors":          "step 1500",
		"global_step1000/mp_rank_00_model_states.pt": "step 1000, part 00",
		"step1000-tokens4B.pt":                       "step 1000, step 4B",
		"depth_64/seed3.pt":                          "depth 64, seed 3",
		"net-64layers-s3.pt":                         "depth 64, seed 3",
		"64L_run2_10k_steps.pt":                      "depth 64, seed 2, unknown 10",
		"step10k.pt":                                 "step 10k",
		"ModelStep20.pt":                             "step 20",
		"L8s3.pt":                                    "depth 8, seed 3",
		"net8step1000.pt":                            "unknown 8, step 1000",
		"1000.pt":                                    "unknown 1000",
		"lr0.1.pt":                                   "unknown 0.1",
		"consolidated.00.pth":                        "part 00",
		"model.pt":                                   "",
		"resnet.v2.layers=12.pt":                     "unknown 2, depth 12",
	} {
		names := map[role]string{unknown: "unknown", isDepth: "depth", isSeed: "seed", isStep: "step", isPart: "part", isResult: "result"}
		var got []string
		for _, x := range readNaming(name).numbers {
			got = append(got, names[x.role]+" "+x.text)
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: got %q, want %q", name, text, want)
		}
	}
}

// TestSeries imports folders of checkpoints and wants each to be what its name says: runs
// are given as depth, seed and step, and the weights of which seed they hold.
func TestSeries(t *testing.T) {
	for _, c := range []struct {
		name     string
		networks map[string][2]int // depth, seed of the weights
		change   func(*Options)
		want     []string
		left     []string
	}{
		{
			name:     "steps",
			networks: map[string][2]int{"step0.st": {4, 1}, "step1000.st": {4, 2}, "step200.st": {4, 3}},
			want:     []string{"4 1 1000"}, left: []string{"step0.safetensors", "step200.safetensors"},
		},
		{
			name:     "copies as steps",
			networks: map[string][2]int{"L4-step1.st": {4, 1}, "L4-step2.st": {4, 1}, "L6-step1.st": {6, 1}, "L6-step2.st": {6, 1}},
			want:     []string{"4 1 2", "6 1 2"}, left: []string{"L4-step1.safetensors", "L6-step1.safetensors"},
		},
		{
			name:     "epochs and steps",
			networks: map[string][2]int{"epoch=9-step=500.st": {4, 1}, "epoch=10-step=550.st": {4, 2}},
			want:     []string{"4 1 550"}, left: []string{"epoch=9-step=500.safetensors"},
		},
		{
			name:     "steps that begin again in each epoch",
			networks: map[string][2]int{"epoch=1-step=500.st": {4, 1}, "epoch=2-step=500.st": {4, 2}},
			want:     []string{"4 1 2"}, left: []string{"epoch=1-step=500.safetensors"},
		},
		{
			name:     "losses in names",
			networks: map[string][2]int{"iter_0100-val_loss=0.5.st": {4, 1}, "iter_0200-val_loss=0.4.st": {4, 2}},
			want:     []string{"4 1 200"}, left: []string{"iter_0100-val_loss=0.5.safetensors"},
		},
		{
			name:     "folders of a trainer",
			networks: map[string][2]int{"checkpoint-500/model.st": {4, 1}, "checkpoint-1500/model.st": {4, 2}, "checkpoint-1500/optimizer.bin": {4, 3}},
			want:     []string{"4 1 1500"}, left: []string{"model.safetensors", "optimizer.bin"},
		},
		{
			name:     "seeds, each with steps",
			networks: map[string][2]int{"seed3/step1.st": {4, 1}, "seed3/step2.st": {4, 2}, "seed5/step1.st": {4, 3}, "seed5/step2.st": {4, 4}},
			want:     []string{"4 3 2", "4 5 2"}, left: []string{"step1.safetensors", "step1.safetensors"},
		},
		{
			name:     "a chosen step",
			networks: map[string][2]int{"ckpt-10.st": {4, 1}, "ckpt-20.st": {4, 2}, "ckpt-30.st": {4, 3}},
			change:   func(o *Options) { o.Steps = "20" },
			want:     []string{"4 1 20"}, left: []string{"ckpt-10.safetensors", "ckpt-30.safetensors"},
		},
		{
			name:     "all steps",
			networks: map[string][2]int{"ckpt-10.st": {4, 1}, "ckpt-20.st": {4, 2}, "ckpt-30.st": {4, 2}},
			change:   func(o *Options) { o.Steps = AllSteps },
			want:     []string{"4 1 10", "4 1 20"}, left: []string{"ckpt-30.safetensors"},
		},
		{
			name:     "seeds by name",
			networks: map[string][2]int{"L4-s1.st": {4, 1}, "L4-s2.st": {4, 2}, "L6-s2.st": {6, 2}},
			want:     []string{"4 1 ", "4 2 ", "6 2 "},
		},
		{
			name:     "seeds in two formats",
			networks: map[string][2]int{"s1.st": {4, 1}, "s2.npz": {4, 2}},
			want:     []string{"4 1 ", "4 2 "},
		},
		{
			name:     "copies as seeds",
			networks: map[string][2]int{"L4-s1.st": {4, 1}, "L4-s2.st": {4, 1}, "L4-s3.st": {4, 2}},
			want:     []string{"4 1 ", "4 3 "}, left: []string{"L4-s2.safetensors"},
		},
		{
			name:     "a number that is the depth",
			networks: map[string][2]int{"net-4.st": {4, 1}, "net-6.st": {6, 1}},
			want:     []string{"4 1 ", "6 1 "},
		},
		{
			name:     "words, and weights that have nothing in common",
			networks: map[string][2]int{"a.st": {4, 1}, "b.st": {4, 2}, "c.st": {6, 1}},
			want:     []string{"4 1 ", "4 2 ", "6 1 "},
		},
		{
			name:     "words, and the same weights",
			networks: map[string][2]int{"a.st": {4, 1}, "final.st": {4, 1}},
			want:     []string{"4 1 "}, left: []string{"final.safetensors"},
		},
		{
			name:     "names given as seeds",
			networks: map[string][2]int{"1000.st": {4, 1}, "2000.st": {4, 2}},
			change:   func(o *Options) { o.Names = "{seed}.safetensors" },
			want:     []string{"4 1000 ", "4 2000 "},
		},
		{
			name:     "names given as steps",
			networks: map[string][2]int{"1000.st": {4, 1}, "2000.st": {4, 2}},
			change:   func(o *Options) { o.Names = "{step}.safetensors" },
			want:     []string{"4 1 2000"}, left: []string{"1000.safetensors"},
		},
		{
			name:     "names given as words for seeds and a setting",
			networks: map[string][2]int{"bach-lr0.1.st": {4, 1}, "haydn-lr0.1.st": {4, 2}, "bach-lr0.2.st": {4, 3}},
			change:   func(o *Options) { o.Names = "{seed}-lr{lr}.safetensors" },
			want:     []string{"4 1 ", "4 1 ", "4 2 "},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			networks := map[string][2]int{}
			for name, n := range c.networks {
				networks[strings.Replace(name, ".st", ".safetensors", 1)] = n
			}
			o := Options{Out: filepath.Join(t.TempDir(), "out"), Layout: mustPreset(t, "layers")}
			if c.change != nil {
				c.change(&o)
			}
			runs, err := Import(t.Context(), []string{writeNetworks(t, networks)}, o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range runs {
				got = append(got, fmt.Sprintf("%d %d %s", r.Depth, r.Seed, r.Step))
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("depth, seed, step (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(c.left, leftOut(runs)); diff != "" {
				t.Errorf("left out (-want +got)\n%s", diff)
			}
		})
	}
}

// TestSeriesAsks imports checkpoints whose names do not tell what they are.
func TestSeriesAsks(t *testing.T) {
	for _, c := range []struct {
		name     string
		networks map[string][2]int
		change   func(*Options)
		want     string
	}{
		{
			"numbers",
			map[string][2]int{"1000.safetensors": {4, 1}, "2000.safetensors": {4, 2}},
			nil,
			"got 2 checkpoints of depth 4, 1000.safetensors, 2000.safetensors, want names that tell seeds from steps of one training; say what they are with --names '{seed}.safetensors' or --names '{step}.safetensors'",
		},
		{"numbers in folders", map[string][2]int{"v0/L4.safetensors": {4, 1}, "v1/L4.safetensors": {4, 2}}, nil, "--names 'v{seed}/L{depth}.safetensors' or --names 'v{step}/L{depth}.safetensors'"},
		{"a setting", map[string][2]int{"lr0.1-s1.safetensors": {4, 1}, "lr0.2-s1.safetensors": {4, 2}}, nil, "--names 'lr{seed}-s1.safetensors'"},
		{"a step and the end", map[string][2]int{"step10.safetensors": {4, 1}, "final.safetensors": {4, 2}}, nil, "want names that tell seeds from steps"},
		{"steps and another word", map[string][2]int{"step10.safetensors": {4, 1}, "step20.safetensors": {4, 2}, "trained.safetensors": {4, 3}}, nil, "step10.safetensors and trained.safetensors have no form in common that --names could give, so rename one"},
		{"formats, a number", map[string][2]int{"7.safetensors": {4, 1}, "8.pt": {4, 2}}, nil, "--names '{seed}.*' or --names '{step}.*'"},
		{"best and last", map[string][2]int{"best.safetensors": {4, 1}, "last.safetensors": {4, 2}}, nil, "--names '{seed}.*' or --names '{step}.*'"},
		{"one seed and one without", map[string][2]int{"net.safetensors": {4, 1}, "net-s2.safetensors": {4, 2}}, nil, "want names that tell seeds from steps"},
		{"steps counted in two ways", map[string][2]int{"step10.safetensors": {4, 1}, "epoch1.safetensors": {4, 2}}, nil, "want names that tell seeds from steps"},
		{"parts of processes", map[string][2]int{"step1/mp_rank_00.safetensors": {4, 1}, "step1/mp_rank_01.safetensors": {4, 2}}, nil, "mp_rank_00.safetensors: got a part of a network by its name (rank) beside mp_rank_01.safetensors; want parts joined into one file"},
		{"given seeds that are one", map[string][2]int{"a-1.safetensors": {4, 1}, "b-1.safetensors": {4, 2}}, func(o *Options) { o.Names = "*-{seed}.*" }, "for depth 4 and seed 1, want one"},
		{"a given depth that is another", map[string][2]int{"8.safetensors": {4, 1}}, func(o *Options) { o.Names = "{depth}.*" }, "its name says depth 8, and 4 layers were found: want"},
		{"a step that is not there", map[string][2]int{"step10.safetensors": {4, 1}, "step20.safetensors": {4, 2}}, func(o *Options) { o.Steps = "15" }, "got steps 10, 20, want step 15, as --steps says"},
		{"a step where there is none", map[string][2]int{"a.safetensors": {4, 1}}, func(o *Options) { o.Steps = "15" }, "got steps unknown, want step 15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Out: filepath.Join(t.TempDir(), "out"), Layout: mustPreset(t, "layers")}
			if c.change != nil {
				c.change(&o)
			}
			_, err := Import(t.Context(), []string{writeNetworks(t, c.networks)}, o)
			wantError(t, err, c.want)
		})
	}
}

// TestRelatedWeights imports checkpoints that no name tells apart, of which one is the
// other after a few steps, or in another type.
func TestRelatedWeights(t *testing.T) {
	dir := t.TempDir()
	first := mapsCalledLayers(4, 1)
	second := mapsCalledLayers(4, 2)
	for name := range second {
		for i := range second[name].data {
			second[name].data[i] = 0.5*second[name].data[i] + first[name].data[i]
		}
	}
	writeTensors(t, filepath.Join(dir, "a.safetensors"), first)
	writeTensors(t, filepath.Join(dir, "b.safetensors"), second)
	_, err := Import(t.Context(), []string{dir}, Options{Out: filepath.Join(dir, "out"), Layout: mustPreset(t, "layers")})
	wantError(t, err, "got 2 checkpoints of depth 4, a.safetensors, b.safetensors, want names")
}

// TestRoundedCopies imports networks beside what they are in fewer digits, under the names
// of seeds: the one with all digits counts.
func TestRoundedCopies(t *testing.T) {
	for _, paths := range [][]string{
		{"testdata/residual-8.npz", "testdata/residual-8-half.npz"},
		{"testdata/residual-8-half.safetensors", "testdata/residual-8-bfloat16.safetensors", "testdata/residual-8.safetensors"},
	} {
		dir := t.TempDir()
		var seeds []string
		for i, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			seeds = append(seeds, filepath.Join(dir, fmt.Sprintf("seed%d%s", i+1, filepath.Ext(path))))
			if err := os.WriteFile(seeds[i], data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		runs, err := Import(t.Context(), seeds, Options{Out: filepath.Join(dir, "out"), Layout: mustPreset(t, "layers")})
		if err != nil {
			t.Fatal(err)
		}
		whole := map[string]int{".npz": 0, ".safetensors": 2}[filepath.Ext(paths[0])]
		if len(runs) != 1 || runs[0].Source != seeds[whole] || len(runs[0].LeftOut) != len(paths)-1 {
			t.Errorf("%q: got %+v, want one run of %s", paths, runs, seeds[whole])
		}
	}
}

// TestRound rounds numbers as the types do that Go and package half read.
func TestRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-1e38, 1e38).Draw(t, "v")
		if got, want := precisions[0].round(v), float64(float32(v)); got != want {
			t.Errorf("float32: got %v, want %v", got, want)
		}
		for i, read := range map[int]func(uint16) float64{1: half.Float64, 2: half.FromBfloat16} {
			bits := rapid.Uint16Range(0, 0x7bfe).Draw(t, "bits") // the next one is finite, too
			low, high := read(bits), read(bits+1)
			for _, c := range []struct{ v, want float64 }{{low, low}, {low + 0.4*(high-low), low}, {low + 0.6*(high-low), high}} {
				if got := precisions[i].round(c.v); got != c.want {
					t.Errorf("precision %v: round(%v): got %v, want %v", precisions[i], c.v, got, c.want)
				}
			}
		}
	})
}

// TestNotes imports what is as its names say, but looks as if it were not.
func TestNotes(t *testing.T) {
	dir := t.TempDir()
	first, second := mapsCalledLayers(4, 1), mapsCalledLayers(4, 1)
	for name := range second {
		for i := range second[name].data {
			second[name].data[i] *= 1 + 0.01*float64(i%2)
		}
	}
	writeTensors(t, filepath.Join(dir, "seed1.safetensors"), first)
	writeTensors(t, filepath.Join(dir, "seed2.safetensors"), second)
	for _, c := range []struct{ dir, want string }{
		{dir, "nearly the weights of "},
		{writeNetworks(t, map[string][2]int{"s1-step10.safetensors": {4, 1}, "s2-step20.safetensors": {4, 2}, "s2-step10.safetensors": {4, 3}}), "the runs are of different steps, 10, 20: "},
	} {
		runs, err := Import(t.Context(), []string{c.dir}, Options{Out: filepath.Join(t.TempDir(), "out"), Layout: mustPreset(t, "layers")})
		if err != nil || len(runs) != 2 {
			t.Fatalf("got %+v, %v, want two runs", runs, err)
		}
		notes := strings.Join(slices.Concat(runs[0].Notes, runs[1].Notes), "\n")
		if strings.Count(notes, c.want) != 1 {
			t.Errorf("got notes %q, want one with %q", notes, c.want)
		}
	}
}

// TestCopiesInOtherFormats imports one network out of three files and finds it once.
func TestCopiesInOtherFormats(t *testing.T) {
	o := Options{Out: filepath.Join(t.TempDir(), "out"), Layout: mustPreset(t, "layers")}
	paths := []string{"testdata/residual-8.safetensors", "testdata/residual-8.npz", "testdata/residual-4.safetensors"}
	runs, err := Import(t.Context(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"residual-8.npz"}; len(runs) != 2 || !slices.Equal(leftOut(runs), want) {
		t.Errorf("got %d runs and %q left out, want 2 and %q", len(runs), leftOut(runs), want)
	}
	again, err := Import(t.Context(), paths, o)
	if err != nil || !again[0].Old || !again[1].Old {
		t.Errorf("importing again: got %+v, %v, want the runs that are there", again, err)
	}
}
