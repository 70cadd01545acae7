package runfolder

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// Whatever the bytes are, a reader returns an error, or content that is written
// and read again to the same content.

func FuzzReadWeights(f *testing.F) {
	var good bytes.Buffer
	if err := encodeWeights(&good, sampleWeights()); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add(good.Bytes()[:good.Len()-1])
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Add([]byte("\x0a\x00\x00\x00\x00\x00\x00\x00{\"A\":null}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		weights, err := decodeWeights(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := encodeWeights(&again, weights); err != nil {
			t.Fatal(err)
		}
		second, err := decodeWeights(&again, int64(again.Len()))
		if diff := cmp.Diff(weights, second, sameBits, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v (-first +second)\n%s", err, diff)
		}
	})
}

// FuzzReadTrace reads without the checksum that Run.Trace checks first, and wants the
// memory for it bounded by the size of the file.
func FuzzReadTrace(f *testing.F) {
	for _, rows := range [][]Row{nil, sampleRows()} {
		var good bytes.Buffer
		if err := encodeTrace(&good, rows, nil); err != nil {
			f.Fatal(err)
		}
		f.Add(good.Bytes())
		f.Add(good.Bytes()[:good.Len()/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := decodeFrugally(t, data)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := encodeTrace(&again, rows, nil); err != nil {
			t.Fatal(err)
		}
		second, err := decodeTrace(again.Bytes())
		if diff := cmp.Diff(rows, second, sameBits, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v (-first +second)\n%s", err, diff)
		}
	})
}

func FuzzReadCheckpoint(f *testing.F) {
	for _, c := range []*Checkpoint{{}, sampleCheckpoint(3)} {
		var good bytes.Buffer
		if err := encodeCheckpoint(&good, c, noChecksum, new([]byte)); err != nil {
			f.Fatal(err)
		}
		f.Add(good.Bytes())
		f.Add(good.Bytes()[:good.Len()-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// The checksum would refuse nearly everything, so the layer below it is fuzzed.
		r := bytes.NewReader(data)
		_, infos, metadata, err := tensorheader.Read(r, int64(len(data)))
		if err != nil {
			return
		}
		c, trace, err := decodeCheckpoint(r, infos, metadata)
		if err == nil && (c.Iteration < 0 || len(trace) > len(data)) {
			t.Fatalf("accepted iteration %d with a trace of %d bytes from %d", c.Iteration, len(trace), len(data))
		}
	})
}

func FuzzReadJSON(f *testing.F) {
	summary, err := encodeSummary(sampleSummary)
	if err != nil {
		f.Fatal(err)
	}
	meta, err := encodeMeta(sampleMeta())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(meta), string(summary), "null", `{"depth":1e3}`, `{"checksum":""}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if meta, err := decodeMeta(data); err == nil {
			again, err := encodeMeta(meta)
			if err != nil {
				t.Fatal(err)
			}
			second, err := decodeMeta(again)
			if diff := cmp.Diff(meta, second, sameBits, cmpopts.EquateEmpty(), cmp.Comparer(sameJSON)); err != nil || diff != "" {
				t.Fatalf("%v (-first +second)\n%s", err, diff)
			}
		}
		if summary, err := decodeSummary(data); err == nil {
			again, err := encodeSummary(summary)
			if err != nil {
				t.Fatal(err)
			}
			second, err := decodeSummary(again)
			if err != nil {
				t.Fatal(err)
			}
			if third, err := encodeSummary(second); err != nil || !bytes.Equal(again, third) {
				t.Fatalf("%s came back as %s, %v", again, third, err)
			}
		}
	})
}

// sameJSON compares configurations by their text, no text being the same as null.
func sameJSON(a, b json.RawMessage) bool {
	none := func(m json.RawMessage) bool { return len(m) == 0 || string(m) == "null" }
	return none(a) && none(b) || bytes.Equal(a, b)
}
