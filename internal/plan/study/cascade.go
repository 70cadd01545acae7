package study

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
)

// checkCascade refuses a run whose cascade is no such thing, or changes what the study measures, with a *field.Error whose path
// is that of the study file.
func (r *resolver) checkCascade(p *point, run *Run) error {
	if run.Train.Cascade == nil {
		return nil
	}
	if err := run.Train.CheckDepth(run.Depth); err != nil {
		return field.Under("train", err)
	}
	const path = "train.cascade"
	for _, key := range sorted(p.texts) {
		if !strings.HasPrefix(key, path+".") && !strings.HasPrefix(key, "train.stop.") {
			return &field.Error{Path: key, Got: p.texts[key], Want: "a number beside a cascade, whose levels have other depths"}
		}
	}
	for _, name := range sorted(run.Initial.Parts) {
		if part := run.Initial.Parts[name]; part.Kind == "file" {
			return &field.Error{Path: path, Got: phrase("a cascade"), Want: fmt.Sprintf("it left out with initial weights of a file (%s), which has none of depth %d", name, run.Train.Levels(run.Depth)[0])}
		}
	}
	if stop := run.Train.Stop; len(r.study.Depths) > 1 && stop.Loss == 0 && stop.Plateau == 0 {
		at := fmt.Sprintf("after %d steps", *stop.Iterations)
		if stop.Seconds > 0 {
			at += fmt.Sprintf(" or %g s", stop.Seconds)
		}
		return &field.Error{
			Path: path, Got: phrase("a cascade"),
			Want: "it left out, or train.stop.loss or train.stop.plateau: the study compares depths " + depthsOf(r.study.Depths) + " " + at +
				", and at a given time of descent a cascade is on another way, of which the exponents would be",
		}
	}
	return nil
}

// depthsOf writes a list of depths, the middle of a long one left out.
func depthsOf(depths []int) string {
	if len(depths) > 4 {
		return fmt.Sprintf("%d, %d, …, %d", depths[0], depths[1], depths[len(depths)-1])
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(slices.Clone(depths)), " ", ", "), "[]")
}
