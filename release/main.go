// Command release builds what people download: an archive for each platform, packages of
// Debian and RPM, container images, Python wheels, checksums and a list of components. Two
// builds of one commit have the same bytes. It also checks the licences of dependencies, and
// looks for known vulnerabilities in them. It is a module of its own, so that the program
// depends on none of the libraries used here.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run does what the first argument says.
func run(ctx context.Context, args []string) error {
	do := "build"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		do, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	root := flags.String("root", "..", "the clone to build")
	out := flags.String("out", "../dist", "folder to write; what it holds is removed")
	names := flags.String("platforms", "", "platforms such as linux/amd64, separated by commas (default all)")
	hatchling := flags.String("hatchling", "", "hatchling, for Python wheels (default none)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("got %q, want flags alone behind %s", flags.Args(), do)
	}
	chosen, err := choose(*names)
	if err != nil {
		return err
	}
	if *root, err = filepath.Abs(*root); err != nil {
		return err
	}
	switch do {
	case "build":
		return build(ctx, options{root: *root, out: *out, platforms: chosen, hatchling: *hatchling})
	case "licences":
		return checkLicences(ctx, os.Stdout, *root, chosen)
	case "vulnerabilities":
		return checkVulnerabilities(ctx, os.Stdout, *root)
	}
	return fmt.Errorf("got %q, want build, licences or vulnerabilities", do)
}
