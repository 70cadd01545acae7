package importer

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/tensorfile"
)

// refusePieces refuses a checkpoint that is one piece of a network by its name and by those of
// the files beside it: part1.npz beside part2.npz, mp_rank_00/model.pt beside mp_rank_01/model.pt.
// What is in each, layers or slices of a tensor, the names do not tell. Options.Names
// says what else the number is.
func refusePieces(found []checkpoint, o *Options) error {
	if o.Names != "" || o.Table != "" {
		return nil
	}
	for _, c := range found {
		if c.index != "" || len(c.files) > 1 {
			continue
		}
		word, others := pieces(c.path)
		if len(others) == 0 {
			continue
		}
		return fmt.Errorf("importer: %s: got a part of a network by its name (%s) beside %s; want parts joined into one file, or an index that lists their tensors (NAME.index.json with weight_map); if it is a whole network, say what the number is with --names",
			plain.Text(c.path), word, plain.Text(strings.Join(others[:min(len(others), 3)], ", ")))
	}
	return nil
}

// pieces returns the word that makes a path one of a part, and the paths beside it that
// have another number in that place, from its folder's name on.
func pieces(path string) (word string, others []string) {
	parent, base := filepath.Split(filepath.Clean(path))
	for _, x := range readNaming(base).numbers {
		if x.role == isPart {
			if others = beside(parent, base, x, ""); len(others) > 0 {
				return x.word, others
			}
		}
	}
	top, folder := filepath.Split(filepath.Clean(parent))
	for _, x := range readNaming(folder + ".").numbers { // the dot, as an extension is cut off
		if x.role == isPart && x.to <= len(folder) {
			if others = beside(top, folder, x, base); len(others) > 0 {
				return x.word, others
			}
		}
	}
	return "", nil
}

// beside returns the entries of a folder whose names are name with another whole number in
// the place of x, of those that hold a file by the name inside, if that is not "".
func beside(folder, name string, x number, inside string) []string {
	entries, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return nil // the file itself was found; what else there is cannot be told
	}
	form := regexp.MustCompile("^" + regexp.QuoteMeta(name[:x.from]) + "([0-9]+)" + regexp.QuoteMeta(name[x.to:]) + "$")
	var others []string
	for _, entry := range entries {
		match := form.FindStringSubmatch(entry.Name())
		if match == nil {
			continue
		}
		if k, err := strconv.Atoi(match[1]); err != nil || float64(k) == x.value {
			continue
		}
		path := filepath.Join(entry.Name(), inside)
		if status, err := os.Stat(filepath.Join(folder, path)); err == nil && status.Mode().IsRegular() {
			others = append(others, path)
		}
	}
	slices.Sort(others)
	return others
}

// refuseFirst refuses a file whose next one, by a number in the name, has the layers that
// follow and none of its own: chunk_0.npz with layers 0 to 3 beside chunk_1.npz with 4 to 7.
func (c *checkpoint) refuseFirst(s *stack) error {
	if c.index != "" || len(c.files) > 1 || s.stacked() {
		return nil
	}
	dir, base := filepath.Split(c.path)
	before, behind, _ := strings.Cut(s.form, layerMark)
	for _, x := range readNaming(base).numbers {
		k, err := strconv.Atoi(x.text)
		if err != nil {
			continue
		}
		next := dir + base[:x.from] + fmt.Sprintf("%0*d", len(x.text), k+1) + base[x.to:]
		if status, err := os.Stat(next); err != nil || !status.Mode().IsRegular() {
			continue
		}
		f, err := tensorfile.Open(next)
		if err != nil {
			continue // no checkpoint, so no part of one
		}
		first, last := ends(form{before, behind}, f.Names())
		if err := f.Close(); err != nil {
			return err
		}
		if end := s.indices[len(s.indices)-1]; first > end {
			return fmt.Errorf("got layers up to %d, and %s beside it has %d to %d: by this a part of a network; want parts joined into one file, or an index that lists their tensors (NAME.index.json with weight_map); if it is a whole network, say so with --layers %d:%d",
				end, plain.Text(filepath.Base(next)), first, last, s.indices[0], end)
		}
	}
	return nil
}

// ends returns the lowest and the highest index of layers among names, −1 where there is none.
func ends(f form, names []string) (first, last int) {
	first, last = -1, -1
	for _, name := range names {
		if k, ok := f.index(name); ok && strings.HasSuffix(name, f.behind) {
			if first < 0 || k < first {
				first = k
			}
			last = max(last, k)
		}
	}
	return first, last
}
