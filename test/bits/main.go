// Bits computes small studies by programs of several processors, all built with the flags of internal/machine/overlay, and
// wants the same bytes of each: four levels of amd64, three tiers of kernels, arm64 and riscv64, those under
// qemu-user where this machine is another. Then it computes half a study on each of two processors and wants the merged
// one to be that of one.
//
//	go run ./test/bits [-only arm64,riscv64] DIR
//
// Programs are compiled into DIR, which is made.
package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"golang.org/x/sys/cpu"

	"github.com/deeplimit/deeplimit/runfolder"
)

func main() {
	only := flag.String("only", "", "programs to compare with the first, separated by commas (default: all)")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: bits [-only NAMES] DIR")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := compare(ctx, flag.Arg(0), *only); err != nil {
		fmt.Fprintln(os.Stderr, "bits:", err)
		os.Exit(1)
	}
}

// A program is one that computes the studies.
type program struct {
	name    string
	arch    string
	level   string // of amd64
	godebug string // that takes features of the processor away
	tags    string // further ones
	path    string
}

// programs returns those that can run here, the reference first.
func programs() []program {
	list := []program{
		{name: "amd64-v1", arch: "amd64", level: "v1"},
		{name: "amd64-v1-avx2", arch: "amd64", level: "v1", godebug: "cpu.avx512f=off"},
		{name: "amd64-v1-portable", arch: "amd64", level: "v1", tags: ",purego"},
		{name: "amd64-v2", arch: "amd64", level: "v2"},
		{name: "amd64-v3", arch: "amd64", level: "v3"},
		{name: "amd64-v4", arch: "amd64", level: "v4"},
		{name: "arm64", arch: "arm64"},
		{name: "riscv64", arch: "riscv64"},
	}
	return slices.DeleteFunc(list, func(p program) bool {
		wanting := p.level == "v4" && !(cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512CD && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL)
		if wanting {
			fmt.Printf("%-18s not run: this processor has no AVX-512\n", p.name)
		}
		return wanting
	})
}

// compile builds the program into dir.
func (p *program) compile(ctx context.Context, dir string, flags []string) error {
	p.path = filepath.Join(dir, "deeplimit-"+p.arch+p.level+strings.TrimPrefix(p.tags, ","))
	flags = slices.Clone(flags)
	for i, f := range flags {
		if strings.HasPrefix(f, "-tags=") {
			flags[i] += p.tags
		}
	}
	build := exec.CommandContext(ctx, "go", slices.Concat([]string{"build"}, flags, []string{"-o", p.path, "./cmd/deeplimit"})...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+p.arch, "GOAMD64="+cmp.Or(p.level, "v1"))
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", p.name, err, text)
	}
	return nil
}

// run calls the program and returns what it printed.
func (p *program) run(ctx context.Context, args ...string) ([]byte, error) {
	name := p.path
	if p.arch != runtime.GOARCH {
		emulator := map[string]string{"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static", "riscv64": "qemu-riscv64-static"}[p.arch]
		name, args = emulator, append([]string{p.path}, args...)
	}
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), "GODEBUG="+p.godebug)
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s: %s: %w\n%s", p.name, strings.Join(args, " "), err, log.Bytes())
	}
	return out.Bytes(), nil
}

// studies are small, and go through what results depend on: blocks, activations, methods, both precisions, data that are
// drawn, initial paths, hidden states, certificates of both kinds.
//
//go:embed studies.yaml
var studies string

// compare compiles the programs and compares what they compute.
func compare(ctx context.Context, dir, only string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	text, err := exec.CommandContext(ctx, "go", "run", "./internal/machine/overlay", filepath.Join(dir, "overlay")).Output()
	if err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	flags := strings.Fields(string(text))
	work, err := os.MkdirTemp(dir, "studies-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var files []string
	for i, study := range strings.Split(studies, "---\n") {
		path := filepath.Join(work, fmt.Sprintf("study%d.yaml", i))
		if err := os.WriteFile(path, []byte(study), 0o666); err != nil {
			return err
		}
		files = append(files, path)
	}
	list := programs()
	if only != "" {
		names := strings.Split(only, ",")
		list = slices.Concat(list[:1], slices.DeleteFunc(list[1:], func(p program) bool { return !slices.Contains(names, p.name) }))
		if len(list) != 1+len(names) {
			return fmt.Errorf("-only: got %q, want names of programs", only)
		}
	}
	for i := range list {
		p := &list[i]
		if err := p.compile(ctx, dir, flags); err != nil {
			return err
		}
		start := time.Now()
		for _, file := range files {
			if err := p.study(ctx, file, strings.TrimSuffix(file, ".yaml")+"-"+p.name); err != nil {
				return err
			}
		}
		count := 0
		for _, file := range files {
			study := strings.TrimSuffix(file, ".yaml") + "-"
			n, err := same(study+list[0].name, study+p.name)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", p.name, filepath.Base(file), err)
			}
			count += n
		}
		fmt.Printf("%-18s the same %d runs, %.0f s\n", p.name, count, time.Since(start).Seconds())
	}
	return mixed(ctx, &list[0], &list[len(list)-1], files[0])
}

