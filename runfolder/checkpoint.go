package runfolder

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nlpodyssey/safetensors"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
)

// ErrNoCheckpoint says that a run folder holds no checkpoint, not even a damaged one.
var ErrNoCheckpoint = errors.New("runfolder: no checkpoint")

// A Checkpoint is the complete state of an unfinished run between two
// iterations. Every field comes back bit for bit, Damaged apart.
type Checkpoint struct {
	Hash       string // Meta.Hash of the run
	Arithmetic string // of the program (Meta.SetArithmetic)
	Iteration  int    // steps taken
	Seconds    float64
	Tensors    map[string]Tensor  // parameters, initial parameters, moments of the optimiser …
	Values     map[string]float64 // single numbers: current step size, best loss …
	Streams    map[string][]byte  // states of random streams, as their MarshalBinary gives them
	Rows       []Row              // the trace so far

	// Damaged is set by ReadCheckpoint when the newest checkpoint could not be
	// used and this is the one before it: a *DamagedError that says why.
	Damaged error
}

// Names inside a checkpoint file. It is a safetensors file too, with the trace
// as the bytes of a Parquet file.
const (
	tensorPrefix  = "tensors/"
	valuePrefix   = "values/"
	streamPrefix  = "stream/"
	traceTensor   = traceFile
	checksumKey   = "sha256" // of the whole file, with this value as 64 zeros
	hashKey       = "hash"
	arithmeticKey = "arithmetic"
	iterationKey  = "iteration"
	secondsKey    = "seconds"
	lossKey       = "loss" // of the last row, for ReadProgress; absent where it is not known
)

// WriteCheckpoint stores c in the run folder dir. The new file is written, synced
// and read back before it takes the place of the last one, which is kept as
// checkpoint/previous.safetensors; a last one that is damaged is not kept, so
// that previous.safetensors stays good.
func WriteCheckpoint(dir string, c *Checkpoint) error {
	folder := filepath.Join(dir, checkpointFolder)
	if _, err := disk.Stat(folder); err != nil {
		if _, err := disk.Stat(filepath.Join(dir, runFile)); err != nil {
			return fmt.Errorf("runfolder: writing a checkpoint: the run folder is gone: %w", err)
		}
		if err := makeSubfolder(folder); err != nil {
			return err
		}
	}
	digest, buffer := sha256.New(), []byte(nil)
	if err := encodeCheckpoint(digest, c, noChecksum, &buffer); err != nil {
		return fmt.Errorf("runfolder: writing a checkpoint in %s: %w", folder, err)
	}
	file, err := prepare(folder, stateFile, func(w io.Writer) error {
		return encodeCheckpoint(w, c, hex.EncodeToString(digest.Sum(nil)), &buffer)
	})
	if err != nil {
		return err
	}
	// Synced here, so that a full disk shows before the last checkpoint is moved.
	state := filepath.Join(folder, stateFile)
	if err := file.Finish(); err != nil {
		return errors.Join(fmt.Errorf("runfolder: writing %s: %w", state, err), file.Discard())
	}
	if err := verifyCheckpoint(file.Name()); err != nil {
		return errors.Join(fmt.Errorf("runfolder: reading the new %s back: %w", state, err), file.Discard())
	}
	if verifyCheckpoint(state) == nil {
		if err := disk.Rename(state, filepath.Join(folder, previousFile)); err != nil {
			return errors.Join(fmt.Errorf("runfolder: keeping the previous checkpoint: %w", err), file.Discard())
		}
	}
	if err := file.Replace(); err != nil {
		return errors.Join(fmt.Errorf("runfolder: writing %s: %w", state, err), file.Discard())
	}
	return syncFolder(folder)
}

// ReadCheckpoint returns the newest good checkpoint of the run folder dir. When
// the newest file is damaged it returns the one before, with Checkpoint.Damaged
// set; when none is good, a *DamagedError; when there is none, ErrNoCheckpoint.
func ReadCheckpoint(dir string) (*Checkpoint, error) {
	folder := filepath.Join(dir, checkpointFolder)
	newest, err := readCheckpoint(filepath.Join(folder, stateFile))
	if err == nil {
		return newest, nil
	}
	var damaged *DamagedError
	if !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &damaged) {
		return nil, err
	}
	// Without a newest file, a kill struck between its two renames: nothing is wrong.
	previous, second := readCheckpoint(filepath.Join(folder, previousFile))
	switch {
	case second == nil && damaged != nil:
		previous.Damaged = damaged
		return previous, nil
	case second == nil:
		return previous, nil
	case !errors.Is(second, fs.ErrNotExist):
		return nil, errors.Join(damagedOnly(damaged), second)
	case damaged != nil:
		return nil, damaged
	}
	return nil, fmt.Errorf("%w in %s", ErrNoCheckpoint, dir)
}

// damagedOnly keeps a nil *DamagedError from becoming an error that is not nil.
func damagedOnly(err *DamagedError) error {
	if err == nil {
		return nil
	}
	return err
}

// encodeCheckpoint writes c with the given checksum. The length does not depend
// on the checksum.
func encodeCheckpoint(w io.Writer, c *Checkpoint, checksum string, buffer *[]byte) error {
	views, metadata, err := checkpointViews(c, buffer)
	if err != nil {
		return err
	}
	metadata[checksumKey] = checksum
	var trace bytes.Buffer
	if err := encodeTrace(&trace, c.Rows, nil); err != nil {
		return err
	}
	size := uint64(trace.Len())
	views[traceTensor] = view{safetensors.U8, []uint64{size}, size, trace.Bytes}
	return safetensors.SerializeToWriter(views, metadata, w)
}

