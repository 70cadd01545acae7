package tensorfile

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// fuzz opens data as a file of this extension and reads every tensor. Entries that
// come back must be as many as the shape says.
func fuzz(t *testing.T, data []byte, extension string) {
	s, err := decode(bytes.NewReader(data), int64(len(data)), extension)
	if err != nil {
		return
	}
	f := newFile("fuzz", s, int64(len(data)), func() error { return nil })
	for _, name := range f.Names() {
		info, err := f.Info(name)
		if err != nil {
			continue
		}
		values, err := f.Read(name)
		if err == nil && len(values) != info.Entries() {
			t.Fatalf("tensor %q: got %d entries, want %d for shape %v", name, len(values), info.Entries(), info.Shape)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(mustReadFile(f, "residual-4.safetensors"))
	f.Add(mustReadFile(f, "residual-8-bfloat16.safetensors"))
	f.Add(safetensorsOf(`{"x":{"dtype":"F16","shape":[0,5],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, data, ".safetensors") })
}

// FuzzArchive reads .npz and .pt files: which of the two it is, the content tells.
func FuzzArchive(f *testing.F) {
	f.Add(mustReadFile(f, "residual-8.npz"))
	f.Add(mustReadFile(f, "residual-8-half.npz"))
	f.Add(mustReadFile(f, "views.pt"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, data, ".npz") })
}

// FuzzPickle goes below the archive, whose checksums would refuse nearly everything:
// data is the pickle of an archive with one storage of 64 bytes.
func FuzzPickle(f *testing.F) {
	for _, name := range []string{"views.pt", "gpt2.pt"} {
		f.Add(pickleOf(f, mustReadFile(f, name)))
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		fuzz(t, zipOf(t, 0, member{"m/data.pkl", pickle}, member{"m/data/0", make([]byte, 64)}), ".pt")
	})
}

// pickleOf returns the pickle of a file of torch.save.
func pickleOf(t testing.TB, data []byte) []byte {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range archive.File {
		if strings.HasSuffix(m.Name, "/data.pkl") {
			pickle, err := content(m, maxPickle)
			if err != nil {
				t.Fatal(err)
			}
			return pickle
		}
	}
	t.Fatal("got no data.pkl")
	return nil
}

// legacyOf returns the file that torch.save before version 1.6 would write with a pickle of objects, and one storage "0" of
// 16 floats.
func legacyOf(pickle []byte) []byte {
	file := []byte(legacyMagic + "\x80\x02M\xe9\x03." + "\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.")
	file = append(append(file, pickle...), "\x80\x02]X\x01\x00\x00\x000a."...)
	return append(append(file, 16, 0, 0, 0, 0, 0, 0, 0), make([]byte, 64)...)
}

// FuzzLegacy reads the pickles of a file of torch.save before version 1.6.
func FuzzLegacy(f *testing.F) {
	f.Add(pickleOf(f, mustReadFile(f, "views.pt")))
	f.Fuzz(func(t *testing.T, pickle []byte) { fuzz(t, legacyOf(pickle), ".pt") })
}

func FuzzNPY(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }            \n\x00\x3c\x00\x3c"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, data, ".npy") })
}
