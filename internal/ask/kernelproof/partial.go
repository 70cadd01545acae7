package kernelproof

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/runfolder"
)

// PartialFolder holds what is done of a proof that was interrupted, in the folder of the run. A proof that ends removes it.
const PartialFolder = "kernel/partial"

// saveAfter is how long a proof takes before it keeps what it does: a shorter one is made again. Tests change it.
var saveAfter = 2 * time.Second

// A partial keeps parts of a proof as files, named by the digest of all that they depend on. A part that cannot be
// stored, in a folder that is not writable, say, costs time alone: it is computed again.
type partial struct {
	dir, key string
	start    time.Time
}

// newPartial returns the parts of a proof about these parameters. They are of this build on this kind of machine.
func newPartial(run *runfolder.Run, problem *plan.Problem, theta []float64) *partial {
	hash, numbers := sha256.New(), []byte(nil)
	for _, values := range [][]float64{theta, problem.Samples.X, problem.Samples.Y} {
		numbers = append(numbers[:0], encode(values)...)
		hash.Write(append(numbers, '\n'))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		hash.Write([]byte(info.String()))
	}
	dir := filepath.Join(run.Dir, filepath.FromSlash(PartialFolder))
	return &partial{dir: dir, key: hex.EncodeToString(hash.Sum(nil)[:12]), start: time.Now()}
}

func (p *partial) path(name string) string { return filepath.Join(p.dir, p.key+"-"+name) }

// Load reads a part; one that is damaged counts as absent.
func (p *partial) Load(name string, value any) bool {
	data, err := disk.ReadFile(p.path(name), 1<<40)
	if err != nil || len(data) < sha256.Size {
		return false
	}
	sum := sha256.Sum256(data[sha256.Size:])
	return bytes.Equal(sum[:], data[:sha256.Size]) && gob.NewDecoder(bytes.NewReader(data[sha256.Size:])).Decode(value) == nil
}

// Save stores a part once the proof is a long one.
func (p *partial) Save(name string, value any) {
	if time.Since(p.start) < saveAfter {
		return
	}
	var data bytes.Buffer
	if gob.NewEncoder(&data).Encode(value) != nil {
		return
	}
	if disk.MkdirAll(p.dir, 0o777) != nil {
		return
	}
	sum := sha256.Sum256(data.Bytes())
	_ = disk.WriteBytes(p.path(name), append(sum[:], data.Bytes()...))
}

// end removes all parts.
func (p *partial) end() { _ = disk.RemoveAll(p.dir) }
