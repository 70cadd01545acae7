package tensorfile

import (
	"bytes"
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
		data := mustReadFile(f, name)
		s, err := decode(bytes.NewReader(data), int64(len(data)), ".pt")
		if err != nil {
			f.Fatal(err)
		}
		archive := s.(*torchFile)
		pickle, err := content(archive.members[archive.folder+"/data.pkl"], maxPickle)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(pickle)
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		fuzz(t, zipOf(t, 0, member{"m/data.pkl", pickle}, member{"m/data/0", make([]byte, 64)}), ".pt")
	})
}

func FuzzNPY(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }            \n\x00\x3c\x00\x3c"))
	f.Fuzz(func(t *testing.T, data []byte) { fuzz(t, data, ".npy") })
}
