package tensorheader

import (
	"encoding/binary"
	"strings"
	"testing"
)

// TestRead wants the tensors of a header placed, and what does not fit a file refused.
func TestRead(t *testing.T) {
	for _, c := range []struct{ name, header, want string }{
		{"two", `{"__metadata__":{"a":"b"},"y":{"dtype":"F16","shape":[],"data_offsets":[6,8]},"x":{"dtype":"U8","shape":[2,3],"data_offsets":[0,6]}}`, ""},
		{"unknown dtype", `{"x":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}}`, ""},
		{"gap", `{"x":{"dtype":"U8","shape":[2],"data_offsets":[6,8]}}`, `tensor "x": got data offsets 6 to 8, want them to start at 0 and end within the 8 bytes of the file`},
		{"backwards", `{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,-9223372036854775808]}}`, `tensor "x": got data offsets 0 to -9223372036854775808`},
		{"wrong size", `{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, `tensor "x": got 8 bytes of data, want 3 × 4 for shape [3] of dtype F32`},
		{"large", `{"x":{"dtype":"F4","shape":[4294967296,4294967296],"data_offsets":[0,8]}}`, `tensor "x": shape [4294967296 4294967296] is too large`},
		{"no shape", `{"x":{"dtype":"U8","data_offsets":[0,8]}}`, `tensor "x": got shape [] and data offsets [0 8], want a list of sizes and 2 offsets`},
		{"nothing", `{"x":null}`, `tensor "x": got shape [] and data offsets []`},
		{"metadata", `{"__metadata__":{"a":1}}`, `header: metadata: `},
		{"short", `{"x":{"dtype":"U8","shape":[7],"data_offsets":[0,7]}}`, `header: got tensors of 7 bytes, want the 8 bytes of the file`},
	} {
		file := string(binary.LittleEndian.AppendUint64(nil, uint64(len(c.header)))) + c.header + "datadata"
		raw, tensors, metadata, err := Read(strings.NewReader(file), int64(len(file)))
		if c.want != "" {
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %s", c.name, err, c.want)
			}
			continue
		}
		if err != nil || string(raw) != file[:len(file)-8] {
			t.Errorf("%s: got %q, %v", c.name, raw, err)
			continue
		}
		if c.name == "two" && (len(tensors) != 2 || tensors[0].Name != "x" || tensors[0].Count != 6 || tensors[1].Count != 1 || tensors[1].Offset != int64(len(file))-2 || metadata["a"] != "b") {
			t.Errorf("%s: got %+v and %v", c.name, tensors, metadata)
		}
	}
}
