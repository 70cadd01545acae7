package importer

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
	"github.com/deeplimit/deeplimit/runfolder"
)

// tester is what testing.T and rapid.T share.
type tester interface {
	Helper()
	Fatal(...any)
}

// array is a tensor of a made checkpoint.
type array struct {
	shape []int
	data  []float64
}

// noise is an array of draws around 0; another seed gives others.
func noise(seed int, shape ...int) array {
	n := 1
	for _, size := range shape {
		n *= size
	}
	data := make([]float64, n)
	state := uint64(seed)*0x9e3779b97f4a7c15 + 1
	for i := range data {
		state = state*6364136223846793005 + 1442695040888963407
		data[i] = float64(float32(int32(state>>32)) / (1 << 31))
	}
	return array{shape, data}
}

// writeTensors writes a checkpoint in the format of its extension, with folders.
func writeTensors(t tester, path string, tensors map[string]array) string {
	t.Helper()
	var file []byte
	switch filepath.Ext(path) {
	case ".npz":
		file = npzOf(t, tensors)
	case ".pt", ".pth", ".bin", ".ckpt":
		file = torchOf(t, tensors)
	default:
		file = safetensorsOf(t, path, tensors)
	}
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, file, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func floats(data []float64) (bytes []byte) {
	for _, v := range data {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(float32(v)))
	}
	return bytes
}

// safetensorsOf returns a file whose metadata are those of its path alone.
func safetensorsOf(t tester, path string, tensors map[string]array) []byte {
	t.Helper()
	header := map[string]any{"__metadata__": map[string]string{"path": path}}
	var data []byte
	for name, a := range tensors {
		from := len(data)
		data = append(data, floats(a.data)...)
		header[name] = map[string]any{"dtype": "F32", "shape": a.shape, "data_offsets": []int{from, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

// zipOf returns an archive of members that are not compressed.
func zipOf(t tester, members map[string][]byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		m, err := w.CreateHeader(&zip.FileHeader{Name: name})
		if err == nil {
			_, err = m.Write(members[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func npzOf(t tester, tensors map[string]array) []byte {
	t.Helper()
	members := map[string][]byte{}
	for name, a := range tensors {
		members[name+".npy"] = npytest.File(npytest.Array{Shape: a.shape, Values: a.data})
	}
	return zipOf(t, members)
}

// torchOf returns what torch.save writes of a state dict.
func torchOf(t tester, tensors map[string]array) []byte {
	t.Helper()
	members := map[string][]byte{}
	pickle := []byte("\x80\x02}")
	text := func(s string) {
		pickle = append(binary.LittleEndian.AppendUint32(append(pickle, 'X'), uint32(len(s))), s...)
	}
	tuple := func(values []int) {
		pickle = append(pickle, '(')
		for _, v := range values {
			pickle = binary.LittleEndian.AppendUint32(append(pickle, 'J'), uint32(v))
		}
		pickle = append(pickle, 't')
	}
	for i, name := range slices.Sorted(maps.Keys(tensors)) {
		a, key := tensors[name], strconv.Itoa(i)
		members["m/data/"+key] = floats(a.data)
		strides := make([]int, len(a.shape))
		for axis, stride := len(a.shape)-1, 1; axis >= 0; axis-- {
			strides[axis] = stride
			stride *= a.shape[axis]
		}
		text(name)
		pickle = append(pickle, "ctorch._utils\n_rebuild_tensor_v2\n(("...)
		text("storage")
		pickle = append(pickle, "ctorch\nFloatStorage\n"...)
		text(key)
		text("cpu")
		pickle = append(pickle, "K\x01tQK\x00"...)
		tuple(a.shape)
		tuple(strides)
		pickle = append(pickle, "\x89}tRs"...)
	}
	members["m/data.pkl"] = append(pickle, '.')
	return zipOf(t, members)
}

// mapsCalledLayers returns the layers of a network: maps called layers.K.weight.
func mapsCalledLayers(depth, seed int) map[string]array {
	tensors := map[string]array{}
	for k := range depth {
		tensors["layers."+string(rune('0'+k))+".weight"] = noise(100*seed+k, 3, 3)
	}
	return tensors
}

// writeNetworks writes a network for each name below a new folder and returns that. The
// value is depth and seed of the weights.
func writeNetworks(t *testing.T, networks map[string][2]int) string {
	t.Helper()
	dir := t.TempDir()
	for name, n := range networks {
		writeTensors(t, filepath.Join(dir, filepath.FromSlash(name)), mapsCalledLayers(n[0], n[1]))
	}
	return dir
}

// tensorsOf returns the weights that were imported.
func tensorsOf(t tester, dir string) map[string]runfolder.Tensor {
	t.Helper()
	run, err := runfolder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := run.Weights()
	if err != nil {
		t.Fatal(err)
	}
	return weights.Tensors
}

// wantError fails unless err says all parts of want, which are separated by "…".
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %q", want)
	}
	rest := err.Error()
	for _, part := range strings.Split(want, "…") {
		i := strings.Index(rest, part)
		if i < 0 {
			t.Fatalf("error:\n got %v\nwant %s", err, want)
		}
		rest = rest[i+len(part):]
	}
}

// leftOut returns the names of files of what was left out, sorted.
func leftOut(runs []Run) []string {
	var names []string
	for _, r := range runs {
		for _, left := range r.LeftOut {
			names = append(names, filepath.Base(left.Path))
		}
	}
	slices.Sort(names)
	return names
}
