// Command gallery draws one figure of every kind from a few small studies and writes docs/gallery.md, the page
// that shows them. It runs the commands that a reader would type, in a folder of its own that it removes.
//
//	go run ./experiments/gallery
package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"

	"github.com/deeplimit/deeplimit/internal/cli"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

//go:embed *.yaml
var files embed.FS

// studies are the names of the study files in the order in which a figure is looked for, and what is asked of
// each once it has run.
var studies = []struct {
	name string
	then [][]string
}{
	{"descent", [][]string{{"transfer", "--depth", "128", "--depth", "256", "--train"}, {"certify", "--kernel"}}},
	{"classes", nil},
	{"coupled", nil},
	{"grid", nil},
}

const (
	page    = "docs/gallery.md"
	figures = "docs/figures/gallery"
)

func main() {
	log.SetFlags(0)
	if err := gallery(); err != nil {
		log.Fatal("gallery: ", err)
	}
}

// gallery runs the studies, and writes page and figures.
func gallery() (err error) {
	work, err := os.MkdirTemp("", "gallery")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	for _, s := range studies {
		if err := study(work, s.name, s.then); err != nil {
			return err
		}
	}
	if err := errors.Join(os.RemoveAll(figures), os.MkdirAll(figures, 0o755)); err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprint(&text, intro)
	var missing []report.Kind
	for _, kind := range report.Kinds() {
		from, name, err := figure(work, kind)
		if err != nil {
			return err
		}
		if from == "" {
			missing = append(missing, kind)
			continue
		}
		fmt.Fprintf(&text, "\n## %s\n\n%s. Needs %s.\n\n    deeplimit figure %s runs/%s\n\n![%s](figures/gallery/%s)\n",
			kind.Name, upper(kind.Text), kind.Needs, kind.Name, from, upper(kind.Text), name)
	}
	if len(missing) > 0 {
		fmt.Fprint(&text, "\n## Not shown\n\nThese need more than a small study.\n\n| figure | shows | needs |\n|---|---|---|\n")
		for _, kind := range missing {
			fmt.Fprintf(&text, "| %s | %s | %s |\n", kind.Name, kind.Text, kind.Needs)
		}
	}
	return os.WriteFile(page, text.Bytes(), 0o644)
}

const intro = `# Gallery

For whoever looks for a figure: one of each kind that ` + "`deeplimit figure`" + ` draws, from the small studies in
[experiments/gallery](../experiments/gallery). ` + "`make gallery`" + ` draws them and writes this page. Each comes as PNG, SVG and PDF, with its data
as CSV; ` + "`--style slides`" + ` has larger text and lines than ` + "`--style paper`" + `, which these are in.
`

// study runs a study file, and the commands after it on its folder.
func study(work, name string, then [][]string) error {
	text, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return err
	}
	file, dir := filepath.Join(work, name+".yaml"), filepath.Join(work, name)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if err := command("run", file, "--out", dir, "--no-report"); err != nil {
		return err
	}
	for _, args := range then {
		if err := command(append([]string{args[0], dir}, args[1:]...)...); err != nil {
			return err
		}
	}
	return nil
}

// command runs one and returns what it says where it fails. Runs that diverged are no failure.
func command(args ...string) error {
	var told bytes.Buffer
	if code := cli.Main(args, io.Discard, &told); code > 1 {
		return fmt.Errorf("deeplimit %s: %s", strings.Join(args, " "), told.String())
	}
	return nil
}

// figure draws a kind from the first study that has it, and returns that study and the name of the file.
func figure(work string, kind report.Kind) (from, name string, err error) {
	for _, s := range studies {
		out := filepath.Join(work, "figures", s.name+"-"+kind.Name)
		if command("figure", kind.Name, filepath.Join(work, s.name), "--format", "png", "--out", out) != nil {
			continue
		}
		drawn, err := filepath.Glob(filepath.Join(out, "*.png"))
		if err != nil || len(drawn) == 0 {
			return "", "", errors.Join(err, fmt.Errorf("%s: no figure in %s", kind.Name, out))
		}
		name = kind.Name + ".png"
		return s.name, name, shrink(filepath.Join(figures, name), drawn[0])
	}
	return "", "", nil
}

// shrink writes a picture at 120 dots per inch in the place of 300, which keeps the repository light.
func shrink(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	whole, err := png.Decode(in)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	size := whole.Bounds()
	scaled := image.NewRGBA(image.Rect(0, 0, 2*size.Dx()/5, 2*size.Dy()/5))
	draw.CatmullRom.Scale(scaled, scaled.Bounds(), whole, size, draw.Src, nil)
	var text bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&text, scaled); err != nil {
		return err
	}
	return os.WriteFile(to, text.Bytes(), 0o644)
}

// upper returns text with its first letter in upper case.
func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
