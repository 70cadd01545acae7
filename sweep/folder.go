package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/study"
	"github.com/deeplimit/deeplimit/weightpath"
)

// makeFolder makes the study folder, after a look at the room on its disk. Folders
// that it made before it failed are removed again.
func (p *Plan) makeFolder(out string) error {
	made := missing(weightpath.RunDir(out, ""))
	if err := p.checkSpace(out); err != nil {
		return err
	}
	err := weightpath.CreateStudy(out, p.Study.Name, string(p.Study.Text), p.Study.Set)
	if err == nil {
		return nil
	}
	for _, dir := range made {
		disk.Remove(dir) // fails, as it should, where others have put something
	}
	var system *fs.PathError
	if errors.As(err, &system) {
		err = fmt.Errorf("%w; %s", err, mend(err))
	}
	return err
}

// mend says what to do about an error of the system.
func mend(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return "free some space or choose another --out"
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

// checkSpace refuses a disk without room for the weights that the runs to come leave
// behind for certain. A disk whose free space is not known is let pass: when it is
// full, writing says so.
func (p *Plan) checkSpace(out string) error {
	need, runs := 0.0, 0
	for i := range p.Runs {
		run := &p.Runs[i]
		if !weightpath.Done(weightpath.RunDir(out, run.ID)) {
			need += p.weightBytes(run)
			runs++
		}
	}
	dir := filepath.Clean(out)
	if absent := missing(dir); len(absent) > 0 {
		dir = filepath.Dir(absent[len(absent)-1])
	}
	free, err := freeBytes(dir)
	if err != nil || need <= free {
		return nil
	}
	return fmt.Errorf("sweep: %s: got a disk with %.3g MB free, want at least %.3g MB for the weights of %d runs; %s", out, free/1e6, need/1e6, runs, mend(syscall.ENOSPC))
}

// weightBytes returns the size of the entries in a run's weights.safetensors: every
// group, and the trained ones again as they were at iteration 0.
func (p *Plan) weightBytes(run *study.Run) float64 {
	set := p.set(run)
	net, err := resnet.New(run.Network, run.Depth, set.Inputs, set.Outputs)
	if err != nil {
		return 0 // NewPlan has built it, so this cannot be
	}
	entry := 8.0
	if run.DType == "float32" {
		entry = 4
	}
	return entry * float64(net.Layout.Size+net.Layout.Trained)
}
