package pipe

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/test/zoo"
)

// ask makes calls one after the other and returns the answers; the greeting is checked.
func ask(t *testing.T, frames ...func(*bufio.Writer)) ([]header, [][]Array) {
	t.Helper()
	var in, out bytes.Buffer
	w := bufio.NewWriter(&in)
	for _, f := range frames {
		f(w)
	}
	w.Flush()
	if err := Serve(t.Context(), &in, &out, "v1"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(&out)
	var headers []header
	var arrays [][]Array
	for {
		h, a, err := readAny(r)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		headers, arrays = append(headers, h), append(arrays, a)
	}
	if got := string(headers[0].Values); got != `{"protocol":1,"version":"v1"}` {
		t.Fatalf("greeting: got %s", got)
	}
	return headers[1:], arrays[1:]
}

// readAny reads frames with whole numbers, too, which no call takes.
func readAny(r *bufio.Reader) (header, []Array, error) {
	size, err := r.Peek(4)
	if err != nil {
		return header{}, nil, err
	}
	n := int(binary.LittleEndian.Uint32(size))
	r.Discard(4)
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, nil, err
	}
	var h header
	if err := json.Unmarshal(text, &h); err != nil {
		return header{}, nil, err
	}
	var arrays []Array
	for _, a := range h.Arrays {
		whole := a.DType == "int64"
		a.DType = "float64"
		array, err := readArray(r, a)
		if err != nil {
			return header{}, nil, err
		}
		if whole {
			for _, x := range array.Floats {
				array.Ints = append(array.Ints, int64(math.Float64bits(x)))
			}
			array.Floats = nil
		}
		arrays = append(arrays, array)
	}
	return h, arrays, nil
}

// frame writes a call.
func frame(name, values string, arrays ...Array) func(*bufio.Writer) {
	return func(w *bufio.Writer) { writeFrame(w, header{Call: name, Values: json.RawMessage(values)}, arrays) }
}

// TestPVar wants the numbers of package pvar, for any path.
func TestPVar(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n, dim := rapid.IntRange(1, 30).Draw(r, "n"), rapid.IntRange(1, 4).Draw(r, "dim")
		data := rapid.SliceOfN(rapid.Float64Range(-1e3, 1e3), n*dim, n*dim).Draw(r, "data")
		want, err := pvar.Compute(pvar.Points{Dim: dim, Data: data}, 2)
		if err != nil {
			r.Fatal(err)
		}
		h, a := ask(t, frame("pvar", `{"p":[2],"metric":"frobenius"}`, Array{Shape: []int{n, dim}, Floats: data}))
		var got []struct{ Value, Norm float64 }
		if err := json.Unmarshal(h[0].Values, &got); err != nil {
			r.Fatal(h[0].Error, err)
		}
		partition := make([]int, len(a[0][0].Ints))
		for i, k := range a[0][0].Ints {
			partition[i] = int(k)
		}
		if got[0].Value != want[0].Value || got[0].Norm != want[0].Norm || !slices.Equal(partition, want[0].Partition) {
			r.Errorf("got %v at %v, want %v", got[0], partition, want[0])
		}
	})
}

// TestErrors wants an error for each wrong call, in the words of the libraries, and the next call answered.
func TestErrors(t *testing.T) {
	path := Array{Name: "path", Shape: []int{3}, Floats: []float64{0, 1, math.NaN()}}
	good := Array{Name: "path", Shape: []int{3}, Floats: []float64{0, 1, 0}}
	h, _ := ask(t,
		frame("nothing", `{}`),
		frame("pvar", `{"p":[2],"metric":"frobenius"}`, path),
		frame("pvar", `{"p":[0.5],"metric":"frobenius"}`, good),
		frame("pvar", `{"q":[2]}`, good),
		frame("pvar", `{"p":[2],"metric":"none"}`, good),
		frame("pvar", `{"p":[2],"metric":"frobenius"}`),
		frame("scaling", `{"depths":[1,2],"seeds":[1],"values":[1,2],"level":0.95}`),
		frame("study", `{"dir":"no-such-folder"}`),
		frame("weights", `{"dir":".","run":"../x","part":"","rescaled":true}`),
		frame("weights", `{"dir":".","run":"x","part":"","rescaled":true}`),
		frame("pvar", `{"p":[1],"metric":"frobenius"}`, good),
	)
	for i, want := range []string{
		`call: got "nothing", want one of`, "point 2, entry 0: got NaN", "got 0.5", `unknown field "q"`, `"none"`,
		"got 0, want 1", "got 2 depths, 1 seeds and 2 values", "no-such-folder", `"../x"`, `got no run "x"`, "",
	} {
		if !strings.Contains(h[i].Error, want) || (want == "") != (h[i].Error == "") {
			t.Errorf("call %d: got error %q, want %q", i, h[i].Error, want)
		}
	}
}

