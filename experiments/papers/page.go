package papers

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// rule is the text on verdicts; Range.Judge is the code of it.
const rule = `A claim is a range of numbers. Where theory gives an exponent for infinite depth, the range is that
number ± 0.05 unless the claim says otherwise, for what finitely many layers bend. The interval is the 95 %
interval of the exponent of the limit where the claim has one ([statistics](statistics.md)): its note then has the slope "over these depths". Elsewhere it is that of the slope
over seeds (Student's t; over the points of the regression where there is one seed). What is claimed of
every seed is the share of seeds of which it holds at all depths, wanted 0.95 or more, with the interval of Clopper and Pearson: it takes 72
seeds that all do to tell, 100 are the rule where they can be had; a run that cannot answer counts as a miss below and as a hit above. Numbers that are exact for these runs, such as a verdict
on the regime, stand without an interval and are their own ends.

- **reproduced**: the interval lies inside the range;
- **not reproduced**: it lies outside;
- **cannot tell**: it does both in part, or there is none.
`

// A printer remembers the first error of writing.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// WritePage writes docs/papers.md from a record. Experiments that it does not hold are
// named as not run.
func WritePage(w io.Writer, record Record) error {
	p := &printer{w: w}
	p.print("# The papers, reproduced\n\n")
	p.print("Written by `make papers`; every number comes from the run folders of the commands shown. One experiment alone:\n`make papers STUDY=limit`. Times are those of one run on a machine with other work beside it,\nand no measure of speed.\n\n%s\n", rule)
	p.print("| experiment | from | reproduced | not reproduced | cannot tell | time |\n|---|---|---|---|---|---|\n")
	for _, e := range Experiments() {
		out, ok := record[e.Name]
		if !ok {
			p.print("| %s | %s | not run yet | | | |\n", e.Title, e.Source)
			continue
		}
		count := out.count()
		p.print("| [%s](#%s) | %s | %d | %d | %d | %.0f s |\n", e.Title, e.Name, e.Source, count[Reproduced], count[NotReproduced], count[CannotTell], out.Seconds)
	}
	for _, e := range Experiments() {
		if out, ok := record[e.Name]; ok {
			p.section(&e, out)
		}
	}
	p.provenance(record)
	p.references()
	return p.err
}

func (o Outcome) count() map[Verdict]int {
	count := map[Verdict]int{}
	for _, j := range o.Claims {
		count[j.Verdict]++
	}
	return count
}

// section writes one experiment.
func (p *printer) section(e *Experiment, out Outcome) {
	p.print("\n## %s\n\n**%s.** From: %s.\n\n%s\n\n", e.Name, e.Title, e.Source, strings.TrimSpace(e.Setup))
	for _, step := range e.Steps {
		p.print("    deeplimit %s\n", step.text(fullRuns, false))
	}
	p.print("\n%.0f s on %d cores.\n\n", out.Seconds, out.Cores)
	var columns, rows []Claim
	for _, claim := range e.Claims {
		if claim.Column == "" {
			rows = append(rows, claim)
		} else {
			columns = append(columns, claim)
		}
	}
	if len(columns) > 0 {
		p.folded(columns, out)
	}
	if len(columns) > 0 && len(rows) > 0 {
		p.print("\n")
	}
	if len(rows) > 0 {
		p.rows(rows, out)
	}
	for _, f := range out.Figures {
		p.print("\n![%s](figures/papers/%s)\n\n*%s.* %s\n", unbracketed.Replace(f.Alt), f.File, f.Title, f.Caption)
	}
}

// rows writes a row for each claim and case.
func (p *printer) rows(claims []Claim, out Outcome) {
	p.print("| claim | from | case | wanted | measured | verdict |\n|---|---|---|---|---|---|\n")
	for _, claim := range claims {
		text, source := claim.Text, claim.Source
		for _, j := range out.Claims {
			if j.Key != claim.Key {
				continue
			}
			measured := j.interval()
			if j.Note != "" {
				measured += "; " + j.Note
			}
			p.print("| %s | %s | %s | %s | %s | %s |\n", text, source, cellText(j.Case), j.Want, cellText(measured), j.Verdict.bold())
			text, source = "", "" // once for all cases
		}
	}
}

