package importer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// extensions are those of the checkpoints in a folder.
var extensions = []string{".safetensors", ".npz", ".pt", ".pth", ".bin", ".ckpt", ".jit", ".onnx", ".gguf", ".msgpack"}

var (
	// shardName is a file that says which of how many it is: model-00001-of-00002.safetensors.
	shardName = regexp.MustCompile(`^(.*?)[-_.]?([0-9]+)[-_]?of[-_]?([0-9]+)(.*)$`)
	// sideName is a file that training programs write beside the weights.
	sideName = regexp.MustCompile(`(?i)^(training_args|optim(izer)?|(lr_)?scheduler|scaler|rng_state.*|random_states.*|.*optim_states|opt_state)(_[0-9]+)?\.[a-z]+$`)
	// indexName is the index of shards.
	indexName = regexp.MustCompile(`\.index(\.[^.]+)?\.json$`)
)

const (
	maxIndex   = 64 << 20 // bytes of an index of shards
	maxEntries = 100_000  // files and folders looked at below one folder
)

// findCheckpoints returns the checkpoints that paths stand for: files, indices of shards, any
// shard, and folders of them with the folders below. Several reports whether they are to
// become a study.
func findCheckpoints(paths []string) (found []checkpoint, several bool, err error) {
	for _, path := range paths {
		status, err := os.Stat(path)
		if err != nil {
			return nil, false, fmt.Errorf("importer: %w", err)
		}
		if !status.IsDir() {
			c, err := newCheckpoint(path)
			if err != nil {
				return nil, false, err
			}
			found = append(found, c)
			continue
		}
		inside, err := inFolder(path)
		if err != nil {
			return nil, false, err
		}
		if len(inside) == 0 {
			return nil, false, fmt.Errorf("importer: %s: got a folder without checkpoints, want %s or %s files in it",
				plain.Text(path), strings.Join(extensions[:len(extensions)-1], ", "), extensions[len(extensions)-1])
		}
		several = true
		found = append(found, inside...)
	}
	found = unique(found)
	if len(found) == 0 {
		return nil, false, errors.New("importer: got no checkpoints, want one file or more")
	}
	return found, several || len(found) > 1, nil
}

// unique leaves out what was met before: shards lead to the same network.
func unique(found []checkpoint) []checkpoint {
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(c checkpoint) bool {
		key := filepath.Clean(c.files[0])
		again := seen[key]
		seen[key] = true
		return again
	})
}

// newCheckpoint returns the checkpoint that a file belongs to.
func newCheckpoint(path string) (checkpoint, error) {
	if strings.EqualFold(filepath.Ext(path), ".json") {
		return readIndex(path)
	}
	numbered := shardName.MatchString(filepath.Base(path))
	indices, err := filepath.Glob(filepath.Join(escapeGlob(filepath.Dir(path)), "*.json"))
	if err != nil {
		return checkpoint{}, fmt.Errorf("importer: %w", err)
	}
	for _, index := range indices {
		if !indexName.MatchString(index) {
			continue
		}
		c, err := readIndex(index)
		switch lists := slices.ContainsFunc(c.files, func(file string) bool { return sameFile(file, path) }); {
		case lists && err == nil:
			return c, nil
		case lists || err != nil && len(c.files) == 0 && numbered:
			return checkpoint{}, err
		}
	}
	if !numbered {
		return checkpoint{path: path, files: []string{path}}, nil
	}
	return byNumber(path)
}

// byNumber returns the shards whose names differ from that of one in the number alone.
func byNumber(path string) (checkpoint, error) {
	dir, base := filepath.Dir(path), filepath.Base(path)
	part := shardName.FindStringSubmatch(base)
	total, err := strconv.Atoi(part[3])
	if err != nil || total < 1 || total > maxEntries {
		return checkpoint{}, fmt.Errorf("importer: %s: got %s shards, want 1 to %d", plain.Text(path), part[3], maxEntries)
	}
	at := shardName.FindStringSubmatchIndex(base)
	name := func(k int) string {
		return filepath.Join(dir, fmt.Sprintf("%s%0*d%s", base[:at[4]], at[5]-at[4], k, base[at[5]:]))
	}
	first := 1
	if _, err := os.Stat(name(0)); err == nil {
		first = 0
	}
	c := checkpoint{path: filepath.Join(dir, cmp.Or(part[1], "model")+part[4])}
	for k := first; k < first+total; k++ {
		c.files = append(c.files, name(k))
	}
	return c, c.complete(path)
}

