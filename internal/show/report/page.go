package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

//go:embed page.html.tmpl
var pageSource string

//go:embed parts.html.tmpl
var partsSource string

//go:embed page.css
var pageStyle string

// pageTemplate is the page of a study; parts are what it shares with that of its
// untrained networks: the head, figures and how to cite.
var (
	parts        = template.Must(template.New("parts").Parse(partsSource))
	pageTemplate = template.Must(template.Must(parts.Clone()).New("page").Parse(pageSource))
)

// The views are what the template shows: text, ready to be escaped.
type pageView struct {
	Kind     string // of page
	Study    string
	CSS      template.CSS
	Lead     string
	Overview *overviewView // nil for one group
	Note     string        // what people have written about the study
	Tags     []string
	Figures  []figureView // of the study over its groups
	Troubles []string
	Notes    []string
	Groups   []groupView
	Folded   bool // whether groups are
	Long     bool // whether groups that are folded are not printed
	Brief    bool // whether figures are SVG alone
	Version  string
}

type groupView struct {
	Slug, Label string
	Part        string   // name of the weights
	Summary     []string // the sentences on the group
	Words       string   // the same as text to cite
	Laws        []law
	Limits      []limitView
	Transfer    *transferView
	Figures     []figureView
	Powers      []string
	Tested      bool // whether runs have test losses or accuracies
	Proof       *proofView
	Runs        []runView
	RunsWidth   float64 // of their table, as runsWidth says
	Notes       []string
	Method      *methodView
}

type figureView struct {
	Number  int
	Name    string
	Title   string
	Caption string
	Notes   []string
	Wide    bool
	SVG     template.HTML // the drawing, or where it is
	Source  string
	Alt     string
	Width   int // in points
	Height  int
	Files   []fileView
}

// A fileView is a link to a file of a figure.
type fileView struct{ Name, Format string }

type runView struct {
	Depth, Seed, Iterations, Stop, Trouble, Loss  string
	Rate, R2                                      string
	Frobenius, Displacement, Increment, Quadratic string
	Variations                                    []string
	TestLoss, Accuracy, TestAccuracy              string
}

// A methodView describes how the runs of a group were made.
type methodView struct {
	Block                              template.HTML
	Activation, Residual, Loss, Method string
	Alpha, Beta, DType                 string
	Width, Hidden, Samples             int
	Inputs, Outputs                    int
	Data, DataAbout                    string
	Depths, Seeds, Version             string
	Environment                        []string
	Step                               string // sizes by depth
	Run, Config                        string // a run and its configuration
	Imported, Fixed                    bool   // whether the weights come from elsewhere, and α is not trained
	LinearR2, Slow                     string // the limits of words
}

// mostOpen is the number of groups up to which a page shows each unfolded.
const mostOpen = 3

// mostPrinted is the number of groups up to which a page is printed with all of them, folded or not: each takes five pages to twelve.
const mostPrinted = 6

// pageFigures says how figures stand in a page: their formats for readers to take, and whether the page has them as files.
type pageFigures struct {
	formats []string
	linked  bool
	number  int // of the last
}

// newPageView returns the page of a study with its figures over all groups and those of each.
func newPageView(study string, groups []group, over []*Figure, figures [][]*Figure, how pageFigures) (view pageView, err error) {
	view = pageView{Kind: "Depth study", Study: study, CSS: template.CSS(pageStyle), Folded: how.linked, Long: len(groups) > mostPrinted, Brief: how.linked && len(how.formats) == 1}
	if study == "" {
		view.Study = "unnamed study"
	}
	if view.Figures, err = figureViews(over, &how); err != nil {
		return pageView{}, err
	}
	runs, done := 0, 0
	for i, g := range groups {
		for _, r := range g.runs {
			runs++
			if r.trouble() == "" {
				done++
				continue
			}
			view.Troubles = append(view.Troubles, troubleText(g, r))
		}
		v, err := newGroupView(g, figures[i], &how)
		if err != nil {
			return pageView{}, err
		}
		view.Groups = append(view.Groups, v)
		if v.Method != nil && view.Version == "" {
			view.Version = v.Method.Version
		}
	}
	view.Lead = fmt.Sprintf("%s in %s, %d finished.", plain.Count(runs, "run"), plain.Count(len(groups), "group"), done)
	return view, nil
}

// pending adds the number of runs that nobody has begun.
func (v *pageView) pending(runs int) {
	if runs > 0 {
		v.Lead += fmt.Sprintf(" %s more of the study not begun.", plain.Count(runs, "run"))
	}
}

