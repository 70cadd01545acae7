package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// idxFile writes the format by hand: 0, 0, type, rank, sizes, values.
func idxFile(values []byte, dims ...int) []byte {
	file := []byte{0, 0, 8, byte(len(dims))}
	for _, dim := range dims {
		file = binary.BigEndian.AppendUint32(file, uint32(dim))
	}
	return append(file, values...)
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// smallImages fills a folder with 3 training and 2 test images of 1×2 pixels.
func smallImages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "train-images-idx3-ubyte.gz"), string(zipped(t, idxFile([]byte{0, 255, 51, 102, 153, 204}, 3, 1, 2))))
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), string(idxFile([]byte{7, 0, 9}, 3)))
	write(t, filepath.Join(dir, "t10k-images.idx3-ubyte"), string(idxFile([]byte{255, 0, 0, 51}, 2, 1, 2)))
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte.gz"), string(zipped(t, idxFile([]byte{1, 2}, 2))))
	return dir
}

// noImages makes the machine one without image sets and returns the data folder.
func noImages(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	t.Setenv("DEEPLIMIT_DATA", data)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	system := systemFolders
	systemFolders = map[string]string{"fashion-mnist": filepath.Join(t.TempDir(), "fashion-mnist")}
	t.Cleanup(func() { systemFolders = system })
	return data
}

func TestImagesOfTheUser(t *testing.T) {
	dir := smallImages(t)
	spec := Spec{Kind: "mnist", Path: filepath.Base(dir), Test: 2, Standardize: new(false), UnitNorm: new(false)}
	set := load(t, spec, filepath.Dir(dir))
	if want := []float64{0, 1, 0.2, 0.4, 0.6, 0.8}; !slices.Equal(set.X, want) || !slices.Equal(set.Labels, []int{7, 0, 9}) {
		t.Errorf("got %v, %v, want %v, [7 0 9]", set.X, set.Labels, want)
	}
	if want := []float64{1, 0, 0, 0.2}; !slices.Equal(set.Test.X, want) || !slices.Equal(set.Test.Labels, []int{1, 2}) {
		t.Errorf("test: got %v, %v, want %v, [1 2]", set.Test.X, set.Test.Labels, want)
	}
	files, err := Files(spec, filepath.Dir(dir))
	if err != nil || len(files) != 4 || filepath.Base(files[2]) != "t10k-images.idx3-ubyte" {
		t.Errorf("Files: got %v, %v, want the four files", files, err)
	}
	spec.Test = 0
	if files, err := Files(spec, filepath.Dir(dir)); err != nil || len(files) != 2 {
		t.Errorf("Files without test: got %v, %v, want the two training files", files, err)
	}
}

