package runfolder

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// A Member is a run folder of a study with what Open says of it.
type Member struct {
	ID, Dir string
	Plan    *Planned // what the study as it was last started says of it; nil for an imported run
	Run     *Run     // nil with Err
	Err     error
	Barred  bool // by admit, whose error is Err
}

// A Listing is a study folder with its runs opened.
type Listing struct {
	Manifest *Manifest // nil where no study was started
	Members  []Member  // the runs of List, sorted by name
	Others   []string  // the run folders of Others
}

// OpenStudy is List, Others and Open of every run in one reading: no file is opened twice.
//
// Neither run.json nor checkpoint of a run is read unless admit returns nil for its ID, whose
// error is that of the member then. seen is called with every member as soon as it is opened.
// Both are called from several goroutines, and may be nil.
func OpenStudy(studyDir string, admit func(id string) error, seen func(*Member)) (*Listing, error) {
	listing := &Listing{}
	manifest, names, err := folders(studyDir)
	if err != nil {
		return nil, err
	}
	listing.Manifest = manifest
	planned := manifest.planned()
	members, belong := make([]Member, len(names)), make([]bool, len(names))
	open := func(i int) error {
		m := &members[i]
		*m = Member{ID: names[i], Dir: RunDir(studyDir, names[i]), Plan: planned[names[i]]}
		var err error
		if belong[i], err = m.open(manifest == nil || m.Plan != nil, admit); err != nil || !belong[i] {
			return err
		}
		if seen != nil {
			seen(m)
		}
		return nil
	}
	if err := inBatches(len(names), open); err != nil {
		return nil, err
	}
	for i := range members {
		if belong[i] {
			listing.Members = append(listing.Members, members[i])
		} else {
			listing.Others = append(listing.Others, members[i].Dir)
		}
	}
	return listing, nil
}

// open opens the run and reports whether it belongs to the study, which is known or else
// read from its result: that of an imported run says so.
func (m *Member) open(known bool, admit func(id string) error) (belongs bool, err error) {
	if known && m.bar(admit) {
		return true, nil
	}
	run := &Run{Dir: m.Dir}
	err = run.readSummary()
	if !known {
		belongs, err := run.imported(err)
		if err != nil || !belongs {
			return false, err
		}
		if m.bar(admit) {
			return true, nil
		}
	}
	if err == nil {
		err = run.readMeta()
	}
	if m.Err = err; err == nil {
		m.Run = run
	}
	return true, nil
}

// bar asks admit.
func (m *Member) bar(admit func(id string) error) bool {
	if admit != nil {
		m.Err = admit(m.ID)
	}
	m.Barred = m.Err != nil
	return m.Barred
}

// imported reports whether the run is finished and was trained elsewhere; failed is what
// readSummary returned. A damaged result.json leaves that to run.json, so that the damage of
// an imported run is named.
func (r *Run) imported(failed error) (bool, error) {
	if failed == nil {
		return r.Done() && r.Summary.Stop == Imported, nil
	}
	if _, damaged := errors.AsType[*DamagedError](failed); !damaged {
		return false, failed
	}
	data, err := readFile(filepath.Join(r.Dir, runFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	meta, damaged := decodeMeta(data)
	return err == nil && damaged == nil && meta.Method == Imported, nil
}

// inBatches calls do for 0 … n − 1 from several goroutines: reading waits for the disk, or
// for a file server.
func inBatches(n int, do func(i int) error) error {
	const batch = 64
	var group errgroup.Group
	group.SetLimit(4 * runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += batch {
		group.Go(func() error {
			for i := from; i < min(from+batch, n); i++ {
				if err := do(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// List returns the run folders of a study folder, sorted by name: those of the study as
// it was last started, and imported ones; all there are when no study was started there;
// none when it has no folder runs yet. Hidden ones are passed over. What an earlier form
// of the study left is for Others.
func List(studyDir string) ([]string, error) {
	mine, _, err := list(studyDir)
	return mine, err
}

// Others returns the run folders of a study folder that are no part of the study as it
// was last started: changed since, or taken out. Nothing reads them, and nothing
// removes them; a study that is changed back finds them done.
func Others(studyDir string) ([]string, error) {
	_, others, err := list(studyDir)
	return others, err
}

func list(studyDir string) (mine, others []string, err error) {
	manifest, names, err := folders(studyDir)
	if err != nil {
		return nil, nil, err
	}
	planned := manifest.planned()
	for _, name := range names {
		run := &Run{Dir: RunDir(studyDir, name)}
		belongs := manifest == nil || planned[name] != nil
		if !belongs {
			if belongs, err = run.imported(run.readSummary()); err != nil {
				return nil, nil, err
			}
		}
		if belongs {
			mine = append(mine, run.Dir)
		} else {
			others = append(others, run.Dir)
		}
	}
	return mine, others, nil
}

// folders returns runs.json, nil where there is none, and the names of all run folders.
func folders(studyDir string) (manifest *Manifest, names []string, err error) {
	m, err := ReadManifest(studyDir)
	if err == nil {
		manifest = &m
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	entries, err := readRuns(studyDir)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		linked := entry.Type()&fs.ModeSymlink != 0 // to a store
		if (entry.IsDir() || linked) && entry.Name()[0] != '.' {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return manifest, names, nil
}

// planned returns the study's runs by ID.
func (m *Manifest) planned() map[string]*Planned {
	planned := map[string]*Planned{}
	if m != nil {
		for i := range m.Runs {
			planned[m.Runs[i].ID] = &m.Runs[i]
		}
	}
	return planned
}

// Finished returns the finished runs in a study folder that wanted takes by name, those that are no part
// of the study any more among them. A run that cannot be read is left out.
func Finished(studyDir string, wanted func(id string) bool) ([]*Run, error) {
	_, names, err := folders(studyDir)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !wanted(name) })
	runs := make([]*Run, len(names))
	if err := inBatches(len(names), func(i int) error {
		if run, err := Open(RunDir(studyDir, names[i])); err == nil && run.Done() && run.Summary.Stop != Imported {
			runs[i] = run
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(runs, func(r *Run) bool { return r == nil }), nil
}
