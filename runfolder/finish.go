package runfolder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// A Staging is a staging directory: a hidden folder in a run folder, in which one worker puts
// together what the run leaves behind before a hard link makes it the run's. The doc of package
// internal/execute/lease has the protocol, with what happens at a crash.
type Staging struct {
	Dir string // the hidden folder, for WriteStates and WriteCertification
	// Idle, if it is not nil, is called once all files are written: what is left is to wait for the disk.
	Idle func()
	run  string // the run folder
}

// stagingPrefix begins the name of a staging directory; disk.Temporary knows it.
const stagingPrefix = ".finish."

// stagingOf returns the name of the folder that holds the files of a result with this
// checksum.
func stagingOf(checksum string) string {
	sum, _ := strconv.ParseUint(checksum[:16], 16, 64) // it is hexadecimal: checksumOf
	return fmt.Sprintf("%s%d.tmp", stagingPrefix, sum)
}

// Stage makes a staging directory in the run folder dir.
func Stage(dir string) (*Staging, error) {
	staging := filepath.Join(dir, fmt.Sprintf("%s%d.tmp", stagingPrefix, rand.Uint64()))
	if err := disk.Mkdir(staging, 0o755); err != nil {
		return nil, fmt.Errorf("runfolder: finishing %s: %w", dir, err)
	}
	return &Staging{Dir: staging, run: dir}, nil
}

// Discard removes the folder.
func (s *Staging) Discard() error { return disk.RemoveAll(s.Dir) }

// Finish writes what the run leaves behind into the run folder dir: weights, trace,
// run.json with meta.Stop set to summary.Stop, and last result.json with the checksums
// of the three, which are durable by then; it then removes checkpoints, live trace and
// lease. meta.End is the caller's to set, as are the fields of summary apart from these
// checksums: those of files that stand in dir already (WriteCertification) are kept. A
// run that was finished before is ErrDone, and stays.
func Finish(dir string, meta Meta, rows []Row, weights Weights, summary Summary) error {
	s, err := Stage(dir)
	if err != nil {
		return err
	}
	return s.Finish(meta, rows, weights, summary)
}

// Finish is Finish for a run whose other files were written into s.Dir. It ends s.
func (s *Staging) Finish(meta Meta, rows []Row, weights Weights, summary Summary) error {
	return s.end(func() error { return s.fill(meta, rows, weights, summary) })
}

// end makes the files that fill puts into the staging directory the run's. Whatever it
// returns, the staging directory is gone.
func (s *Staging) end(fill func() error) error {
	err := fill()
	if err == nil {
		err = s.commit()
	}
	if err != nil && !errors.Is(err, ErrDone) && Done(s.run) {
		err = fmt.Errorf("%w: %s", ErrDone, s.run) // and its Tidy has taken this folder away
	}
	if err != nil {
		return errors.Join(err, s.Discard())
	}
	return moveUp(s.run, filepath.Base(s.Dir))
}

// fill writes all files into the staging directory and gives it its last name. Durable by
// then are their content and the name of the run folder, which is of no use before.
func (s *Staging) fill(meta Meta, rows []Row, weights Weights, summary Summary) error {
	if err := meta.check(); err != nil {
		return fmt.Errorf("runfolder: finishing %s: %w", s.run, err)
	}
	if err := Vacant(s.run, meta.Hash); err != nil {
		return err
	}
	meta.Stop = summary.Stop
	sums := map[string]string{}
	maps.Copy(sums, summary.SHA256)
	summary.SHA256 = sums
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{weightsFile, func(w io.Writer) error { return encodeWeights(w, weights) }},
		{traceFile, func(w io.Writer) error { return encodeTrace(w, rows, meta.Step) }},
		{runFile, func(w io.Writer) error { return writeWithChecksum(w, meta) }},
	} {
		var err error
		if sums[file.name], err = writeFile(s.Dir, file.name, file.write); err != nil {
			return err
		}
	}
	result, err := encodeSummary(summary)
	if err != nil {
		return fmt.Errorf("runfolder: writing %s: %w", filepath.Join(s.Dir, resultFile), err)
	}
	if _, err := writeFile(s.Dir, resultFile, func(w io.Writer) error { _, err := w.Write(result); return err }); err != nil {
		return err
	}
	checksum, err := checksumOf(result)
	if err != nil {
		return err
	}
	return s.settle(sums, checksum)
}

// settle makes the files of a result durable, which are in the staging directory or stand
// in the run folder already, and gives the folder the name that finish.json implies.
func (s *Staging) settle(sums map[string]string, checksum string) error {
	paths := []string{filepath.Join(s.Dir, resultFile)}
	for name := range sums {
		path := filepath.Join(s.Dir, name)
		if _, err := disk.Stat(path); errors.Is(err, fs.ErrNotExist) {
			path = filepath.Join(s.run, name) // stands there already
		} else if err != nil {
			return fmt.Errorf("runfolder: finishing %s: %w", s.run, err)
		}
		paths = append(paths, path)
	}
	if s.Idle != nil {
		s.Idle()
	}
	if err := syncFiles(paths, []string{filepath.Dir(filepath.Clean(s.run))}); err != nil {
		return err
	}
	name := filepath.Join(s.run, stagingOf(checksum))
	err := disk.Rename(s.Dir, name)
	if errors.Is(err, fs.ErrExist) { // a merge of this very result, which goes on or was killed
		err = disk.RemoveAll(s.Dir)
	}
	if err != nil {
		return fmt.Errorf("runfolder: finishing %s: %w", s.run, err)
	}
	s.Dir = name
	return nil
}

