package dataset

import (
	"path/filepath"
	"strings"
)

// An Entry describes one kind of data for `deeplimit data list`.
type Entry struct {
	Name    string `json:"name"`    // the value of Spec.Kind
	About   string `json:"about"`   // what the samples are
	Samples int    `json:"samples"` // training samples N; 0 where the study file or the user's file decides
	Test    int    `json:"test"`    // samples in separate test files
	Inputs  int    `json:"inputs"`  // d, or 0
	Outputs int    `json:"outputs"` // m, or 0
	Present bool   `json:"present"` // whether it can be used without fetching
	Where   string `json:"where"`   // its folder, or how to get it
	Source  string `json:"source"`  // who published it
	Licence string `json:"licence"`
}

// List returns all kinds, in the order of Kinds. It looks up the files of image sets by name;
// Load checks their content.
func List() []Entry {
	entries := make([]Entry, len(kinds))
	for i, k := range kinds {
		e := Entry{
			Name: k.name, About: k.about, Samples: k.train, Test: k.test, Inputs: k.inputs, Outputs: k.outputs,
			Present: true, Source: k.source, Licence: k.licence,
		}
		switch {
		case k.name == "csv" || k.name == "parquet":
			e.Where = "the file that path names"
		case k.name == "files":
			e.Where = "the .npy or .npz files that inputs and targets name"
		case imageSets[k.name][0].stem != "":
			e.Where, e.Present = imagesWhere(k.name)
		case k.stored:
			e.Where = "embedded"
		default:
			e.Where = "generated"
		}
		entries[i] = e
	}
	return entries
}

// imagesWhere returns the folders that hold the files of an image set, or how to
// get it.
func imagesWhere(name string) (string, bool) {
	paths, err := imageFiles(Spec{Kind: name, Test: 1}, "")
	if err != nil {
		folders := imageFolders(Spec{Kind: name}, "")
		if len(folders) == 0 {
			return howToGet[name], false
		}
		return howToGet[name] + ", or put its files into " + folders[0], false
	}
	var folders []string
	for _, path := range paths {
		if folder := filepath.Dir(path); len(folders) == 0 || folders[len(folders)-1] != folder {
			folders = append(folders, folder)
		}
	}
	return strings.Join(folders, ", "), true
}
