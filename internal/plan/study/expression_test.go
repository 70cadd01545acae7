package study

import (
	"strings"
	"testing"
)

const expressionHead = "name: s\ndepths: [4, 16]\ndata: {kind: separated, width: 6, samples: 2, distance: 0.3}\n"

// TestExpressionsAreNumbers wants a study with expressions to have the runs, hashes included, of
// one with the numbers in their place, at one depth.
func TestExpressionsAreNumbers(t *testing.T) {
	for _, c := range []struct{ formulas, numbers string }{
		{"initial: {amplitude: 1/sqrt(width)}", "initial: {amplitude: 0.4082482904638631}"},
		{"initial: {amplitude: \"1/sqrt(hidden)\", parts: {W: {amplitude: 2/depth}}}\nnetwork: {block: mlp, hidden: 3*width - 2}", "initial: {amplitude: 0.25, parts: {W: {amplitude: 0.125}}}\nnetwork: {block: mlp, hidden: 16}"},
		{"network: {alpha: 'outputs > 4 ? 0.75 : 1', width: outputs + samples}\ntrain: {stop: {iterations: 10*depth}}", "network: {alpha: 0.75, width: 8}\ntrain: {stop: {iterations: 160}}"},
		{"train: {method: adamw, weight-decay: alpha - 0.5, step: {value: depth^-alpha, base-depth: ceil(depth/8), parts: {A: 0.5*alpha}}}", "train: {method: adamw, weight-decay: 0, step: {value: 0.25, base-depth: 2, parts: {A: 0.25}}}"},
		{"train: {method: sgd, batch: samples/2, clip: \"max(1, width)\"}", "train: {method: sgd, batch: 1, clip: 6}"},
		{"grid: {train.step.value: [2/width, 1]}", "grid: {train.step.value: [0.3333333333333333, 1]}"},
	} {
		got := mustRuns(t, strings.Replace(expressionHead, "[4, 16]", "[16]", 1)+c.formulas+"\n")
		want := mustRuns(t, strings.Replace(expressionHead, "[4, 16]", "[16]", 1)+c.numbers+"\n")
		if len(got) != len(want) {
			t.Fatalf("%s: got %d runs, want %d", c.formulas, len(got), len(want))
		}
		for i := range got {
			if got[i].Hash != want[i].Hash {
				t.Errorf("%s: got another hash than with the numbers:\n%s\n%s", c.formulas, got[i].Config(), want[i].Config())
			}
		}
	}
}

// TestExpressionsOfData wants sizes of the data, too, and samples of a stored set counted.
func TestExpressionsOfData(t *testing.T) {
	runs := mustRuns(t, "name: s\ndepths: [4, 6]\ndata: {kind: rotation, width: 6, samples: 2*depth, angle: 1/depth}\n")
	if runs[0].Data.Samples != 8 || runs[1].Data.Samples != 12 || runs[1].Data.Angle != 1.0/6 {
		t.Errorf("got %+v and %+v", runs[0].Data, runs[1].Data)
	}
	if runs[0].Group == runs[1].Group {
		t.Error("runs on other data share a group")
	}
	runs = mustRuns(t, "name: s\ndepths: [4]\ndata: [{kind: diabetes}, {kind: digits, samples: 30}]\ninitial: {amplitude: samples}\n")
	if a, b := runs[0].Initial.Parts["A"].Amplitude, runs[1].Initial.Parts["A"].Amplitude; *a != 442 || *b != 30 {
		t.Errorf("got %v and %v samples, want 442 and 30", *a, *b)
	}
}

