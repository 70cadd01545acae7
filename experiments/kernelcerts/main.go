// Command kernelcerts measures kernel certificates on real data: after Levenberg–Marquardt steps for every block, depth,
// number of samples and α, and after plain gradient descent. It prints the tables of docs/kernel-certificates.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/tangent"
)

var (
	most  = flag.Int("cost", 20_000, "the most samples × outputs × depth of a cell")
	least = flag.Int("from", 0, "cells of at most that many are left out, as they were run before")
	steps = flag.Int("descent", 200_000, "steps of plain gradient descent, 0 for none")
	out   = flag.String("out", "", "the file to write; default standard output")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kernelcerts:", err)
		os.Exit(1)
	}
}

func run() error {
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return fmt.Errorf("git describe: %w", err)
	}
	var w strings.Builder
	fmt.Fprint(&w, `# Kernel certificates on real data

For whoever wants to know when a certificate from the tangent kernel can be had: measured by `+"`make kernel-certificates`"+`
([certificates.md](certificates.md), sections 12 to 16). `)
	fmt.Fprintf(&w, "All rows come from one call of one build: commit %s, %s, `kernelcerts -cost %d -descent %d`.\n", strings.TrimSpace(string(commit)), runtime.Version(), *most, *steps)
	fmt.Fprint(&w, `Networks have tanh and bias, A ~ N(0,1)/√d (twice that at α = 1), b ~ N(0,1)/2, one seed.

Each cell: Levenberg–Marquardt steps until the loss is at most 1e-30 or rounding alone; λ_min; λ_max/λ_min; **loss needed**, the largest at which descent is
certified with this kernel and these bounds; whether zero and descent are issued at the end, and whether with all rounding bounded.

`)
	left := ""
	for _, set := range []string{"diabetes", "digits"} {
		if left, err = newtonTable(&w, set, left); err != nil {
			return err
		}
	}
	if left != "" {
		fmt.Fprintf(&w, "Not run, for every block and α, as they cost more than %d samples × outputs × depth or at most %d (`make kernel-certificates COST=300000` runs all): %s.\n\n", *most, *least, left)
	}
	if *steps > 0 {
		if err := descents(&w); err != nil {
			return err
		}
	}
	if *out == "" {
		_, err := fmt.Print(w.String())
		return err
	}
	return os.WriteFile(*out, []byte(w.String()), 0o666)
}

var depths, sampleCounts = []int{16, 64, 256}, []int{50, 100, 200}

// outputs returns the number of outputs of a data set.
func outputs(set string) int {
	if set == "digits" {
		return 10
	}
	return 1
}

// newtonTable writes the cells of a data set that are run, and appends those that are not to left.
func newtonTable(w io.Writer, set, left string) (string, error) {
	header := fmt.Sprintf("| %s: L, block, α | N = 50 | 100 | 200 |\n|---|---|---|---|\n", set)
	end := ""
	for _, depth := range depths {
		var missing []string
		for _, samples := range sampleCounts {
			if !chosen(set, depth, samples) {
				missing = append(missing, fmt.Sprint(samples))
			}
		}
		if len(missing) > 0 {
			if left != "" {
				left += "; "
			}
			left += fmt.Sprintf("%s at L = %d with N = %s", set, depth, strings.Join(missing, ", "))
		}
		if len(missing) == len(sampleCounts) {
			continue
		}
		for _, block := range []string{"inner", "outer", "mlp"} {
			for _, alpha := range []float64{0.5, 1} {
				row := fmt.Sprintf("| %d %s, %g |", depth, block, alpha)
				for _, samples := range sampleCounts {
					text, err := afterNewton(set, depth, block, alpha, samples)
					if err != nil {
						return left, err
					}
					row += " " + text + " |"
				}
				fmt.Fprintln(os.Stderr, set, row)
				fmt.Fprintln(w, header+row)
				header, end = "", "\n"
			}
		}
	}
	_, err := io.WriteString(w, end)
	return left, err
}

// chosen says whether a cell is run.
func chosen(set string, depth, samples int) bool {
	cost := samples * outputs(set) * depth
	return cost > *least && cost <= *most
}

// open returns the model of a cell at its initial weights, which it may move.
func open(set string, depth int, block string, alpha float64, samples int) (m *tangent.Model, theta []float64, err error) {
	width := map[string]float64{"diabetes": 10, "digits": 64}[set]
	amplitude := 1 / math.Sqrt(width)
	if alpha == 1 {
		amplitude *= 2
	}
	bias := "b: {kind: normal, amplitude: 0.5, exponent: 0}"
	if block == "mlp" {
		bias += ", c: {kind: normal, amplitude: 0.5, exponent: 0}"
	}
	text := fmt.Sprintf("name: cell\ndepths: [%d]\ndata: {kind: %s, samples: %d}\nnetwork: {block: %s, bias: true, alpha: %g}\n"+
		"initial: {kind: normal, amplitude: %v, exponent: 0, parts: {%s}}\n", depth, set, samples, block, alpha, amplitude, bias)
	s, err := study.Parse("cell.yaml", []byte(text), nil)
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.New(s)
	if err != nil {
		return nil, nil, err
	}
	problem := p.Problem(&p.Runs[0])
	if theta, err = plan.Initial[float64](problem); err != nil {
		return nil, nil, err
	}
	m, err = tangent.New(problem.Network, theta, problem.Samples.X, problem.Samples.Y, runtime.GOMAXPROCS(0))
	return m, theta, err
}

