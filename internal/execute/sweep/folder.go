package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// begin makes the study folder, after a look at the room on its disk, writes which runs
// the study consists of, and returns those to execute, with how they stand. Folders that
// it made before it failed are removed again.
func begin(p *plan.Plan, options *Options) ([]*task, error) {
	out := options.Out
	made := missing(runfolder.RunDir(out, ""))
	tasks := tasksOf(p, options)
	if err := checkSpace(p, options, tasks); err != nil {
		return nil, err
	}
	if err := p.CheckMemory(toExecute(tasks)); err != nil {
		return nil, err
	}
	if err := checkKind(tasks, options); err != nil {
		return nil, err
	}
	if options.Join {
		setSources(tasks, options)
		return tasks, nil
	}
	if err := checkBusy(p, out); err != nil {
		return nil, err
	}
	setSources(tasks, options)
	err := makeFolder(p, options)
	if err == nil {
		return tasks, nil
	}
	for _, dir := range made {
		disk.Remove(dir) // fails, as it should, where others have put something
	}
	var system *fs.PathError
	if errors.As(err, &system) {
		err = fmt.Errorf("%w; %s", err, mend(err))
	}
	return nil, err
}

// Prepare makes the study folder as Run does, for others to work in.
func Prepare(p *plan.Plan, options Options) error {
	_, err := begin(p, &options)
	return err
}

// makeFolder makes the study folder and what stands there beside the runs.
func makeFolder(p *plan.Plan, options *Options) error {
	err := runfolder.CreateStudy(options.Out, p.Study.Name, string(p.Study.Text), p.Study.Set)
	if err != nil {
		return err
	}
	if options.Store != "" {
		for i := range p.Runs {
			if err := runfolder.LinkRun(options.Out, p.Runs[i].ID, options.Store, p.Runs[i].Hash); err != nil {
				return err
			}
		}
	}
	return runfolder.WriteManifest(options.Out, Manifest(p, options.Workers))
}

// Manifest returns the runs of the study as runs.json holds them, with the memory that
// each takes with that many workers.
func Manifest(p *plan.Plan, workers int) runfolder.Manifest {
	file, err := filepath.Abs(p.Study.File)
	if err != nil {
		file = p.Study.File // the working folder is gone; the name as given is the best there is
	}
	m := runfolder.Manifest{Study: p.Study.Name, File: file, Runs: make([]runfolder.Planned, len(p.Runs))}
	for i := range p.Runs {
		r := &p.Runs[i]
		m.Runs[i] = runfolder.Planned{
			ID: r.ID, Hash: r.Hash, Group: r.Group, Data: r.Data.Name, Depth: r.Depth, Seed: r.Seed, Settings: r.Settings,
			Iterations: r.Steps(), Flops: p.Flops(r), Bytes: p.Bytes(r, workers),
		}
	}
	return m
}

// tasksOf returns the runs to execute, with how they stand.
func tasksOf(p *plan.Plan, options *Options) []*task {
	var tasks []*task
	for i := range p.Runs {
		if run := &p.Runs[i]; options.Only == nil || options.Only(run) {
			folder := runfolder.RunDir(options.Out, run.ID)
			if _, err := disk.Lstat(folder); options.Store != "" && errors.Is(err, fs.ErrNotExist) {
				folder = runfolder.StoredDir(options.Store, run.Hash)
			}
			tasks = append(tasks, &task{run: run, folder: folder})
		}
	}
	var group errgroup.Group
	group.SetLimit(4 * runtime.GOMAXPROCS(0)) // reading waits for the disk, or a file server
	const batch = 64
	for part := range slices.Chunk(tasks, batch) {
		group.Go(func() error {
			for _, t := range part {
				t.look(options.Rerun)
				t.folder = runfolder.RunDir(options.Out, t.run.ID)
			}
			return nil
		})
	}
	group.Wait()
	return tasks
}

// setSources finds the finished runs that those without a result go on from.
func setSources(tasks []*task, options *Options) {
	var begin []*task
	var runs []*study.Run
	for _, t := range tasks {
		if t.summary == nil && !t.again {
			begin, runs = append(begin, t), append(runs, t.run)
		}
	}
	sources := plan.NewSources(options.Out, runs, options.arithmetic())
	for _, t := range begin {
		t.source, t.anew = sources.Of(t.run)
	}
}

// checkKind refuses to compute runs beside results of a program for another machine.
func checkKind(tasks []*task, options *Options) error {
	if !slices.ContainsFunc(tasks, func(t *task) bool { return t.summary == nil || t.again }) {
		return nil
	}
	for _, t := range tasks {
		if t.summary == nil || t.again {
			continue
		}
		if err := options.mixture(t, t.computed); err != nil {
			return err
		}
	}
	return nil
}

// mixture returns a *runfolder.MixtureError if a result was computed by a program of
// another arithmetic.
func (o *Options) mixture(t *task, computed string) error {
	if computed == "" || computed == o.arithmetic() {
		return nil
	}
	return &runfolder.MixtureError{
		Where:      [2]string{t.folder, "what is left of the study"},
		Arithmetic: [2]string{computed, o.arithmetic()},
	}
}

// toExecute returns which runs of the tasks are to be computed.
func toExecute(tasks []*task) func(*study.Run) bool {
	wanted := map[string]bool{}
	for _, t := range tasks {
		wanted[t.run.ID] = t.summary == nil || t.again
	}
	return func(run *study.Run) bool { return wanted[run.ID] }
}

// checkBusy refuses to change what a study consists of while others work on runs that
// would no longer be part of it.
func checkBusy(p *plan.Plan, out string) error {
	old, err := runfolder.ReadManifest(out)
	if disk.Failed(err) {
		return err
	}
	if err != nil {
		return nil // a new study, or one whose manifest is about to be written anew
	}
	mine := make(map[string]bool, len(p.Runs))
	for i := range p.Runs {
		mine[p.Runs[i].ID] = true
	}
	for _, run := range old.Runs {
		if mine[run.ID] {
			continue
		}
		lease, err := runfolder.ReadLease(runfolder.RunDir(out, run.ID))
		if disk.Failed(err) {
			return err
		}
		if err == nil && lease.Alive(time.Now()) {
			return fmt.Errorf("sweep: %s: %w (run %s, process %d on %s); wait for it or choose another --out", out, ErrBusy, run.ID, lease.PID, lease.Host)
		}
	}
	return nil
}

// mend says what to do about an error of the system.
func mend(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return "free some space or choose another --out"
	}
	if errors.Is(err, syscall.EFBIG) {
		return "raise the limit of this process on the size of files (ulimit -f)"
	}
	return "choose an --out that can be written"
}

// missing returns dir and the folders above it that do not exist, the deepest first.
func missing(dir string) []string {
	var list []string
	for {
		if _, err := disk.Lstat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return list
		}
		list = append(list, dir)
		dir = filepath.Dir(dir)
	}
}
