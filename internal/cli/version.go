package cli

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is what `deeplimit version --json` prints.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified"` // the tree had uncommitted changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// thisBuild reads what the Go tool stored in the program.
func thisBuild() build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String returns version, commit and whether it was modified, in one line.
func (b build) String() string {
	text := b.Version
	if b.Commit != "" {
		text += " " + b.Commit
	}
	if b.Modified {
		text += " (modified)"
	}
	return text
}

func newVersion() *cobra.Command {
	var form answer
	var check, checksums string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print version, commit, Go version and platform; verify a download",
		Long: `version prints the version, the commit, the Go version and the platform of this program.

With --check it compares the SHA-256 of a file of a release with the one in checksums.txt
beside the file, or in another file of checksums. That finds a damaged or mistaken download;
checksums from the same place as the file are no proof of who made it.

Exit codes: 0, or 2 where the file differs, or where no checksum of it is there.`,
		Example: `  deeplimit version --json
  deeplimit version --check deeplimit-v1.0.0-linux-amd64.tar.gz`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("check") {
				return checkDownload(cmd.OutOrStdout(), check, checksums)
			}
			if cmd.Flags().Changed("checksums") {
				return errors.New("version: got --checksums alone, want --check FILE beside it, the file that is verified")
			}
			b := thisBuild()
			if form.json {
				return form.print(cmd.OutOrStdout(), b)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "deeplimit %s %s %s\n", b, b.Go, b.Platform)
			return err
		},
	}
	form.addJSON(cmd)
	cmd.Flags().StringVar(&check, "check", "", "verify the SHA-256 of `FILE`")
	cmd.Flags().StringVar(&checksums, "checksums", "", "with --check: the `FILE` of checksums (default checksums.txt beside the file)")
	cmd.MarkFlagsMutuallyExclusive("check", "json")
	return cmd
}
