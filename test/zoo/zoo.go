// Package zoo makes the folders of small studies of every kind that tables and sentences
// have to get right: trained δ, diverged and missing runs, imported weights, a single depth
// or seed, losses that do not fall linearly. They are written without training, so that a
// test may have all of them.
package zoo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/deeplimit/deeplimit/runfolder"
)

// A Study is one kind: runs that differ in depth and seed.
type Study struct {
	Name string
	Runs []Run
}

// A Run says what the folder of a run holds. Its weights are L^−β (trend(k/L) + noise L^−½ ξ_k)
// with β = 1 − Alpha.
type Run struct {
	Depth int
	Seed  uint64
	Alpha float64

	Block    string // default inner
	Residual string // default fixed
	Loss     string // default squared
	Bias     bool
	Coupled  bool
	Trend    float64 // size
	Noise    float64 // size
	Rate     float64 // ρ of the loss; NaN for a loss that falls like 1/t, 0 for one that does not
	Stop     string  // default loss
	Accuracy float64 // of a classifier, when positive
	Transfer bool    // whether deeplimit transfer has been there
	Varied   bool    // whether the study varies Alpha, which is a setting of its groups then
}

const width = 3

// Studies returns the zoo.
func Studies() []Study {
	plain := Run{Alpha: 0.5, Trend: 0.5, Noise: 0.4, Rate: 0.6}
	with := func(change func(*Run)) Run { r := plain; change(&r); return r }
	eight := grid(plain, []int{8, 16, 32, 64}, 2)
	return []Study{
		{"plain", grid(plain, []int{8, 32, 128}, 3)},
		{"one-seed", grid(plain, []int{8, 16, 32, 64}, 1)},
		{"one-depth", grid(plain, []int{16}, 3)},
		{"one-run", grid(plain, []int{16}, 1)},
		{"two-depths-one-seed", grid(plain, []int{8, 32}, 1)},
		{"two-depths-two-seeds", grid(plain, []int{8, 32}, 2)},
		{"shallow", grid(plain, []int{1, 2, 4}, 2)},
		{"shared-delta", grid(with(func(r *Run) { r.Residual, r.Alpha = "shared", 0.55 }), []int{8, 32, 128}, 3)},
		{"layered-delta", grid(with(func(r *Run) { r.Residual, r.Noise = "layered", 1 }), []int{8, 32, 128}, 3)},
		{"diverged-ends", change(eight, func(r *Run) { diverge(r, r.Depth == 8 || r.Depth == 64) })},
		{"diverged-but-one-depth", change(eight, func(r *Run) { diverge(r, r.Depth != 16) })},
		{"all-diverged", change(grid(plain, []int{8, 64}, 2), func(r *Run) { diverge(r, true) })},
		{"the-one-run-diverged", change(grid(plain, []int{8}, 1), func(r *Run) { diverge(r, true) })},
		{"single-rate", change(eight, func(r *Run) { slow(r, r.Depth != 8 || r.Seed != 1) })},
		{"no-rate", change(eight, func(r *Run) { slow(r, true) })},
		{"no-fall", change(eight, func(r *Run) { r.Rate = 1 })},
		{"digits", grid(with(func(r *Run) {
			r.Loss, r.Trend, r.Noise, r.Accuracy, r.Rate = "cross-entropy", 2.5, 0.5, 0.9, math.NaN()
		}), []int{16, 64, 256}, 4)},
		{"smooth", grid(with(func(r *Run) { r.Noise = 0 }), []int{8, 16, 32, 64, 128}, 3)},
		{"constant", grid(with(func(r *Run) { r.Noise, r.Trend = 0, 0 }), []int{8, 16, 32}, 2)},
		{"missing-seeds", without(grid(plain, []int{8, 16, 32, 64}, 3), func(r Run) bool { return r.Seed == 3 && r.Depth != 64 || r.Seed == 2 && r.Depth == 16 })},
		{"one-depth-a-seed", without(grid(plain, []int{8, 16, 32}, 3), func(r Run) bool { return []int{8, 16, 32}[r.Seed-1] != r.Depth })},
		{"mlp", grid(with(func(r *Run) { r.Block = "mlp" }), []int{8, 32, 128}, 2)},
		{"bias", grid(with(func(r *Run) { r.Bias = true }), []int{8, 32, 128}, 2)},
		{"coupled", grid(with(func(r *Run) { r.Coupled, r.Noise, r.Transfer = true, 0.1, true }), []int{8, 16, 32, 64, 128}, 2)},
		{"imported", change(grid(with(func(r *Run) { r.Alpha = 0 }), []int{6, 12, 24}, 1), func(r *Run) { r.Stop = runfolder.Imported })},
		{"imported-alone", change(grid(with(func(r *Run) { r.Alpha = 0 }), []int{12}, 1), func(r *Run) { r.Stop = runfolder.Imported })},
	}
}

