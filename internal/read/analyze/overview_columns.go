package analyze

import (
	"fmt"
	"math"
	"strconv"
)

// An OverviewColumn is one of an overview: what its cells show, and what rows are sorted by.
type OverviewColumn struct {
	Name  string // as --columns and --sort take it
	Title string // as a header shows it
	About string
	// Text returns a cell, brief with its interval left out; "" where the row has no such number.
	Text func(row *OverviewRow, brief bool) string
	// Order returns what rows are sorted by, best first; NaN where the row has none. It is nil for texts.
	Order func(row *OverviewRow) float64
	// Estimate returns the number of a row, nil for none; it is nil for texts. Size says that it is of any magnitude, as a loss.
	Estimate func(row *OverviewRow) *Estimate
	Size     bool

	must bool // whether the table is of no use without it
}

// overviewColumns are the columns of numbers, in the order that a table has them.
var overviewColumns = []OverviewColumn{
	{
		Name: "runs", Title: "runs", About: "finished runs; and how many diverged, or are without a result", must: true,
		Text:  func(row *OverviewRow, _ bool) string { return row.runsText() },
		Order: func(row *OverviewRow) float64 { return float64(row.Diverged + row.Unfinished) },
	},
	{
		Name: "depth", Title: "at L", About: "the greatest depth of a run that did not diverge: losses and accuracies are means over its seeds",
		Text: func(row *OverviewRow, _ bool) string {
			if row.Depth == 0 {
				return ""
			}
			return strconv.Itoa(row.Depth)
		},
		Order: func(row *OverviewRow) float64 { return float64(row.Depth) },
	},
	sizeColumn("loss", "loss", "loss at the end of training, the geometric mean over seeds", func(row *OverviewRow) *Estimate { return row.Loss }),
	sizeColumn("validation_loss", "validation loss", "of the validation set, likewise", func(row *OverviewRow) *Estimate { return row.Validation }),
	sizeColumn("test_loss", "test loss", "of the test set, likewise", func(row *OverviewRow) *Estimate { return row.TestLoss }),
	shareColumn("accuracy", "accuracy", "share of the samples in their class, the mean over seeds", func(row *OverviewRow) *Estimate { return row.Accuracy }),
	shareColumn("validation_accuracy", "validation acc.", "of the validation set, likewise", func(row *OverviewRow) *Estimate { return row.ValidAcc }),
	shareColumn("test_accuracy", "test acc.", "of the test set, likewise", func(row *OverviewRow) *Estimate { return row.TestAccuracy }),
	{
		Name: "limit", Title: "limit", About: "kind of limit that the weights have; open where none is settled",
		Text: func(row *OverviewRow, _ bool) string {
			if row.Verdict == "" {
				return "open"
			}
			return string(row.Verdict)
		},
	},
	exponentColumn("alpha_plus_beta", "α + β", "α and the exponent that the largest norm of a layer falls with", func(row *OverviewRow) *Estimate { return row.AlphaPlusBeta }),
	exponentColumn("variation_2", "V_2 exponent", "exponent of the 2-variation as L → ∞", func(row *OverviewRow) *Estimate { return row.Variation2 }),
	{
		Name: "rate", Title: "rate", About: "least and greatest ρ in J(t) ≈ C ρ^t of runs whose loss falls linearly, and how many do",
		Text: func(row *OverviewRow, _ bool) string { return row.rateText() },
		Order: func(row *OverviewRow) float64 {
			if row.Rate == nil || row.Rate.MaxRho == nil {
				return math.NaN()
			}
			return *row.Rate.MaxRho
		},
	},
	exponentColumn("index", "index", "variation index of the limit", func(row *OverviewRow) *Estimate { return row.Index }),
	exponentColumn("variation_1", "V_1 exponent", "exponent of the 1-variation as L → ∞", func(row *OverviewRow) *Estimate { return row.Variation1 }),
}

// estimateColumn returns one of an estimate that text writes.
func estimateColumn(name, title, about string, of func(*OverviewRow) *Estimate, text func(e *Estimate, brief bool) string, sign float64) OverviewColumn {
	return OverviewColumn{
		Name: name, Title: title, About: about, Estimate: of,
		Text: func(row *OverviewRow, brief bool) string {
			if e := of(row); e != nil {
				return text(e, brief)
			}
			return ""
		},
		Order: func(row *OverviewRow) float64 {
			if e := of(row); e != nil {
				return sign * e.Value
			}
			return math.NaN()
		},
	}
}

// sizeColumn is of a number that is better the smaller it is.
func sizeColumn(name, title, about string, of func(*OverviewRow) *Estimate) OverviewColumn {
	c := estimateColumn(name, title, about, of, func(e *Estimate, brief bool) string {
		if brief || !e.Known() {
			return digits(e.Value, 3)
		}
		return e.Size(digits)
	}, 1)
	c.Size = true
	return c
}

// shareColumn is of one that is better the larger it is.
func shareColumn(name, title, about string, of func(*OverviewRow) *Estimate) OverviewColumn {
	return estimateColumn(name, title, about, of, fixedCell, -1)
}

// exponentColumn is of one that is neither better nor worse.
func exponentColumn(name, title, about string, of func(*OverviewRow) *Estimate) OverviewColumn {
	return estimateColumn(name, title, about, of, fixedCell, 1)
}

// fixedCell writes a number with decimals.
func fixedCell(e *Estimate, brief bool) string {
	if brief || !e.Known() {
		return e.Number()
	}
	return e.String()
}

// runsText writes how many runs there are, and what became of the others.
func (row *OverviewRow) runsText() string {
	text := strconv.Itoa(row.Runs)
	if row.Unfinished > 0 {
		text += fmt.Sprintf(" of %d", row.Runs+row.Unfinished)
	}
	if row.Diverged > 0 {
		text += fmt.Sprintf(", %d diverged", row.Diverged)
	}
	return text
}

// rateText writes the range of rates, and how many runs it is of where not all fall linearly.
func (row *OverviewRow) rateText() string {
	switch {
	case row.Rate == nil:
		return ""
	case row.Rate.Linear == 0:
		return "not linear"
	}
	text := row.Rate.span()
	if row.Rate.Linear < row.Rate.Runs {
		text += fmt.Sprintf(" in %d of %d", row.Rate.Linear, row.Rate.Runs)
	}
	return text
}

// fieldColumns returns a column for each field, titled by the end of its path that tells it from the others.
func (o *Overview) fieldColumns() []OverviewColumn {
	var columns []OverviewColumn
	for _, name := range o.Fields {
		columns = append(columns, OverviewColumn{
			Name: name, Title: ShortName(name, o.Fields), About: "of the study file", must: true,
			Text:  func(row *OverviewRow, _ bool) string { return row.Values[name] },
			Order: func(row *OverviewRow) float64 { return numberOf(row.Values[name]) },
		})
	}
	return columns
}

func numberOf(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
