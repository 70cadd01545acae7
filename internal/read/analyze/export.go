package analyze

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/runfolder"
)

// The formats of Export.
const (
	Parquet = "parquet"
	CSV     = "csv"
)

// ExportOptions says how and where Export writes.
type ExportOptions struct {
	Format string // Parquet or CSV
	Out    string // folder; "" for the folder tables in that of the study
}

// A RunRow is a row of the table of runs. Columns are null where Run has NaN or nil; the
// path is that of the primary part.
type RunRow struct {
	Study                 string   `parquet:"study"`
	Group                 string   `parquet:"group"`
	Run                   string   `parquet:"run"`
	Data                  string   `parquet:"data"`
	Settings              string   `parquet:"settings"` // JSON object of what a grid varies
	Alpha                 float64  `parquet:"alpha"`
	Depth                 int64    `parquet:"depth"`
	Seed                  uint64   `parquet:"seed"`
	Iterations            int64    `parquet:"iterations"`
	Stop                  string   `parquet:"stop_reason"`
	Loss                  *float64 `parquet:"loss,optional"`
	TestLoss              *float64 `parquet:"test_loss,optional"`
	Accuracy              *float64 `parquet:"accuracy,optional"`
	TestAccuracy          *float64 `parquet:"test_accuracy,optional"`
	Rho                   *float64 `parquet:"rho,optional"`
	RhoStdErr             *float64 `parquet:"rho_stderr,optional"`
	RateR2                *float64 `parquet:"rate_r2,optional"`
	RateLinear            *bool    `parquet:"rate_linear,optional"` // whether rho is a rate of convergence
	MaxFrobenius          *float64 `parquet:"max_frobenius,optional"`
	Displacement          *float64 `parquet:"displacement,optional"`
	MaxIncrement          *float64 `parquet:"max_increment,optional"`
	RootSumSquares        *float64 `parquet:"root_sum_squares,optional"`
	QuadraticVariation    *float64 `parquet:"quadratic_variation,optional"`
	DisplacementVariation *float64 `parquet:"displacement_variation,optional"`
	Variation1            *float64 `parquet:"v_1,optional"`
	Variation15           *float64 `parquet:"v_1.5,optional"`
	Variation2            *float64 `parquet:"v_2,optional"`
	Variation25           *float64 `parquet:"v_2.5,optional"`
	Variation3            *float64 `parquet:"v_3,optional"`
	Hoelder               *float64 `parquet:"hoelder,optional"`
	HoelderUniform        *float64 `parquet:"hoelder_uniform,optional"`
	TrendLoss             *float64 `parquet:"trend_loss,optional"`

	// The same statistics of the displacement, whose largest norm is Displacement.
	MovedIncrement      *float64 `parquet:"displacement_max_increment,optional"`
	MovedRootSumSquares *float64 `parquet:"displacement_root_sum_squares,optional"`
	MovedQuadratic      *float64 `parquet:"displacement_quadratic_variation,optional"`
	MovedVariation1     *float64 `parquet:"displacement_v_1,optional"`
	MovedVariation15    *float64 `parquet:"displacement_v_1.5,optional"`
	MovedVariation2     *float64 `parquet:"displacement_v_2,optional"`
	MovedVariation25    *float64 `parquet:"displacement_v_2.5,optional"`
	MovedVariation3     *float64 `parquet:"displacement_v_3,optional"`
	MovedHoelder        *float64 `parquet:"displacement_hoelder,optional"`
	MovedHoelderUniform *float64 `parquet:"displacement_hoelder_uniform,optional"`

	// What steps and evaluations without a step cost, in layers.
	LayerIterations  int64  `parquet:"layer_iterations"`
	LayerEvaluations *int64 `parquet:"layer_evaluations,optional"`

	// Operations of the matrix products of all steps.
	Flops *float64 `parquet:"flops,optional"`
}

// An IterationRow is a row of the table of iterations: a row of a run's trace.
type IterationRow struct {
	Group string `parquet:"group"`
	Run   string `parquet:"run"`
	Depth int64  `parquet:"depth"`
	Seed  uint64 `parquet:"seed"`
	runfolder.Row
}

