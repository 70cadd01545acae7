package cli

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

//go:embed demo.yaml
var demoStudy []byte

// demoReading says what to look at in the report of the demo.
const demoReading = `
What to look at in the report:
  weights     entries of the trained weights against k/L: noise of size L^-1/2 around a limit
  variation   V_2 stays bounded as depth grows, V_1 grows like L^1/2
  loss        every run falls along a straight line: linear convergence to a global optimum
Then:
  deeplimit init study.yaml       a study of your own, every key explained
  deeplimit doctor                what this machine offers, and what would help
`

func newDemo() *cobra.Command {
	var out string
	var noOpen bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a small study and open its report",
		Long: `demo trains 15 small networks in the regime of the paper, prints the analysis, and opens the
report in a browser where there is a desktop, or else prints its path. It needs no network and no data.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := study.Parse("demo.yaml", demoStudy, nil)
			if err != nil {
				return err
			}
			p, err := plan.New(s)
			if err != nil {
				return err
			}
			if out == "" {
				if out, err = writable(outOf(s)); err != nil {
					return err
				}
			}
			o := runOptions{out: out, jobs: runtime.GOMAXPROCS(0), checkpoint: time.Minute}
			if err := o.run(cmd.Context(), p, cmd.OutOrStdout(), cmd.ErrOrStderr()); err != nil {
				return err
			}
			if _, err := fmt.Fprint(cmd.OutOrStdout(), demoReading); err != nil || noOpen || !hasDesktop() {
				return err
			}
			page := filepath.Join(out, "report", "index.html")
			if err := browse(page); err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "demo: %v; open %s yourself\n", err, page)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "study folder (default runs/demo, or one for temporary files where this folder cannot be written)")
	cmd.Flags().BoolVar(&noOpen, "no-open", false, "open no browser")
	return cmd
}

// writable returns dir if it can be made, or else a folder for temporary files.
func writable(dir string) (string, error) {
	failed := os.MkdirAll(dir, 0o755)
	if failed == nil {
		return dir, nil
	}
	temporary, err := os.MkdirTemp("", "deeplimit-demo-")
	if err != nil {
		return "", fmt.Errorf("demo: got no folder that can be written, want one, as in --out DIR: %w", errors.Join(failed, err))
	}
	return temporary, nil
}
