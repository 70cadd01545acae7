package report

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// A sample study stands in for one that was trained. Its weights are
// A_k = L^−β (F(k/L) + 0.3 L^{-1/2} ξ_k) after training and L^−β 0.3 L^{-1/2} ξ_k
// before, F smooth and ξ independent normal; the loss falls linearly with small
// wiggles; V_p ∝ L^{max(0, 1 − p/2)} up to 1 % of noise. One run of every group
// diverges when asked to.
type sample struct {
	data     []string
	depths   []int
	seeds    int
	width    int
	diverges bool
}

const sampleAlpha = 0.5

var sampleLarge = sample{
	data: []string{"separated", "digits"}, depths: []int{16, 32, 64, 128, 256, 512, 1024}, seeds: 3, width: 4, diverges: true,
}

// A sampleRun is what the folder of a run holds, and what analyze says of it.
type sampleRun struct {
	analyze.Run
	meta             runfolder.Meta
	trained, initial runfolder.Path
	loss             []float64
}

func (s sample) runs() []sampleRun {
	var out []sampleRun
	for g, data := range s.data {
		for _, depth := range s.depths {
			for seed := range uint64(s.seeds) {
				diverged := s.diverges && depth == s.depths[len(s.depths)-2] && seed+1 == uint64(s.seeds)
				out = append(out, s.run(g, data, depth, seed+1, diverged))
			}
		}
	}
	return out
}

func (s sample) run(g int, data string, depth int, seed uint64, diverged bool) sampleRun {
	random := rand.New(rand.NewPCG(seed, uint64(1000*g+depth)))
	beta := 1 - sampleAlpha
	scale := math.Pow(float64(depth), -beta)
	size := s.width * s.width
	path := func() runfolder.Path {
		return runfolder.Path{Depth: depth, Rows: s.width, Cols: s.width, Data: make([]float64, depth*size)}
	}
	r := sampleRun{trained: path(), initial: path()}
	for k := range depth {
		x := float64(k+1) / float64(depth)
		for e := range size {
			noise := 0.3 / math.Sqrt(float64(depth)) * random.NormFloat64()
			smooth := 0.4*math.Sin(3*x+float64(e+g)) + 0.2*math.Cos(2*float64(e)-4*x) + 0.5/float64(depth)
			r.initial.Data[k*size+e] = scale * noise
			r.trained.Data[k*size+e] = scale * (smooth + noise)
		}
	}
	rho := 0.52 + 0.08*float64(g) - 0.3/math.Sqrt(float64(depth)) + 0.004*random.NormFloat64()
	stop, iterations := "loss", 200
	if diverged {
		stop, rho, iterations = "diverged", 2.6, 14
	}
	loss := 0.045 * (1 + 0.03*random.NormFloat64())
	var ts, logs []float64
	for t := range iterations + 1 {
		r.loss = append(r.loss, loss)
		ts, logs = append(ts, float64(t)), append(logs, math.Log(loss))
		if loss < 1e-10 && !diverged {
			break
		}
		loss *= rho * (1 + 0.02*math.Sin(float64(t)) + 0.6/float64((t+1)*(t+1)))
	}
	last := len(r.loss) - 1
	id := fmt.Sprintf("%s-L%04d-s%d", data, depth, seed)
	r.Run = analyze.Run{
		ID: id, Group: fmt.Sprintf("%08x", 0x3f2a9c01+g), Data: data, Alpha: sampleAlpha, Depth: depth, Seed: seed,
		Iterations: last, Stop: stop, Loss: r.loss[last],
	}
	if !diverged {
		first := min(3, last-1)
		intercept, slope := stat.LinearRegression(ts[first:], logs[first:], nil, false)
		r.Rate = &analyze.Rate{
			Rho: math.Exp(slope), StdErr: 2e-4, Linear: true, First: first, Last: last,
			R2: stat.RSquared(ts[first:], logs[first:], nil, intercept, slope),
		}
	}
	difference, err := r.trained.Sub(r.initial)
	if err != nil {
		panic(err)
	}
	rescaled := r.trained.Rescaled(1 / scale)
	r.PathNumbers = analyze.PathNumbers{
		MaxFrobenius: r.trained.MaxFrobenius(), Displacement: difference.MaxFrobenius(),
		MaxIncrement: r.trained.MaxIncrement(), RootSumSquares: r.trained.RootSumSquares(),
		QuadraticVariation: rescaled.QuadraticVariation(), PVariation: map[string]float64{},
		DisplacementVariation: 0.08 + 0.6/float64(depth),
	}
	for _, p := range []float64{1, 1.5, 2, 2.5, 3} {
		r.PVariation[strconv.FormatFloat(p, 'g', -1, 64)] = 2 * math.Pow(float64(depth), max(0, 1-p/2)) / p * (1 + 0.01*random.NormFloat64())
	}
	r.Parts = map[string]analyze.PathNumbers{"A": r.PathNumbers}
	r.meta = runfolder.Meta{
		ID: id, Hash: id, Group: r.Run.Group, Study: "sample", Data: data, Depth: depth, Width: s.width, Samples: 8,
		Inputs: s.width, Outputs: s.width, Seed: seed, DType: "float64", Block: "inner", Activation: "tanh",
		Residual: "fixed", Loss: "squared", Method: "gd", Alpha: sampleAlpha, Version: "v0.1.0", Stop: stop,
		Config: []byte(fmt.Sprintf(`{"depth":%d,"network":{"block":"inner","activation":"tanh","alpha":0.5},"train":{"method":"gd","step":{"rule":"depth","value":8}}}`, depth)),
	}
	return r
}

