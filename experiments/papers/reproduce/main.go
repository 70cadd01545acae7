// Command reproduce runs the experiments of package papers and holds what comes out
// against the record of the calls before:
//
//	reproduce [flags] [NAME …]
//
// Full size writes experiments/record.json, the figures and docs/papers.md; -small keeps all
// but its run folders in experiments/small.json, which it writes with -accept alone. It exits
// with 1 if a claim that was reproduced no longer is, unless -accept is given.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/deeplimit/deeplimit/experiments/papers"
	"github.com/deeplimit/deeplimit/internal/disk"
)

func main() {
	small := flag.Bool("small", false, "small sizes, seconds each")
	accept := flag.Bool("accept", false, "record what comes out, also what is no longer reproduced")
	page := flag.Bool("page", false, "run nothing: write docs/papers.md anew from the record")
	keep := flag.Bool("keep", false, "go on with the run folders that are there instead of making them anew")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := func() error { return reproduce(ctx, *small, *accept, *keep, flag.Args()) }
	if *page {
		run = writePage
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// reproduce runs the named experiments, or all, and goes on after one that fails.
func reproduce(ctx context.Context, small, accept, keep bool, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	size := papers.FullSize
	if small {
		size = papers.SmallSize
	}
	size.Keep = keep
	var failures []error
	for _, e := range chosen {
		if err := one(ctx, &e, size, accept); err != nil {
			failures = append(failures, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if !small {
		failures = append(failures, writePage())
	}
	return errors.Join(failures...)
}

// one runs an experiment, holds it against the record and records it, unless claims are
// lost; what is done is kept when a later experiment fails.
func one(ctx context.Context, e *papers.Experiment, size papers.Size, accept bool) error {
	fmt.Println(e.Name)
	out, err := e.Run(ctx, size, os.Stdout)
	if err != nil {
		return err
	}
	fmt.Printf("  %.1f s\n", out.Seconds)
	record, err := papers.ReadRecord(size.Record)
	if err != nil {
		return err
	}
	before, known := record[e.Name]
	if size.Keep && known {
		out.Seconds, out.Cores = before.Seconds, before.Cores // of the call that trained
	}
	if !accept {
		var failures []error
		for _, line := range papers.Lost(before, out) {
			failures = append(failures, fmt.Errorf("papers: %s: %s", e.Name, line))
		}
		if size.Small && !known {
			failures = append(failures, fmt.Errorf("papers: %s: got no record of it in %s, want one (make papers-small ACCEPT=1)", e.Name, size.Record))
		}
		if size.Small || len(failures) > 0 {
			return errors.Join(failures...)
		}
	}
	record[e.Name] = out
	return record.Write(size.Record)
}

// writePage writes docs/papers.md from the record of the full size.
func writePage() error {
	record, err := papers.ReadRecord(papers.FullSize.Record)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := papers.WritePage(&page, record); err != nil {
		return err
	}
	return errors.Join(disk.WriteBytes(papers.Page, page.Bytes()), prune(record))
}

// prune removes figures that the record does not name.
func prune(record papers.Record) error {
	var named []string
	for _, out := range record {
		for _, f := range out.Figures {
			named = append(named, f.File)
		}
	}
	files, err := filepath.Glob(filepath.Join(papers.FullSize.Figures, "*.png"))
	for _, file := range files {
		if !slices.Contains(named, filepath.Base(file)) {
			err = errors.Join(err, os.Remove(file))
		}
	}
	return err
}

// choose returns the experiments of the given names, all without one.
func choose(names []string) ([]papers.Experiment, error) {
	all := papers.Experiments()
	if len(names) == 0 {
		return all, nil
	}
	var chosen []papers.Experiment
	for _, name := range names {
		i := slices.IndexFunc(all, func(e papers.Experiment) bool { return e.Name == name })
		if i < 0 {
			var known []string
			for _, e := range all {
				known = append(known, e.Name)
			}
			return nil, fmt.Errorf("papers: STUDY: got %q, want one of %v", name, known)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