// checkpointViews returns the tensors and the metadata of a file that holds c, its rows and a
// checksum apart.
func checkpointViews(c *Checkpoint, buffer *[]byte) (map[string]view, map[string]string, error) {
	views, err := newViews(tensorPrefix, c.Tensors, buffer)
	if err != nil {
		return nil, nil, err
	}
	// A scalar tensor keeps every bit of a number, those of a NaN too.
	scalars := make(map[string]Tensor, len(c.Values))
	for name, value := range c.Values {
		scalars[name] = Tensor{DType: "F64", Data: []float64{value}}
	}
	values, err := newViews(valuePrefix, scalars, buffer)
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(views, values)
	metadata := map[string]string{
		hashKey:       c.Hash,
		arithmeticKey: c.Arithmetic,
		iterationKey:  strconv.Itoa(c.Iteration),
		secondsKey:    strconv.FormatFloat(c.Seconds, 'g', -1, 64),
	}
	if n := len(c.Rows); n > 0 && c.Rows[n-1].Loss != nil {
		metadata[lossKey] = strconv.FormatFloat(*c.Rows[n-1].Loss, 'g', -1, 64)
	}
	for name, state := range c.Streams {
		metadata[streamPrefix+name] = base64.StdEncoding.EncodeToString(state)
	}
	return views, metadata, nil
}

// readCheckpoint reads and checks one file. Whatever is wrong with its content
// is a *DamagedError.
func readCheckpoint(path string) (*Checkpoint, error) {
	var (
		c     *Checkpoint
		trace []byte
	)
	err := openCheckpoint(path, func(r io.Reader, infos []tensorheader.Tensor, metadata map[string]string) (err error) {
		c, trace, err = decodeCheckpoint(r, infos, metadata)
		return err
	})
	if err != nil {
		return nil, err
	}
	// Only now that the checksum holds: what a damaged trace says about its sizes
	// would be believed.
	if c.Rows, err = decodeTrace(trace); err != nil {
		return nil, &DamagedError{path, fmt.Errorf("tensor %q: %w", traceTensor, err)}
	}
	return c, nil
}

// verifyCheckpoint checks a file against its checksum.
func verifyCheckpoint(path string) error {
	return openCheckpoint(path, func(io.Reader, []tensorheader.Tensor, map[string]string) error { return nil })
}

// openCheckpoint calls decode with r at the first tensor, and then compares the
// checksum of the whole file.
func openCheckpoint(path string, decode func(r io.Reader, infos []tensorheader.Tensor, metadata map[string]string) error) error {
	file, err := disk.Open(path)
	if err != nil {
		return fmt.Errorf("runfolder: %w", err)
	}
	defer file.Close()
	status, err := file.Stat()
	if err != nil {
		return fmt.Errorf("runfolder: %w", err)
	}
	if limit := limitOf(stateFile); status.Size() > limit {
		return &DamagedError{path, &disk.TooLargeError{Path: path, Size: status.Size(), Limit: limit}}
	}
	if err := scanCheckpoint(file, status.Size(), decode); err != nil {
		return &DamagedError{path, err}
	}
	return nil
}

func scanCheckpoint(r io.Reader, size int64, decode func(r io.Reader, infos []tensorheader.Tensor, metadata map[string]string) error) error {
	raw, infos, metadata, err := tensorheader.Read(r, size)
	if err != nil {
		return err
	}
	blank, err := withoutChecksum(raw, metadata[checksumKey])
	if err != nil {
		return err
	}
	digest := sha256.New()
	digest.Write(blank)
	data := io.TeeReader(r, digest)
	if err := decode(data, infos, metadata); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, data); err != nil {
		return err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != metadata[checksumKey] {
		return fmt.Errorf("sha256 is %s, want %s", got, metadata[checksumKey])
	}
	return nil
}

// decodeCheckpoint returns the checkpoint without its rows, and their file.
func decodeCheckpoint(r io.Reader, infos []tensorheader.Tensor, metadata map[string]string) (c *Checkpoint, trace []byte, err error) {
	c = &Checkpoint{
		Hash:       metadata[hashKey],
		Arithmetic: metadata[arithmeticKey],
		Tensors:    map[string]Tensor{},
		Values:     map[string]float64{},
		Streams:    map[string][]byte{},
	}
	if c.Iteration, err = strconv.Atoi(metadata[iterationKey]); err != nil || c.Iteration < 0 {
		return nil, nil, fmt.Errorf("iteration: got %q, want a number of steps", metadata[iterationKey])
	}
	if c.Seconds, err = strconv.ParseFloat(metadata[secondsKey], 64); err != nil {
		return nil, nil, fmt.Errorf("seconds: %w", err)
	}
	for key, text := range metadata {
		if name, ok := strings.CutPrefix(key, streamPrefix); ok {
			if c.Streams[name], err = base64.StdEncoding.DecodeString(text); err != nil {
				return nil, nil, fmt.Errorf("stream %q: %w", name, err)
			}
		}
	}
	for _, info := range infos {
		if info.Name == traceTensor && info.DType == "U8" {
			trace = make([]byte, info.Count)
			_, err = io.ReadFull(r, trace)
		} else {
			err = c.decodeTensor(r, info)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return c, trace, nil
}

// decodeTensor puts the next tensor of the file where its name says.
func (c *Checkpoint) decodeTensor(r io.Reader, info tensorheader.Tensor) error {
	t, err := readTensor(r, info)
	if err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(info.Name, tensorPrefix); ok {
		c.Tensors[name] = t
		return nil
	}
	if name, ok := strings.CutPrefix(info.Name, valuePrefix); ok && len(t.Data) == 1 {
		c.Values[name] = t.Data[0]
		return nil
	}
	return fmt.Errorf("tensor %q: want a name that starts with %s or %s", info.Name, tensorPrefix, valuePrefix)
}