// result is what analyze would say of the study.
func (s sample) result() *analyze.Result {
	out := &analyze.Result{Study: "sample"}
	runs := s.runs()
	for g, data := range s.data {
		group := analyze.Group{
			Group: fmt.Sprintf("%08x", 0x3f2a9c01+g), Data: data, Block: "inner", Activation: "tanh", Alpha: sampleAlpha,
			Depths:    s.depths,
			GroupPath: analyze.GroupPath{Exponents: map[string]analyze.Slope{}, VariationSlope: map[string]analyze.Slope{}},
			Rate:      &analyze.RateRange{MinR2: 1, MinRho: new(float64), MaxRho: new(float64)},
		}
		for seed := range uint64(s.seeds) {
			group.Seeds = append(group.Seeds, seed+1)
		}
		var members []analyze.Run
		for _, r := range runs {
			if r.Data != data {
				continue
			}
			out.Runs = append(out.Runs, r.Run)
			group.Runs++
			if r.Diverged() {
				group.Diverged++
			}
			if r.Rate != nil {
				members = append(members, r.Run)
				group.Rate.MinR2 = min(group.Rate.MinR2, r.Rate.R2)
				if len(members) == 1 {
					*group.Rate.MinRho = r.Rate.Rho
				}
				*group.Rate.MinRho = min(*group.Rate.MinRho, r.Rate.Rho)
				*group.Rate.MaxRho = max(*group.Rate.MaxRho, r.Rate.Rho)
				group.Rate.Linear, group.Rate.Fitted, group.Rate.Runs = len(members), len(members), len(members)
			}
		}
		for name, value := range map[string]func(analyze.Run) float64{
			"max_frobenius":          func(r analyze.Run) float64 { return r.MaxFrobenius },
			"displacement":           func(r analyze.Run) float64 { return r.Displacement },
			"max_increment":          func(r analyze.Run) float64 { return r.MaxIncrement },
			"root_sum_squares":       func(r analyze.Run) float64 { return r.RootSumSquares },
			"displacement_variation": func(r analyze.Run) float64 { return r.DisplacementVariation },
		} {
			group.Exponents[name] = sampleSlope(members, value)
		}
		for _, p := range powers(members[0].PVariation) {
			group.VariationSlope[p] = sampleSlope(members, func(r analyze.Run) float64 { return r.PVariation[p] })
		}
		sum := group.Exponents["max_frobenius"].Estimate()
		sum.Value, sum.Low, sum.High = sampleAlpha-sum.Value, sampleAlpha-sum.High, sampleAlpha-sum.Low
		group.AlphaPlusBeta = &sum
		group.Parts = map[string]analyze.GroupPath{"A": group.GroupPath}
		out.Groups = append(out.Groups, group)
	}
	return out
}

func sampleSlope(runs []analyze.Run, value func(analyze.Run) float64) analyze.Slope {
	var x, y []float64
	for _, r := range runs {
		x, y = append(x, math.Log(float64(r.Depth))), append(y, math.Log(value(r)))
	}
	intercept, slope := stat.LinearRegression(x, y, nil, false)
	var residuals []float64
	for i := range x {
		residuals = append(residuals, y[i]-intercept-slope*x[i])
	}
	basis := scaling.Basis{Runs: len(runs)}
	for _, r := range runs {
		basis.Depths, basis.Seeds = append(basis.Depths, r.Depth), append(basis.Seeds, r.Seed)
	}
	slices.Sort(basis.Depths)
	slices.Sort(basis.Seeds)
	basis.Depths, basis.Seeds = slices.Compact(basis.Depths), slices.Compact(basis.Seeds)
	return analyze.Slope{
		Basis: basis, Residuals: residuals, Center: stat.Mean(x, nil), Margin: 0.02, Lean: 1e-5,
		Slope: slope, Low: slope - 0.008, High: slope + 0.008, Intercept: intercept,
		R2: stat.RSquared(x, y, nil, intercept, slope), Method: "seeds",
	}
}

