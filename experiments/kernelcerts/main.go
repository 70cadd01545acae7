// Command kernelcerts measures kernel certificates on real data: after Levenberg–Marquardt steps for every block, depth,
// number of samples and α, and after plain gradient descent. It keeps what it measures in a record, and writes
// docs/kernel-certificates.md from that.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/field"
)

var (
	most  = flag.Int("cost", 20_000, "the most samples × outputs × depth of a cell that is computed")
	keep  = flag.Bool("keep", false, "go on with the record: compute what it does not hold")
	steps = flag.Int("descent", 200_000, "the most steps of plain gradient descent, 0 for no descents")
	path  = flag.String("record", "experiments/kernelcerts/record.json", "the record of what was measured")
	out   = flag.String("out", "docs/kernel-certificates.md", "the page, written from the record")
	page  = flag.Bool("page", false, "write the page alone")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kernelcerts:", err)
		os.Exit(1)
	}
}

func run() error {
	if flag.NArg() > 0 {
		return &field.Error{Path: "arguments", Got: flag.Args(), Want: "flags alone"}
	}
	r, err := load(*path)
	if err != nil {
		return err
	}
	if !*page {
		build, err := commit()
		if err != nil {
			return err
		}
		if err := measure(r, build); err != nil {
			return err
		}
	}
	return os.WriteFile(*out, []byte(r.text()), 0o666)
}

// commit names the commit that make has just built the program from, with -dirty after it where other files than those
// written here differ from it.
func commit() (string, error) {
	name, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "", fmt.Errorf("git rev-parse: %w", err)
	}
	changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!"+*path, ":!"+*out).Output()
	if err != nil {
		return "", fmt.Errorf("git status: %w", err)
	}
	build := strings.TrimSpace(string(name))
	if len(changed) > 0 {
		build += "-dirty"
	}
	return build, nil
}

// measure computes the cells that are chosen, the cheapest first, and the descents, and saves the record after each.
func measure(r *record, build string) error {
	for _, at := range cells() {
		if at.cost() > *most || *keep && r.cell(at) != nil {
			continue
		}
		start := time.Now()
		c, err := afterNewton(at)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		c.Build = build
		r.put(c)
		fmt.Fprintf(os.Stderr, "%s: %s (%.0f s)\n", at, c.text(), time.Since(start).Seconds())
		if err := r.save(*path); err != nil {
			return err
		}
	}
	for _, at := range descents {
		if *steps == 0 || *keep && r.descent(at) != nil {
			continue
		}
		start := time.Now()
		d, err := afterDescent(at, *steps)
		if err != nil {
			return fmt.Errorf("descent, %s: %w", at, err)
		}
		d.Build = build
		r.putDescent(d)
		fmt.Fprintf(os.Stderr, "descent, %s: %s (%.0f s)\n", at, strings.ReplaceAll(d.text(), " |", ";"), time.Since(start).Seconds())
		if err := r.save(*path); err != nil {
			return err
		}
	}
	return nil
}