// An ExponentRow is a row of the table of exponents: what the depths of a group say of
// one quantity of one part of the weights.
type ExponentRow struct {
	Study    string  `parquet:"study"`
	Group    string  `parquet:"group"`
	Data     string  `parquet:"data"`
	Settings string  `parquet:"settings"`
	Alpha    float64 `parquet:"alpha"`
	Part     string  `parquet:"part"`
	// Quantity is a key of GroupPath.Exponents, v_ and a key of VariationSlope,
	// variation_index or, of the primary part, alpha_plus_beta; of the displacement, behind displacement_. Estimate is the slope in depth of
	// log and log, the index or the sum; null with the reason in Missing.
	Quantity string   `parquet:"quantity"`
	Estimate *float64 `parquet:"estimate,optional"`
	Low      *float64 `parquet:"low,optional"`  // of the 95 % interval; null without one
	High     *float64 `parquet:"high,optional"` // likewise, and null where it has no upper end
	R2       *float64 `parquet:"r2,optional"`
	Runs     int64    `parquet:"runs"`   // that entered
	Depths   string   `parquet:"depths"` // of them, with blanks between
	Seeds    int64    `parquet:"seeds"`  // how many
	Method   string   `parquet:"method"`
	Warning  string   `parquet:"warning"`
	Missing  string   `parquet:"missing"`
}

// Export analyses the study or run folder dir and writes the tables runs (one row a
// run), iterations (one a run and recorded iteration) and exponents (one a group, part
// and quantity) as Parquet or CSV files, each replaced in one step. It returns their
// paths.
//
// In CSV files null is an empty field. Runs that are not finished have no rows; errors
// are those of Study, where damaged runs are left out and named after the rest is
// written.
func Export(ctx context.Context, dir string, options ExportOptions) ([]string, error) {
	if err := field.OneOf("format", options.Format, Parquet, CSV); err != nil {
		return nil, fmt.Errorf("analyze: %w", err)
	}
	result, damaged := Study(ctx, dir, Options{})
	if result == nil {
		return nil, damaged
	}
	out := options.Out
	if out == "" {
		out = filepath.Join(dir, "tables")
	}
	if err := makeTables(dir, out); err != nil {
		return nil, fmt.Errorf("analyze: %w", err)
	}
	path := func(name string) string { return filepath.Join(out, name+"."+options.Format) }
	files := []string{path("runs"), path("iterations"), path("exponents")}
	err := writeRows(files[0], options.Format, result.runRows())
	if err == nil {
		err = writeRows(files[1], options.Format, iterationRows(ctx, dir, result.ids()))
	}
	if err == nil {
		err = writeRows(files[2], options.Format, result.exponentRows())
	}
	if err = errors.Join(err, damaged); err != nil {
		return nil, err
	}
	return files, nil
}

// makeTables makes the folder of the tables. One inside the study folder does not restore
// that folder once somebody has removed it.
func makeTables(dir, out string) error {
	if filepath.Dir(out) == filepath.Clean(dir) {
		return disk.Subfolder(dir, filepath.Base(out))
	}
	return disk.MkdirAll(out, 0o755)
}

