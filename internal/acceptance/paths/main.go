// Command paths checks the studies of examples/paths against what the theory of
// scaling limits expects of them, and exits 1 if a number is off:
//
//	paths RUNS   where RUNS holds the study folders paths-noise, paths-smooth,
//	             paths-rough, paths-relu and paths-transfer
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/deeplimit/deeplimit/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: paths RUNS")
		os.Exit(2)
	}
	c := checker{runs: os.Args[1]}
	c.noise()
	c.smooth()
	c.rough()
	c.relu()
	c.transfer()
	if c.off > 0 {
		fmt.Printf("\n%d numbers are off\n", c.off)
		os.Exit(1)
	}
}

// checker prints numbers beside the bounds they must hold to and counts those off.
type checker struct {
	runs string
	off  int
}

// groups analyses a study and prints its name.
func (c *checker) groups(study string) []analyze.Group {
	result, err := analyze.Study(context.Background(), filepath.Join(c.runs, study), analyze.Options{})
	if err == nil && (len(result.Groups) == 0 || len(result.Unfinished) > 0) {
		err = fmt.Errorf("%s: the study has %d groups and %d unfinished runs", study, len(result.Groups), len(result.Unfinished))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Printf("\n%s\n", study)
	return result.Groups
}

func (c *checker) line(ok bool, name, got, want string) {
	verdict := "ok"
	if !ok {
		verdict = "OFF"
		c.off++
	}
	fmt.Printf("%-4s %-35s %-28s want %s\n", verdict, name, got, want)
}

// slope holds a slope, not its interval, to a range.
func (c *checker) slope(name string, s *analyze.Slope, low, high float64) {
	want := fmt.Sprintf("in [%g, %g]", low, high)
	if s == nil || s.Method == "" {
		c.line(false, name, "none", want)
		return
	}
	c.line(low <= s.Slope && s.Slope <= high, name, fmt.Sprintf("%.4f [%.4f, %.4f]", s.Slope, s.Low, s.High), want)
}

// index holds the interval of a variation index to containing a number.
func (c *checker) index(x *analyze.Index, want float64) {
	const name = "variation index"
	if x == nil {
		c.line(false, name, "none", "an interval")
		return
	}
	holds := x.Low <= want && (x.High == nil || want <= *x.High)
	c.line(holds, name, x.String(), fmt.Sprintf("an interval that contains %.4g", want))
}

func (c *checker) regime(r *analyze.Regime, want scaling.Kind) {
	if r == nil {
		c.line(false, "regime", "none", string(want))
		return
	}
	c.line(r.Verdict == want, "regime", string(r.Verdict), string(want))
	fmt.Printf("     %s\n", r.Reason)
	if r.Warning != "" {
		fmt.Printf("     %s\n", r.Warning)
	}
}

// of returns a slope of a map, nil if it is not there.
func of(slopes map[string]analyze.Slope, key string) *analyze.Slope {
	if s, ok := slopes[key]; ok {
		return &s
	}
	return nil
}

func (c *checker) noise() {
	for _, g := range c.groups("paths-noise") {
		c.slope("slope of V_1", of(g.VariationSlope, "1"), 0.45, 0.55)
		c.slope("slope of V_2", of(g.VariationSlope, "2"), -0.05, 0.05)
		c.slope("slope of V_1 of the displacement", of(g.Exponents, "displacement_variation"), -0.15, 0.05)
		c.index(g.VariationIndex, 2)
		c.regime(g.Regime, scaling.Diffusive)
	}
}

func (c *checker) smooth() {
	for _, g := range c.groups("paths-smooth") {
		c.slope("slope of V_1", of(g.VariationSlope, "1"), -0.05, 0.05)
		// Its interval is that over seeds, which agree to four digits; what is left of
		// the smallest depths' bend is larger.
		if x := g.VariationIndex; x == nil {
			c.line(false, "variation index", "none", "1 to within 0.01")
		} else {
			c.line(x.Index <= 1.01, "variation index", x.String(), "1 to within 0.01")
		}
		c.regime(g.Regime, scaling.Smooth)
		c.slope("slope of the integral distance", g.Limit.Integral, -1.1, -0.9)
	}
}

func (c *checker) rough() {
	for _, g := range c.groups("paths-rough") {
		c.index(g.VariationIndex, 1/0.3)
		c.regime(g.Regime, scaling.RoughContinuous)
	}
}

// relu prints what there is; nothing is expected.
func (c *checker) relu() {
	for _, g := range c.groups("paths-relu") {
		for _, name := range []string{"delta", "max_frobenius", "displacement_variation"} {
			if s := of(g.Exponents, name); s != nil {
				fmt.Printf("     slope of %-25s %.4f [%.4f, %.4f]\n", name, s.Slope, s.Low, s.High)
			}
		}
		if g.VariationIndex != nil {
			fmt.Printf("     variation index %s\n", g.VariationIndex)
		}
		if g.Regime != nil {
			fmt.Printf("     regime %s: %s\n", g.Regime.Verdict, g.Regime.Reason)
		}
	}
}

// transfer holds the excess losses of rebuilt networks to falling like L^−2. Without
// noise that the depths share, only the trend is expected to: descent has balanced
// the noise of each depth apart.
func (c *checker) transfer() {
	for _, g := range c.groups("paths-transfer") {
		fmt.Printf("     initial weights coupled: %v\n", g.Coupled)
		if g.Transfer == nil {
			c.line(false, "transfer", "none", "deeplimit transfer called before")
			continue
		}
		c.slope("excess loss of the trend", g.Transfer.Trend, -2.5, -1.5)
		if g.Coupled {
			c.slope("excess loss with redrawn weights", g.Transfer.Redrawn, -2.1, -1.9)
			c.slope("slope of the integral distance", g.Limit.Integral, -1.1, -0.9)
			c.slope("slope of the displacements' distance", g.Limit.Displacement, -1.1, -0.9)
		}
	}
}