// complete refuses a checkpoint of which a shard is not there.
func (c *checkpoint) complete(says string) error {
	var missing []string
	for _, file := range c.files {
		if status, err := os.Stat(file); err != nil || !status.Mode().IsRegular() {
			missing = append(missing, plain.Text(filepath.Base(file)))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	const shown = 10
	more := ""
	if len(missing) > shown {
		more = fmt.Sprintf(" and %d more", len(missing)-shown)
	}
	return fmt.Errorf("importer: %s: got %d of %d shards, want also %s%s in the same folder",
		plain.Text(says), len(c.files)-len(missing), len(c.files), strings.Join(missing[:min(len(missing), shown)], ", "), more)
}

// readIndex returns the checkpoint of an index as transformers writes it, which says in
// which shard each tensor is. When shards are missing it is returned with the error.
func readIndex(path string) (checkpoint, error) {
	refuse := func(got string) (checkpoint, error) {
		return checkpoint{}, fmt.Errorf("importer: %s: got %s, want the index of a network in shards, with a weight_map from tensors to files", plain.Text(path), got)
	}
	status, err := os.Stat(path)
	if err != nil {
		return checkpoint{}, fmt.Errorf("importer: %w", err)
	}
	if !status.Mode().IsRegular() || status.Size() > maxIndex {
		return refuse(fmt.Sprintf("%d bytes", status.Size()))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return checkpoint{}, fmt.Errorf("importer: %w", err)
	}
	var index struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return refuse(err.Error())
	}
	if len(index.Map) == 0 {
		return refuse("no tensors")
	}
	dir := filepath.Dir(path)
	c := checkpoint{path: indexName.ReplaceAllString(path, ""), index: path, mapped: map[string]string{}}
	for name, file := range index.Map {
		if file == "" || file != filepath.Base(file) || file == "." || file == ".." || strings.ContainsRune(file, '\\') {
			return refuse(fmt.Sprintf("the file %q for tensor %.100q", file, name))
		}
		c.mapped[name] = filepath.Join(dir, file)
	}
	c.files = slices.Compact(slices.Sorted(maps.Values(c.mapped)))
	return c, c.complete(path)
}

// inFolder returns the checkpoints in a folder and below. An index and its shards are one;
// what training leaves beside the weights is named and left out.
func inFolder(dir string) ([]checkpoint, error) {
	var files, indices []string
	beside := map[string][]LeftOut{}
	seen := 0
	root := dir + string(filepath.Separator) // with the separator a link is followed
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > maxEntries {
			return fmt.Errorf("got more than %d files, want a folder of checkpoints", maxEntries)
		}
		base := entry.Name()
		switch {
		case base[0] == '.' && path != root:
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir():
		case indexName.MatchString(base):
			indices = append(indices, path)
		case !slices.Contains(extensions, strings.ToLower(filepath.Ext(base))):
		case sideName.MatchString(base):
			folder := filepath.Dir(path)
			beside[folder] = append(beside[folder], LeftOut{path, "by its name the state of a training, no weights"})
		default:
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("importer: %s: %w", plain.Text(dir), err)
	}
	var found []checkpoint
	taken := map[string]bool{}
	for _, path := range indices {
		c, err := readIndex(path)
		if err != nil {
			return nil, err
		}
		for _, file := range c.files {
			taken[filepath.Clean(file)] = true
		}
		found = append(found, c)
	}
	for _, path := range files {
		if taken[filepath.Clean(path)] {
			continue
		}
		c, err := newCheckpoint(path)
		if err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	found = unique(found)
	slices.SortStableFunc(found, func(a, b checkpoint) int { return strings.Compare(a.path, b.path) })
	for i := range found {
		folder := filepath.Dir(found[i].files[0])
		found[i].beside = beside[folder]
		delete(beside, folder) // named once
	}
	return found, nil
}

// sameFile reports whether two paths are the same text, cleaned.
func sameFile(a, b string) bool { return filepath.Clean(a) == filepath.Clean(b) }

// escapeGlob makes a folder stand for itself in a pattern of filepath.Glob.
func escapeGlob(dir string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllString(dir, `\$0`)
}