// groups returns the study as the figures take it.
func (s sample) groups() []group {
	groups := newGroups(s.result())
	for _, r := range s.runs() {
		i := slices.IndexFunc(groups, func(g group) bool { return g.Group.Group == r.Run.Group })
		j := slices.IndexFunc(groups[i].runs, func(g run) bool { return g.ID == r.ID })
		for t, loss := range r.loss {
			groups[i].runs[j].iteration = append(groups[i].runs[j].iteration, float64(t))
			groups[i].runs[j].loss = append(groups[i].runs[j].loss, loss)
		}
		groups[i].runs[j].variation = seriesOf(analyze.VariationCurves(r.rows()))
		groups[i].runs[j].meta = &r.meta
		if r.Seed == 1 && r.Depth != 32 && r.Depth != 128 {
			sampled, err := analyze.SamplePath(r.trained, &r.initial, "A", r.Seed, math.Pow(float64(r.Depth), 1-r.Alpha))
			if err != nil {
				panic(err)
			}
			sampled.Norms, sampled.States = r.norms(), analyze.SampleStates(r.states())
			curve := newPathCurve(sampled)
			if r.Depth <= analyze.PartitionDepth {
				for k := range groups[i].paths {
					groups[i].paths[k].partition = nil
				}
				if curve.partition, err = analyze.NewPartition(r.trained, curve.factor); err != nil {
					panic(err)
				}
			}
			groups[i].paths = append(groups[i].paths, curve)
		}
	}
	return groups
}

// rows is the trace, with V_1, V_2 and V_3 that settle from their start to their end.
func (r sampleRun) rows() []runfolder.Row {
	var rows []runfolder.Row
	for t, loss := range r.loss {
		row := runfolder.Row{Iteration: int64(t), Loss: &loss}
		for p, column := range map[string]**float64{"1": &row.Variation1, "2": &row.Variation2, "3": &row.Variation3} {
			v := r.PVariation[p] * (1 - 0.1*math.Exp(-float64(t)/4))
			*column = &v
		}
		rows = append(rows, row)
	}
	return rows
}

// norms grow from those of the initial to those of the trained weights.
func (r sampleRun) norms() *runfolder.Norms {
	n := &runfolder.Norms{Parts: map[string]runfolder.LayerNorms{}}
	var a runfolder.LayerNorms
	before, after := r.initial.Norms(), r.trained.Norms()
	for _, t := range []int64{0, 1, 2, 4, 8, 16} {
		n.Iterations = append(n.Iterations, t)
		done := 1 - math.Exp(-float64(t)/3)
		for k := range before {
			a.Frobenius = append(a.Frobenius, float64(float32(before[k]+done*(after[k]-before[k]))))
			a.Displacement = append(a.Displacement, float64(float32(done*math.Abs(after[k]-before[k]))))
		}
	}
	n.Parts["A"] = a
	return n
}

// states go round part of a circle, with a kink that shrinks with depth.
func (r sampleRun) states() *runfolder.Tensor {
	h := &runfolder.Tensor{DType: "F64", Shape: []int{1, r.Depth + 1, 2}}
	for k := range r.Depth + 1 {
		sin, cos := math.Sincos(2 * float64(k) / float64(r.Depth))
		h.Data = append(h.Data, cos+math.Abs(sin-0.5)/float64(r.Depth), sin)
	}
	return h
}

// write puts the run folders of the study into dir.
func (s sample) write(dir string) error {
	if err := runfolder.CreateStudy(dir, "sample", "name: sample\n", nil); err != nil {
		return err
	}
	for _, r := range s.runs() {
		folder := runfolder.RunDir(dir, r.ID)
		shape := []int{r.Depth, s.width, s.width}
		weights := runfolder.Weights{Tensors: map[string]runfolder.Tensor{
			"A":         {DType: "F64", Shape: shape, Data: r.trained.Data},
			"A_initial": {DType: "F64", Shape: shape, Data: r.initial.Data},
		}}
		summary := runfolder.Summary{Iterations: r.Iterations, Stop: r.Stop, Loss: r.Loss}
		if err := runfolder.Create(folder, r.meta); err != nil {
			return err
		}
		states, err := runfolder.WriteStates(folder, runfolder.Weights{Tensors: map[string]runfolder.Tensor{"h": *r.states()}})
		if err != nil {
			return err
		}
		norms, err := runfolder.WriteNorms(folder, r.norms())
		if err != nil {
			return err
		}
		maps.Copy(states, norms)
		summary.SHA256 = states
		if err := runfolder.Finish(folder, r.meta, r.rows(), weights, summary); err != nil {
			return err
		}
	}
	return nil
}
