package parquetheader

import (
	"bytes"
	"slices"
	"testing"
)

func TestCheckRuns(t *testing.T) {
	repeated, packed := []byte{8 << 1, 1}, []byte{1<<1 | 1, 0xff} // 8 levels each
	for _, test := range []struct {
		name   string
		runs   []byte
		values uint64
		ok     bool
	}{
		{"none", nil, 0, true},
		{"a run", repeated, 8, true},
		{"a run that is too long", repeated, 7, false},
		{"two runs", slices.Concat(repeated, packed), 16, true},
		{"the last filled up", slices.Concat(repeated, packed), 9, true},
		{"many runs, each as long as all values", bytes.Repeat(repeated, 1000), 8, false},
		{"many packed runs, each as long as all values", bytes.Repeat(packed, 1000), 8, false},
		{"a length beyond 64 bits", bytes.Repeat([]byte{0xff}, 11), 8, false},
		{"without its number", repeated[:1], 8, false},
	} {
		if err := CheckRuns(test.runs, 1, test.values); (err == nil) != test.ok {
			t.Errorf("%s: got %v, want no error: %v", test.name, err, test.ok)
		}
	}
}