// Grid returns a study of that many groups, which differ in α.
func Grid(groups int) Study {
	s := Study{Name: "grid"}
	for i := range groups {
		r := Run{Alpha: 0.5 + float64(i)/float64(2*groups), Trend: 0.5, Noise: 0.4, Rate: 0.6, Varied: true}
		s.Runs = append(s.Runs, grid(r, []int{8, 32, 128}, 2)...)
	}
	return s
}

// grid returns a run at every depth and seed.
func grid(r Run, depths []int, seeds uint64) (runs []Run) {
	for _, depth := range depths {
		for seed := range seeds {
			r.Depth, r.Seed = depth, seed+1
			runs = append(runs, r)
		}
	}
	return runs
}

// change returns the runs, each changed.
func change(runs []Run, f func(*Run)) (out []Run) {
	for _, r := range runs {
		f(&r)
		out = append(out, r)
	}
	return out
}

// without returns the runs that drop does not name.
func without(runs []Run, drop func(Run) bool) (out []Run) {
	for _, r := range runs {
		if !drop(r) {
			out = append(out, r)
		}
	}
	return out
}

func diverge(r *Run, does bool) {
	if does {
		r.Stop = runfolder.Diverged
	}
}

func slow(r *Run, is bool) {
	if is {
		r.Rate = math.NaN()
	}
}

// Write makes the folder of the study.
func (s Study) Write(dir string) error {
	if err := runfolder.CreateStudy(dir, s.Name, "name: "+s.Name+"\n", nil); err != nil {
		return err
	}
	for _, r := range s.Runs {
		if err := r.write(dir, s.Name); err != nil {
			return err
		}
	}
	return nil
}