// TestExpressionsOfDepth wants runs whose training and initial weights depend on depth compared
// over depth, and runs of other networks not.
func TestExpressionsOfDepth(t *testing.T) {
	groups := func(text string) (string, string) {
		runs := mustRuns(t, expressionHead+text+"\n")
		if runs[0].Hash == runs[1].Hash || runs[0].Depth != 4 || runs[1].Depth != 16 {
			t.Fatalf("%s: got runs %+v", text, runs)
		}
		return runs[0].Group, runs[1].Group
	}
	a, b := groups("initial: {amplitude: 1/depth}\ntrain: {step: {rule: constant, value: sqrt(depth)}}")
	if a != b {
		t.Error("runs of one law over depth are of two groups")
	}
	c, _ := groups("initial: {amplitude: 2/depth}\ntrain: {step: {rule: constant, value: sqrt(depth)}}")
	d, _ := groups("initial: {amplitude: 1/depth}\ntrain: {step: {rule: constant, value: sqrt(depth)}, clip: 3}")
	if a == c || a == d {
		t.Error("runs of two laws are of one group")
	}
	if e, f := groups("network: {block: mlp, hidden: 2*depth}"); e == f {
		t.Error("runs of two networks are of one group")
	}
	if g, h := groups("initial: {amplitude: 1/width}"); g != h {
		t.Error("runs of an expression without depth are of two groups")
	}
}

// TestExpressionsRefused wants the place of what is wrong, and what would be right.
func TestExpressionsRefused(t *testing.T) {
	const names = "depth, width, hidden, samples, outputs, alpha"
	for text, want := range map[string]string{
		"initial: {amplitude: 1/sqrt(hiden)}":                 `4:22: initial.amplitude: got "1/sqrt(hiden)", want a finite number or an expression of ` + names + ` (hiden: got an unknown name, want one of ` + names + `; did you mean "hidden"?)`,
		"initial: {amplitude: 1/(depth-16)}":                  `4:22: initial.amplitude: got "1/(depth-16)", want a finite number at depth 16 (division of 1 by zero)`,
		"initial: {amplitude: log(depth-8)}":                  `4:22: initial.amplitude: got "log(depth-8)", want a finite number at depth 4 (log(-4) is NaN)`,
		"train: {stop: {iterations: depth/3}}":                `4:28: train.stop.iterations: got 1.3333333333333333 (depth/3 at depth 4), want a whole number (floor, ceil and round make one)` + "\n" + `study: s.yaml:4:28: train.stop.iterations: got 5.333333333333333 (depth/3 at depth 16), want a whole number (floor, ceil and round make one)`,
		"train: {step: {value: 4-depth}}":                     `4:23: train.step.value: got 0 (4-depth at depth 4), want another value, or the key left out (default 1)` + "\n" + `study: s.yaml:4:23: train.step.value: got -12 (4-depth at depth 16), want a finite number > 0`,
		"train: {method: sgd, batch: 3*samples}":              `4:29: train.batch: got 6 (3*samples at depth 4), want at most 2, the number of samples`,
		"network: {width: 2*hidden}":                          `4:18: network.width: got "2*hidden", want a whole number or an expression of depth, samples, outputs, alpha (hidden is known only later)`,
		"network: {alpha: depth >}":                           `4:18: network.alpha: got "depth >", want a finite number or an expression of depth, samples, outputs (unexpected token EOF (1:7))`,
		"engine: {cpus: depth}":                               `4:16: engine.cpus: got "depth", want a whole number`,
		"seeds: depth":                                        `4:8: seeds: got "depth", want how many seeds, from 1 to 1000000, or a list of them`,
		"train: {stop: {loss: half}}":                         `4:22: train.stop.loss: got "half", want a finite number`,
		"grid: {initial.amplitude: [1/width, 1/widht/width]}": `4:37: initial.amplitude: got "1/widht/width", want a finite number or an expression of ` + names + ` (widht: got an unknown name, want one of ` + names + `; did you mean "width"?)`,
	} {
		s, err := Parse("s.yaml", []byte(expressionHead+text+"\n"), nil)
		if err == nil {
			_, err = s.Runs()
		}
		if err == nil || err.Error() != "study: s.yaml:"+want {
			t.Errorf("%s: got\n%v\nwant\nstudy: s.yaml:%s", text, err, want)
		}
	}
}
