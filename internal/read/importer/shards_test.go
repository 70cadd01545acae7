package importer

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/deeplimit/deeplimit/internal/npy/npytest"
)

// shard writes layers of a network of six into a file.
func shard(t *testing.T, path string, layers ...int) {
	t.Helper()
	tensors := map[string]array{}
	for _, k := range layers {
		name := fmt.Sprintf("layers.%d.weight", k)
		tensors[name] = mapsCalledLayers(6, 1)[name]
	}
	writeTensors(t, path, tensors)
}

// index writes the index of shards: tensors by file.
func index(t *testing.T, path string, files map[string][]int) {
	t.Helper()
	tensors := map[string]string{}
	for file, layers := range files {
		for _, k := range layers {
			tensors[fmt.Sprintf("layers.%d.weight", k)] = file
		}
	}
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": tensors})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestShards gives a network in shards by any of its files, by the folder and by the index.
func TestShards(t *testing.T) {
	for _, c := range []struct {
		name   string
		files  map[string][]int
		index  string
		others []string // copied to the folder
	}{
		{name: "two with an index", files: map[string][]int{"model-00001-of-00002.safetensors": {0, 1, 2, 3}, "model-00002-of-00002.safetensors": {4, 5}}, index: "model.safetensors.index.json"},
		{name: "two without", files: map[string][]int{"model-00001-of-00002.safetensors": {0, 1, 2, 3}, "model-00002-of-00002.safetensors": {4, 5}}},
		{name: "three in another order", files: map[string][]int{"pytorch_model-00001-of-00003.bin": {5, 0}, "pytorch_model-00002-of-00003.bin": {4, 1}, "pytorch_model-00003-of-00003.bin": {2, 3}}, index: "pytorch_model.bin.index.json"},
		{name: "counted from 0", files: map[string][]int{"w_0-of-2.safetensors": {0, 1, 2}, "w_1-of-2.safetensors": {3, 4, 5}}},
		{name: "an index over files of any name", files: map[string][]int{"first.safetensors": {0, 1, 2}, "second.safetensors": {3, 4, 5}}, index: "model.safetensors.index.fp32.json"},
		{name: "one of one", files: map[string][]int{"model-00001-of-00001.safetensors": {0, 1, 2, 3, 4, 5}}},
	} {
		dir := t.TempDir()
		for file, layers := range c.files {
			shard(t, filepath.Join(dir, file), layers...)
		}
		ways := []string{dir}
		if c.index != "" {
			index(t, filepath.Join(dir, c.index), c.files)
			ways = append(ways, filepath.Join(dir, c.index))
		}
		for file := range c.files {
			ways = append(ways, filepath.Join(dir, file))
		}
		for _, way := range ways {
			t.Run(c.name+", by "+filepath.Base(way), func(t *testing.T) {
				runs, err := Import(t.Context(), []string{way}, Options{Out: filepath.Join(t.TempDir(), "out"), Name: "net", Layout: mustPreset(t, "layers")})
				if err != nil {
					t.Fatal(err)
				}
				if len(runs) != 1 || runs[0].Depth != 6 {
					t.Fatalf("got %+v, want one run of depth 6", runs)
				}
				got := tensorsOf(t, runs[0].Dir)["A"].Data
				for k := range 6 {
					want := mapsCalledLayers(6, 1)[fmt.Sprintf("layers.%d.weight", k)].data
					if got[9*k] != want[0] || got[9*k+8] != want[8] {
						t.Errorf("layer %d: got %v, want %v", k, got[9*k:9*k+9], want)
					}
				}
			})
		}
		t.Run(c.name+", all files at once", func(t *testing.T) {
			var all []string
			for file := range maps.Keys(c.files) {
				all = append(all, filepath.Join(dir, file))
			}
			runs, err := Import(t.Context(), all, Options{Out: filepath.Join(t.TempDir(), "out"), Name: "net", Layout: mustPreset(t, "layers")})
			if err != nil || len(runs) != 1 || runs[0].Depth != 6 {
				t.Errorf("got %+v, %v, want one run of depth 6", runs, err)
			}
		})
	}
}

// TestShardsRefused gives networks of which something is missing or twice.
func TestShardsRefused(t *testing.T) {
	two := map[string][]int{"m-00001-of-00002.safetensors": {0, 1, 2}, "m-00002-of-00002.safetensors": {3, 4, 5}}
	for _, c := range []struct {
		name  string
		files map[string][]int // written
		index map[string][]int // listed, nil for no index
		way   string
		want  string
	}{
		{
			"missing, without index",
			map[string][]int{"m-00001-of-00003.safetensors": {0, 1}, "m-00003-of-00003.safetensors": {4, 5}},
			nil, "m-00001-of-00003.safetensors",
			"m-00001-of-00003.safetensors: got 2 of 3 shards, want also m-00002-of-00003.safetensors in the same folder",
		},
		{"missing in a folder", map[string][]int{"m-00002-of-00002.safetensors": {3, 4, 5}}, nil, ".", "got 1 of 2 shards, want also m-00001-of-00002.safetensors"},
		{"missing, with index", map[string][]int{"m-00001-of-00002.safetensors": {0, 1, 2}}, two, "m-00001-of-00002.safetensors", "i.index.json: got 1 of 2 shards, want also m-00002-of-00002.safetensors"},
		{"index alone", map[string][]int{"other.safetensors": {0}}, two, "i.index.json", "got 0 of 2 shards, want also m-00001-of-00002.safetensors, m-00002-of-00002.safetensors"},
		{"index of a folder without its files", map[string][]int{"other.safetensors": {0}}, two, ".", "i.index.json: got 0 of 2 shards"},
		{"another version of a shard", map[string][]int{"m-00001-of-00002.safetensors": {0, 1, 2}, "m-00002-of-00002.safetensors": {3, 4}}, two, ".", `i.index.json: tensor "layers.5.weight": got none in …m-00002-of-00002.safetensors, want what the index lists`},
		{"a tensor twice", map[string][]int{"m-00001-of-00002.safetensors": {0, 1, 2, 3}, "m-00002-of-00002.safetensors": {3, 4, 5}}, nil, ".", `tensor "layers.3.weight": got one in …, too, want parts of one network`},
		{"a gap between shards", map[string][]int{"m-00001-of-00002.safetensors": {0, 1, 2}, "m-00002-of-00002.safetensors": {4, 5}}, nil, ".", "layer 3 is missing"},
		{"an index that leaves its folder", nil, map[string][]int{"../m-00001-of-00002.safetensors": {0}}, "i.index.json", `got the file "../m-00001-of-00002.safetensors" for tensor "layers.0.weight", want the index`},
		{"an index of nothing", nil, map[string][]int{}, "i.index.json", "got no tensors, want the index of a network in shards"},
		{"parts by their names", map[string][]int{"part1.safetensors": {0, 1, 2}, "part2.safetensors": {3, 4, 5}}, nil, "part1.safetensors", "part1.safetensors: got a part of a network by its name (part) beside part2.safetensors; want parts joined"},
		{"parts by their names, all given", map[string][]int{"shard_00.safetensors": {0, 1, 2}, "shard_01.safetensors": {3, 4, 5}}, nil, ".", "got a part of a network by its name (shard) beside shard_01.safetensors"},
		{"the second of two numbers", map[string][]int{"tp_rank_0_pp_rank_0.safetensors": {0, 1, 2}, "tp_rank_0_pp_rank_1.safetensors": {3, 4, 5}}, nil, "tp_rank_0_pp_rank_0.safetensors", "by its name (rank) beside tp_rank_0_pp_rank_1.safetensors"},
		{"parts in folders", map[string][]int{"mp_rank_00/m.safetensors": {0, 1, 2}, "mp_rank_01/m.safetensors": {0, 1, 2}}, nil, "mp_rank_00/m.safetensors", "by its name (rank) beside mp_rank_01/m.safetensors"},
		{"parts by their layers", map[string][]int{"chunk_09.safetensors": {0, 1, 2}, "chunk_10.safetensors": {3, 4, 5}}, nil, "chunk_09.safetensors", "got layers up to 2, and chunk_10.safetensors beside it has 3 to 5: by this a part of a network; want parts joined into one file, or an index that lists their tensors (NAME.index.json with weight_map); if it is a whole network, say so with --layers 0:2"},
		{"too many", map[string][]int{"m-1-of-99999999.safetensors": {0}}, nil, ".", "got 99999999 shards, want 1 to 100000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for file, layers := range c.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
					t.Fatal(err)
				}
				shard(t, filepath.Join(dir, file), layers...)
			}
			if c.index != nil {
				index(t, filepath.Join(dir, "i.index.json"), c.index)
			}
			_, err := Import(t.Context(), []string{filepath.Join(dir, c.way)}, Options{Out: filepath.Join(dir, "out"), Name: "net", Layout: mustPreset(t, "layers")})
			wantError(t, err, c.want)
		})
	}
}