// study computes a study into out, with its analysis.
func (p *program) study(ctx context.Context, file, out string) error {
	if _, err := p.run(ctx, "run", file, "--out", out, "--no-report"); err != nil {
		return err
	}
	text, err := p.run(ctx, "analyze", out, "--json")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "analysis.json"), text, 0o666)
}

// mixed computes the depths of a study by two programs and wants the merged one to be that of the first.
func mixed(ctx context.Context, a, b *program, file string) error {
	whole := strings.TrimSuffix(file, ".yaml")
	half, other, merged := whole+"-half", whole+"-other", whole+"-merged"
	if _, err := a.run(ctx, "run", file, "--out", half, "--no-report", "--only", "depth == 4"); err != nil {
		return err
	}
	if _, err := b.run(ctx, "run", file, "--out", other, "--no-report", "--only", "depth != 4"); err != nil {
		return err
	}
	if _, err := a.run(ctx, "merge", merged, half, other); err != nil {
		return err
	}
	text, err := a.run(ctx, "analyze", merged, "--json")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(merged, "analysis.json"), text, 0o666); err != nil {
		return err
	}
	n, err := same(whole+"-"+a.name, merged)
	if err != nil {
		return fmt.Errorf("merged of %s and %s: %w", a.name, b.name, err)
	}
	fmt.Printf("%s and %s, merged: the same %d runs\n", a.name, b.name, n)
	return nil
}

// same compares two studies and returns how many runs they have: every byte but those that tell time and machine.
func same(want, got string) (int, error) {
	folders, err := runfolder.List(want)
	if err != nil {
		return 0, err
	}
	if others, err := runfolder.List(got); err != nil || len(others) != len(folders) {
		return 0, fmt.Errorf("got %d runs, want %d (%w)", len(others), len(folders), err)
	}
	for _, folder := range folders {
		a, err := resultOf(folder)
		if err != nil {
			return 0, err
		}
		b, err := resultOf(runfolder.RunDir(got, a.Meta.ID))
		if err != nil {
			return 0, err
		}
		if d := diff.Diff(a, b); d != "" {
			return 0, fmt.Errorf("%s (-want +got)\n%.4000s", a.Meta.ID, d)
		}
	}
	a, err := analysisOf(want)
	if err != nil {
		return 0, err
	}
	b, err := analysisOf(got)
	if err != nil {
		return 0, err
	}
	if d := diff.Diff(a, b); d != "" {
		return 0, fmt.Errorf("analysis (-want +got)\n%.4000s", d)
	}
	return len(folders), nil
}

// A result is what a run holds, without times and machine.
type result struct {
	Meta    runfolder.Meta
	Summary runfolder.Summary
	Rows    string            // of the trace, as numbers that are not finite differ from themselves
	Files   map[string][]byte // but run.json, result.json, trace.parquet
}

func resultOf(folder string) (result, error) {
	if err := runfolder.Verify(folder); err != nil {
		return result{}, err
	}
	run, err := runfolder.Open(folder)
	if err != nil {
		return result{}, err
	}
	r := result{Meta: run.Meta, Summary: *run.Summary, Files: map[string][]byte{}}
	rows, err := run.Trace()
	if err != nil {
		return result{}, err
	}
	for i := range rows {
		rows[i].Seconds = 0
		text, err := json.Marshal(rows[i])
		if err != nil {
			return result{}, err
		}
		r.Rows += string(text) + "\n"
	}
	for name := range run.Summary.SHA256 {
		if name != "run.json" && name != "trace.parquet" {
			var failed error
			r.Files[name], failed = os.ReadFile(filepath.Join(folder, name))
			err = errors.Join(err, failed)
		}
	}
	r.Meta.Start, r.Meta.End, r.Meta.Environment = time.Time{}, time.Time{}, nil
	r.Summary.Seconds, r.Summary.Checksum, r.Summary.SHA256 = 0, "", nil
	return r, err
}

// analysisOf reads what analyze printed, without times.
func analysisOf(study string) (any, error) {
	text, err := os.ReadFile(filepath.Join(study, "analysis.json"))
	if err != nil {
		return nil, err
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, fmt.Errorf("%s: %w", study, err)
	}
	withoutTimes(v)
	return v, nil
}

// withoutTimes removes fields that tell time, machine or folder.
func withoutTimes(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range []string{"seconds", "study", "dir", "start", "end", "environment"} {
			delete(v, key)
		}
		for _, inner := range v {
			withoutTimes(inner)
		}
	case []any:
		for _, inner := range v {
			withoutTimes(inner)
		}
	}
}
