package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestMain makes the test binary be the program when it is called deeplimit, which
// stands in PATH while tests run.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"deeplimit": func() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the program as its users do. With UPDATE_SCRIPTS set, the texts
// that scripts compare with are written anew.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error { // $DATA holds checkpoints of other programs
			data, err := filepath.Abs("../read/importer/testdata")
			env.Setenv("DATA", data)
			golden, failed := filepath.Abs("../tangent/testdata/certificates.json")
			if failed != nil {
				return failed
			}
			env.Setenv("GOLDEN", golden)
			// $BIN is the folder that holds nothing but the program.
			env.Setenv("BIN", filepath.SplitList(env.Getenv("PATH"))[0])
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"json":      checkJSON,
			"npy":       writeNPY,
			"goldennet": writeNet,
			"cut":       cutFile,
			"sametrace": sameTrace,
		},
		Condition: func(name string) (bool, error) {
			if name == "mount" {
				return canMount(), nil
			}
			return false, errors.New("unknown condition " + name)
		},
	})
}

// canMount says whether a process may mount file systems of its own, in a namespace
// that ends with it.
func canMount() bool {
	return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/tmp").Run() == nil
}

// exits runs a program and holds it to an exit code: exits CODE PROGRAM ARGUMENT…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGUMENT…")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("got exit code %d, want %s", code, args[0])
	}
}

// checkJSON holds a place in a JSON document to a value: json FILE PLACE VALUE.
// Steps of a place are separated by slashes; step len is the number of entries, and *
// stands for every entry. VALUE is JSON, or one of number, string, object, list, or
// a..b for a number in [a,b]. With ! the place must not exist.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg != (len(args) == 2) {
		ts.Fatalf("usage: json FILE PLACE VALUE, or: ! json FILE PLACE")
	}
	var document any
	if err := json.Unmarshal([]byte(ts.ReadFile(args[0])), &document); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	var found []any
	if err := visit(document, strings.Split(args[1], "/"), func(value any) { found = append(found, value) }); err != nil {
		if !neg {
			ts.Fatalf("%s: %s: %v", args[0], args[1], err)
		}
		return
	}
	if neg {
		ts.Fatalf("%s: %s: got %v, want nothing there", args[0], args[1], found)
	}
	want := strings.Join(args[2:], " ")
	for _, value := range found {
		if !isValue(value, want) {
			ts.Fatalf("%s: %s: got %v, want %s", args[0], args[1], value, want)
		}
	}
}

// visit calls use with every value at the place, of which there must be one.
func visit(value any, place []string, use func(any)) error {
	if len(place) == 0 {
		use(value)
		return nil
	}
	step, rest := place[0], place[1:]
	switch v := value.(type) {
	case map[string]any:
		if step == "len" {
			return visit(float64(len(v)), rest, use)
		}
		if inner, ok := v[step]; ok {
			return visit(inner, rest, use)
		}
	case []any:
		if step == "len" {
			return visit(float64(len(v)), rest, use)
		}
		if step == "*" && len(v) > 0 {
			for _, inner := range v {
				if err := visit(inner, rest, use); err != nil {
					return err
				}
			}
			return nil
		}
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v) {
			return visit(v[i], rest, use)
		}
	}
	return errors.New("nothing at step " + step)
}

// isValue says whether a JSON value is what a script wants.
func isValue(value any, want string) bool {
	if low, high, ok := strings.Cut(want, ".."); ok {
		number, isNumber := value.(float64)
		a, err := strconv.ParseFloat(low, 64)
		b, err2 := strconv.ParseFloat(high, 64)
		return err == nil && err2 == nil && isNumber && number >= a && number <= b
	}
	kinds := map[string]reflect.Kind{"number": reflect.Float64, "string": reflect.String, "object": reflect.Map, "list": reflect.Slice}
	if kind, ok := kinds[want]; ok {
		return reflect.ValueOf(value).IsValid() && reflect.TypeOf(value).Kind() == kind
	}
	var wanted any
	return json.Unmarshal([]byte(want), &wanted) == nil && reflect.DeepEqual(value, wanted)
}

// writeNPY writes an array of small numbers: npy [-nan] FILE SIZE… With -nan its
// last entry is NaN.
func writeNPY(ts *testscript.TestScript, neg bool, args []string) {
	last := 1.0
	if len(args) > 0 && args[0] == "-nan" {
		last, args = math.NaN(), args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: npy [-nan] FILE SIZE…")
	}
	var shape []int
	entries := 1
	for _, arg := range args[1:] {
		size, err := strconv.Atoi(arg)
		ts.Check(err)
		shape = append(shape, size)
		entries *= size
	}
	values := make([]float64, entries)
	for i := range values {
		values[i] = math.Sin(float64(i)) / 4
	}
	values[entries-1] *= last
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), npytest.File(npytest.Array{Shape: shape, Values: values}), 0o644))
}

// cutFile keeps the first bytes of a file: cut FILE BYTES.
func cutFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE BYTES")
	}
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// sameTrace compares the traces of all runs of two study folders, apart from
// seconds, and the weights byte for byte: sametrace DIR DIR.
func sameTrace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sametrace DIR DIR")
	}
	if err := sameStudies(ts.MkAbs(args[0]), ts.MkAbs(args[1])); err != nil {
		ts.Fatalf("%v", err)
	}
}

// sameStudies returns how the runs of two study folders differ in what does not
// depend on the clock.
func sameStudies(a, b string) error {
	one, err := runfolder.List(a)
	if err != nil {
		return err
	}
	other, err := runfolder.List(b)
	if err != nil {
		return err
	}
	names := func(dirs []string, base string) []string {
		var list []string
		for _, dir := range dirs {
			list = append(list, strings.TrimPrefix(dir, base))
		}
		return list
	}
	if got, want := names(other, b), names(one, a); len(want) == 0 || !slices.Equal(got, want) {
		return errors.New("got runs " + strings.Join(got, ", ") + ", want " + strings.Join(want, ", "))
	}
	for i := range one {
		if err := sameRuns(one[i], other[i]); err != nil {
			return err
		}
	}
	return nil
}

// sameRuns returns how two finished runs differ in what does not depend on the clock.
func sameRuns(a, b string) error {
	var weights [2][]byte
	var traces [2][]runfolder.Row
	for i, dir := range []string{a, b} {
		if err := runfolder.Verify(dir); err != nil {
			return err
		}
		var err error
		if weights[i], err = os.ReadFile(dir + "/weights.safetensors"); err != nil {
			return err
		}
		if traces[i], err = runfolder.ReadTrace(dir + "/trace.parquet"); err != nil {
			return err
		}
		for k := range traces[i] {
			traces[i][k].Seconds = 0
		}
	}
	if !bytes.Equal(weights[0], weights[1]) {
		return errors.New("weights of " + a + " and " + b + " differ")
	}
	if diff := cmp.Diff(traces[0], traces[1]); diff != "" {
		return errors.New("traces of " + a + " and " + b + " differ:\n" + diff)
	}
	return nil
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
