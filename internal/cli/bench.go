package cli

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/bench"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// benchFlags are the flags of `deeplimit bench` as they are written.
type benchFlags struct {
	scaling, deep      bool
	form               answer
	shapes, dtypes     []string
	methods, networks  []string
	set                []string
	tier, dump         string
	workers, megabytes int
	time               time.Duration
}

func newBench() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench [STUDY.yaml]",
		Short: "Time a step of gradient descent and compare it with the machine's peak",
		Long: `bench times one step of gradient descent (loss, gradient, update; tanh, block
inner, no bias, squared loss) after a warm-up, and prints the median, the rate of
its 6 d² N L multiplications and additions, and the share of the fused multiply-add
peak of the cores used, measured in the same run. With --method the step is that of
another method, with --network that of another network (operations are those of its
matrix products, 12 d m N L for block mlp); several are timed in turn, step by step,
and RATIO is the median of the time over that of the first one.

Of a study file it times the steps of its runs as they are trained, with their samples,
network, loss, method, mini-batches and penalty, one run of each ensemble of seeds: N is
then the samples of a step. What is recorded and measured beside the steps is left out.`,
		Example: `  deeplimit bench
  deeplimit bench --shape 10,1024,1000 --shape 64,2048,100 --dtype float32 --json
  deeplimit bench --shape 32,1024,500 --method gd --method adam --method muon
  deeplimit bench --shape 64,2048,100 --network '{block: mlp}' --network '{block: mlp, normalise: pre}'
  deeplimit bench study.yaml --set depths=[256] --dtype float32 --dtype float64
  deeplimit bench --scaling --dtype float64
  deeplimit bench --deep --dtype float32`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.checkStudy(cmd, args); err != nil {
				return err
			}
			plan, err := f.plan(len(args) > 0)
			if err != nil {
				return err
			}
			if err := kernel.SetTier(f.tier); err != nil {
				return err
			}
			plan.options.Observe, plan.stop = watchWork(cmd.ErrOrStderr(), "bench", "workloads")
			defer plan.stop()
			if len(args) > 0 {
				return f.study(cmd, args[0], plan)
			}
			switch {
			case f.dump != "":
				return bench.Dump(f.dump, plan.shapes[0], plan.dtypes[0], plan.options)
			case f.scaling:
				return plan.growths(cmd.OutOrStdout(), f.form, bench.Growths)
			case f.deep:
				return plan.growths(cmd.OutOrStdout(), f.form, bench.Deeps)
			}
			return plan.measure(cmd.OutOrStdout(), f.form)
		},
	}
	flags := cmd.Flags()
	f.form.add(cmd)
	flags.StringArrayVar(&f.shapes, "shape", nil, "width, samples and depth as d,N,L; repeatable (default: the workloads of docs/performance.md)")
	flags.StringArrayVar(&f.dtypes, "dtype", nil, "float32 or float64; repeatable (default: both; of a study its own)")
	flags.StringArrayVar(&f.methods, "method", []string{"gd"}, "method as in train.method; repeatable")
	flags.StringArrayVar(&f.networks, "network", []string{""}, "network as the section of a study has it, such as '{block: mlp, normalise: pre}'; repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "override a field of the study, as in network.alpha=0.75; may be repeated")
	flags.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "most cores to use")
	flags.StringVar(&f.tier, "tier", "", "kernels to use: avx512, avx2, neon or portable (default: the best of this CPU)")
	flags.DurationVar(&f.time, "time", 300*time.Millisecond, "least time to measure each workload for, 5 steps at least")
	flags.IntVar(&f.megabytes, "memory", 0, "MiB for hidden states, 0 for no limit")
	flags.BoolVar(&f.scaling, "scaling", false, "print how the time grows with depth and samples instead")
	flags.BoolVar(&f.deep, "deep", false, "print how time and memory grow with depth up to 10⁶ layers instead, with one core, by the processor's time")
	flags.StringVar(&f.dump, "dump", "", "write data, weights, losses and gradient of one workload to this folder instead")
	if err := flags.MarkHidden("dump"); err != nil { // for experiments/peers
		panic(err)
	}
	return cmd
}

// grows returns the flag that asks for how the time grows, "" without one.
func (f *benchFlags) grows() string {
	switch {
	case f.scaling:
		return "--scaling"
	case f.deep:
		return "--deep"
	}
	return ""
}

// checkStudy refuses flags that have no use beside a study, or without one.
func (f *benchFlags) checkStudy(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		if len(f.set) > 0 {
			return fmt.Errorf("bench: --set: got %s, want it with a STUDY.yaml", f.set[0])
		}
		return nil
	}
	for _, name := range []string{"shape", "method", "network", "scaling", "deep"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed {
			return fmt.Errorf("bench: --%s: got %s beside %s, want it left out: the study says what is timed (use --set)", name, flag.Value, args[0])
		}
	}
	return nil
}

// study times the runs of a study.
func (f *benchFlags) study(cmd *cobra.Command, file string, p benchPlan) error {
	plan, err := planOf("bench", file, f.set, study.MaxRuns)
	if err != nil {
		return err
	}
	if f.dump != "" {
		return bench.DumpStudy(f.dump, plan, f.dtypes, p.options)
	}
	results, err := bench.MeasureStudy(cmd.Context(), plan, f.dtypes, p.options)
	if err != nil {
		return err
	}
	p.stop()
	if f.form.asked() {
		return f.form.print(cmd.OutOrStdout(), results)
	}
	return writeResults(cmd.OutOrStdout(), results)
}

