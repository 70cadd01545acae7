package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// A finding is what doctor saw of one thing.
type finding struct {
	Check string `json:"check"`
	// State is "good", "note" where something could be better, "wrong" where runs would fail.
	State string `json:"state"`
	Got   string `json:"got"`
	Mend  string `json:"mend,omitempty"` // what to do about it
}

func newDoctor() *cobra.Command {
	var form answer
	cmd := &cobra.Command{
		Use:   "doctor [DIR]",
		Short: "Say what this machine offers: processor, memory, disk, cluster, browser, data",
		Long: `doctor looks at the processor, the cores and the memory that this process may take, whether the file
system of DIR (default: here) renames, links and locks as runs need it, the clusters it
sees, the browser and the data sets, and says how to mend what is missing. It leaves nothing behind.

Exit codes: 0, or 2 where something would make runs fail.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				var err error
				if dir, err = folder(cmd, args[0], "a folder"); err != nil {
					return err
				}
			}
			findings := examine(cmd.Context(), dir)
			if form.asked() {
				if err := form.print(cmd.OutOrStdout(), findings); err != nil {
					return err
				}
			} else if err := writeFindings(cmd.OutOrStdout(), findings); err != nil {
				return err
			}
			for _, f := range findings {
				if f.State == "wrong" {
					return fmt.Errorf("doctor: %s: %s; %s", f.Check, f.Got, f.Mend)
				}
			}
			return nil
		},
	}
	form.add(cmd)
	return cmd
}

// examine makes every check, in the order in which they are shown.
func examine(ctx context.Context, dir string) []finding {
	b := thisBuild()
	return []finding{
		{Check: "program", State: "good", Got: fmt.Sprintf("%s, %s, %s, arithmetic %s", b, b.Go, b.Platform, machine.Arithmetic())},
		processorFinding(),
		{Check: "cores", State: "good", Got: fmt.Sprintf("%d of %d for this process", runtime.GOMAXPROCS(0), runtime.NumCPU())},
		memoryFinding(),
		diskFinding(dir),
		spaceFinding(dir),
		slurmFinding(ctx),
		kubernetesFinding(),
		browserFinding(),
		dataFinding(),
	}
}

func writeFindings(w io.Writer, findings []finding) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.State, f.Check, plain.Text(f.Got))
		if f.Mend != "" {
			fmt.Fprintf(table, "\t\t→ %s\n", plain.Text(f.Mend))
		}
	}
	return table.Flush()
}

func processorFinding() finding {
	tier := kernel.For[float64]().Tier
	f := finding{Check: "processor", State: "good", Got: "kernels for " + tier}
	if tier == "portable" {
		f.State, f.Got = "note", "kernels in portable Go"
		f.Mend = "nothing is wrong, but a step takes 10 to 100 times as long as with AVX2 or AVX-512 on amd64 (deeplimit bench measures it)"
	}
	return f
}

func memoryFinding() finding {
	limit := machine.Memory()
	if limit == 0 {
		return finding{"memory", "note", "how much this process may take is not known", "set GOMEMLIMIT, so that runs that cannot fit are refused before they start"}
	}
	return finding{Check: "memory", State: "good", Got: fmt.Sprintf("%.3g GB for this process", float64(limit)/1e9)}
}

// diskFinding tries in a folder of its own what runs and workers that share them ask of a
// file system: durable writes, renames that replace, names that one process gets.
func diskFinding(dir string) (f finding) {
	f = finding{Check: "file system", State: "wrong", Mend: "choose a folder on another file system, as in --out DIR"}
	own, err := os.MkdirTemp(dir, ".deeplimit-doctor-")
	if err != nil {
		f.Got = err.Error()
		return f
	}
	defer func() {
		if err := os.RemoveAll(own); err != nil {
			f = finding{"file system", "wrong", err.Error(), "remove the folder " + own}
		}
	}()
	path := func(name string) string { return filepath.Join(own, name) }
	if err := errors.Join(disk.WriteBytes(path("file"), []byte("old")), disk.WriteBytes(path("file"), []byte("new")), disk.SyncFolder(own)); err != nil {
		f.Got = "no atomic replacement: " + err.Error()
		return f
	}
	if text, err := disk.ReadFile(path("file"), 16); err != nil || string(text) != "new" {
		f.Got = fmt.Sprintf("a file that was replaced reads %q: %v", text, err)
		return f
	}
	if err := disk.WriteNew(path("file"), nil); !errors.Is(err, fs.ErrExist) {
		f.Got = fmt.Sprintf("a name that is taken can be taken again: %v", err)
		return f
	}
	if err := disk.LinkNew(path("file"), path("link"), 16); err != nil {
		f.Got = "no name that one process alone gets: " + err.Error()
		return f
	}
	f = finding{Check: "file system", State: "good", Got: "replaces files at once, gives a name to one process"}
	file, err1 := disk.Stat(path("file"))
	link, err2 := disk.Stat(path("link"))
	if err1 != nil || err2 != nil || !os.SameFile(file, link) {
		f.State, f.Got = "note", f.Got+", has no hard links"
		f.Mend = "nothing for one machine; several workers that share a study are safer where there are hard links"
	}
	return f
}

// leastSpace is the free space under which doctor says something.
const leastSpace = 1e9

func spaceFinding(dir string) finding {
	free, err := disk.Free(dir)
	switch {
	case err != nil:
		return finding{"free space", "note", "not known: " + err.Error(), "watch it yourself: deeplimit run --dry-run says what a study leaves"}
	case free < leastSpace:
		return finding{"free space", "note", fmt.Sprintf("%.3g MB", free/1e6), "deeplimit run --dry-run says what a study leaves"}
	}
	return finding{Check: "free space", State: "good", Got: fmt.Sprintf("%.3g GB", free/1e9)}
}

// slurmWait is how long a cluster may take to say its version.
const slurmWait = 5 * time.Second

func slurmFinding(ctx context.Context) finding {
	none := finding{Check: "Slurm", State: "good", Got: "not seen; runs stay on this machine"}
	path, err := exec.LookPath("sbatch")
	if err != nil {
		return none
	}
	ctx, cancel := context.WithTimeout(ctx, slurmWait)
	defer cancel()
	version, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return finding{"Slurm", "note", fmt.Sprintf("%s does not answer: %v", path, err), "ask whoever keeps the cluster; --engine slurm would fail"}
	}
	return finding{Check: "Slurm", State: "good", Got: strings.TrimSpace(string(version)) + "; deeplimit run STUDY.yaml --engine slurm submits a study"}
}

func kubernetesFinding() finding {
	if os.Getenv("KUBERNETES_SERVICE_HOST") == "" {
		return finding{Check: "Kubernetes", State: "good", Got: "this process is not in a pod"}
	}
	return finding{Check: "Kubernetes", State: "good", Got: "this process is in a pod; pods that see one folder share its runs by deeplimit run DIR --join"}
}

func browserFinding() finding {
	if hasDesktop() {
		return finding{Check: "browser", State: "good", Got: opener()[0] + " opens pages"}
	}
	return finding{"browser", "note", "no desktop", "copy DIR/report/index.html, one file, or reach deeplimit serve through ssh -L 8420:127.0.0.1:8420 HOST"}
}

func dataFinding() finding {
	var absent []string
	for _, e := range dataset.List() {
		if !e.Present {
			absent = append(absent, e.Name)
		}
	}
	if len(absent) == 0 {
		return finding{Check: "data", State: "good", Got: "all data sets are here"}
	}
	return finding{"data", "note", "not here: " + strings.Join(absent, ", "), "deeplimit data fetch " + absent[0] + " gets one, where there is a network; nothing else needs it"}
}
