package runfolder

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func sampleCheckpoint(iteration int) *Checkpoint {
	source := rand.NewPCG(1, uint64(iteration))
	state, err := source.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return &Checkpoint{
		Hash: "3f2a9c01", Iteration: iteration, Seconds: 0.1,
		Tensors: map[string]Tensor{
			"A":        {"F32", []int{1, 2}, []float64{float64(float32(0.1)), -1}},
			"moment/A": {"F64", []int{1, 2}, []float64{0.1, math.Pi}},
		},
		Values:  map[string]float64{"step": 0.1, "best": math.Inf(1), "none": math.Float64frombits(0x7ff8dead00000001), "zero": math.Copysign(0, -1)},
		Streams: map[string][]byte{"batches": state, "empty": {}},
		Rows:    sampleRows(),
	}
}

// newRun makes a run folder.
func newRun(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "runs", sampleMeta().ID)
	if err := Create(dir, sampleMeta()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustCheckpoint(t *testing.T, dir string, iteration int) {
	t.Helper()
	if err := WriteCheckpoint(dir, sampleCheckpoint(iteration)); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpointRoundTrip(t *testing.T) {
	dir := newRun(t)
	if _, err := ReadCheckpoint(dir); !errors.Is(err, ErrNoCheckpoint) {
		t.Fatalf("before the first: error %v, want %v", err, ErrNoCheckpoint)
	}
	for iteration := range 3 {
		mustCheckpoint(t, dir, iteration)
		got, err := ReadCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sampleCheckpoint(iteration), got, sameBits, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	}
	var source rand.PCG
	got, err := ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := source.UnmarshalBinary(got.Streams["batches"]); err != nil || source != *rand.NewPCG(1, 2) {
		t.Errorf("stream came back as %v, %v", source, err)
	}
}

func TestCheckpointIsExact(t *testing.T) {
	path := filepath.Join(t.TempDir(), stateFile)
	rapid.Check(t, func(t *rapid.T) {
		want := &Checkpoint{Hash: "h", Seconds: rapid.Float64().Draw(t, "seconds"), Values: map[string]float64{}, Rows: drawRows(t)}
		for range rapid.IntRange(0, 5).Draw(t, "values") {
			want.Values[rapid.StringMatching(`[a-z/]{1,5}`).Draw(t, "name")] = drawFloat(t, "value")
		}
		// As WriteCheckpoint does, without its syncs.
		var blank, file bytes.Buffer
		if err := errors.Join(encodeCheckpoint(&blank, want, noChecksum, new([]byte)), encodeCheckpoint(&file, want, digestOf(blank.Bytes()), new([]byte))); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := readCheckpoint(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameBits, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

// TestCheckpointFlips flips every byte of the newest file, and cuts it at every
// length: each is detected and the one before is used.
func TestCheckpointFlips(t *testing.T) {
	dir := newRun(t)
	small := &Checkpoint{Hash: "h", Iteration: 1, Values: map[string]float64{"x": 1}}
	if err := WriteCheckpoint(dir, small); err != nil {
		t.Fatal(err)
	}
	small.Iteration = 2
	if err := WriteCheckpoint(dir, small); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, checkpointFolder, stateFile)
	good := mustRead(t, state)
	check := func(what string, data []byte) {
		t.Helper()
		mustWrite(t, data, state)
		got, err := ReadCheckpoint(dir)
		var damaged *DamagedError
		if err != nil || got.Iteration != 1 || !errors.As(got.Damaged, &damaged) || damaged.Path != state {
			t.Fatalf("%s: got %+v, %v, want the previous checkpoint and the newest named as damaged", what, got, err)
		}
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1 << (i % 8)
		check(fmt.Sprintf("byte %d flipped", i), bad)
		check(fmt.Sprintf("cut to %d bytes", i), good[:i])
	}
	check("one byte more", append(good, 0))
}

func TestDamagedCheckpointIsNotKept(t *testing.T) {
	dir := newRun(t)
	state := filepath.Join(dir, checkpointFolder, stateFile)
	previous := filepath.Join(dir, checkpointFolder, previousFile)
	mustCheckpoint(t, dir, 1)
	mustCheckpoint(t, dir, 2)
	mustWrite(t, []byte("damage"), state)
	mustCheckpoint(t, dir, 3)
	mustWrite(t, []byte("damage"), state)
	got, err := ReadCheckpoint(dir)
	if err != nil || got.Iteration != 1 {
		t.Fatalf("got %+v, %v, want iteration 1", got, err)
	}
	checkError(t, got.Damaged, dir, "runfolder: {dir}/checkpoint/state.safetensors is damaged: "+
		"header: the file is cut short")

	mustWrite(t, []byte("damage"), previous)
	_, err = ReadCheckpoint(dir)
	var damaged *DamagedError
	if !errors.As(err, &damaged) || errors.Is(err, ErrNoCheckpoint) {
		t.Errorf("both damaged: error %v, want a DamagedError", err)
	}
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	if _, err = ReadCheckpoint(dir); !errors.As(err, &damaged) || damaged.Path != previous {
		t.Errorf("previous damaged and alone: error %v", err)
	}
}

// A kill between the two renames of WriteCheckpoint leaves the previous file alone.
func TestCheckpointBetweenRenames(t *testing.T) {
	dir := newRun(t)
	mustCheckpoint(t, dir, 1)
	folder := filepath.Join(dir, checkpointFolder)
	if err := os.Rename(filepath.Join(folder, stateFile), filepath.Join(folder, previousFile)); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, []byte("half a checkpoint"), folder, ".state.safetensors.123.tmp")
	got, err := ReadCheckpoint(dir)
	if err != nil || got.Iteration != 1 || got.Damaged != nil {
		t.Fatalf("got %+v, %v, want iteration 1", got, err)
	}
	if err := Create(dir, sampleMeta()); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(folder); len(names) != 1 {
		t.Errorf("%d files after Create, want the previous checkpoint alone", len(names))
	}
}

func TestCheckpointOfDeletedRun(t *testing.T) {
	dir := newRun(t)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := WriteCheckpoint(dir, sampleCheckpoint(1)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want %v", err, os.ErrNotExist)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the run folder was made again without its run.json")
	}
}
