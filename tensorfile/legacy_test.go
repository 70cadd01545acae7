package tensorfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLegacyEqualsZip writes the pickle and the storages of files of torch.save as versions before 1.6 did, and wants the
// same tensors, read whole and in pieces.
func TestLegacyEqualsZip(t *testing.T) {
	for _, name := range []string{"views.pt", "gpt2.pt"} {
		data := mustReadFile(t, name)
		zipped, err := open(t, data, ".pt")
		if err != nil {
			t.Fatal(err)
		}
		legacy, err := open(t, asLegacy(t, data), ".pth")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(zipped.Names(), legacy.Names()); diff != "" {
			t.Fatalf("names (-zip +legacy):\n%s", diff)
		}
		for _, tensor := range zipped.Names() {
			want, err := zipped.Read(tensor)
			if err != nil {
				continue // of a type that is not read
			}
			got, err := legacy.Read(tensor)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %s: got %v, %v, want %v", name, tensor, got, err, want)
			}
			for _, f := range []*File{zipped, legacy} {
				if !f.InPieces(tensor) {
					continue
				}
				half := len(want) / 2
				piece := make([]float64, len(want)-half)
				if err := f.ReadPiece(tensor, half, piece); err != nil || !slices.Equal(piece, want[half:]) {
					t.Errorf("%s: %s from entry %d: got %v, %v, want %v", name, tensor, half, piece, err, want[half:])
				}
			}
		}
	}
}

// asLegacy returns the file that torch.save before version 1.6 would have written.
func asLegacy(t *testing.T, data []byte) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	pickle := pickleOf(t, data)
	m := machine{data: pickle}
	if _, err := m.next(); err != nil {
		t.Fatal(err)
	}
	file := []byte(legacyMagic + "\x80\x02M\xe9\x03." + "\x80\x02}X\x0d\x00\x00\x00little_endian\x88s.")
	file = append(append(file, pickle...), "\x80\x02]"...)
	var tail []byte
	seen := map[string]bool{}
	for _, reference := range m.references {
		id := reference.id.(tuple)
		key := id[2].(string)
		if seen[key] {
			continue
		}
		seen[key] = true
		file = append(binary.LittleEndian.AppendUint32(append(file, 'X'), uint32(len(key))), key+"a"...)
		i := slices.IndexFunc(archive.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, "/data/"+key) })
		r, err := archive.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		tail = binary.LittleEndian.AppendUint64(tail, uint64(int64(len(content))/entrySizes[id[1].(global).name]))
		tail = append(tail, content...)
	}
	return append(append(file, '.'), tail...)
}

// TestModules wants the parameters of a module that was saved whole under the names of its state dict.
func TestModules(t *testing.T) {
	tensor := "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQK\x00K\x02\x85K\x01\x85\x89}tR"
	text := func(s string) string { return "X" + string([]byte{byte(len(s)), 0, 0, 0}) + s }
	module := func(attributes string) string { return "cmine\nNet\n)\x81}" + attributes + "b" }
	inner := module(text("_parameters") + "}" + text("weight") + tensor + "ss")
	outer := "\x80\x02" + module(text("_modules")+"}"+text("fc")+inner+"ss") + "."
	f, err := open(t, zipOf(t, zip.Store, member{"m/data.pkl", []byte(outer)}, member{"m/data/0", make([]byte, 8)}), ".pt")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Read("fc.weight"); err != nil || len(got) != 2 {
		t.Errorf("fc.weight of %q: got %v, %v, want two numbers", f.Names(), got, err)
	}
}