// TestStudy wants the result and the tables of package analyze.
func TestStudy(t *testing.T) {
	dir := t.TempDir() + "/study"
	if err := zoo.Studies()[0].Write(dir); err != nil {
		t.Fatal(err)
	}
	want, err := analyze.Study(context.Background(), dir, analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(map[string]string{"dir": dir})
	id := want.Runs[0].ID
	one, _ := json.Marshal(map[string]any{"dir": dir, "runs": []string{id}})
	part, _ := json.Marshal(map[string]any{"dir": dir, "run": id, "part": "", "rescaled": true})
	h, a := ask(t, frame("study", string(text)), frame("iterations", string(one)), frame("weights", string(part)))
	for i := range h {
		if h[i].Error != "" {
			t.Fatalf("call %d: %s", i, h[i].Error)
		}
	}
	var got struct {
		Result json.RawMessage
		Runs   []struct {
			Name   string
			Array  *int
			Values []any
		}
	}
	if err := json.Unmarshal(h[0].Values, &got); err != nil {
		t.Fatal(err)
	}
	result, _ := json.Marshal(want)
	if !bytes.Equal(got.Result, result) {
		t.Error("the result differs from that of package analyze")
	}
	losses := 0
	for _, c := range got.Runs {
		if c.Name == "loss" {
			losses = len(a[0][*c.Array].Floats)
			for i, x := range a[0][*c.Array].Floats {
				if w := want.Runs[i].Loss; x != w && !(math.IsNaN(x) && (math.IsNaN(w) || math.IsInf(w, 0))) {
					t.Errorf("loss of run %d: got %v, want %v", i, x, w)
				}
			}
		}
	}
	if losses != len(want.Runs) || losses == 0 {
		t.Errorf("got %d losses, want those of %d runs", losses, len(want.Runs))
	}
	if len(a[1]) == 0 || len(a[2]) != 1 {
		t.Fatalf("got %d columns of iterations and %d arrays of weights", len(a[1]), len(a[2]))
	}
	run, err := runfolder.Open(runfolder.RunDir(dir, id))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := run.Weights()
	if err != nil {
		t.Fatal(err)
	}
	rescaled := slices.Clone(stored.Tensors[a[2][0].Name].Data)
	for i := range rescaled {
		rescaled[i] *= math.Pow(float64(run.Meta.Depth), run.Meta.Beta())
	}
	if a[2][0].Shape[0] != run.Meta.Depth || len(rescaled) == 0 || !slices.Equal(a[2][0].Floats, rescaled) {
		t.Errorf("weights %s: got shape %v and other numbers than L^beta times those of the file", a[2][0].Name, a[2][0].Shape)
	}
}

// TestDamagedFrames wants an error that ends Serve, and no memory for what is not there.
func TestDamagedFrames(t *testing.T) {
	head := func(text string) string {
		return string(binary.LittleEndian.AppendUint32(nil, uint32(len(text)))) + text
	}
	for in, want := range map[string]string{
		"ab":               "length of a frame",
		"\xff\xff\xff\xff": "want 67108864 at most",
		head("{}")[:5]:     "header of a frame: unexpected EOF",
		head("{"):          "header of a frame",
		head(`{"arrays":[{"name":"x","dtype":"float64","shape":[1000000000000]}]}`):            `array "x": unexpected EOF`,
		head(`{"arrays":[{"name":"x","dtype":"float64","shape":[4294967296,4294967296,16]}]}`): "want sizes that memory can hold",
		head(`{"arrays":[{"name":"x","dtype":"float64","shape":[-1]}]}`):                       "want sizes that memory can hold",
		head(`{"arrays":[{"name":"x","dtype":"int8","shape":[1]}]}`):                           "want float64",
	} {
		err := Serve(t.Context(), strings.NewReader(in), io.Discard, "v1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q", in, err, want)
		}
	}
}
