package serve

import (
	"cmp"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A folder is what the server shows: a study, or a folder with one study in each subfolder. Names
// from clients reach the file system only through an os.Root, so that neither ".." nor a symbolic
// link leads out of it. Before a package that takes paths reads a run, contained checks all its
// files.
type folder struct {
	dir    string
	root   *os.Root
	single string // name of the study when dir is one, else ""

	mu      sync.Mutex
	studies map[string]*study // by the name of the folder
}

// A study is one study folder, with the result of its last reading.
type study struct {
	name   string // of its folder
	dir    string
	within string // its path below the root
	root   *os.Root

	mu    sync.Mutex // guards the fields below, and lets clients share one reading
	seen  snapshot
	taken time.Time
	cost  time.Duration

	analysis analysis
	proofs   proofs
	scores   scores
}

// A snapshot holds the states of a study's runs at one time. It is immutable.
type snapshot struct {
	runs    []survey.Run
	groups  []groupInfo
	varying []columnInfo // the fields that tell the groups apart
	scores  []columnInfo // accuracies, of a study with a classification
	byID    map[string]int
	changed string // differs when a run was added, removed or changed its state
	err     error
}

// studyFiles mark a study folder: one of them is enough.
var studyFiles = []string{"study.yaml", "study.json", "runs.json"}

func openFolder(dir string) (*folder, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	root, err := os.OpenRoot(absolute)
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	f := &folder{dir: absolute, root: root, studies: map[string]*study{}}
	if isStudy(root, ".") {
		f.single = filepath.Base(absolute)
		if !isName(f.single) { // hidden, or the root of the file system
			f.single = "study"
		}
	}
	return f, nil
}

func (f *folder) close() error { return f.root.Close() }

// isStudy reports whether the folder below root holds a file of a study, or cannot be read: a
// study on a failing disk is shown with its error.
func isStudy(root *os.Root, name string) bool {
	return slices.ContainsFunc(studyFiles, func(file string) bool {
		status, err := root.Stat(path.Join(name, file))
		system, failed := errors.AsType[syscall.Errno](err)
		return err == nil && status.Mode().IsRegular() || failed && (system == syscall.EACCES || system == syscall.EIO)
	})
}

// names returns the names of the studies, sorted.
func (f *folder) names() ([]string, error) {
	if f.single != "" {
		return []string{f.single}, nil
	}
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("serve: %w", err)
	}
	names := []string{}
	for _, entry := range entries { // sorted; a symbolic link is no folder
		if entry.IsDir() && isName(entry.Name()) && isStudy(f.root, entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// study returns the study in the folder called name.
func (f *folder) study(name string) (*study, error) {
	within := name
	switch {
	case !isName(name) || f.single != "" && name != f.single:
		return nil, missing("study", name)
	case f.single != "":
		within = "."
	default:
		if status, err := f.root.Lstat(name); err != nil || !status.IsDir() || !isStudy(f.root, name) {
			f.mu.Lock()
			delete(f.studies, name) // it may have been removed
			f.mu.Unlock()
			return nil, missing("study", name)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.studies[name]
	if !ok {
		s = &study{name: name, dir: filepath.Join(f.dir, within), within: within, root: f.root}
		f.studies[name] = s
	}
	return s, nil
}

func missing(what, name string) error {
	return fmt.Errorf("%s %q: %w", what, name, fs.ErrNotExist)
}

// Two readings of a study are at least rest apart, and rests times the duration of the first.
const (
	rest  = 900 * time.Millisecond
	rests = 10
)

// survey returns the states of the runs, at most one reading old.
func (s *study) survey() snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.taken.IsZero() && time.Since(s.taken) < max(rest, rests*s.cost) {
		return s.seen
	}
	start := time.Now()
	s.seen = s.read()
	s.taken = time.Now()
	s.cost = s.taken.Sub(start)
	return s.seen
}

func (s *study) read() snapshot {
	runs, err := s.readRuns()
	if err != nil {
		return snapshot{err: err}
	}
	runs = slices.DeleteFunc(runs, func(r survey.Run) bool { return !isName(r.ID) })
	slices.SortFunc(runs, func(a, b survey.Run) int {
		return cmp.Or(cmp.Compare(a.Data, b.Data), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.ID, b.ID))
	})
	seen := snapshot{runs: runs, groups: groupsOf(runs), byID: make(map[string]int, len(runs))}
	seen.varying = varyingOf(seen.groups)
	tellApart(seen.groups, seen.varying)
	seen.scores = s.scored(runs)
	digest := fnv.New64a()
	for i := range runs {
		seen.byID[runs[i].ID] = i
		io.WriteString(digest, runs[i].ID)
		io.WriteString(digest, string(runs[i].State))
	}
	seen.changed = fmt.Sprintf("%x", digest.Sum64())
	return seen
}

// readRuns reads the runs by package survey, except those with files that lead out of the root.
func (s *study) readRuns() ([]survey.Run, error) {
	for _, name := range append([]string{"runs"}, studyFiles...) {
		if _, err := s.root.Stat(path.Join(s.within, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("serve: study %q: %s: %w", s.name, name, err)
		}
	}
	runs, _, err := survey.ReadAdmitted(s.dir, func(id string) error {
		if !isName(id) {
			return missing("run", id) // dropped below
		}
		if _, err := s.contained(id); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil // nobody has begun it
	})
	return runs, err
}

// find returns the run called id.
func (s *snapshot) find(id string) (*survey.Run, error) {
	if s.err != nil {
		return nil, s.err
	}
	if i, ok := s.byID[id]; ok {
		return &s.runs[i], nil
	}
	return nil, missing("run", id)
}

// group returns the runs of the group called hash, all runs for "".
func (s *snapshot) group(hash string) []*survey.Run {
	var runs []*survey.Run
	for i := range s.runs {
		if hash == "" || s.runs[i].Group == hash {
			runs = append(runs, &s.runs[i])
		}
	}
	return runs
}

// runPath returns the path of a run's folder below the root.
func (s *study) runPath(id string) string { return path.Join(s.within, "runs", id) }

// open opens the folder of a run by package runfolder, after checking that none of its files is a
// link that leads out of the root.
func (s *study) open(id string) (*runfolder.Run, error) {
	dir, err := s.contained(id)
	if err != nil {
		return nil, err
	}
	return runfolder.Open(dir)
}

// maxRecord bounds the files, weights apart, of a run whose numbers are shown; a trace
// of a million iterations has 150 MB.
const maxRecord = 512 << 20

// contained returns the folder of a run, after checking that no file in it is a symbolic link out
// of the root, a pipe or a device, or too large. A process that writes there during the reading
// could still replace a file; downloads, which send raw bytes, are opened through the root.
func (s *study) contained(id string) (dir string, err error) {
	err = s.inspect(s.runPath(id), "")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", missing("run", id)
	case err != nil:
		return "", fmt.Errorf("serve: run %q: %w", id, err)
	}
	return runfolder.RunDir(s.dir, id), nil
}

// inspect returns an error for the first file of a run folder that must not be read, also in its
// subfolders, which have no subfolders themselves.
func (s *study) inspect(run, sub string) error {
	within := path.Join(run, sub)
	folder, err := s.root.OpenRoot(within)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	} else if err != nil {
		return fmt.Errorf("%q is no folder, or a link that leads out of the shown folder; show one that holds its target, too: %w", within, fs.ErrPermission)
	}
	defer folder.Close()
	entries, err := fs.ReadDir(folder.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		var status fs.FileInfo
		var err error
		name := path.Join(sub, entry.Name())
		linked := entry.Type()&fs.ModeSymlink != 0
		if linked {
			status, err = s.root.Stat(path.Join(run, name))
		} else {
			status, err = folder.Lstat(entry.Name())
		}
		switch {
		case err != nil && linked:
			return fmt.Errorf("its file %q is a link that does not lead to a file of the shown folder: %w", name, fs.ErrPermission)
		case err != nil:
			continue // gone meanwhile
		case status.IsDir():
			if sub != "" {
				continue
			}
			if err := s.inspect(run, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		case !status.Mode().IsRegular():
			return fmt.Errorf("%q is neither file nor folder: %w", name, fs.ErrPermission)
		case status.Size() > maxRecord && path.Ext(name) != ".safetensors":
			return fmt.Errorf("its file %q has %d bytes, more than the %d that are shown: %w", name, status.Size(), int64(maxRecord), fs.ErrPermission)
		}
	}
	return nil
}
