package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/kernelproof"
	"github.com/deeplimit/deeplimit/runfolder"
)

func newVerify() *cobra.Command {
	var base string
	var workers int
	cmd := &cobra.Command{
		Use:   "verify CERTIFICATE RUN",
		Short: "Check a kernel certificate against the run that it is of",
		Long: `verify computes a certificate that certify --kernel --write stored again, from the run's
weights and data, and compares all of it: digests, samples, network and every constant.

It is the same program that wrote it; python/verify_certificate.py is another one, which
proves each claim in ball arithmetic from the certificate and weights.safetensors.`,
		Example: `  deeplimit certify RUN --kernel --write certificate.json
  deeplimit verify certificate.json RUN`,
		Args: arguments("CERTIFICATE", "RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if workers < 1 {
				return fmt.Errorf("verify: --jobs: got %d, want at least 1", workers)
			}
			document, err := kernelproof.ReadDocument(args[0])
			if err != nil {
				return fmt.Errorf("verify: %w", err)
			}
			dir, err := folder(cmd, args[1], runAlone)
			if err != nil {
				return err
			}
			run, err := runfolder.Open(dir)
			if err != nil {
				return err
			}
			options, err := document.Options()
			if err != nil {
				return fmt.Errorf("verify: %s: %w", args[0], err)
			}
			options.Base, options.Workers = base, workers
			proved, err := kernelproof.Prove(cmd.Context(), run, options)
			if err != nil {
				return err
			}
			fresh, err := kernelproof.NewDocument(run, options, proved)
			if err != nil {
				return fmt.Errorf("verify: %s: %w", args[1], err)
			}
			if err := document.Against(fresh); err != nil {
				return fmt.Errorf("verify: %s: %w", args[0], err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s holds: %d claims, computed again from %s\n", args[0], len(document.Claims), run.Meta.ID)
			return err
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "folder that relative names of data files start from (default: as recorded)")
	cmd.Flags().IntVar(&workers, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	return cmd
}
