package study

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCascadeRefused wants what is no cascade, or changes what a study measures, refused with the key that decides.
func TestCascadeRefused(t *testing.T) {
	const base = "name: s\ndata: {kind: rotation, width: 3, samples: 6, angle: 0.5}\n"
	for text, want := range map[string]string{
		"depths: [24]\ntrain: {cascade: {from: 16}}":                                                                   "train.cascade.from: got 16, want a depth of which 24 is a multiple by a power of factor 4",
		"depths: [8]\ntrain: {cascade: {from: 16}}":                                                                    "train.cascade.from: got 16",
		"depths: [16]\ntrain: {cascade: {from: 4, factor: 1}}":                                                         "train.cascade.factor: got 1",
		"depths: [16]\ntrain: {cascade: {from: 4, prolong: cubic}}":                                                    "train.cascade.prolong: got \"cubic\", want one of stretch, linear, limit",
		"depths: [16]\ntrain: {cascade: {from: 4, stop: {ratio: -1}}}":                                                 "train.cascade.stop.ratio: got -1",
		"depths: [16]\ntrain: {cascade: {from: 4}, step: {rule: certified}}":                                           "train.step.rule: got \"certified\", want depth, constant or armijo with a cascade",
		"depths: [16]\ninitial: {kind: normal, amplitude: 1/depth}\ntrain: {cascade: {from: 4}, stop: {loss: 0.1}}":    "initial.amplitude: got 1/depth (1/depth at depth 16), want a number beside a cascade",
		"depths: [16, 64]\ntrain: {cascade: {from: 4}, stop: {iterations: 49}}":                                        "train.cascade: got a cascade, want it left out, or train.stop.loss or train.stop.plateau: the study compares depths 16, 64 after 49 steps",
		"depths: [16, 64]\ntrain: {cascade: {from: 4}, stop: {seconds: 3}}":                                            "after 1000 steps or 3 s",
		"depths: [16]\ninitial: {kind: file, path: \"A-{depth}.npy\"}\ntrain: {cascade: {from: 4}, stop: {loss: 0.1}}": "train.cascade: got a cascade, want it left out with initial weights of a file",
	} {
		s, err := Parse("s.yaml", []byte(base+text), nil)
		if err == nil {
			_, err = s.Runs()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\ngot %v\nwant %s", text, err, want)
		}
	}
}

// TestCascadeOfPapers wants the study of the limit of weights, which measures after 49 steps, to take no cascade.
func TestCascadeOfPapers(t *testing.T) {
	text, err := os.ReadFile("../../../experiments/limit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse("limit.yaml", text, []string{"train.cascade.from=2", "train.cascade.factor=2"})
	if err == nil {
		_, err = s.Runs()
	}
	if err == nil || !strings.Contains(err.Error(), "at a given time of descent a cascade is on another way") {
		t.Errorf("got %v, want the cascade refused", err)
	}
}

// TestCascadeDepths wants the levels of a default, and no part of a cascade in the hash of a run without one.
func TestCascadeDepths(t *testing.T) {
	for depth, want := range map[string][]int{"1000": {16, 63, 250, 1000}, "509": {8, 32, 127, 509}, "1024": {16, 64, 256, 1024}, "7": {7}, "30": {8, 30}, "32": {8, 32}} {
		s, err := Parse("s.yaml", []byte("name: s\ndepths: ["+depth+"]\ndata: {kind: rotation, width: 3, samples: 6, angle: 0.5}\ntrain: {cascade: {}}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		runs, err := s.Runs()
		if err != nil {
			t.Fatal(err)
		}
		if got := runs[0].Train.Levels(runs[0].Depth); !slices.Equal(got, want) {
			t.Errorf("depth %s: got levels %v, want %v", depth, got, want)
		}
		off, err := Parse("s.yaml", s.Text, []string{"train.cascade=null"})
		if err == nil {
			runs, err = off.Runs()
		}
		if err != nil || runs[0].Train.Cascade != nil {
			t.Errorf("train.cascade null: got %v and a cascade, want none", err)
		}
	}
}
