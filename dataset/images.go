package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// An imageFile is one published IDX file of an image set.
type imageFile struct {
	stem string // name without ending
	dims []int
	// content is the sha256 of the decompressed file, the same for every copy; zipped is that of
	// the published .gz file, empty where copies are compressed differently.
	content, zipped string
}

// The indices of a set's files.
const (
	trainImages = iota
	trainLabels
	testImages
	testLabels
)

const classes = 10 // of MNIST and Fashion-MNIST

var imageSets = map[string][4]imageFile{
	"mnist": {
		{
			stem: "train-images-idx3-ubyte", dims: []int{60000, 28, 28},
			content: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
			zipped:  "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
		},
		{
			stem: "train-labels-idx1-ubyte", dims: []int{60000},
			content: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
			zipped:  "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
		},
		{
			stem: "t10k-images-idx3-ubyte", dims: []int{10000, 28, 28},
			content: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
			zipped:  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
		},
		{
			stem: "t10k-labels-idx1-ubyte", dims: []int{10000},
			content: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
			zipped:  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
		},
	},
	"fashion-mnist": {
		{
			stem: "train-images-idx3-ubyte", dims: []int{60000, 28, 28},
			content: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
		},
		{
			stem: "train-labels-idx1-ubyte", dims: []int{60000},
			content: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
		},
		{
			stem: "t10k-images-idx3-ubyte", dims: []int{10000, 28, 28},
			content: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
		},
		{
			stem: "t10k-labels-idx1-ubyte", dims: []int{10000},
			content: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
		},
	},
}

// systemFolders are where distributions put a set.
var systemFolders = map[string]string{"fashion-mnist": "/usr/share/datasets/fashion-mnist"}

// howToGet tells the user how to get a missing set.
var howToGet = map[string]string{
	"mnist":         "run `deeplimit data fetch mnist`",
	"fashion-mnist": "run `deeplimit data fetch fashion-mnist`",
}

// names returns the possible names of the file.
func (f imageFile) names() []string {
	// The last is the original name, in which some mirrors replaced the dot.
	return []string{f.stem + ".gz", f.stem, strings.Replace(f.stem, "-idx", ".idx", 1)}
}

// check returns an error unless the content is the published one.
func (f imageFile) check(a *idxArray) error {
	if !slices.Equal(a.dims, f.dims) {
		return fmt.Errorf("size: got %s, want %s", times(a.dims), times(f.dims))
	}
	hash := sha256.New()
	hash.Write(a.header)
	hash.Write(a.data)
	if got := hex.EncodeToString(hash.Sum(nil)); got != f.content {
		return fmt.Errorf("checksum: got sha256 %s unzipped, want %s: fetch the file again (another set of this size can be used as .npy, kind files)", got, f.content)
	}
	return nil
}

// Folder returns the folder where Fetch puts sets and Load looks for them, each in a folder of
// its name: $DEEPLIMIT_DATA, or deeplimit in the user's cache folder.
func Folder() (string, error) {
	if folder := os.Getenv("DEEPLIMIT_DATA"); folder != "" {
		return folder, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("dataset: %w: set DEEPLIMIT_DATA to a folder for data", err)
	}
	return filepath.Join(cache, "deeplimit"), nil
}

// imageFolders returns the folders to search for the files of a set, in order. A path in the
// spec is the only one.
func imageFolders(spec Spec, base string) []string {
	if spec.Path != "" {
		return []string{under(base, spec.Path)}
	}
	var folders []string
	if folder := os.Getenv("DEEPLIMIT_DATA"); folder != "" {
		folders = append(folders, filepath.Join(folder, spec.Kind))
	}
	if cache, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(cache, "deeplimit", spec.Kind))
	}
	if folder, ok := systemFolders[spec.Kind]; ok {
		folders = append(folders, folder)
	}
	return folders
}

