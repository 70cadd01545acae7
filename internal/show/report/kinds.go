package report

import (
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Kind is a figure that every group of runs with the data for it has, or a study over its groups.
type Kind struct {
	Name  string // as in `deeplimit figure NAME`; its files are <Name>-<group>
	Text  string // what it shows, in a few words
	Needs string // what a study must hold to have it

	draw func(g group, style Style) *Figure // nil without data
	// over draws a figure of a study over its groups, in the place of draw; nil without data.
	over func(groups []group, o *analyze.Overview, style Style) *Figure
}

// overKinds are the figures of a study over its groups, which stand below the overview of a page.
var overKinds = []Kind{
	{Name: "loss-grid", Text: "loss against iteration, a small panel for each group on shared axes", Needs: "a study of 2 to 100 groups whose runs have a trace", over: lossGrid},
	{Name: "variation-grid", Text: "p-variation against depth, a small panel for each group on shared axes", Needs: "a study of 2 to 100 groups at two depths or more", over: variationGrid},
	{Name: "accuracy-map", Text: "heat map of accuracy over the grid, or over a field and depth", Needs: "a classification over a grid of one field or two", over: accuracyMap},
	{Name: "parallel", Text: "parallel coordinates: what varies, depth and loss, a line for each point of the grid", Needs: "a grid of which three fields or more vary, depth among them, with 500 points or fewer", over: parallelFigure},
}

// kinds are those of a group, in an order that fills the columns of a page: two figures of one column, one
// of two columns, and so on.
var kinds = []Kind{
	{Name: "loss", Text: "loss against iteration at every depth, with the fitted rate", Needs: "runs with a trace", draw: lossFigure},
	{Name: "loss-depth", Text: "loss against depth at fixed iterations", Needs: "runs at two depths or more", draw: lossDepthFigure},
	{Name: "loss-layers", Text: "loss against layer-iterations, what training to it cost", Needs: "runs with a trace at two depths or more, or of a cascade", draw: lossLayersFigure},
	{Name: "loss-time", Text: "loss against wall time", Needs: "runs with a trace", draw: lossTimeFigure},
	{Name: "loss-epochs", Text: "loss against epochs", Needs: "runs with mini-batches (train.batch)", draw: lossEpochsFigure},
	{Name: "accuracy", Text: "training, validation and test accuracy against iteration", Needs: "a classification whose runs have a trace", draw: accuracyFigure},
	{Name: "accuracy-depth", Text: "training, validation and test accuracy against depth", Needs: "a classification at two depths or more", draw: accuracyDepthFigure},
	{Name: "tune", Text: "loss against the step size, one curve a depth, with the best and the law", Needs: "a grid over train.step.value, or what deeplimit tune writes", draw: tuneFigure},
	{Name: "tune-second", Text: "the same for the second of two values", Needs: "what deeplimit tune writes for two fields", draw: secondFigure},
	{Name: "plane", Text: "loss over two values that are tuned at a time, one map a depth", Needs: "what deeplimit tune writes for two fields", draw: planeFigure},
	{Name: "regret", Text: "what the best step of one depth loses at others", Needs: "what deeplimit tune writes", draw: regretFigure},
	{Name: "weights", Text: "rescaled weights against k/L, depths overlaid", Needs: "finished runs", draw: weightsFigure},
	{Name: "delta", Text: "trained residual scale against k/L, depths overlaid", Needs: "finished runs with residual: layered", draw: deltaFigure},
	{Name: "delta-depth", Text: "trained residual scale against depth, with power laws", Needs: "finished runs with a trained residual scale at two depths or more", draw: deltaDepthFigure},
	{Name: "norms-training", Text: "heat map of the norms of all layers along training", Needs: "runs with train.norms, which is on unless set to off", draw: normsTrainingFigure},
	{Name: "norms", Text: "norms of the weights against depth, with power laws and residuals", Needs: "finished runs at two depths or more", draw: normsFigure},
	{Name: "variation", Text: "p-variation against depth, with power laws and residuals", Needs: "finished runs at two depths or more", draw: variationFigure},
	{Name: "states", Text: "hidden states against k/L, depths overlaid", Needs: "finished runs, trained here", draw: statesFigure},
	{Name: "partition", Text: "partitions that attain the p-variation, drawn on the path", Needs: "finished runs", draw: partitionFigure},
	{Name: "variation-training", Text: "p-variation along training", Needs: "runs with train.record", draw: variationTrainingFigure},
	{Name: "variation-loss", Text: "p-variation against the loss along training, for runs at equal loss", Needs: "runs with train.record", draw: variationLossFigure},
	{Name: "slopes", Text: "slope of the p-variation against p, with the variation index", Needs: "runs at two depths or more", draw: slopesFigure},
	{Name: "regime", Text: "statistics of increments against depth, beside the verdict on the limit", Needs: "runs at three depths or more", draw: regimeFigure},
	{Name: "distance", Text: "distance between the paths of consecutive depths", Needs: "runs of one seed at two depths or more", draw: distanceFigure},
	{Name: "deepest", Text: "distance to the deepest run, with its rate", Needs: "depths that share their initial weights", draw: deepestFigure},
	{Name: "transfer", Text: "losses of networks rebuilt at other depths", Needs: "what deeplimit transfer writes", draw: transferFigure},
	{Name: "training", Text: "iterations from rebuilt networks and from scratch", Needs: "what deeplimit transfer --train writes", draw: trainingFigure},
	{Name: "coordinates", Text: "what training has changed against depth, with the exponents", Needs: "runs with train.coordinates", draw: coordinatesFigure},
	{Name: "slack", Text: "slack of every bound over iterations, and when the certificate is issued", Needs: "runs with train.certify", draw: slackFigure},
	{Name: "certificates", Text: "numbers of the kernel certificates against depth, with power laws", Needs: "what deeplimit certify STUDY --kernel writes, or runs with train.certify.kernel", draw: kernelsFigure},
	{Name: "sharpness", Text: "largest eigenvalue of the Hessian against 2/η", Needs: "runs with train.certify.curvature", draw: sharpnessFigure},
}

// ofSearches are the kinds that a page shows of a search, whose runs are too many to be drawn one by one.
var ofSearches = []string{"tune", "tune-second", "plane", "regret"}

// ofPaths are those that show paths of either source.
var ofPaths = []string{"weights", "norms-training", "norms", "variation", "partition", "variation-training", "variation-loss", "slopes", "regime"}

// Kinds returns the figures of a study, in the order of its page.
func Kinds() []Kind { return slices.Concat(overKinds, kinds) }

// overFigures draws what a study has data for over its groups, of the kinds that options name.
func overFigures(groups []group, o *analyze.Overview, options Options) []*Figure {
	if options.Of == runfolder.FromDisplacement || slices.ContainsFunc(groups, func(g group) bool { return g.searched }) {
		return nil
	}
	var out []*Figure
	for _, k := range overKinds {
		if len(options.Names) > 0 && !slices.Contains(options.Names, k.Name) {
			continue
		}
		if f := k.over(groups, o, options.Style); f != nil && !f.empty() {
			f.Kind = k.Name
			out = append(out, f)
		}
	}
	return out
}

// figures draws what the group has data for, of the kinds that options name, and apart those that show nothing.
func (g group) figures(options Options) (out, empty []*Figure) {
	for _, k := range kinds {
		if len(options.Names) > 0 && !slices.Contains(options.Names, k.Name) {
			continue
		}
		if g.searched && len(options.Names) == 0 && !slices.Contains(ofSearches, k.Name) {
			continue
		}
		if options.Of == runfolder.FromDisplacement && !slices.Contains(ofPaths, k.Name) {
			continue
		}
		view := g.of(options.Of)
		if f := k.draw(view, options.Style); f != nil {
			f.Kind = k.Name
			f.unmark()
			if f.empty() {
				empty = append(empty, f)
				continue
			}
			f.says(view)
			f.setColumns(options.Columns)
			out = append(out, f)
		}
	}
	return out, empty
}

// left says that a figure which shows nothing is not drawn, and why as far as its notes do.
func (f *Figure) left() string {
	text := f.Title + " is not drawn, as nothing would stand in the figure"
	var why []string
	for _, note := range f.Notes {
		note, _, _ = strings.Cut(note, "; the CSV file") // which is not there
		note = strings.TrimSuffix(note, ".")
		why = append(why, strings.ToLower(note[:1])+note[1:])
	}
	if why == nil {
		return text + "."
	}
	return text + ": " + strings.Join(why, "; ") + "."
}

// unmark takes the marks of mathText out of what a page says of the figure.
func (f *Figure) unmark() {
	plain := strings.NewReplacer("$", "", "η_0", "η₀")
	f.Title, f.Caption, f.Alt = plain.Replace(f.Title), plain.Replace(f.Caption), plain.Replace(f.Alt)
}

// measured reports whether a run of the group has numbers of its weights.
func (g group) measured() bool {
	return slices.ContainsFunc(g.runs, func(r run) bool { return r.PVariation != nil })
}

// setColumns draws the figure over that many columns of a page, 0 for its own number. In
// one column panels stand below one another.
func (f *Figure) setColumns(columns int) {
	switch columns {
	case 1:
		f.wide = false
		var rows [][]panel
		if len(f.panels[0]) == 1 {
			return
		}
		for _, row := range f.panels {
			for _, p := range row {
				p.x.bare, p.y.bare = false, false
				rows = append(rows, []panel{p})
			}
		}
		f.panels = rows
	case 2:
		f.wide = true
	}
}
