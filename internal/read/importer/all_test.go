package importer

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/layerorder"
)

// TestFamiliesGrow imports a depth more into a folder and wants the families of all, those that were there once.
func TestFamiliesGrow(t *testing.T) {
	dir := writeNetworks(t, map[string][2]int{"a4.npz": {4, 1}, "b6.npz": {6, 2}, "c8.npz": {8, 3}})
	o := Options{Out: filepath.Join(t.TempDir(), "out"), Layout: Layout{Weight: "layers.{k}.weight", Convention: ColumnVectors}}
	at := func(names ...string) (paths []string) {
		for _, name := range names {
			paths = append(paths, filepath.Join(dir, name))
		}
		return paths
	}
	for _, paths := range [][]string{at("a4.npz", "b6.npz"), at("b6.npz", "c8.npz")} {
		if _, err := Import(t.Context(), paths, o); err != nil {
			t.Fatal(err)
		}
	}
	m, err := network.Read(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	var depths []int
	for _, f := range m.Families {
		depths = append(depths, f.Depth)
	}
	if !slices.Equal(depths, []int{4, 6, 8}) {
		t.Errorf("got families of depths %v, want 4, 6 and 8", depths)
	}
}

// TestDeepFamilies imports networks of many layers: one whose inner products are larger than 16 MiB, and one that is too deep
// to be measured and is imported all the same.
func TestDeepFamilies(t *testing.T) {
	for _, depth := range []int{600, layerorder.MaxLayers + 1} {
		tensors := map[string]array{"stack": noise(depth, depth, 4, 4)}
		path := writeTensors(t, filepath.Join(t.TempDir(), "net.safetensors"), tensors)
		o := Options{Out: filepath.Join(t.TempDir(), "out"), Layout: Layout{Weight: "stack", Convention: ColumnVectors}}
		runs, err := Import(t.Context(), []string{path}, o)
		if err != nil {
			t.Fatal(err)
		}
		m, err := network.Read(o.Out)
		if err != nil {
			t.Fatal(err)
		}
		if measured := m != nil; measured == (depth > layerorder.MaxLayers) {
			t.Errorf("depth %d: measured: %v", depth, measured)
		}
		note := fmt.Sprintf("not measured: stack: got %d layers, want at most %d", depth, layerorder.MaxLayers)
		if noted := strings.Contains(strings.Join(runs[0].Notes, ""), note); noted != (depth > layerorder.MaxLayers) {
			t.Errorf("depth %d: got notes %q", depth, runs[0].Notes)
		}
	}
}

// TestAllCopies imports all families of one network under two names, of its layers in one tensor and of their transposes, and finds it once.
func TestAllCopies(t *testing.T) {
	dir := t.TempDir()
	stack, apart, prefixed := noise(1, 6, 4, 4), map[string]array{}, map[string]array{}
	transposed := array{shape: []int{6, 4, 4}, data: make([]float64, len(stack.data))}
	for k := range 6 {
		layer := array{shape: []int{4, 4}, data: stack.data[16*k : 16*k+16]}
		apart[fmt.Sprintf("h.%d.mlp.up_proj.weight", k)], prefixed[fmt.Sprintf("module.h.%d.mlp.up_proj.weight", k)] = layer, layer
		for i := range 4 {
			for j := range 4 {
				transposed.data[16*k+4*j+i] = layer.data[4*i+j]
			}
		}
	}
	writeTensors(t, filepath.Join(dir, "a.safetensors"), apart)
	writeTensors(t, filepath.Join(dir, "b.safetensors"), prefixed)
	writeTensors(t, filepath.Join(dir, "c.safetensors"), map[string]array{"layers/mlp/up_proj/kernel": transposed})
	runs, _, err := ImportAll(t.Context(), []string{dir}, Options{Out: filepath.Join(t.TempDir(), "out")})
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 1 || len(runs[0].LeftOut) != 2 {
		t.Errorf("got %d runs, and %+v left out, want one network", len(runs), runs[0].LeftOut)
	}
}