// benchPlan is what the flags ask for.
type benchPlan struct {
	shapes  []bench.Shape
	dtypes  []string
	steps   []bench.Step
	options bench.Options
	stop    func() // ends the line that tells how far the work is
}

// plan checks the flags and fills in defaults; ofStudy says that a study has shapes and steps.
func (f *benchFlags) plan(ofStudy bool) (benchPlan, error) {
	p := benchPlan{shapes: bench.Shapes(), dtypes: bench.DTypes()}
	for _, network := range f.networks {
		for _, method := range f.methods {
			p.steps = append(p.steps, bench.Step{Method: method, Network: network})
		}
	}
	switch {
	case f.workers < 1:
		return p, fmt.Errorf("bench: --workers: got %d, want at least 1", f.workers)
	case f.time < 0:
		return p, fmt.Errorf("bench: --time: got %v, want at least 0s", f.time)
	case f.megabytes < 0:
		return p, fmt.Errorf("bench: --memory: got %d, want MiB, or 0 for no limit", f.megabytes)
	case f.scaling && f.deep:
		return p, fmt.Errorf("bench: --deep: got --scaling beside it, want one of them")
	case f.grows() != "" && len(f.shapes) > 0:
		return p, fmt.Errorf("bench: %s: got --shape %s beside it, want no shape, as it measures its own", f.grows(), f.shapes[0])
	case (f.grows() != "" || f.dump != "") && !slices.Equal(f.methods, []string{"gd"}):
		return p, fmt.Errorf("bench: --method: got %s, want it left out with --scaling, --deep and --dump, which are about gradient descent", strings.Join(f.methods, ", "))
	case (f.grows() != "" || f.dump != "") && !slices.Equal(f.networks, []string{""}):
		return p, fmt.Errorf("bench: --network: got %s, want it left out with --scaling, --deep and --dump, which are about the plainest network", strings.Join(f.networks, ", "))
	case f.dump != "" && !ofStudy && (f.grows() != "" || len(f.shapes) != 1 || len(f.dtypes) != 1):
		return p, fmt.Errorf("bench: --dump: got %d shapes and %d dtypes, want one of each, no --scaling and no --deep", len(f.shapes), len(f.dtypes))
	}
	p.options = bench.Options{Workers: f.workers, Memory: int64(f.megabytes) << 20, Time: f.time}
	if len(f.shapes) > 0 {
		p.shapes = nil
	}
	for _, text := range f.shapes {
		shape, err := bench.ParseShape(text)
		if err != nil {
			return p, err
		}
		p.shapes = append(p.shapes, shape)
	}
	if len(f.dtypes) > 0 {
		p.dtypes = f.dtypes
	}
	for _, dtype := range p.dtypes {
		if err := bench.CheckDType(dtype); err != nil {
			return p, err
		}
	}
	return p, nil
}

// measure times every shape in every element type.
func (p *benchPlan) measure(w io.Writer, form answer) error {
	var results []bench.Result
	for _, dtype := range p.dtypes {
		for _, shape := range p.shapes {
			measured, err := bench.MeasureSteps(shape, dtype, p.steps, p.options)
			if err != nil {
				return err
			}
			results = append(results, measured...)
			if p.options.Observe != nil {
				p.options.Observe(len(results)/len(p.steps), len(p.dtypes)*len(p.shapes))
			}
		}
	}
	p.stop()
	if form.asked() {
		return form.print(w, results)
	}
	return writeResults(w, results)
}

// growths fits how the time grows, in every element type.
func (p *benchPlan) growths(w io.Writer, form answer, measure func(string, bench.Options) ([]bench.Growth, error)) error {
	var all []bench.Growth
	for i, dtype := range p.dtypes {
		options := p.options
		if observe := options.Observe; observe != nil {
			options.Observe = func(done, total int) { observe(i*total+done, len(p.dtypes)*total) }
		}
		growths, err := measure(dtype, options)
		if err != nil {
			return err
		}
		all = append(all, growths...)
	}
	p.stop()
	if form.asked() {
		return form.print(w, all, "steps")
	}
	for _, g := range all {
		fmt.Fprintf(w, "%s: time of a step ∝ %s^%.3f\n", g.Steps[0].DType, g.Variable, g.Exponent)
		if err := writeResults(w, g.Steps); err != nil {
			return err
		}
	}
	return nil
}

// writeResults prints one line for each result.
func writeResults(w io.Writer, results []bench.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "d,N,L\tDTYPE\tMETHOD\tWORKERS\tTIER\tMS/STEP\tCPU MS\tRATIO\tGFLOP/S\tPEAK\tOF PEAK\tNETWORK")
	for _, r := range results {
		last := cmp.Or(r.Network, "{}")
		if r.Memory > 0 {
			last += fmt.Sprintf(", %.3g MB", float64(r.Memory)/1e6)
		}
		fmt.Fprintf(table, "%v\t%s\t%s\t%d\t%s\t%.4g\t%.4g\t%.3f\t%.4g\t%.4g\t%.1f%%\t%s\n",
			r.Shape, r.DType, r.Method, r.Workers, r.Tier, r.Milliseconds, r.Processor, r.Ratio, r.GFLOPS, r.PeakGFLOPS, 100*r.PeakFraction, last)
	}
	return table.Flush()
}
