package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// What folder wants of the argument that names one.
const (
	studyOrRun     = "the folder of a study or of a run"
	studyAlone     = "the folder of a study"
	studyOrStudies = "the folder of a study, or a folder of such folders"
	runAlone       = "the folder of one run"
)

// folder returns the folder that an argument names. A study file stands for the folder that
// `deeplimit run` makes for it, which is told on stderr. want says which folder is meant.
func folder(cmd *cobra.Command, arg, want string) (string, error) {
	info, err := os.Stat(arg)
	switch name := cmd.Name(); {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s: %s: got no such folder, want %s", name, arg, want)
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, err)
	case info.IsDir():
		return arg, nil
	case want == runAlone || !isYAML(arg):
		return "", fmt.Errorf("%s: %s: got a file, want %s", name, arg, want)
	}
	return ofStudyFile(cmd.Name(), arg, want, cmd.ErrOrStderr())
}

// ofStudyFile returns the folder of the runs of a study file.
func ofStudyFile(command, file, want string, stderr io.Writer) (string, error) {
	s, err := study.Load(file, nil)
	if err != nil {
		return "", fmt.Errorf("%s: %s: got a file that is not a study file either, want %s: %w", command, file, want, err)
	}
	dir := outOf(s)
	if _, err := runfolder.StudyName(dir); err != nil {
		return "", fmt.Errorf("%s: %s: got a study file whose runs are not in %s, want %s (deeplimit run makes it; with --out it is another)", command, file, dir, want)
	}
	fmt.Fprintf(stderr, "note: %s: %s is a study file; the folder of its runs is %s\n", command, plain.Text(file), plain.Text(dir))
	return dir, nil
}

// outOf returns the folder that the runs of a study go to unless --out names another.
func outOf(s *study.Study) string { return filepath.Join("runs", s.Name) }

// studyFile refuses a folder where a study file is meant.
func studyFile(command, arg string) error {
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() {
		return nil // what cannot be read is told by the reader of study files
	}
	if _, err := runfolder.StudyName(arg); err == nil {
		return fmt.Errorf("%s: %s: got the folder of a study, want a study file, such as %s", command, arg, filepath.Join(arg, "study.yaml"))
	}
	return fmt.Errorf("%s: %s: got a folder, want a study file", command, arg)
}

// planOf returns the plan of a study file that a command asks something of without running it,
// each run within the memory there is.
func planOf(command, file string, set []string, most int) (*plan.Plan, error) {
	if err := studyFile(command, file); err != nil {
		return nil, err
	}
	s, err := study.LoadWithin(file, set, most)
	if err != nil {
		return nil, err
	}
	p, err := plan.New(s)
	if err != nil {
		return nil, err
	}
	return p, p.CheckMemory(nil)
}

func isYAML(name string) bool {
	extension := strings.ToLower(filepath.Ext(name))
	return extension == ".yaml" || extension == ".yml"
}

// arguments wants at least one argument for each name, and no more unless a name ends in ….
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		more := slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, "…") })
		if len(args) == len(names) || more && len(args) > len(names) {
			return nil
		}
		return fmt.Errorf("%s: got %s, want %s (deeplimit %s --help says more)", cmd.Name(), counted(len(args)), strings.Join(names, " "), strings.TrimPrefix(cmd.CommandPath(), "deeplimit "))
	}
}

func counted(arguments int) string {
	switch arguments {
	case 0:
		return "no argument"
	case 1:
		return "one argument"
	}
	return fmt.Sprintf("%d arguments", arguments)
}