// afterNewton returns a cell of the first table, – where it costs too much.
func afterNewton(set string, depth int, block string, alpha float64, samples int) (string, error) {
	if !chosen(set, depth, samples) {
		return "–", nil
	}
	m, theta, err := open(set, depth, block, alpha, samples)
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	made, _, err := m.Polish(ctx, theta, 150, nil)
	if err != nil {
		return "", err
	}
	if m.Loss() > 1e-20 {
		return fmt.Sprintf("no zero in %d steps (J %.2g)", made, m.Loss()), nil
	}
	k, err := m.Prove(ctx, tangent.Options{})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d; %.0e; %.0e; **%s**; %s", made, *k.LambdaMin, *k.LambdaMax / *k.LambdaMin, needed(k), issued(k)), nil
}

func needed(k *certify.Kernel) string {
	if k.LossNeeded == nil {
		return "–"
	}
	return fmt.Sprintf("%.0e", *k.LossNeeded)
}

// issued names the statements that are.
func issued(k *certify.Kernel) string {
	text := "none"
	switch {
	case k.Zero.Issued && k.Descent.Issued:
		text = "both"
	case k.Zero.Issued:
		text = "zero"
	}
	return text + ", " + k.Rounding
}

// descents writes the table of plain gradient descent.
func descents(w io.Writer) error {
	fmt.Fprint(w, `After plain gradient descent from the random start (α = ½, η = N/λ_max of the start, certificate tried at each tenfold fall of
J, and at the last step). "certified / observed" is 1 − factor of one step, the second over the last of 300 further steps; l / distance compares the certified
distance with that of the zero that Newton steps find.

| data | L, block | steps | J | certified / observed | l / distance |
|---|---|---|---|---|---|
`)
	for _, c := range []struct {
		block          string
		depth, samples int
	}{{"inner", 16, 50}, {"outer", 16, 50}, {"mlp", 16, 50}, {"inner", 64, 50}, {"inner", 16, 100}, {"inner", 16, 200}} {
		row, err := afterDescent(c.block, c.depth, c.samples)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("| diabetes, N = %d | %d %s | %s |", c.samples, c.depth, c.block, row)
		fmt.Fprintln(os.Stderr, text)
		fmt.Fprintln(w, text)
	}
	return nil
}

// afterDescent returns what stands right of a cell's name.
func afterDescent(block string, depth, samples int) (string, error) {
	m, theta, err := open("diabetes", depth, block, 0.5, samples)
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	first, err := m.Prove(ctx, tangent.Options{Bound: tangent.Cheap})
	if err != nil {
		return "", err
	}
	eta := float64(samples) / *first.LambdaMax
	move := func(grad []float64) {
		m.Pull(grad, m.Residual())
		for i, g := range grad {
			theta[i] -= eta / float64(samples) * g
		}
		m.Move(theta)
	}
	grad := make([]float64, m.Trained())
	try := 1e-8
	for t := range *steps {
		move(grad)
		if m.Loss() > try {
			continue
		}
		try = m.Loss() / 10
		k, err := m.Prove(ctx, tangent.Options{})
		if err != nil {
			return "", err
		}
		if k.Descent.Issued {
			return describe(ctx, m, theta, t+1, k, grad)
		}
	}
	k, err := m.Prove(ctx, tangent.Options{})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d | %.0e | not issued: loss needed %s | – |", *steps, m.Loss(), needed(k)), nil
}

// describe compares the certificate with what comes.
func describe(ctx context.Context, m *tangent.Model, theta []float64, t int, k *certify.Kernel, grad []float64) (string, error) {
	at := slices.Clone(theta)
	_, moved, err := m.Polish(ctx, at, 50, nil)
	if err != nil {
		return "", err
	}
	m.Move(theta)
	eta := *k.Descent.Step
	factor := 0.0
	for range 300 {
		before := m.Loss()
		m.Pull(grad, m.Residual())
		for i, g := range grad {
			theta[i] -= eta / float64(len(m.Residual())) * g
		}
		m.Move(theta)
		factor = m.Loss() / before
	}
	return fmt.Sprintf("%d | %.0e | %.1e / %.1e | %.2e / %.2e", t, k.Loss, 1-*k.Descent.LossFactor, 1-factor, *k.Zero.Distance, moved), nil
}
