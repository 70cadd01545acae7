// Command calibrate measures, on planted paths of every kind, how often the intervals of scaling.Infer hold
// the truth, how wide they are, and how often a verdict is right: docs/calibration.md.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/deeplimit/deeplimit/internal/planted"
)

func main() {
	draws := flag.Int("draws", 200, "draws of a cell")
	named := flag.String("family", "", "only families whose name holds this")
	sets := flag.String("set", "", "only depth sets whose name holds this")
	dims := flag.String("widths", "1,2,10", "widths of the matrices")
	out := flag.String("out", "", "write the tables to this file, not to the terminal")
	aside := flag.Bool("aside", false, "only the kinds kept aside")
	bare := flag.Bool("bare", false, "tables alone, to put behind those of another call")
	flag.Parse()
	var w io.Writer = os.Stdout
	var page strings.Builder
	if *out != "" {
		w = &page
	}
	var widths []int
	for text := range strings.SplitSeq(*dims, ",") {
		var width int
		if _, err := fmt.Sscan(text, &width); err != nil {
			log.Fatalf("calibrate: -widths: got %q, want numbers after commas", *dims)
		}
		widths = append(widths, width)
	}
	if !*bare {
		preface(w)
	}
	for _, kind := range kinds {
		if *aside && kind.suffix == "" {
			continue
		}
		for _, set := range depthSets {
			if !strings.Contains(set.name, *sets) {
				continue
			}
			for _, width := range widths {
				var rows []*tally
				for _, family := range kind.families() {
					if strings.Contains(family.Name, *named) {
						rows = append(rows, calibrate(family, set, width, *draws))
					}
				}
				if len(rows) > 0 {
					table(w, set, width, kind.suffix, rows)
				}
			}
		}
	}
	if *out != "" {
		if err := os.WriteFile(*out, []byte(page.String()), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// kinds are the families of the tables, and what their headings end with.
var kinds = []struct {
	suffix   string
	families func() []planted.Family
}{{"", planted.Families}, {", kinds kept aside", planted.Aside}}
