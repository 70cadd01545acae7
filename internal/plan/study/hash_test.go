package study

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// golden is a study whose hashes must never change: they name runs in folders that
// users keep. Where a change is meant, raise format and take the new ones.
const golden = `
name: golden
depths: [16]
data: {kind: separated, width: 10, samples: 8, distance: 0.3}
`

func TestGoldenHash(t *testing.T) {
	r := mustRuns(t, golden)[0]
	const hash = "5f6dcfd11d612ecaace6e0dfa51b01a9ab2447f1bc278391ff382a5d37dd7110"
	const group = "fd1f1ebd6288e509cac3e8410a05e4049bbeabad794c1fbbf92f0fd1591ef160"
	if r.Hash != hash || r.Group != group {
		text, err := json.Marshal(r.canonical())
		t.Errorf("got hash %s, group %s\nof %s %v", r.Hash, r.Group, text, err)
	}
}

// TestHashIgnoresForm writes one configuration in several ways.
func TestHashIgnoresForm(t *testing.T) {
	want := mustRuns(t, golden)[0]
	for _, text := range []string{
		"{depths: [16], data: {distance: 3e-1, samples: 8, kind: separated, width: 0xa}, name: other}",
		"name: x\ndepths:\n- 16\nseeds: [1]\ndtype: float64\ndata:\n- kind: separated\n  width: 10\n  samples: 8 # N\n  distance: .3\n  seed: 1\nnetwork: {alpha: 0.5, embed: auto}\n",
		golden + "initial: {kind: normal, amplitude: 0.1, exponent: 1.0}\ntrain: {step: {rule: depth, value: 1}}\n",
		golden + "initial: {kind: zero, parts: {A: {kind: normal}}}\n",
		golden + "grid: {network.alpha: [0.5]}\n",
		golden + "engine: {kind: slurm, partition: batch, cpus: 4, sbatch-args: [--nice]}\n",
	} {
		if got := mustRuns(t, text)[0]; got.Hash != want.Hash {
			a, _ := json.Marshal(got.canonical())
			b, _ := json.Marshal(want.canonical())
			t.Errorf("%s\ngot  %s\nwant %s", text, a, b)
		}
	}
}

func TestGroupLeavesOutDepthAndSeed(t *testing.T) {
	groups := map[string][]string{}
	for _, r := range mustRuns(t, golden, "depths=[2, 4]", "seeds=2", "grid={network.alpha: [0, 1]}") {
		groups[r.Group] = append(groups[r.Group], r.ID)
	}
	if len(groups) != 2 {
		t.Errorf("got the groups %v, want one for each alpha", groups)
	}
	for _, runs := range groups {
		if len(runs) != 4 {
			t.Errorf("got the group %v, want 2 depths × 2 seeds", runs)
		}
	}
	fixed := mustRuns(t, golden, "data.seed=1")[0]
	if own := mustRuns(t, golden)[0]; fixed.Group == own.Group {
		t.Error("data with a seed of its own are in the group of data that follow the run's seed")
	}
}

// TestEveryFieldEntersTheHash changes one field after the other, by reflection.
func TestEveryFieldEntersTheHash(t *testing.T) {
	seen := map[string]string{}
	run := mustRuns(t, golden)[0]
	seen[run.digest()] = "nothing"
	check := func(path string) {
		t.Helper()
		hash := run.digest()
		if slices.Contains([]string{"Data.Inputs", "Data.Targets", "Data.Path", "Data.TestInputs", "Data.TestTargets", "Data.TestPath"}, path) ||
			strings.HasSuffix(path, "].Path") {
			if seen[hash] != "nothing" {
				t.Errorf("the file name %s enters the hash; its content should", path)
			}
			return
		}
		if path == "Train.Memory" || path == "Train.KeepState" {
			if seen[hash] != "nothing" {
				t.Errorf("%s enters the hash; it changes no result", path)
			}
			return
		}
		if other, ok := seen[hash]; ok {
			t.Errorf("changing %s gives the hash of changing %s", path, other)
		}
		seen[hash] = path
	}
	var vary func(path string, v reflect.Value)
	vary = func(path string, v reflect.Value) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		defer v.Set(old)
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				vary(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
			return
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			if !old.IsNil() {
				v.Elem().Set(old.Elem())
			}
			vary(path, v.Elem())
			return
		case reflect.Map:
			if path != "Initial.Parts" {
				return // parts have no parts once resolved
			}
			part := reflect.New(v.Type().Elem()).Elem()
			part.Set(v.MapIndex(reflect.ValueOf("A")))
			for i := range part.NumField() {
				f := part.Field(i)
				if f.Kind() == reflect.Map {
					continue
				}
				before := reflect.New(f.Type()).Elem()
				before.Set(f)
				v.Set(reflect.MakeMap(v.Type()))
				change(f)
				v.SetMapIndex(reflect.ValueOf("A"), part)
				check(fmt.Sprintf("%s[A].%s", path, part.Type().Field(i).Name))
				f.Set(before)
			}
			return
		}
		change(v)
		check(path)
	}
	r := reflect.ValueOf(&run).Elem()
	for _, name := range []string{"Data", "Files", "Depth", "Seed", "DType", "Network", "Initial", "Train"} {
		vary(name, r.FieldByName(name))
	}
	if len(seen) < 50 {
		t.Errorf("only %d fields were varied, want at least 50", len(seen))
	}
	for _, name := range []string{"Study", "Base"} {
		v := r.FieldByName(name)
		v.SetString("changed")
		if seen[run.digest()] != "nothing" {
			t.Errorf("%s enters the hash", name)
		}
	}
}

