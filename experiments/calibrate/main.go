// Command calibrate measures, on planted paths of every kind, how often the intervals of scaling.Infer hold
// the truth, how wide they are, and how often a verdict is right: docs/calibration.md.
//
// Draws are kept, each cell's in a file of the folder -keep, and a later call goes on where they end: draw n of a cell
// is fixed by n alone. They are kept apart by the code that they come from.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/planted"
)

// pass is how many draws all cells get before the first gets more.
const pass = 10

func main() {
	log.SetFlags(0)
	log.SetPrefix("calibrate: ")
	draws := flag.Int("draws", 200, "draws of a cell")
	named := flag.String("family", "", "only families whose name holds this")
	set := flag.String("set", "", "only this set of depths: "+strings.Join(setNames(), ", "))
	dims := flag.String("widths", "1,2,10", "widths of the matrices")
	keep := flag.String("keep", "runs/calibration", "folder of the draws")
	kept := flag.Bool("kept", false, "draw nothing: write the tables of the draws that are kept")
	out := flag.String("out", "", "write the tables to this file, not to the terminal")
	figure := flag.String("figure", "", "write a PNG of intervals of slopes and of the limit's exponents to this file, and no tables")
	flag.Parse()
	if *figure != "" {
		if err := writeFigure(*figure); err != nil {
			log.Fatal(err)
		}
		return
	}
	cells, err := choose(*named, *set, *dims)
	if err == nil && *draws < 1 {
		err = fmt.Errorf("-draws: got %d, want 1 or more", *draws)
	}
	if err != nil {
		log.Fatal(err)
	}
	folder, err := folderOf(*keep)
	if err != nil {
		log.Fatal(err)
	}
	if !*kept {
		if err := extend(folder, cells, *draws); err != nil {
			log.Fatal(err)
		}
	}
	tables, err := tabulate(folder, cells, *draws)
	if err != nil {
		log.Fatal(err)
	}
	text := page(tables)
	if *out == "" {
		fmt.Print(text)
	} else if err := os.WriteFile(*out, []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

// extend draws until every cell has as many draws as are wanted, a few of each cell at a time, so that cells have
// about equally many whenever it is stopped.
func extend(folder string, cells []cell, wanted int) error {
	for upTo := min(pass, wanted); ; upTo = min(upTo+pass, wanted) {
		for _, c := range cells {
			if err := c.extend(folder, upTo); err != nil {
				return err
			}
		}
		if upTo == wanted {
			return nil
		}
	}
}

// choose returns the cells that are asked for, in the order of their tables.
func choose(named, set, dims string) (cells []cell, err error) {
	if set != "" && !slices.Contains(setNames(), set) {
		return nil, fmt.Errorf("-set: got %q, want one of %s", set, strings.Join(setNames(), ", "))
	}
	var widths []int
	for text := range strings.SplitSeq(dims, ",") {
		width, err := strconv.Atoi(text)
		if err != nil || width < 1 || slices.Contains(widths, width) {
			return nil, fmt.Errorf("-widths: got %q, want different numbers of 1 or more with commas between", dims)
		}
		widths = append(widths, width)
	}
	for _, kind := range kinds {
		for _, s := range depthSets {
			if set != "" && s.name != set || set == "" && s.aside {
				continue
			}
			for _, width := range widths {
				for _, family := range kind.families() {
					if strings.Contains(family.Name, named) {
						cells = append(cells, cell{family, s, width, kind.suffix})
					}
				}
			}
		}
	}
	if len(cells) == 0 {
		return nil, errors.New("-family: got " + strconv.Quote(named) + ", want a part of the name of a family")
	}
	return cells, nil
}

// kinds are the families of the tables, and what their headings end with.
var kinds = []struct {
	suffix   string
	families func() []planted.Family
}{{"", planted.Families}, {", kinds kept aside", planted.Aside}}

type depthSet struct {
	name   string
	depths []int
	seeds  int
	aside  bool // not for docs/calibration.md, but for the choice of default depths in docs/statistics.md
}

var depthSets = []depthSet{
	{"16-128", []int{16, 32, 64, 128}, 3, false},
	{"16-256", []int{16, 64, 256}, 5, false},
	{"64-4096", []int{64, 256, 1024, 4096}, 3, false},
	{"16-64x2", []int{16, 32, 64}, 2, true},
	{"16-64x3", []int{16, 32, 64}, 3, true},
	{"16-256x2", []int{16, 64, 256}, 2, true},
	{"16-256x3", []int{16, 64, 256}, 3, true},
}

func setNames() (names []string) {
	for _, s := range depthSets {
		names = append(names, s.name)
	}
	return names
}

// title is "16, 64, 256 × 5 seeds".
func (s depthSet) title() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(s.depths), " ", ", "), "[]") + fmt.Sprintf(" × %d seeds", s.seeds)
}
