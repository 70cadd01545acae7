package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/plan/study"
)

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented study file (default study.yaml, - for standard output); an existing file is left alone",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "study.yaml"
			if len(args) == 1 {
				path = args[0]
			}
			if path == "-" {
				_, err := io.WriteString(cmd.OutOrStdout(), study.Template())
				return err
			}
			if err := writeNew(path, study.Template()); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; run it with: deeplimit run %s\n", path, path)
			return err
		},
	}
}

// writeNew writes text to a file that must not exist yet.
func writeNew(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("init: %s: got an existing file, want a new name", path)
	}
	if err != nil {
		return fmt.Errorf("init: %w", err)
	}
	if _, err = file.WriteString(text); err != nil {
		file.Close()
		os.Remove(path)
		return fmt.Errorf("init: %w", err)
	}
	return file.Close()
}