// TestFolders imports what is in folders and below, through links, too.
func TestFolders(t *testing.T) {
	dir := writeNetworks(t, map[string][2]int{
		"a/depth_4/pytorch_model.bin": {4, 1}, "a/depth_6/model.ckpt": {6, 1}, "a/depth_5/weights.pth": {5, 1},
		"a/depth_6/optimizer.pt": {3, 1}, "a/depth_6/training_args.bin": {3, 1}, "a/depth_6/rng_state_0.pth": {3, 1}, "a/.cache/x.pt": {3, 1},
	})
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "a"), link); err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{filepath.Join(dir, "a"), link} {
		runs, err := Import(t.Context(), []string{way}, Options{Out: filepath.Join(t.TempDir(), "out"), Layout: mustPreset(t, "layers")})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := fmt.Sprint(leftOut(runs)), "[optimizer.pt rng_state_0.pth training_args.bin]"; len(runs) != 3 || got != want {
			t.Errorf("%s: got %d runs and %s left out, want 3 and %s", way, len(runs), got, want)
		}
	}
}

// TestPackedLayers imports an archive of many layers of zeros, each small, all together
// more than a file of its size may give: nothing is taken for them, nothing is written.
func TestPackedLayers(t *testing.T) {
	dir := t.TempDir()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	zeros := npytest.File(npytest.Array{Shape: []int{256, 256}, Values: make([]byte, 8<<16)})
	for k := range 128 {
		m, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("layers.%d.weight.npy", k), Method: zip.Deflate})
		if err == nil {
			_, err = m.Write(zeros)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "zeros.npz")
	if err := errors.Join(w.Close(), os.WriteFile(path, file.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Import(t.Context(), []string{path}, Options{Out: filepath.Join(dir, "out"), Layout: mustPreset(t, "layers")})
	runtime.ReadMemStats(&after)
	wantError(t, err, `tensor "layers.64.weight": shape [256 256]: got more numbers than 16 times the size of the file`)
	// Names, headers and readers of 128 members, of which a reader has 64 KiB.
	if got := after.TotalAlloc - before.TotalAlloc; got > 48<<20 {
		t.Errorf("got %d bytes taken, want less than the numbers would need", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("something was written")
	}
}
