// Command reproduce runs the experiments of package papers and holds what comes out
// against the record of the calls before:
//
//	reproduce [flags] [NAME …]
//
// Full size writes papers/record.json, the figures and docs/papers.md; -small keeps all
// but its run folders in papers/small.json, which it writes with -accept alone. It exits
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
	"slices"

	"github.com/google/renameio/v2"

	"github.com/deeplimit/deeplimit/internal/papers"
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
	record, err := papers.ReadRecord(size.Record)
	if err != nil {
		return err
	}
	var failures []error
	for _, e := range chosen {
		fmt.Printf("%s\n", e.Name)
		out, err := e.Run(ctx, size, os.Stdout)
		if err != nil {
			failures = append(failures, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		fmt.Printf("  %.1f s\n", out.Seconds)
		before, known := record[e.Name]
		if keep && known {
			out.Seconds, out.Cores = before.Seconds, before.Cores // of the call that trained
		}
		lost := papers.Lost(before, out)
		for _, line := range lost {
			if !accept {
				failures = append(failures, fmt.Errorf("papers: %s: %s", e.Name, line))
			}
		}
		if small && !known && !accept {
			failures = append(failures, fmt.Errorf("papers: %s: got no record of it in %s, want one (make papers-small ACCEPT=1)", e.Name, size.Record))
		}
		if accept || !small && len(lost) == 0 {
			record[e.Name] = out
		}
	}
	if small && !accept {
		return errors.Join(failures...)
	}
	failures = append(failures, record.Write(size.Record))
	if !small {
		failures = append(failures, writePage())
	}
	return errors.Join(failures...)
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
	return renameio.WriteFile(papers.Page, page.Bytes(), 0o644)
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