func TestImagesRefuse(t *testing.T) {
	const images, labels = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"
	good := idxFile([]byte{0, 255, 51, 102, 153, 204}, 3, 1, 2)
	mnistSized := idxFile(make([]byte, 60000*784), 60000, 28, 28)
	for _, test := range []struct {
		file    string
		content []byte
		want    string
	}{
		{images, nil, "DIR/train-images-idx3-ubyte.gz: header: got 0 bytes, want 16 (truncated)"},
		{images, good[:9], "DIR/train-images-idx3-ubyte.gz: header: got 9 bytes, want 16 (truncated)"},
		{images, idxFile([]byte{1, 2, 3}, 3), "DIR/train-images-idx3-ubyte.gz: header: got 11 bytes, want 16 (truncated)"},
		{images, append([]byte("PNG!"), good...), "DIR/train-images-idx3-ubyte.gz: magic number: got 0x504e4721, want 0x00000803: IDX of unsigned bytes with 3 dimensions"},
		{labels, good, "DIR/train-labels-idx1-ubyte: magic number: got 0x00000803, want 0x00000801: IDX of unsigned bytes with 1 dimensions"},
		{images, good[:len(good)-2], "DIR/train-images-idx3-ubyte.gz: got 4 bytes of data, want 6 (truncated)"},
		{images, append(bytes.Clone(good), 1), "DIR/train-images-idx3-ubyte.gz: got 7 bytes of data, want 6 (more than the header says)"},
		{images, zipped(t, good[:len(good)-2]), "DIR/train-images-idx3-ubyte.gz: got 4 bytes of data, want 6 (truncated)"},
		{images, zipped(t, append(bytes.Clone(good), 1, 2, 3)), "DIR/train-images-idx3-ubyte.gz: got 7 bytes of data, want 6 (more than the header says)"},
		{images, zipped(t, good)[:30], "DIR/train-images-idx3-ubyte.gz: got 5 bytes of data, want 6 (truncated)"},
		{images, idxFile(nil, 0, 1, 2), "DIR/train-images-idx3-ubyte.gz: size of dimension 1: got 0, want 1 to 2^31"},
		{images, idxFile(nil, 1<<31, 1<<31, 1<<31), "DIR/train-images-idx3-ubyte.gz: got 2147483648×2147483648×2147483648 values, want at most 2^31"},
		{images, idxFile(nil, 1<<31, 1, 1), "DIR/train-images-idx3-ubyte.gz: got 0 bytes of data, want 2147483648 (truncated)"},
		{images, zipped(t, idxFile(nil, 1<<31, 1, 1)), "DIR/train-images-idx3-ubyte.gz: got 0 bytes of data, want 2147483648 (truncated)"},
		{labels, idxFile([]byte{1, 2}, 2), "DIR/train-labels-idx1-ubyte: got 2 labels, want 3, one for each image of DIR/train-images-idx3-ubyte.gz"},
		{labels, idxFile([]byte{1, 10, 2}, 3), "DIR/train-labels-idx1-ubyte: label 2: got 10, want 0 to 9"},
		{"t10k-images.idx3-ubyte", idxFile(make([]byte, 6), 2, 1, 3), "DIR/t10k-images.idx3-ubyte: got images of 3 pixels, want 2 as in DIR/train-images-idx3-ubyte.gz"},
		{
			images, mnistSized,
			"DIR/train-images-idx3-ubyte.gz: checksum: got sha256 ba2048faa0242d852ccfba31d5efa227046ebcc173e3a4951fb9c906fb61ebdb unzipped, want ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db: fetch the file again (another set of this size can be used as .npy, kind files)",
		},
	} {
		dir := smallImages(t)
		write(t, filepath.Join(dir, test.file), string(test.content))
		_, err := tryLoad(Spec{Kind: "mnist", Path: dir, Test: 1}, "")
		want := "dataset: " + strings.ReplaceAll(test.want, "DIR", dir)
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", test.file, err, want)
		}
	}
}