func troubleText(g group, r run) string {
	text := fmt.Sprintf("%s, depth %d, seed %d: %s", g.label, r.Depth, r.Seed, r.trouble())
	if r.Iterations > 0 {
		text += fmt.Sprintf(" at iteration %d, loss %s", r.Iterations, number(r.Loss, 3))
	}
	if r.reason != "" {
		text += ": " + r.reason
	}
	return text
}

func newGroupView(g group, figures []*Figure, how *pageFigures) (groupView, error) {
	v := groupView{
		Slug: g.slug, Label: g.label, Part: primaryPart(g), Summary: sentences(g), Words: inWords(g), Laws: laws(g), Notes: g.notes,
		Limits: limitViews(g), Transfer: newTransferView(g.Transfer),
	}
	if depths := g.depths(); g.measured() && len(depths) == 1 {
		v.Notes = append(slices.Clone(v.Notes), fmt.Sprintf("All runs have depth %d: norms and p-variation stand in their table, as a figure against depth needs two.", depths[0]))
	}
	var err error
	if v.Figures, err = figureViews(figures, how); err != nil {
		return groupView{}, err
	}
	v.Proof = newProofView(g)
	seen := map[string]bool{}
	for _, r := range g.runs {
		for p := range r.PVariation {
			seen[p] = true
		}
		v.Tested = v.Tested || r.TestLoss != nil || r.Accuracy != nil || r.TestAcc != nil
	}
	v.Powers = powers(seen)
	for _, r := range g.runs {
		v.Runs = append(v.Runs, newRunView(r, v.Powers))
	}
	v.RunsWidth = runsWidth(v.Runs, v.Tested)
	v.Method, err = newMethodView(g)
	return v, err
}

// figureViews returns figures as a page shows them, counting on.
func figureViews(figures []*Figure, how *pageFigures) ([]figureView, error) {
	var views []figureView
	for _, f := range figures {
		how.number++
		v := figureView{Number: how.number, Name: f.Name, Title: f.Title, Caption: f.Caption, Notes: f.Notes, Wide: f.wide}
		if how.linked {
			w, h := f.size()
			v.Source, v.Alt, v.Width, v.Height = "figures/"+f.Name+".svg", f.Alt, int(w), int(h)
		} else {
			svg, err := f.SVG()
			if err != nil {
				return nil, err
			}
			v.SVG = template.HTML(svg) // drawn here: outlines and an escaped label
		}
		for _, format := range append(slices.Clone(how.formats), "csv") {
			v.Files = append(v.Files, fileView{f.Name + "." + format, strings.ToUpper(format)})
		}
		views = append(views, v)
	}
	return views, nil
}

// none stands in a table for a number that a run does not have.
const none = "—"

func newRunView(r run, powers []string) runView {
	v := runView{
		Depth: strconv.Itoa(r.Depth), Seed: strconv.FormatUint(r.Seed, 10), Iterations: strconv.Itoa(r.Iterations),
		Stop: r.Stop, Trouble: r.trouble(), Loss: cell(r.Loss, 3),
		Rate: none, R2: none, Frobenius: none, Displacement: none, Increment: none, Quadratic: none,
		TestLoss: optional(r.TestLoss), Accuracy: optional(r.Accuracy), TestAccuracy: optional(r.TestAcc),
	}
	if r.Rate != nil {
		v.Rate = r.Rate.Text()
		v.R2 = scaling.R2Text(r.Rate.R2)
	}
	if r.PVariation != nil {
		v.Frobenius, v.Displacement = cell(r.MaxFrobenius, 3), cell(r.Displacement, 3)
		v.Increment, v.Quadratic = cell(r.MaxIncrement, 3), cell(r.QuadraticVariation, 4)
	}
	for _, p := range powers {
		text := none
		if x, ok := r.PVariation[p]; ok {
			text = cell(x, 4)
		}
		v.Variations = append(v.Variations, text)
	}
	return v
}

// runsWidth returns the width of the table of runs in em, with characters of half an em
// and the padding of page.css: what a page must have room for, as numbers are not broken.
func runsWidth(runs []runView, tested bool) float64 {
	var widest []int // of each column, in characters
	for _, r := range runs {
		cells := append([]string{r.Depth, r.Seed, r.Iterations, r.Loss, r.Rate, r.R2, r.Frobenius, r.Displacement, r.Increment, r.Quadratic}, r.Variations...)
		if tested {
			cells = append(cells, r.TestLoss, r.Accuracy, r.TestAccuracy)
		}
		for len(widest) < len(cells) {
			widest = append(widest, len("Seed")+1)
		}
		for i, cell := range cells {
			widest[i] = max(widest[i], utf8.RuneCountInString(cell))
		}
	}
	const text = 11 // characters for a reason to stop, which is broken between words
	width, padding := 0.5*text, 0.5
	for _, characters := range widest {
		width += 0.5 * float64(characters)
	}
	return math.Ceil(width + padding*float64(len(widest)+1))
}

