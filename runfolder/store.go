package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// storedName is how many hexadecimal digits of a run's hash name its folder in a store.
const storedName = 24

// StoredDir returns the folder of the run with that hash in a store: run folders that
// several studies share, by content.
func StoredDir(store, hash string) string {
	return filepath.Join(store, hash[:min(storedName, len(hash))])
}

// LinkRun makes the folder of a run in a study a relative symbolic link to the run's
// folder in a store, which is made when it is missing. A folder that the study has
// already, linked or not, stays.
func LinkRun(studyDir, id, store, hash string) error {
	link, target := RunDir(studyDir, id), StoredDir(store, hash)
	if _, err := disk.Lstat(link); err == nil {
		return nil
	}
	if err := disk.MkdirAll(target, 0o755); err != nil {
		return fmt.Errorf("runfolder: store: %w", err)
	}
	err := symlink(link, target)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("runfolder: store: %w", err)
	}
	return nil
}

// Linked reports whether a run folder of a study is a link to one in a store.
func Linked(dir string) (bool, error) {
	info, err := disk.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("runfolder: %w", err)
	}
	return info.Mode()&fs.ModeSymlink != 0, nil
}

// symlink makes link stand for the folder target by a relative path, so that both can be
// moved together.
func symlink(link, target string) error {
	places := []string{filepath.Dir(link), target}
	for i, place := range places {
		place, err := filepath.EvalSymlinks(place)
		if err != nil {
			return err
		}
		if places[i], err = filepath.Abs(place); err != nil {
			return err
		}
	}
	relative, err := filepath.Rel(places[0], places[1])
	if err != nil {
		return err
	}
	return disk.Symlink(relative, link)
}
