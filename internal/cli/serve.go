package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/field"
	"github.com/deeplimit/deeplimit/serve"
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

The page is for this machine alone unless --addr says otherwise; then it wants a
token, which is printed in the address, chosen with --token or taken from the
variable ` + tokenVariable + `. To look at another machine, a tunnel is safer:
ssh -L 8420:127.0.0.1:8420 HOST.`,
		Example: `  deeplimit serve runs
  deeplimit serve runs/my-study --open
  deeplimit serve runs --addr 0.0.0.0:8420`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Token == "" {
				options.Token = os.Getenv(tokenVariable)
			}
			options.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			server, err := serve.New(args[0], options)
			if wrong := (*field.Error)(nil); errors.As(err, &wrong) {
				return fmt.Errorf("serve: --%w", wrong)
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), server.URL())
			if err := outputFailed(cmd.OutOrStdout()); err != nil {
				return errors.Join(err, server.Close()) // nobody would know the address
			}
			if open {
				if err := openBrowser(server.URL()); err != nil {
					fmt.Fprintf(cmd.ErrOrStderr(), "serve: --open: %v; open the address yourself\n", err)
				}
			}
			return server.Serve(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Addr, "addr", "127.0.0.1:8420", "address to listen on; port 0 takes a free one")
	flags.StringVar(&options.Token, "token", "", "what clients must show (default none on this machine's own address, a random one elsewhere)")
	flags.StringArrayVar(&options.Hosts, "host", nil, "further name under which the page may be asked for; may be repeated")
	flags.BoolVar(&open, "open", false, "open the page in a browser")
	return cmd
}

// openBrowser asks the desktop to open an address.
func openBrowser(address string) error {
	command := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	return exec.Command(command[0], append(command[1:], address)...).Start()
}
