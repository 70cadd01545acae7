// Instructions counts the instructions of kernels of arm64 beside those of AVX2, which take twice as many numbers at a time: the measure of
// speed that QEMU allows.
//
//	go run ./test/instructions
//
// It compiles itself for both processors, runs each function once under qemu-user, one instruction at a time, and counts those within assembly.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

func main() {
	if len(os.Args) == 6 {
		if err := call(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: instructions")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := compare(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "instructions:", err)
		os.Exit(1)
	}
}

// functions are what is counted; products take width² times columns multiply-adds, the others width times columns numbers. Forward and Backward
// are those of a layer.
var functions = []struct {
	name    string
	product bool
}{{"Affine", true}, {"AddTransposed", true}, {"AddOuter", true}, {"ScaleMulSlope", false}, {"Tanh", false}, {"GELU", false}, {"Forward", true}, {"Backward", true}}

// shapes are widths and columns of a tile.
var shapes = [][2]int{{64, 64}, {10, 16}}

// call runs a function once: its arguments are tier, element type, function, width and columns.
func call(args []string) error {
	if err := kernel.SetTier(args[0]); err != nil {
		return err
	}
	d, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[4])
	if err != nil {
		return err
	}
	if args[1] == "float32" {
		return once[float32](args[2], d, n)
	}
	return once[float64](args[2], d, n)
}

func once[T kernel.Float](name string, d, n int) error {
	ops := kernel.For[T]()
	w, h, z, e := make([]T, d*d), make([]T, d*n), make([]T, d*n), make([]T, d*n)
	for i := range h {
		h[i] = T(i%7-3) / 8
	}
	switch name {
	case "Affine":
		ops.Affine(z, w, h, nil, d, d, n)
	case "AddTransposed":
		ops.AddTransposed(z, w, h, d, d, n)
	case "AddOuter":
		ops.AddOuter(w, h, e, d, d, n, make([]T, kernel.OuterScratch(d, d, n)))
	case "ScaleMulSlope":
		ops.ScaleMulSlope(z, 0.5, e, h)
	case "Tanh":
		ops.ActivateAdd(kernel.TanhValue, z, e, h, h, 0.5)
	case "GELU":
		ops.ActivateAdd(kernel.GELU, z, e, h, h, 0.5)
	case "Forward":
		ops.Forward(kernel.TanhValue, z, e, w, nil, h, 0.5, d, n, 1, d*n, d*n)
	case "Backward":
		ops.Backward(kernel.TanhValue, make([]T, d*d), nil, z, e, w, h, h, 0.5, d, n, 1, true, false, make([]T, kernel.OuterScratch(d, d, n)))
	default:
		return fmt.Errorf("no function %q", name)
	}
	return nil
}

// A processor is one of which instructions are counted.
type processor struct {
	arch, tier, suffix string   // suffix of the functions in assembly
	emulator           []string // and its options
	path               string
	first, end         uint64 // of the functions in assembly
}

func compare(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "instructions-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	neon := &processor{arch: "arm64", tier: "neon", suffix: "NEON", emulator: []string{"qemu-aarch64-static"}}
	avx2 := &processor{arch: "amd64", tier: "avx2", suffix: "AVX2", emulator: []string{"qemu-x86_64-static", "-cpu", "max"}}
	for _, p := range []*processor{neon, avx2} {
		if err := p.compile(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", p.arch, err)
		}
	}
	fmt.Println("| width × columns | element | function | neon | avx2 | ratio | neon for each |\n|---|---|---|---|---|---|---|")
	for _, shape := range shapes {
		for _, element := range []string{"float32", "float64"} {
			for _, f := range functions {
				work := float64(shape[0] * shape[1])
				if f.product {
					work *= float64(shape[0])
				}
				args := []string{element, f.name, strconv.Itoa(shape[0]), strconv.Itoa(shape[1])}
				a, err := neon.count(ctx, dir, args)
				if err != nil {
					return err
				}
				b, err := avx2.count(ctx, dir, args)
				if err != nil {
					return err
				}
				fmt.Printf("| %d × %d | %s | %s | %d | %d | %.2f | %.2f |\n", shape[0], shape[1], element, f.name, a, b, float64(a)/float64(b), float64(a)/work)
			}
		}
	}
	return nil
}

// compile builds this program and finds where its assembly is.
func (p *processor) compile(ctx context.Context, dir string) error {
	p.path = filepath.Join(dir, p.arch)
	build := exec.CommandContext(ctx, "go", "build", "-o", p.path, "./test/instructions")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+p.arch)
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	text, err := exec.CommandContext(ctx, "go", "tool", "nm", "-n", "-size", p.path).Output()
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.Contains(f[3], p.suffix+"F32.abi0") && !strings.Contains(f[3], p.suffix+"F64.abi0") {
			continue
		}
		address, err := strconv.ParseUint(f[0], 16, 64)
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(f[1], 10, 64)
		if err != nil {
			return err
		}
		if p.first == 0 {
			p.first = address
		}
		p.end = address + size
	}
	if p.end == 0 {
		return fmt.Errorf("no function in assembly of %s", p.tier)
	}
	return nil
}

// count runs a call and counts the instructions within assembly, of which the emulator writes a line each.
func (p *processor) count(ctx context.Context, dir string, args []string) (int, error) {
	trace := filepath.Join(dir, "trace")
	options := []string{"-singlestep", "-d", "exec,nochain", "-dfilter", fmt.Sprintf("%#x..%#x", p.first, p.end), "-D", trace, p.path, p.tier}
	command := append(append(p.emulator[:len(p.emulator):len(p.emulator)], options...), args...)
	if text, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, text)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		return 0, err
	}
	count := 0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		// Trace 0: 0x7f.. [00000000/0000000000b4d00/0x..] ...
		f := strings.Split(lines.Text(), "/")
		if len(f) < 2 || !strings.HasPrefix(f[0], "Trace") {
			continue
		}
		at, err := strconv.ParseUint(f[1], 16, 64)
		if err != nil {
			return 0, fmt.Errorf("trace: got %q, want an address between slashes", lines.Text())
		}
		if p.first <= at && at < p.end {
			count++
		}
	}
	if count == 0 {
		return 0, fmt.Errorf("no instruction traced in %s", strings.Join(command, " "))
	}
	return count, nil
}
