package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestPVarOfDisplacement wants the path of differences, by the name of the part or, where one part alone has moved, without it.
func TestPVarOfDisplacement(t *testing.T) {
	column := func(values ...float64) runfolder.Tensor {
		return runfolder.Tensor{DType: "F64", Shape: []int{len(values), 1}, Data: values}
	}
	folder := t.TempDir()
	write := func(name string, tensors map[string]runfolder.Tensor) string {
		path := filepath.Join(folder, name)
		if err := runfolder.WriteWeights(path, runfolder.Weights{Tensors: tensors}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("one.safetensors", map[string]runfolder.Tensor{"A": column(1, 5, 2), "A_initial": column(1, 2, 3), "delta": column(1, 1, 1)})
	two := write("two.safetensors", map[string]runfolder.Tensor{
		"V": column(1, 1, 2), "V_initial": column(0, 0, 0), "W": column(4, 4, 4), "W_initial": column(1, 2, 4),
	})
	biased := write("biased.safetensors", map[string]runfolder.Tensor{"A": column(1, 5), "A_initial": column(1, 2), "b": column(1, 1), "b_initial": column(0, 9)})
	uneven := write("uneven.safetensors", map[string]runfolder.Tensor{"A": column(1, 2, 3), "A_initial": column(1, 2)})
	bare := write("bare.safetensors", map[string]runfolder.Tensor{"A": column(1, 2, 3)})
	named := write("named.safetensors", map[string]runfolder.Tensor{"A": column(1), "displacement": column(0, 2), "A_displacement": column(0, 3)})
	for _, c := range []struct {
		path, tensor string
		value        float64 // of V_1
		wrong        string
	}{
		{one, "displacement", 7, ""}, // 0, 3, −1
		{one, "A_displacement", 7, ""},
		{one, "A", 7, ""},
		{two, "W_displacement", 3, ""}, // 3, 2, 0
		{two, "V_displacement", 1, ""},
		{biased, "displacement", 3, ""},
		{named, "displacement", 2, ""},
		{named, "A_displacement", 3, ""},
		{two, "displacement", 0, `--tensor: got displacement, want one of "V_displacement", "W_displacement"`},
		{one, "B_displacement", 0, `--tensor: got "B_displacement", which needs "B" and "B_initial", want one of "A", `},
		{bare, "displacement", 0, `--tensor: got displacement, want a file with the weights before training, such as "A" and "A_initial"`},
		{bare, "A_displacement", 0, `which needs "A" and "A_initial"`},
		{uneven, "displacement", 0, `got shapes [3 1] of "A" and [2 1] of "A_initial", want the same`},
	} {
		f := pvarFlags{p: []float64{1}, metric: "frobenius", tensor: c.tensor}
		points, _, _, err := f.read(c.path)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || !strings.HasPrefix(err.Error(), "pvar: "+c.path) {
				t.Errorf("%s %s: got error %v, want %q", c.path, c.tensor, err, c.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.path, c.tensor, err)
			continue
		}
		v := 0.0
		for i := range points.Data[1:] {
			v += max(points.Data[i+1]-points.Data[i], points.Data[i]-points.Data[i+1])
		}
		if v != c.value {
			t.Errorf("%s %s: got V_1 = %v, want %v", c.path, c.tensor, v, c.value)
		}
	}
}