// commit makes the staging directory the run's, or returns ErrDone when another's is. The
// link is not synced: a crash that takes it away leaves an unfinished run.
func (s *Staging) commit() error {
	name := filepath.Join(s.run, finishFile)
	err := disk.LinkNew(filepath.Join(s.Dir, resultFile), name, maxRecord)
	if errors.Is(err, fs.ErrExist) {
		return errors.Join(complete(s.run), fmt.Errorf("%w: %s", ErrDone, s.run))
	}
	if err != nil {
		return fmt.Errorf("runfolder: finishing %s: %w", s.run, err)
	}
	if _, err := disk.Stat(filepath.Join(s.run, resultFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("runfolder: finishing %s: %w", s.run, err)
	}
	if _, err := disk.Stat(filepath.Join(s.Dir, resultFile)); errors.Is(err, fs.ErrNotExist) {
		return nil // somebody has moved this result up already
	}
	return errors.Join(disk.RemoveIfThere(name), fmt.Errorf("%w: %s", ErrDone, s.run))
}

// complete does what is left of the finish of a run that finish.json says is decided:
// nothing where there is none. A folder that did not survive a crash of the machine
// whole is given up, and the run is unfinished again.
func complete(dir string) error {
	name := filepath.Join(dir, finishFile)
	text, err := disk.ReadFile(name, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("runfolder: finishing %s: %w", dir, err)
	}
	if _, err := disk.Stat(filepath.Join(dir, resultFile)); err == nil {
		return Tidy(dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("runfolder: finishing %s: %w", dir, err)
	}
	summary, err := decodeSummary(text)
	if err != nil {
		return giveUp(dir, "")
	}
	folder := stagingOf(summary.Checksum)
	whole, err := isWhole(dir, folder, text, &summary)
	if err != nil {
		return fmt.Errorf("runfolder: finishing %s: %w", dir, err)
	}
	if !whole {
		return giveUp(dir, folder)
	}
	return moveUp(dir, folder)
}

// isWhole reports whether all files of a finish are what its result says, each in the
// staging directory or where it is to be.
func isWhole(dir, folder string, result []byte, summary *Summary) (bool, error) {
	sums := map[string]string{resultFile: digestOf(result)}
	maps.Copy(sums, summary.SHA256)
	for name, sum := range sums {
		found := false
		for _, path := range []string{filepath.Join(dir, folder, name), filepath.Join(dir, name)} {
			digest, err := digestFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return false, err
			}
			found = found || err == nil && digest == sum
		}
		if !found {
			return false, nil
		}
	}
	return true, nil
}

// giveUp makes a run unfinished again.
func giveUp(dir, folder string) error {
	err := disk.RemoveIfThere(filepath.Join(dir, finishFile))
	if folder != "" {
		err = errors.Join(err, disk.RemoveAll(filepath.Join(dir, folder)))
	}
	if err != nil {
		return fmt.Errorf("runfolder: giving up a broken result of %s: %w", dir, err)
	}
	return nil
}

// moveUp moves the files of a staging directory into the run folder, result.json last.
func moveUp(dir, folder string) error {
	list, err := disk.ReadDir(filepath.Join(dir, folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("runfolder: finishing %s: %w", dir, err)
	}
	var names []string
	for _, entry := range list {
		if name := entry.Name(); name != resultFile && name != finishFile && !disk.Temporary(name) {
			names = append(names, name)
		}
	}
	for _, step := range [][]string{names, {resultFile}} {
		for _, name := range slices.Sorted(slices.Values(step)) {
			err := disk.Rename(filepath.Join(dir, folder, name), filepath.Join(dir, name))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("runfolder: finishing %s: %w", dir, err)
			}
		}
		if err := syncFolder(dir); err != nil {
			return err
		}
	}
	return Tidy(dir)
}

// Tidy removes what the finished run in dir no longer needs: what leads to its result,
// checkpoints, the live trace, the last failure, and the lease. Finish does it; a process
// that is killed before it has, leaves it to the next that comes by.
func Tidy(dir string) error {
	list, err := disk.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("runfolder: finishing %s: %w", dir, err)
	}
	for _, entry := range list {
		name := entry.Name()
		if toTidy(name) {
			if err := disk.RemoveAll(filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("runfolder: finishing %s: %w", dir, err)
			}
		}
	}
	return nil
}

// toTidy says of which names in the folder of a finished run Tidy takes care. The
// temporary ones of transfer.json are not among them: it may be being written.
func toTidy(name string) bool {
	if disk.Temporary(name) {
		return strings.HasPrefix(name, stagingPrefix) || strings.HasPrefix(name, "."+runFile) || strings.HasPrefix(name, "."+leasePrefix)
	}
	return leaseNumber(name) > 0 || slices.Contains([]string{finishFile, checkpointFolder, liveFile, failureFile}, name)
}
