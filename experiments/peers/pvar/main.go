// Command pvar times package pvar beside the public C++ code khumarahn/p-var, of which the user names a checkout:
//
//	go run ./experiments/peers/pvar -peer p-var
//
// Both get the same paths and must find the same V_p. They are timed in turns; a row has the medians and their ratios,
// with one core and with all. The peer is built with -O3 -march=native -ffast-math.
package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/deeplimit/deeplimit/pvar"
)

//go:embed peer/peer.cpp
var source []byte

// A path is one to time, with its exponents.
type path struct {
	name   string
	points pvar.Points
	ps     []float64
}

func main() {
	peer := flag.String("peer", "", "checkout of khumarahn/p-var")
	rounds := flag.Int("rounds", 7, "times that each program computes each V_p")
	flag.Parse()
	if err := run(*peer, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "pvar:", err)
		os.Exit(1)
	}
}

func run(peer string, rounds int) error {
	if _, err := os.Stat(filepath.Join(peer, "p_var.h")); peer == "" || err != nil {
		return fmt.Errorf("-peer: got %q, want a checkout of khumarahn/p-var (git clone it from GitHub), with p_var.h", peer)
	}
	if rounds < 1 {
		return fmt.Errorf("-rounds: got %d, want at least 1", rounds)
	}
	dir, err := os.MkdirTemp("", "pvar")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cores := runtime.NumCPU()
	fmt.Printf("| path | p | p-var | deeplimit, 1 core | ratio | deeplimit, %d cores | ratio |\n|---|---|---|---|---|---|---|\n", cores)
	for _, x := range paths() {
		program, err := build(dir, peer, x.points.Dim)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, "path")
		if err := save(file, x.points.Data); err != nil {
			return err
		}
		for _, p := range x.ps {
			if err := compare(program, file, x, p, rounds, cores); err != nil {
				return fmt.Errorf("%s, p = %v: %w", x.name, p, err)
			}
		}
	}
	return nil
}

// paths returns Brownian paths in several dimensions, and a smooth trend with layer noise.
func paths() []path {
	r := rand.New(rand.NewPCG(1, 1))
	walk := func(n, dim int) pvar.Points {
		x := pvar.Points{Dim: dim, Data: make([]float64, n*dim)}
		for i := dim; i < len(x.Data); i++ {
			x.Data[i] = x.Data[i-dim] + r.NormFloat64()/math.Sqrt(float64(n))
		}
		return x
	}
	trend := pvar.Points{Dim: 100, Data: make([]float64, 1e4*100)}
	for i := range trend.Data {
		at, entry := float64(i/100)/1e4, float64(i%100)
		trend.Data[i] = math.Sin(3*at+entry) + math.Cos(7*at-entry*entry) + r.NormFloat64()/100
	}
	return []path{
		{"Brownian, 10⁴ in R^100", walk(1e4, 100), []float64{1.5, 2, 2.2, 3}},
		{"trend and layer noise, 10⁴ in R^100", trend, []float64{1.5, 2, 3}},
		{"Brownian, 10⁵ in R^10", walk(1e5, 10), []float64{2}},
		{"Brownian, 10⁵ in R⁴", walk(1e5, 4), []float64{2}},
		{"Brownian, 10⁶ numbers", walk(1e6, 1), []float64{2}},
	}
}

// build compiles the peer for points of one dimension.
func build(dir, peer string, dim int) (string, error) {
	program, from := filepath.Join(dir, fmt.Sprintf("peer%d", dim)), filepath.Join(dir, "peer.cpp")
	if err := os.WriteFile(from, source, 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(context.Background(), "c++", "-std=c++20", "-O3", "-march=native", "-ffast-math", "-I", peer,
		fmt.Sprintf("-DDIM=%d", dim), from, "-o", program).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("c++: %w\n%s", err, out)
	}
	return program, nil
}

func save(file string, data []float64) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(binary.Write(f, binary.LittleEndian, data), f.Close())
}

// compare times both programs in turns and prints a row.
func compare(program, file string, x path, p float64, rounds, cores int) error {
	var theirs, one, all []float64
	for range rounds {
		out, err := exec.CommandContext(context.Background(), program, file, strconv.FormatFloat(p, 'g', -1, 64), "1").Output()
		if err != nil {
			return err
		}
		var value, seconds float64
		if _, err := fmt.Sscan(string(out), &value, &seconds); err != nil {
			return err
		}
		theirs = append(theirs, seconds)
		for _, ours := range []struct {
			to    *[]float64
			cores int
		}{{&one, 1}, {&all, cores}} {
			runtime.GOMAXPROCS(ours.cores)
			begun := time.Now()
			v, err := pvar.Compute(x.points, p)
			if err != nil {
				return err
			}
			*ours.to = append(*ours.to, time.Since(begun).Seconds())
			if !(math.Abs(v[0].Value-value) <= 1e-9*value) {
				return fmt.Errorf("got %v here and %v there", v[0].Value, value)
			}
		}
	}
	t, a, b := median(theirs), median(one), median(all)
	fmt.Printf("| %s | %v | %.1f ms | %.1f ms | %.2g× | %.1f ms | %.2g× |\n", x.name, p, 1e3*t, 1e3*a, t/a, 1e3*b, t/b)
	return nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}