func (r *Result) runRows() iter.Seq2[RunRow, error] {
	return func(yield func(RunRow, error) bool) {
		for i := range r.Runs {
			run := &r.Runs[i]
			settings, err := settingsText(run.Settings)
			variation := func(p string) *float64 { return finite(run.PVariation[p]) }
			row := RunRow{
				Study: r.Study, Group: run.Group, Run: run.ID, Data: run.Data, Settings: settings, Alpha: run.Alpha,
				Depth: int64(run.Depth), Seed: run.Seed, Iterations: int64(run.Iterations), LayerIterations: int64(run.LayerIterations), Stop: run.Stop,
				Loss: finite(run.Loss), TestLoss: run.TestLoss, Accuracy: run.Accuracy, TestAccuracy: run.TestAcc,
				MaxFrobenius: finite(run.MaxFrobenius), Displacement: finite(run.Displacement),
				MaxIncrement: finite(run.MaxIncrement), RootSumSquares: finite(run.RootSumSquares),
				QuadraticVariation: finite(run.QuadraticVariation), DisplacementVariation: finite(run.DisplacementVariation),
				Variation1: variation("1"), Variation15: variation("1.5"), Variation2: variation("2"),
				Variation25: variation("2.5"), Variation3: variation("3"),
				Hoelder: finite(run.Hoelder), HoelderUniform: finite(run.HoelderUniform), TrendLoss: run.TrendLoss, Flops: run.Flops,
			}
			if n := run.LayerEvaluations; n != nil {
				row.LayerEvaluations = new(int64(*n))
			}
			row.setDisplacement(run.DisplacementPath)
			if run.Rate != nil {
				row.Rho, row.RhoStdErr, row.RateR2 = finite(run.Rate.Rho), finite(run.Rate.StdErr), finite(run.Rate.R2)
				row.RateLinear = &run.Rate.Linear
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// setDisplacement fills in the statistics of the displacement, if there are any.
func (r *RunRow) setDisplacement(n *PathNumbers) {
	if n == nil {
		return
	}
	variation := func(p string) *float64 { return finite(n.PVariation[p]) }
	r.MovedIncrement, r.MovedRootSumSquares, r.MovedQuadratic = finite(n.MaxIncrement), finite(n.RootSumSquares), finite(n.QuadraticVariation)
	r.MovedVariation1, r.MovedVariation15, r.MovedVariation2 = variation("1"), variation("1.5"), variation("2")
	r.MovedVariation25, r.MovedVariation3 = variation("2.5"), variation("3")
	r.MovedHoelder, r.MovedHoelderUniform = finite(n.Hoelder), finite(n.HoelderUniform)
}

// iterationRows reads the traces of runs, one run at a time.
func iterationRows(ctx context.Context, dir string, ids iter.Seq[string]) iter.Seq2[IterationRow, error] {
	return func(yield func(IterationRow, error) bool) {
		for id := range ids {
			run, err := runOf(ctx, dir, id)
			if err != nil {
				yield(IterationRow{}, err)
				return
			}
			rows, err := run.Trace()
			if err != nil {
				yield(IterationRow{}, err)
				return
			}
			for _, row := range rows {
				if !yield(IterationRow{run.Meta.Group, run.Meta.ID, int64(run.Meta.Depth), run.Meta.Seed, row}, nil) {
					return
				}
			}
		}
	}
}

// runOf opens a run in the folder of a study, or that one run.
func runOf(ctx context.Context, dir, id string) (*runfolder.Run, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("analyze: %s: %w", dir, err)
	}
	alone, err := runfolder.Open(dir)
	if err == nil && alone.Meta.ID == id {
		return alone, nil
	}
	if runfolder.Unreadable(err) {
		return nil, err
	}
	return runfolder.Open(runfolder.RunDir(dir, id))
}

// ids are those of the runs.
func (r *Result) ids() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range r.Runs {
			if !yield(r.Runs[i].ID) {
				return
			}
		}
	}
}

func (r *Result) exponentRows() iter.Seq2[ExponentRow, error] {
	return func(yield func(ExponentRow, error) bool) {
		for i := range r.Groups {
			group := &r.Groups[i]
			settings, err := settingsText(group.Settings)
			base := ExponentRow{Study: r.Study, Group: group.Group, Data: group.Data, Settings: settings, Alpha: group.Alpha}
			for _, part := range slices.Sorted(maps.Keys(group.Parts)) {
				path := group.Parts[part]
				if part == group.part() {
					path = group.GroupPath
				}
				base.Part = part
				if part == group.part() && group.AlphaPlusBeta != nil {
					if !yield(base.of("alpha_plus_beta", *group.AlphaPlusBeta), err) {
						return
					}
				}
				for _, source := range runfolder.Sources {
					for _, row := range path.Of(source).exponentRows(base) {
						row.Quantity = source.Key(row.Quantity)
						if source == runfolder.FromDisplacement && (row.Quantity == "displacement" || row.Quantity == "displacement_v_1") {
							continue // those of the weights hold them
						}
						if !yield(row, err) {
							return
						}
					}
				}
			}
		}
	}
}

// exponentRows fills in the rows of one part.
func (g *GroupPath) exponentRows(base ExponentRow) (rows []ExponentRow) {
	if g == nil {
		return nil
	}
	add := func(quantity string, s Slope) {
		row := base.of(quantity, s.Estimate())
		row.R2 = &s.R2
		rows = append(rows, row)
	}
	for _, name := range slices.Sorted(maps.Keys(g.Exponents)) {
		add(name, g.Exponents[name])
	}
	for _, p := range sortedExponents(maps.Keys(g.VariationSlope)) {
		add("v_"+p, g.VariationSlope[p])
	}
	if index := g.VariationIndex; index != nil {
		rows = append(rows, base.of("variation_index", index.Estimate()))
	}
	for _, key := range slices.Sorted(maps.Keys(g.Missing)) {
		if key == "regime" || key == "rate" {
			continue // no exponents
		}
		row := base
		row.Quantity, row.Missing = key, g.Missing[key]
		rows = append(rows, row)
	}
	return rows
}

// of returns the row of an estimate.
func (r ExponentRow) of(quantity string, e Estimate) ExponentRow {
	depths := make([]string, len(e.Depths))
	for i, depth := range e.Depths {
		depths[i] = strconv.Itoa(depth)
	}
	r.Quantity, r.Estimate, r.Low, r.High = quantity, &e.Value, finite(e.Low), finite(e.High)
	r.Runs, r.Depths, r.Seeds = int64(e.Runs), strings.Join(depths, " "), int64(len(e.Seeds))
	r.Method, r.Warning = e.Method, e.Warning
	return r
}

func settingsText(settings map[string]string) (string, error) {
	if settings == nil {
		return "{}", nil
	}
	text, err := json.Marshal(settings)
	return string(text), err
}