// cell writes x, or none where analyze has NaN for what it does not know.
func cell(x float64, digits int) string {
	if math.IsNaN(x) {
		return none
	}
	return number(x, digits)
}

func optional(x *float64) string {
	if x == nil {
		return none
	}
	return cell(*x, 3)
}

// blocks are the residual functions f_k by name of the block, without and with bias.
var blocks = map[string][2]template.HTML{
	"inner": {
		"<i>σ</i>(<i>A<sub>k</sub> h</i><sub><i>k</i>−1</sub>)",
		"<i>σ</i>(<i>A<sub>k</sub> h</i><sub><i>k</i>−1</sub> + <i>b<sub>k</sub></i>)",
	},
	"outer": {
		"<i>A<sub>k</sub> σ</i>(<i>h</i><sub><i>k</i>−1</sub>)",
		"<i>A<sub>k</sub> σ</i>(<i>h</i><sub><i>k</i>−1</sub>) + <i>b<sub>k</sub></i>",
	},
	"mlp": {
		"<i>V<sub>k</sub> σ</i>(<i>W<sub>k</sub> h</i><sub><i>k</i>−1</sub>)",
		"<i>V<sub>k</sub> σ</i>(<i>W<sub>k</sub> h</i><sub><i>k</i>−1</sub> + <i>b<sub>k</sub></i>) + <i>c<sub>k</sub></i>",
	},
}

// blockForm returns the residual function of a block, "" of one that is not known.
func blockForm(block string, bias bool, normalise string) template.HTML {
	form := blocks[block][0]
	if bias {
		form = blocks[block][1]
	}
	const state, seen = "h</i><sub><i>k</i>−1</sub>", "x<sub>k</sub></i>"
	if form != "" && normalise != "" {
		form = template.HTML(strings.Replace(string(form), state, seen, 1)) + ", <i>" + seen + " = norm(<i>" + state + "),"
	}
	return form
}

// newMethodView describes a group by the first of its runs with a run.json; nil
// when there is none.
func newMethodView(g group) (*methodView, error) {
	i := slices.IndexFunc(g.runs, func(r run) bool { return r.meta != nil })
	if i < 0 {
		return nil, nil
	}
	m := g.runs[i].meta
	v := &methodView{
		Activation: m.Activation, Residual: m.Residual, Loss: m.Loss, Method: m.Method,
		Alpha: unpadded(m.Alpha), Beta: unpadded(m.Beta()), DType: m.DType,
		Width: m.Width, Hidden: m.Hidden, Samples: m.Samples, Inputs: m.Inputs, Outputs: m.Outputs,
		Data: m.Data, DataAbout: m.DataAbout, Version: m.Version, Run: m.ID,
		Imported: m.Method == runfolder.Imported, Fixed: m.Residual == "" || m.Residual == "fixed",
		LinearR2: unpadded(analyze.LinearR2), Slow: unpadded(analyze.Slow),
	}
	v.Block = blockForm(m.Block, m.Bias, m.Normalise)
	v.Depths, v.Seeds, v.Step = depthList(g), seedList(g), stepText(g)
	for _, k := range slices.Sorted(maps.Keys(m.Environment)) {
		v.Environment = append(v.Environment, k+" "+m.Environment[k])
	}
	if len(m.Config) == 0 {
		return v, nil
	}
	var config bytes.Buffer
	if err := json.Indent(&config, m.Config, "", "  "); err != nil {
		return nil, fmt.Errorf("report: run %s: configuration: %w", m.ID, err)
	}
	v.Config = config.String()
	return v, nil
}

func depthList(g group) string {
	var texts []string
	for _, depth := range g.depths() {
		texts = append(texts, strconv.Itoa(depth))
	}
	return strings.Join(texts, ", ")
}

func seedList(g group) string {
	seeds := map[uint64]bool{}
	for _, r := range g.runs {
		seeds[r.Seed] = true
	}
	var texts []string
	for _, seed := range slices.Sorted(maps.Keys(seeds)) {
		texts = append(texts, strconv.FormatUint(seed, 10))
	}
	return strings.Join(texts, ", ")
}