// find returns the path of the file in the first folder that holds it.
func (f imageFile) find(kind string, folders []string) (string, error) {
	for _, folder := range folders {
		for _, name := range f.names() {
			path := filepath.Join(folder, name)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			} else if !errors.Is(err, fs.ErrNotExist) {
				return "", at(path, bare(err))
			}
		}
	}
	if len(folders) == 0 {
		return "", fmt.Errorf("dataset: %s: got no folder to look in, want DEEPLIMIT_DATA, HOME or data.path to name one", kind)
	}
	return "", fmt.Errorf("dataset: %s: %s.gz is not in %s: %s, or put the four IDX files (.gz or not) into %s",
		kind, f.stem, strings.Join(folders, ", "), howToGet[kind], folders[0])
}

// imageFiles returns the files that a set is read from.
func imageFiles(spec Spec, base string) ([]string, error) {
	files := imageSets[spec.Kind]
	need := files[:testImages]
	if spec.Test > 0 {
		need = files[:]
	}
	folders := imageFolders(spec, base)
	var paths []string
	for _, f := range need {
		path, err := f.find(spec.Kind, folders)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// openImages reads the training and, if the spec wants test samples, the test
// files. Pixels come out in [0,1].
func openImages(spec Spec, base string) (train, test *stored, err error) {
	paths, err := imageFiles(spec, base)
	if err != nil {
		return nil, nil, err
	}
	if train, err = openImagePair(spec, trainImages, paths); err != nil || spec.Test == 0 {
		return train, nil, err
	}
	if test, err = openImagePair(spec, testImages, paths); err != nil {
		return nil, nil, err
	}
	if test.d != train.d {
		return nil, nil, at(test.place, fmt.Errorf("got images of %d pixels, want %d as in %s", test.d, train.d, train.place))
	}
	return train, test, nil
}

// openImagePair reads the images file at index first and the labels file after it.
func openImagePair(spec Spec, first int, paths []string) (*stored, error) {
	images, published, err := readImageFile(spec, first, paths)
	if err != nil {
		return nil, err
	}
	labels, _, err := readImageFile(spec, first+1, paths)
	if err != nil {
		return nil, err
	}
	n := images.dims[0]
	if labels.dims[0] != n {
		return nil, at(paths[first+1], fmt.Errorf("got %d labels, want %d, one for each image of %s", labels.dims[0], n, paths[first]))
	}
	if i := slices.IndexFunc(labels.data, func(label byte) bool { return label >= classes }); i >= 0 {
		return nil, at(paths[first+1], fmt.Errorf("label %d: got %d, want 0 to %d", i+1, labels.data[i], classes-1))
	}
	s := &stored{
		place: paths[first], n: n, d: len(images.data) / n, m: classes,
		source: "IDX files of the user", classes: digitNames(),
		label: func(i int) int { return int(labels.data[i]) },
	}
	s.x = func(i int, dst []float64) {
		for j, pixel := range images.data[i*s.d : (i+1)*s.d] {
			dst[j] = float64(pixel) / 255
		}
	}
	if published {
		k, err := kindNamed(spec.Kind)
		if err != nil {
			return nil, err
		}
		s.source = k.citation()
	}
	return s, nil
}

// digitNames returns the names of the classes of an image set.
func digitNames() []string {
	names := make([]string, classes)
	for k := range names {
		names[k] = strconv.Itoa(k)
	}
	return names
}

// readImageFile reads and checks one file. In a folder that the spec names, a file of another
// size than the published one counts as the user's own.
func readImageFile(spec Spec, which int, paths []string) (a *idxArray, published bool, err error) {
	f, path := imageSets[spec.Kind][which], paths[which]
	if a, err = readIDX(path, len(f.dims)); err != nil {
		return nil, false, at(path, err)
	}
	if spec.Path != "" && !slices.Equal(a.dims, f.dims) {
		return a, false, nil
	}
	return a, true, at(path, f.check(a))
}

// imageDimensions reads the header of the training images.
func imageDimensions(spec Spec, base string) (d, m int, err error) {
	f := imageSets[spec.Kind][trainImages]
	path, err := f.find(spec.Kind, imageFolders(spec, base))
	if err != nil {
		return 0, 0, err
	}
	s, err := openSource(path)
	if err != nil {
		return 0, 0, at(path, err)
	}
	defer s.Close()
	a, err := decodeIDXHeader(s, len(f.dims))
	if err != nil {
		return 0, 0, at(path, err)
	}
	return a.dims[1] * a.dims[2], classes, nil
}
