package cli

import (
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/ask/kernelproof"
	"github.com/deeplimit/deeplimit/internal/tangent"
	"github.com/deeplimit/deeplimit/runfolder"
)

// kernelFlags are the flags of certify --kernel.
type kernelFlags struct {
	wanted bool
	write  string
	kernelproof.Options
}

func (k *kernelFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&k.wanted, "kernel", false, "prove statements from the tangent kernel of the last iterate")
	flags.StringVar(&k.Bound, "bound", tangent.Full, "with --kernel: curvature from norms alone (cheap), with the second propagator (full), or cheap and then full where that does not suffice (auto)")
	flags.Float64Var(&k.Step, "step", 0, "with --kernel: step size of the descent that is spoken of (default: the largest that is certain)")
	flags.BoolVar(&k.Polish, "polish", false, "with --kernel: make Newton steps, and say how far an exact zero-loss network is")
	flags.StringVar(&k.write, "write", "", "with --kernel: write the certificate to this file, for others to check (deeplimit verify)")
	flags.StringVar(&k.Base, "base", "", "with --kernel: folder that relative names of data files start from (default: as recorded)")
	flags.IntVar(&k.Workers, "jobs", runtime.GOMAXPROCS(0), "with --kernel: cores to use; the results do not depend on it")
}

// check refuses flags that are out of range, or that have no use without --kernel.
func (k *kernelFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"bound", "step", "polish", "write", "base", "jobs"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && !k.wanted {
			return fmt.Errorf("certify: --%s: got %s, want --kernel beside it", name, flag.Value)
		}
	}
	if k.Workers < 1 {
		return fmt.Errorf("certify: --jobs: got %d, want at least 1", k.Workers)
	}
	if cmd.Flags().Changed("step") && !(k.Step > 0 && k.Step <= math.MaxFloat64) {
		return fmt.Errorf("certify: --step: got %v, want a finite number > 0", k.Step)
	}
	if err := field.OneOf("--bound", k.Bound, tangent.Auto, tangent.Cheap, tangent.Full); err != nil {
		return fmt.Errorf("certify: %w", err)
	}
	return nil
}

// prove evaluates the statements about a run folder.
func (k *kernelFlags) prove(cmd *cobra.Command, folder string) (*certify.Kernel, error) {
	run, err := runfolder.Open(folder)
	if err != nil {
		return nil, err
	}
	defer k.showProgress(cmd)()
	proved, err := kernelproof.Prove(cmd.Context(), run, k.Options)
	if err != nil || k.write == "" {
		return proved, err
	}
	document, err := kernelproof.NewDocument(run, k.Options, proved)
	if err != nil {
		return nil, fmt.Errorf("certify: --write: %w", err)
	}
	return proved, document.Write(k.write)
}

// showProgress shows what is done on a terminal, until the function that it returns is called.
func (k *kernelFlags) showProgress(cmd *cobra.Command) func() {
	out := cmd.ErrOrStderr()
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		k.Progress = func(text string) { fmt.Fprintf(out, "\r\x1b[K%s", text) }
		return func() { fmt.Fprint(out, "\r\x1b[K") }
	}
	return func() {}
}
