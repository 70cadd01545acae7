// Command readme prints README.md as a script: its sh blocks as they stand, each of its
// yaml blocks written to the file that the fence names, and its python blocks given to
// python3. Run from the top of a clone, `go run ./test/readme | bash -eux` does all that the
// page tells a reader to do.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"
)

func main() {
	log.SetFlags(0)
	text, err := os.ReadFile("README.md")
	if err != nil {
		log.Fatalf("readme: %v; run it at the top of a clone", err)
	}
	script, err := script(string(text))
	if err != nil {
		log.Fatalf("readme: README.md: %v", err)
	}
	fmt.Print(script)
}

// script returns the blocks of a page as a script. Blocks of other languages (bibtex) are
// passed over; a yaml block without a name is an error.
func script(page string) (string, error) {
	var b strings.Builder
	var end string // of the block at hand, "" outside one
	inside := false
	for line := range strings.Lines(page) {
		fence, isFence := strings.CutPrefix(strings.TrimRight(line, "\n"), "```")
		switch {
		case isFence && inside:
			b.WriteString(end)
			inside, end = false, ""
		case isFence:
			inside = true
			language, name, _ := strings.Cut(fence, " ")
			switch language {
			case "sh":
				end = "\n"
			case "python":
				b.WriteString("python3 - <<'EOF'\n")
				end = "EOF\n\n"
			case "yaml":
				if name == "" {
					return "", fmt.Errorf("got a yaml block without a file name, want one behind the word yaml")
				}
				fmt.Fprintf(&b, "cat > %s <<'EOF'\n", name)
				end = "EOF\n\n"
			}
		case end != "":
			b.WriteString(line)
		}
	}
	return b.String(), nil
}