func TestMissingImages(t *testing.T) {
	data := noImages(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "deeplimit")
	for _, test := range []struct {
		spec Spec
		want string
	}{
		{Spec{Kind: "mnist"}, "dataset: mnist: train-images-idx3-ubyte.gz is not in " + data + "/mnist, " + cache + "/mnist: run `deeplimit data fetch mnist`, or put the four IDX files (.gz or not) into " + data + "/mnist"},
		{Spec{Kind: "mnist", Path: "here"}, "dataset: mnist: train-images-idx3-ubyte.gz is not in /base/here: run `deeplimit data fetch mnist`, or put the four IDX files (.gz or not) into /base/here"},
		{Spec{Kind: "fashion-mnist"}, "dataset: fashion-mnist: train-images-idx3-ubyte.gz is not in " + data + "/fashion-mnist, " + cache + "/fashion-mnist, " + systemFolders["fashion-mnist"] + ": run `deeplimit data fetch fashion-mnist`, or put the four IDX files (.gz or not) into " + data + "/fashion-mnist"},
	} {
		if _, err := tryLoad(test.spec, "/base"); err == nil || err.Error() != test.want {
			t.Errorf("Load:\n got %v\nwant %s", err, test.want)
		}
		if _, err := Files(test.spec, "/base"); err == nil || err.Error() != test.want {
			t.Errorf("Files:\n got %v\nwant %s", err, test.want)
		}
	}
	// A dry run needs no files.
	if d, m, err := Dimensions(Spec{Kind: "mnist"}, ""); d != 784 || m != 10 || err != nil {
		t.Errorf("Dimensions: got %d, %d, %v, want 784, 10", d, m, err)
	}

	// Outside a folder that the study names, nothing but the published files will do.
	if err := os.CopyFS(filepath.Join(data, "mnist"), os.DirFS(smallImages(t))); err != nil {
		t.Fatal(err)
	}
	want := "dataset: " + data + "/mnist/train-images-idx3-ubyte.gz: size: got 3×1×2, want 60000×28×28"
	if _, err := tryLoad(Spec{Kind: "mnist"}, ""); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestList(t *testing.T) {
	data := noImages(t)
	byName := func() map[string]Entry {
		entries := make(map[string]Entry)
		for _, e := range List() {
			entries[e.Name] = e
		}
		return entries
	}
	entries := byName()
	if len(entries) != len(Kinds()) {
		t.Errorf("got %d entries, want one for each of %v", len(entries), Kinds())
	}
	if e := entries["digits"]; !e.Present || e.Where != "embedded" || e.Samples != 1797 || e.Inputs != 64 || e.Outputs != 10 || e.Licence != "CC BY 4.0" {
		t.Errorf("digits: got %+v", e)
	}
	if e := entries["ode"]; !e.Present || e.Where != "generated" {
		t.Errorf("ode: got %+v", e)
	}
	want := "run `deeplimit data fetch mnist`, or put its files into " + data + "/mnist"
	if e := entries["mnist"]; e.Present || e.Where != want || e.Samples != 60000 || e.Test != 10000 {
		t.Errorf("mnist: got %+v, want it missing: %s", e, want)
	}
	if err := os.CopyFS(filepath.Join(data, "mnist"), os.DirFS(smallImages(t))); err != nil {
		t.Fatal(err)
	}
	if e := byName()["mnist"]; !e.Present || e.Where != filepath.Join(data, "mnist") {
		t.Errorf("mnist: got %+v, want it in %s/mnist", e, data)
	}
}

// realMNIST returns the folder of the real files, in the module cache or where
// Load finds them, and skips the test when the machine has none.
func realMNIST(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("reads 60,000 images several times")
	}
	var folders []string
	if cache, err := exec.Command("go", "env", "GOMODCACHE").Output(); err == nil {
		module := strings.Replace(mnistModule, "GoMNIST", "!go!m!n!i!s!t", 1)
		folders = append(folders, filepath.Join(strings.TrimSpace(string(cache)), module, "data"))
	}
	for _, folder := range append(folders, imageFolders(Spec{Kind: "mnist"}, "")...) {
		if complete(imageSets["mnist"], folder) {
			return folder
		}
	}
	t.Skip("no MNIST on this machine: `deeplimit data fetch mnist`")
	return ""
}

// The numbers were computed from the files with od and awk.
func TestRealMNIST(t *testing.T) {
	folder := realMNIST(t)
	set := load(t, Spec{Kind: "mnist", Path: folder, Test: 100, Standardize: new(false), UnitNorm: new(false)}, "")
	if set.Samples != 60000 || set.Test.Samples != 100 || set.Source != "MNIST (LeCun, Cortes & Burges 1998); licence: CC BY-SA 3.0" {
		t.Errorf("got %d + %d samples from %q, want 60000 + 100", set.Samples, set.Test.Samples, set.Source)
	}
	counts := make([]int, 10)
	for _, label := range set.Labels {
		counts[label]++
	}
	if want := []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}; !slices.Equal(counts, want) {
		t.Errorf("images of each class: got %v, want %v", counts, want)
	}
	sum := 0
	for _, v := range set.X {
		sum += int(v*255 + 0.5)
	}
	if sum != 1567298545 {
		t.Errorf("sum of all pixels: got %d, want 1567298545", sum)
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idxFile([]byte{1, 2, 3, 4}, 1, 2, 2), 3, true)
	f.Add(idxFile([]byte{1, 2, 3, 4}, 4), 1, false)
	f.Add(idxFile(nil, 1<<31, 1<<31, 1<<31), 3, false)
	f.Add(idxFile(nil, 1<<31, 1, 1), 3, true)
	f.Fuzz(func(t *testing.T, file []byte, rank int, sized bool) {
		rank = 1 + 2*(rank&1)
		size := int64(-1)
		if sized {
			size = int64(len(file))
		}
		a, err := decodeIDX(bytes.NewReader(file), size, rank)
		if err != nil {
			return
		}
		n := 1
		for _, dim := range a.dims {
			n *= dim
		}
		if len(a.dims) != rank || len(a.data) != n || len(a.header)+n != len(file) {
			t.Fatalf("got %s and %d values from %d bytes", times(a.dims), len(a.data), len(file))
		}
	})
}
