// Command acceptance checks that the folder of the quickstart study shows what the
// README promises: on the separated set α + β̂ within 0.05 of 1, slope of V_2 within
// 0.1 of 0 and of V_1 within 0.1 of 1/2, every linear rate with R² ≥ 0.99. It prints
// each number and exits 1 if one is off.
package main

import (
	"context"
	"fmt"
	"math"
	"os"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: acceptance DIR")
		os.Exit(2)
	}
	result, err := analyze.Study(context.Background(), os.Args[1], analyze.Options{Workers: 1})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !accept(result) {
		os.Exit(1)
	}
}

// accept prints every promised number and says whether all hold.
func accept(result *analyze.Result) bool {
	good, found := true, false
	check := func(name string, got, want, tolerance float64) {
		verdict := "ok"
		if !(math.Abs(got-want) <= tolerance) {
			verdict, good = "OFF", false
		}
		fmt.Printf("%-4s %-24s %8.4f, want %g ± %g\n", verdict, name, got, want, tolerance)
	}
	for _, g := range result.Groups {
		if g.Data != "separated" {
			continue
		}
		found = true
		if g.AlphaPlusBeta == nil || g.Rate == nil {
			fmt.Println("OFF  the separated set has no exponents or no rates")
			return false
		}
		check("alpha + beta", g.AlphaPlusBeta.Value, 1, 0.05)
		check("slope of V_1", g.VariationSlope["1"].Slope, 0.5, 0.1)
		check("slope of V_2", g.VariationSlope["2"].Slope, 0, 0.1)
		check("smallest R² of a rate", g.Rate.MinR2, 1, 0.01)
	}
	for _, r := range result.Runs {
		if r.Data == "separated" && r.Rate == nil {
			fmt.Printf("OFF  run %s has no rate\n", r.ID)
			good = false
		}
	}
	return good && found
}
