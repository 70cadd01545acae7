package analyze

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/runfolder"
)

// stepValue is the field whose best value every study that varies it is asked for.
const stepValue = "train.step.value"

// tunes takes the answer that deeplimit tune stored, or finds the best step of a study that varies it. It returns why
// an answer that is there cannot be read.
func (f *Folder) tunes(dir string) (unread error) {
	var stored Tune
	err := runfolder.ReadAnswer(dir, runfolder.Tune, &stored)
	switch {
	case err == nil:
		f.Tunes, f.Planes, f.Searched = stored.Groups, stored.Planes, true
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		f.Notes = append(f.Notes, err.Error())
		unread = err
	}
	found := map[string]*TuneGroup{}
	var order []string
	for i := range f.Result.Runs {
		r := &f.Result.Runs[i]
		detail := f.Details[r.ID]
		if _, varied := r.Settings[stepValue]; !varied || r.CopyOf != "" || detail == nil || detail.Meta == nil || detail.Meta.Step == nil || detail.Meta.Step.First == nil {
			continue
		}
		settings := maps.Clone(r.Settings)
		delete(settings, stepValue)
		key := r.Data + settingsKey(settings)
		g := found[key]
		if g == nil {
			alpha := r.Alpha
			g = &TuneGroup{
				Data: r.Data, Method: detail.Meta.Method, Alpha: &alpha, Settings: settings, Over: stepValue, Measure: "loss", Verdict: CannotTell, Regret: []TuneRegret{},
			}
			if g.Law = detail.Meta.Step.Law; detail.Meta.Step.Rule == "depth" {
				g.Law = detail.Meta.Step.Exponent
			}
			found[key] = g
			order = append(order, key)
		}
		run := TuneRun{ID: r.ID, Depth: r.Depth, Seed: r.Seed, Field: detail.Meta.Step.Value, Value: *detail.Meta.Step.First, Iterations: r.Iterations}
		if !r.Diverged() {
			run.Measure = finite(r.Loss)
			run.TestLoss, run.TestAccuracy = r.TestLoss, r.TestAcc
		}
		for j, loss := range r.LossTrace {
			if j < len(r.LossIterations) {
				run.Losses = append(run.Losses, TuneLoss{r.LossIterations[j], loss})
			}
		}
		g.Runs = append(g.Runs, run)
	}
	for _, key := range order {
		g := found[key]
		if g.values() < 3 {
			continue
		}
		g.Fit()
		f.Tunes = append(f.Tunes, *g)
	}
	return unread
}

// settingsKey returns settings as a text, the same for equal ones.
func settingsKey(settings map[string]string) string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, " %s=%q", path, settings[path])
	}
	return b.String()
}

// values returns how many values of the field the runs have.
func (g *TuneGroup) values() int {
	found := map[float64]bool{}
	for i := range g.Runs {
		found[g.Runs[i].Field] = true
	}
	return len(found)
}

// Holds reports whether runs of a data set with these settings are among those of the group.
func (g *TuneGroup) Holds(data string, settings map[string]string) bool {
	rest := maps.Clone(settings)
	if _, varied := rest[g.Over]; !varied {
		return false
	}
	delete(rest, g.Over)
	delete(rest, g.With)
	return data == g.Data && maps.Equal(rest, g.Settings)
}
