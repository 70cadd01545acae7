// Command deeplimit trains deep residual networks at many depths and measures what
// happens as the depth grows. `deeplimit help` lists its commands.
package main

import (
	"os"

	"github.com/deeplimit/deeplimit/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}
