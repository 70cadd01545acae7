package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/show/serve"
)

// tokenVariable holds the token where a command line would show it to other users.
const tokenVariable = "DEEPLIMIT_TOKEN"

func newServe() *cobra.Command {
	var options serve.Options
	var open bool
	cmd := &cobra.Command{
		Use:   "serve DIR",
		Short: "Show a folder of studies on a live page",
		Long: `serve shows a folder of studies, or one study, on a page in the browser: how the
runs stand, their loss while it falls, weight paths, exponents, p-variations,
certificates, comparisons, downloads. It only reads.

The page is for this machine alone unless --addr says otherwise. It wants a token,
as other users of this machine reach it, too: the one in the address that is printed,
chosen by the variable ` + tokenVariable + ` or, for all to see in the list of
processes, by --token. --no-token lets every user of this machine in. To look at
another machine, a tunnel is safest: ssh -L 8420:127.0.0.1:8420 HOST.`,
		Example: `  deeplimit serve runs
  deeplimit serve runs/my-study --open
  deeplimit serve runs --addr 0.0.0.0:8420`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := folder(cmd, args[0], studyOrStudies)
			if err != nil {
				return err
			}
			if options.Token == "" && !options.Open {
				options.Token = os.Getenv(tokenVariable)
			}
			options.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			server, err := serve.New(dir, options)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), server.URL())
			if err := outputFailed(cmd.OutOrStdout()); err != nil {
				return errors.Join(err, server.Close()) // nobody would know the address
			}
			if open {
				if remove, err := openPage(server.URL()); err != nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "serve: --open: %v; open the address yourself\n", err)
				} else {
					defer remove()
				}
			}
			return server.Serve(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Addr, "addr", "127.0.0.1:8420", "address to listen on; port 0 takes a free one")
	flags.StringVar(&options.Token, "token", "", "what clients must show (default that of the variable "+tokenVariable+", else a random one)")
	flags.BoolVar(&options.Open, "no-token", false, "let every user of this machine in; not with an address that other machines reach")
	flags.StringArrayVar(&options.Hosts, "host", nil, "further name under which the page may be asked for; may be repeated")
	flags.BoolVar(&open, "open", false, "open the page in a browser")
	return cmd
}