// meta is what run.json says.
func (r Run) meta(study string) runfolder.Meta {
	m := runfolder.Meta{
		ID: fmt.Sprintf("%s-L%04d-s%d", study, r.Depth, r.Seed), Hash: fmt.Sprintf("%s/%d/%d", study, r.Depth, r.Seed), Group: study, Study: study, Data: study,
		Depth: r.Depth, Width: width, Samples: 4, Inputs: width, Outputs: width, Seed: r.Seed, DType: "float64",
		Block: or(r.Block, "inner"), Activation: "tanh", Residual: or(r.Residual, "fixed"), Loss: or(r.Loss, "squared"), Method: "gd",
		Alpha: r.Alpha, Bias: r.Bias, Coupled: r.Coupled, Config: []byte("{}"), Version: "v0",
	}
	if m.Block == "mlp" {
		m.Hidden = width
	}
	if r.Stop == runfolder.Imported {
		m.Method, m.Samples, m.Inputs, m.Outputs, m.Loss = runfolder.Imported, 0, 0, 0, "unknown"
	}
	if r.Varied {
		alpha := strconv.FormatFloat(r.Alpha, 'g', -1, 64)
		m.Settings = map[string]string{"network.alpha": alpha}
		m.ID, m.Hash, m.Group = m.ID+"-a"+alpha, m.Hash+"/"+alpha, m.Group+"/"+alpha
	}
	return m
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// tensor is a path of matrices of that many rows, or of vectors.
func (r Run) tensor(random *rand.Rand, trend float64, shape ...int) runfolder.Tensor {
	size := 1
	for _, n := range shape[1:] {
		size *= n
	}
	data := make([]float64, r.Depth*size)
	scale := math.Pow(float64(r.Depth), r.Alpha-1)
	for i := range data {
		x, e := float64(i/size+1)/float64(r.Depth), float64(i%size)
		noise := r.Noise / math.Sqrt(float64(r.Depth)) * random.NormFloat64()
		data[i] = scale * (1 + trend*math.Sin(3*x+e) + noise)
	}
	return runfolder.Tensor{DType: "F64", Shape: shape, Data: data}
}

// weights are those of the block, with the initial ones unless they were imported.
func (r Run) weights() runfolder.Weights {
	w := runfolder.Weights{Tensors: map[string]runfolder.Tensor{}, Metadata: map[string]string{}}
	shapes := map[string][]int{"A": {r.Depth, width, width}}
	if r.Block == "mlp" {
		shapes = map[string][]int{"V": {r.Depth, width, width}, "W": {r.Depth, width, width}}
	}
	if r.Bias {
		shapes["b"] = []int{r.Depth, width}
	}
	for _, part := range []string{"A", "V", "W", "b"} {
		shape, ok := shapes[part]
		if !ok {
			continue
		}
		depths := uint64(r.Depth)
		if r.Coupled {
			depths = 0
		}
		random := func() *rand.Rand { return rand.New(rand.NewPCG(r.Seed, depths+uint64(part[0])<<32)) }
		w.Tensors[part] = r.tensor(random(), r.Trend, shape...)
		if r.Stop != runfolder.Imported {
			w.Tensors[part+"_initial"] = r.tensor(random(), 0, shape...)
		}
	}
	switch r.Residual {
	case "shared":
		w.Tensors["delta"] = runfolder.Tensor{DType: "F64", Shape: []int{1}, Data: []float64{r.delta(0)}}
	case "layered":
		delta := make([]float64, r.Depth)
		for k := range delta {
			delta[k] = r.delta(k + 1)
		}
		w.Tensors["delta"] = runfolder.Tensor{DType: "F64", Shape: []int{r.Depth}, Data: delta}
	}
	return w
}

// delta is about L^−0.45, with much scatter over seeds and layers.
func (r Run) delta(layer int) float64 {
	random := rand.New(rand.NewPCG(r.Seed+100, uint64(1000*r.Depth+layer)))
	return math.Pow(float64(r.Depth), -0.45) * math.Exp(0.4*random.NormFloat64())
}

// losses are those of the iterations from 0 on.
func (r Run) losses() []float64 {
	if r.Stop == runfolder.Imported {
		return nil
	}
	losses := make([]float64, 41)
	for t := range losses {
		switch wobble := 1 + 0.01*math.Sin(float64(t)+float64(r.Seed)); {
		case math.IsNaN(r.Rate):
			losses[t] = wobble / float64(1+t*t)
		default:
			losses[t] = wobble * math.Pow(r.Rate+0.001*float64(r.Seed), float64(t))
		}
		if r.Rate == 1 {
			losses[t] = 1 + float64(t)
		}
	}
	return losses
}

// write makes the finished folder of a run.
func (r Run) write(dir, study string) error {
	meta, losses := r.meta(study), r.losses()
	rows := make([]runfolder.Row, len(losses))
	for t := range rows {
		rows[t] = runfolder.Row{Iteration: int64(t), Loss: &losses[t], MaxFrobenius: 1, RootSquares: 1}
		if r.Accuracy > 0 {
			rows[t].Accuracy, rows[t].TestLoss, rows[t].TestAccuracy = &r.Accuracy, &losses[t], &r.Accuracy
		}
	}
	summary := runfolder.Summary{Stop: or(r.Stop, "loss"), Loss: math.NaN()}
	if len(losses) > 0 && r.Stop != runfolder.Diverged {
		summary.Iterations, summary.Loss = len(losses)-1, losses[len(losses)-1]
	}
	folder := runfolder.RunDir(dir, meta.ID)
	if err := runfolder.Create(folder, meta); err != nil {
		return err
	}
	if err := runfolder.Finish(folder, meta, rows, r.weights(), summary); err != nil {
		return err
	}
	if !r.Transfer {
		return nil
	}
	finished, err := runfolder.Open(folder)
	if err != nil {
		return err
	}
	return finished.WriteTransfer(r.transfer(summary.Loss), nil)
}

// transfer is what deeplimit transfer would store of a run with that loss.
func (r Run) transfer(loss float64) runfolder.Transfer {
	depth, seed := float64(r.Depth), 1+0.05*float64(r.Seed)
	t := runfolder.Transfer{TrendLoss: loss + seed/depth}
	if r.Depth < 128 {
		return t
	}
	t.Sources = []int{64, 128}
	for _, target := range []float64{256, 512, 1024} {
		redrawn := loss + seed*math.Pow(target, -1.5)
		t.Targets = append(t.Targets, runfolder.TransferTarget{Depth: int(target), Trend: loss + math.Pow(target, -2*seed), Redrawn: &redrawn})
	}
	return t
}
