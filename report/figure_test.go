package report

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var (
	update  = flag.Bool("update", false, "rewrite the golden files")
	preview = flag.String("preview", "", "folder to write the figures of the large sample study to, to look at")
)

func TestPreview(t *testing.T) {
	if *preview == "" {
		t.Skip("-preview not given")
	}
	for _, style := range []Style{Paper, Slides} {
		for _, g := range sampleLarge.groups() {
			for _, f := range g.figures(style) {
				png, err := f.PNG(150)
				if err != nil {
					t.Fatal(err)
				}
				name := string(style) + "-" + f.Name
				if err := os.WriteFile(filepath.Join(*preview, name+".png"), png, 0o644); err != nil {
					t.Fatal(err)
				}
				svg, err := f.SVG()
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(*preview, name+".svg"), svg, 0o644); err != nil {
					t.Fatal(err)
				}
				pdf, err := f.PDF()
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(*preview, name+".pdf"), pdf, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