// change gives v another value, one that no default has.
func change(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "changed")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int:
		v.SetInt(v.Int() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 0.123)
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			p.Elem().Set(v.Elem())
		}
		change(p.Elem())
		v.Set(p)
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), 1, 1)
		if s.Index(0).Kind() == reflect.Struct {
			change(s.Index(0).FieldByName("SHA256"))
		} else {
			change(s.Index(0))
		}
		v.Set(s)
	default:
		panic("change: " + v.Kind().String())
	}
}

// TestConfigReadsBack checks that run.json's configuration holds the numbers exactly.
func TestConfigReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alpha := rapid.Float64Range(0, 1).Draw(t, "alpha")
		depth := rapid.IntRange(1, 1000).Draw(t, "depth")
		s, err := Parse("s.yaml", []byte(golden), []string{fmt.Sprintf("network.alpha=%v", alpha), fmt.Sprintf("depths=[%d]", depth)})
		if err != nil {
			t.Fatal(err)
		}
		runs, err := s.Runs()
		if err != nil {
			t.Fatal(err)
		}
		var back struct {
			Study   string
			Depth   int
			Seed    uint64
			Network struct{ Alpha float64 }
		}
		if err := json.Unmarshal(runs[0].Config(), &back); err != nil {
			t.Fatal(err)
		}
		if back.Study != "golden" || back.Depth != depth || back.Seed != 1 || back.Network.Alpha != alpha {
			t.Fatalf("got %+v, want depth %d, alpha %v", back, depth, alpha)
		}
	})
}

// TestFormat wants a new hash for the runs alone whose results a later version changed:
// all of them differ from the golden one in their configuration, too, so it looks at the format.
func TestFormat(t *testing.T) {
	for set, want := range map[string]string{
		"train.step.rule=constant":                           "deeplimit run 1",
		"train.step.rule=certified":                          "deeplimit run 1",
		"train.step.schedule=cosine":                         "deeplimit run 1",
		"train.method=momentum":                              "deeplimit run 1",
		"train={method: adam, step: {rule: constant}}":       "deeplimit run 1",
		"network={bias: true, readout: trained, alpha: 0.5}": "deeplimit run 1",
		"train.method=adam":                                  "deeplimit run 2",
		"train.step.rule=armijo":                             "deeplimit run 2",
		"dtype=float32":                                      "deeplimit run 2",
		"network.residual=shared":                            "deeplimit run 2",
		"network={readout: trained, alpha: 0.75}":            "deeplimit run 2",
	} {
		run := mustRuns(t, golden, set)[0]
		if got := run.format(); got != want {
			t.Errorf("%s: got %q, want %q", set, got, want)
		}
	}
}

// TestMemberEntersTheHash has one file of several arrays: its name and place do not count, the array does.
func TestMemberEntersTheHash(t *testing.T) {
	digest := func(inputs string) string {
		r := mustRuns(t, golden)[0]
		r.Data.Inputs = inputs
		return r.digest()
	}
	if digest("a.npz:x") != digest("folder/b.npz:x") || digest("a.npz:x") == digest("a.npz:y") || digest("a.npy") != digest("b.npy") {
		t.Error("got hashes that follow the file's name, or not the array's")
	}
}
