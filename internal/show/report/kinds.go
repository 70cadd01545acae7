package report

import (
	"slices"

	"github.com/deeplimit/deeplimit/runfolder"
)

// A Kind is a figure that every group of runs with the data for it has.
type Kind struct {
	Name  string // as in `deeplimit figure NAME`; its files are <Name>-<group>
	Text  string // what it shows, in a few words
	Needs string // what a study must hold to have it

	draw func(g group, style Style) *Figure // nil without data
}

// kinds are in an order that fills the columns of a page: two figures of one column, one
// of two columns, and so on.
var kinds = []Kind{
	{"loss", "loss against iteration at every depth, with the fitted rate", "runs with a trace", lossFigure},
	{"loss-depth", "loss against depth at fixed iterations", "runs at two depths or more", lossDepthFigure},
	{"tune", "loss against the step size, one curve a depth, with the best and the law", "a grid over train.step.value, or what deeplimit tune writes", tuneFigure},
	{"tune-second", "the same for the second of two values", "what deeplimit tune writes for two fields", secondFigure},
	{"plane", "loss over two values that are tuned at a time, one map a depth", "what deeplimit tune writes for two fields", planeFigure},
	{"regret", "what the best step of one depth loses at others", "what deeplimit tune writes", regretFigure},
	{"weights", "rescaled weights against k/L, depths overlaid", "finished runs", weightsFigure},
	{"norms-training", "heat map of the norms of all layers along training", "runs with train.norms, which is on unless set to off", normsTrainingFigure},
	{"norms", "norms of the weights against depth, with power laws and residuals", "finished runs", normsFigure},
	{"variation", "p-variation against depth, with power laws and residuals", "finished runs", variationFigure},
	{"states", "hidden states against k/L, depths overlaid", "finished runs, trained here", statesFigure},
	{"partition", "partitions that attain the p-variation, drawn on the path", "finished runs", partitionFigure},
	{"variation-training", "p-variation along training", "runs with train.record", variationTrainingFigure},
	{"variation-loss", "p-variation against the loss along training, for runs at equal loss", "runs with train.record", variationLossFigure},
	{"slopes", "slope of the p-variation against p, with the variation index", "runs at two depths or more", slopesFigure},
	{"regime", "statistics of increments against depth, beside the verdict on the limit", "runs at three depths or more", regimeFigure},
	{"distance", "distance between the paths of consecutive depths", "runs of one seed at two depths or more", distanceFigure},
	{"deepest", "distance to the deepest run, with its rate", "depths that share their initial weights", deepestFigure},
	{"transfer", "losses of networks rebuilt at other depths", "what deeplimit transfer writes", transferFigure},
	{"training", "iterations from rebuilt networks and from scratch", "what deeplimit transfer --train writes", trainingFigure},
	{"coordinates", "what training has changed against depth, with the exponents", "runs with train.coordinates", coordinatesFigure},
	{"slack", "slack of every bound over iterations, and when the certificate is issued", "runs with train.certify", slackFigure},
	{"certificates", "numbers of the kernel certificates against depth, with power laws", "what deeplimit certify STUDY --kernel writes, or runs with train.certify.kernel", kernelsFigure},
	{"sharpness", "largest eigenvalue of the Hessian against 2/η", "runs with train.certify.curvature", sharpnessFigure},
}

// ofSearches are the kinds that a page shows of a search, whose runs are too many to be drawn one by one.
var ofSearches = []string{"tune", "tune-second", "plane", "regret"}

// ofPaths are those that show paths of either source.
var ofPaths = []string{"weights", "norms-training", "norms", "variation", "partition", "variation-training", "variation-loss", "slopes", "regime"}

// Kinds returns the figures of a study, in the order of its page.
func Kinds() []Kind { return slices.Clone(kinds) }

// figures draws what the group has data for, of the kinds that options name.
func (g group) figures(options Options) []*Figure {
	var out []*Figure
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
			f.says(view)
			f.setColumns(options.Columns)
			out = append(out, f)
		}
	}
	return out
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
