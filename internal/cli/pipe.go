package cli

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deeplimit/deeplimit/internal/show/pipe"
)

func newPipe() *cobra.Command {
	return &cobra.Command{
		Use:    "pipe",
		Short:  "Answer the calls of another program over standard input and output",
		Hidden: true,
		Long: `pipe reads calls from standard input and writes answers to standard output, in frames of a
header and raw arrays (package internal/show/pipe), until its input ends. The Python package
starts it; there is nothing to type here.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if term.IsTerminal(int(os.Stdin.Fd())) {
				return errors.New("pipe: standard input: got a terminal, want the pipe of a program")
			}
			// The writer of the command escapes characters; frames are bytes.
			return pipe.Serve(cmd.Context(), os.Stdin, os.Stdout, thisBuild().String())
		},
	}
}