// bold sets off what is not as claimed.
func (v Verdict) bold() string {
	if v == Reproduced {
		return string(v)
	}
	return "**" + string(v) + "**"
}

// unbracketed keeps text inside the brackets of a link.
var unbracketed = strings.NewReplacer("[", "(", "]", ")")

// cellText keeps text inside its cell of a table.
func cellText(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

// interval returns "1.02 [0.98, 1.06]", the value alone when it is exact, "none" when
// there is no number. A record has no infinite ends: one that it lacks beside another is infinite.
func (j Judged) interval() string {
	value, low, high := float64(j.Value), float64(j.Low), float64(j.High)
	noLow, noHigh := math.IsNaN(low) || math.IsInf(low, 0), math.IsNaN(high) || math.IsInf(high, 0)
	switch {
	case math.IsNaN(value):
		return "none"
	case noLow && noHigh:
		return digits(value) + ", no interval"
	case low == high:
		return digits(value)
	case noHigh:
		return fmt.Sprintf("%s [%s, ∞)", digits(value), digits(low))
	case noLow:
		return fmt.Sprintf("%s (−∞, %s]", digits(value), digits(high))
	}
	return fmt.Sprintf("%s [%s, %s]", digits(value), digits(low), digits(high))
}

// seedsText returns "1 to 400" for consecutive seeds and lists others.
func seedsText(seeds []uint64) string {
	for i := range seeds {
		if seeds[i] != seeds[0]+uint64(i) || len(seeds) < 3 {
			return strings.Trim(fmt.Sprint(seeds), "[]")
		}
	}
	if len(seeds) == 0 {
		return ""
	}
	return fmt.Sprintf("%d to %d", seeds[0], seeds[len(seeds)-1])
}

// provenance says what was run: a hash for each study file, its seeds and the program.
func (p *printer) provenance(record Record) {
	p.print("\n## What was run\n\n| study file | SHA-256 | seeds | program |\n|---|---|---|---|\n")
	for _, e := range Experiments() {
		for _, f := range record[e.Name].Studies {
			p.print("| [%s](../%s) | `%.16s…` | %s | %s |\n", f.Path, f.Path, f.SHA256, seedsText(f.Seeds), cellText(record[e.Name].Version))
		}
	}
}

// references lists the papers that sources cite.
func (p *printer) references() {
	p.print(`
## References

- [CRX] Cont, Rossier, Xu, *Convergence and Implicit Regularization Properties of Gradient Descent for Deep Residual Networks*, [arXiv 2204.07261](https://arxiv.org/abs/2204.07261) (v4).
- [CCRX] Cohen, Cont, Rossier, Xu, *Scaling Properties of Deep Residual Networks*, ICML 2021, [arXiv 2105.12245](https://arxiv.org/abs/2105.12245).
- [MFBV] Marion, Fermanian, Biau, Vert, *Scaling ResNets in the Large-depth Regime*, JMLR 2025, [arXiv 2206.06929](https://arxiv.org/abs/2206.06929).
- [MWSB] Marion, Wu, Sander, Biau, *Implicit Regularization of Deep Residual Networks towards Neural ODEs*, [arXiv 2309.01213](https://arxiv.org/abs/2309.01213).
- [BFT] Bayer, Friz, Tapia, *Stability of Deep Neural Networks via Discrete Rough Paths*, [arXiv 2201.07566](https://arxiv.org/abs/2201.07566).
- [YYZH] Yang, Yu, Zhu, Hayou, *Tensor Programs VI: Feature Learning in Infinite-Depth Neural Networks*, [arXiv 2310.02244](https://arxiv.org/abs/2310.02244).
- [BNLHP] Bordelon, Noci, Li, Hanin, Pehlevan, *Depthwise Hyperparameter Transfer in Residual Networks*, [arXiv 2309.16620](https://arxiv.org/abs/2309.16620).
- [DZN] Dey et al., *Don't be lazy: CompleteP enables compute-efficient deep transformers*, [arXiv 2505.01618](https://arxiv.org/abs/2505.01618).
- [C] Chizat, *The Hidden Width of Deep ResNets*, [arXiv 2509.10167](https://arxiv.org/abs/2509.10167).
`)
}
