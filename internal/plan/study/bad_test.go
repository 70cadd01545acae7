package study

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/field"
)

// head is a study file that is right; what the bad ones add begins in its line 4.
const head = "name: s\ndepths: [4, 8]\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\n"

const (
	networkKeys = "block, activation, alpha, residual, normalise, norm, norm-epsilon, bias, loss, power, width, hidden, embed, readout"
	goodName    = "a name of letters, digits, dots, dashes and underscores that begins with a letter or digit, at most 100 of them"
)

// grid returns axes of ten values each. Their paths need not exist: runs are counted first.
func grid(axes int) string {
	var b strings.Builder
	for i := range axes {
		fmt.Fprintf(&b, ", network.x%d: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]", i)
	}
	return "{" + b.String()[2:] + "}"
}

// keysOf returns that many keys of a mapping in brackets.
func keysOf(name string, count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "%s%d: 1, ", name, i)
	}
	return b.String()
}

// TestBadStudies holds every message to its exact text. Lines of want without a place
// begin behind "study: ".
func TestBadStudies(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		set  []string
		want string
	}{
		// keys
		{"misspelt section", head + "trian: {}\n", nil, `depth.yaml:4:1: trian: got an unknown key, want one of name, depths, seeds, dtype, data, network, initial, train, parametrisation, grid, zip, engine; did you mean "train"?`},
		{"misspelt key", head + "network: {activaton: tanh}\n", nil, `depth.yaml:4:11: network.activaton: got an unknown key, want one of ` + networkKeys + `; did you mean "activation"?`},
		{"unknown key", head + "network: {colour: red}\n", nil, `depth.yaml:4:11: network.colour: got an unknown key, want one of ` + networkKeys},
		{"key twice", head + "network: {bias: true}\nnetwork: {bias: false}\n", nil, `depth.yaml:5:1: network: got the key a second time, want it once (it stands in line 4 already)`},

		// types
		{"word for a number", head + "network: {alpha: half}\n", nil, `depth.yaml:4:18: network.alpha: got "half", want a finite number`},
		{"quoted number", head + "network: {alpha: \"0.5\"}\n", nil, `depth.yaml:4:18: network.alpha: got "0.5", want a finite number (without quotes)`},
		{"NaN", head + "network: {alpha: .nan}\n", nil, `depth.yaml:4:18: network.alpha: got .nan, want a finite number`},
		{"infinite", head + "train: {stop: {loss: -.inf}}\n", nil, `depth.yaml:4:22: train.stop.loss: got -.inf, want a finite number`},
		{"beyond float64", head + "train: {stop: {loss: 1e999}}\n", nil, `depth.yaml:4:22: train.stop.loss: got 1e999, want a finite number`},
		{"yes for true", head + "network: {bias: yes}\n", nil, `depth.yaml:4:17: network.bias: got "yes", want true or false`},
		{"fraction for a whole number", head + "network: {width: 4.5}\n", nil, `depth.yaml:4:18: network.width: got 4.5, want a whole number`},
		{"integer overflow", head + "network: {width: 99999999999999999999}\n", nil, `depth.yaml:4:18: network.width: got 99999999999999999999, want a whole number of at most 64 bits`},
		{"number for text", head + "network: {activation: 3}\n", nil, `depth.yaml:4:23: network.activation: got 3, want text (in quotes: "3")`},
		{"list for a section", head + "network: [a]\n", nil, `depth.yaml:4:10: network: got a list, want a mapping with keys among ` + networkKeys},
		{"mapping for a value", head + "network: {alpha: {a: 1}}\n", nil, `depth.yaml:4:19: network.alpha: got a mapping, want a finite number`},
		{"nothing for a value", head + "network: {alpha: }\n", nil, `depth.yaml:4:18: network.alpha: got nothing, want a finite number`},

		// the top level, all at once
		{"values", "name: ../x\ndepths: [-1, 2, 2]\nseeds: [1, 1]\ndtype: float16\ndata: []\n", nil, `depth.yaml:1:7: name: got "../x", want ` + goodName + `
depth.yaml:2:10: depths.0: got -1, want a depth ≥ 1
depth.yaml:2:17: depths.2: got 2, want a depth above 2, the one before it
depth.yaml:3:12: seeds.1: got 1, want each seed once (it is seeds.0 already)
depth.yaml:4:8: dtype: got "float16", want one of float64, float32; did you mean "float64"?
depth.yaml:5:7: data: got an empty list, want at least one data set`},
		{"types", "name: 5\ndepths: 16\nseeds: 0\ndtype: 5\ndata: 5\n", nil, `depth.yaml:1:7: name: got 5, want text (in quotes: "5")
depth.yaml:2:9: depths: got 16, want a list, such as [a, b]
depth.yaml:3:8: seeds: got 0, want how many seeds, from 1 to 1000000, or a list of them
depth.yaml:4:8: dtype: got 5, want text (in quotes: "5")
depth.yaml:5:7: data: got 5, want a data set, such as {kind: digits}, or a list of them`},
		{"nothing given", "seeds: 1\n", nil, `depth.yaml:1:1: name: got nothing, want ` + goodName + `
depth.yaml:1:1: depths: got nothing, want a list of depths, such as [16, 64, 256]
depth.yaml:1:1: data: got nothing, want a data set, such as {kind: digits}, or a list of them`},
		{"depths that fall", "name: s\ndepths: [16, 8]\ndata: {kind: digits}\n", nil, `depth.yaml:2:14: depths.1: got 8, want a depth above 16, the one before it`},
		{"no depths", "name: s\ndepths: []\ndata: {kind: digits}\n", nil, `depth.yaml:2:9: depths: got an empty list, want at least one depth`},
		{"too many seeds", head + "seeds: 1000000000\n", nil, `depth.yaml:4:8: seeds: got 1000000000, want how many seeds, from 1 to 1000000, or a list of them`},
		{"negative seed", head + "seeds: [-1]\n", nil, `depth.yaml:4:9: seeds.0: got -1, want a whole number from 0 to 2^64 − 1`},

		// YAML
		{"empty", "", nil, `depth.yaml:1:1: got nothing, want a study: a YAML mapping with name, depths and data`},
		{"a list", "- a\n", nil, `depth.yaml:1:1: got a list, want a study: a YAML mapping with name, depths and data`},
		{"open bracket", "a: [1\n", nil, `depth.yaml:2:1: did not find expected ',' or ']' while parsing a flow sequence that begins in line 1, column 4`},
		{"two documents", head + "---\na: 1\n", nil, `depth.yaml:5:1: got a second YAML document, want one`},
		{"alias of nothing", "a: *x\n", nil, `depth.yaml:1:4: got *x, want an alias of an anchor (&x) that stands before it`},
		{"tag", head + "network: !!map {}\n", nil, `depth.yaml:4:10: network: got the YAML tag !!map, want a plain value, a list or a mapping`},

		// sections
		{"activation", head + "network:\n  activation: rleu\n", nil, `depth.yaml:5:15: network.activation: got "rleu", want one of tanh, sin, gelu, silu, softplus, elu, sigmoid, centred-sigmoid, relu, identity; did you mean "relu"?`},
		{"alpha above 1", head + "network: {alpha: 1.5}\n", nil, `depth.yaml:4:18: network.alpha: got 1.5, want a number in [0, 1]`},
		{"alpha below 0", head + "network: {alpha: -0.1}\n", nil, `depth.yaml:4:18: network.alpha: got -0.1, want a number in [0, 1]`},
		{"width × width × depth overflow", head + "network: {width: 4000000000}\n", nil, `depth.yaml:4:18: network.width: got 4000000000, want a width and depths with at most 2^44 parameters in all (depth 8 makes 1.28e+20)`},
		{"N × d overflow", "name: s\ndepths: [4]\ndata: {kind: separated, width: 4611686018427387904, samples: 4, distance: 1}\n", nil, `depth.yaml:3:62: data.samples: got 4, want at most 2^31 numbers in all, (samples + test) × 2 × width, with test 0 and width 4611686018427387904`},
		{"several sections", head + "network: {hidden: 5}\ntrain: {batch: 3}\n", nil, `depth.yaml:4:19: network.hidden: got 5, want no hidden width with block inner (use block: mlp)
depth.yaml:5:16: train.batch: got 3, want no batch with method gd, which takes all samples (use method: sgd)`},
		{"more samples in a batch than there are", head + "train: {method: sgd, batch: 32}\n", nil, `depth.yaml:4:29: train.batch: got 32, want at most 2, the number of samples`},
		{"data kind", "name: s\ndepths: [4]\ndata: {kind: separatd}\n", nil, `depth.yaml:3:14: data.kind: got "separatd", want one of separated, rotation, ode, sde, uniform, normal, digits, diabetes, mnist, fashion-mnist, csv, parquet, files; did you mean "separated"?`},
		{"value that is absent", "name: s\ndepths: [4]\ndata:\n  kind: separated\n  width: 4\n  distance: 1\n", nil, `depth.yaml:4:3: data.samples: got 0, want the number N ≥ 1 of samples to generate`},
		{"second data set", "name: s\ndepths: [4]\ndata:\n- {kind: digits}\n- {kind: digits, width: 3}\n", nil, `depth.yaml:5:25: data.1.width: got 3, want it left out: kind digits has no width (for separated, rotation, ode, sde, uniform, normal)`},
		{"one name for two sets", "name: s\ndepths: [4]\ndata:\n- {kind: digits}\n- {kind: digits, samples: 5}\n", nil, `depth.yaml:5:4: data.1.name: got "digits", want a name that no other data set has (data.0 has it)`},
		{"depth off the grid", head + "initial: {kind: fractional-noise, coupled: true}\n", []string{"depths=[3]"}, `depth.yaml:4:44: initial.coupled: got true, want false at depth 3 with kind fractional-noise: its coupled path is drawn at 65536 points, which the depth must divide`},
		{"engine", head + "engine: {kind: pbs}\n", nil, `depth.yaml:4:16: engine.kind: got "pbs", want one of local, slurm`},
		{"engine's limit as a number", head + "engine: {kind: slurm, time: 90}\n", nil, `depth.yaml:4:29: engine.time: got 90, want text (in quotes: "90")`},
		{"engine's arguments", head + "engine: {sbatch-args: [--nice, -N2]}\n", nil, `depth.yaml:4:32: engine.sbatch-args.1: got "-N2", want an option of sbatch in its long form, --name or --name=value`},
		{"grid over the engine", head + "grid: {engine.cpus: [1, 2]}\n", nil, `depth.yaml:4:8: grid.engine.cpus: got a field that cannot be varied, want a path inside data, network, initial or train, or dtype (depths and seeds are lists already)`},
		{"zero cores", head + "engine: {cpus: 0}\n", nil, `depth.yaml:4:16: engine.cpus: got 0, want another value, or the key left out (default 1)`},

		// a written zero is not taken for "not given"
		{"zero step", head + "train: {step: {value: 0}}\n", nil, `depth.yaml:4:23: train.step.value: got 0, want another value, or the key left out (default 1)`},
		{"zero batch of gd", head + "train: {batch: 0}\n", nil, `depth.yaml:4:16: train.batch: got 0, want no batch with method gd, which takes all samples (use method: sgd)`},
		{"zero batch of sgd", head + "train: {method: sgd, batch: 0}\n", nil, `depth.yaml:4:29: train.batch: got 0, want another value, or the key left out (default 2)`},
		{"zero batch of adam", head + "train: {method: adam, batch: 0}\n", nil, `depth.yaml:4:30: train.batch: got 0, want another value, or the key left out (for all samples)`},
		{"zero samples of a stored set", "name: s\ndepths: [4]\ndata: {kind: digits, samples: 0}\n", nil, `depth.yaml:3:31: data.samples: got 0, want another value, or the key left out (for all of a stored set)`},
		{"tab", "name: s\n\tdepths: [4]\n", nil, `depth.yaml:2:1: got a tab, want spaces before a key (YAML takes no tabs there)`},
		{"tab before a key", "data:\n\tkind: digits\n", nil, "depth.yaml:2:1: got a character that no key and no value begins with (a tab, @, % or `), want spaces, or quotes around the text"},
		{"tag of nothing", head + "network: {alpha: ! 5}\n", nil, `depth.yaml:4:18: network.alpha: got the YAML tag !, want a plain value, a list or a mapping`},
		{"alias inside what it names", "a: &x [*x]\n", nil, `depth.yaml:1:8: a.0: got *x inside what it names, want an alias of an anchor (&x) that stands before it`},
		{"a list for a key", head + "network: {[alpha]: 1}\n", nil, `depth.yaml:4:11: network: got a key that is no text, want text for a key`},
		{"a list for the key of a section", "[name]: s\n", nil, `depth.yaml:1:1: got a key that is no text, want text for a key`},
		{"an empty key", head + "'': 1\n", nil, `depth.yaml:4:1: got an unknown key, want one of name, depths, seeds, dtype, data, network, initial, train, parametrisation, grid, zip, engine`},
		{"tag of an override", head, []string{"name=!!str s"}, `--set name=!!str s: got the YAML tag !!str, want a plain value, a list or a mapping`},
		{"two merge keys", "name: s\ndepths: [4]\ndata:\n- &a {kind: digits}\n- &b {kind: diabetes}\n- {<<: *a, <<: *b, name: c}\n", nil, `depth.yaml:6:12: data.2.<<: got the key a second time, want it once (it stands in line 6 already)`},
		{"hexadecimal fraction", head + "network: {alpha: 0x1p-1}\n", nil, `depth.yaml:4:18: network.alpha: got "0x1p-1", want a finite number`},
		{"iterations that no float64 counts", head + "train: {stop: {iterations: 9223372036854775807}}\n", nil, `depth.yaml:4:28: train.stop.iterations: got 9223372036854775807, want a whole number from 0 to 2^53`},
		{"too many keys", "network:\n" + strings.Repeat("  a: 1\n", 501), nil, `depth.yaml:3:3: network.a: got the key a second time, want it once (it stands in line 2 already)`},
		{"too many merged keys", "a: &a {" + keysOf("a", 300) + "}\nb: {<<: *a, " + keysOf("b", 300) + "}\n", nil, `depth.yaml:2:1703: b: got a mapping of more than 500 keys, want fewer`},
		{"control character", "name: s\x01\n", nil, `depth.yaml:1:8: got a control character, want none`},
		{"UTF-16", "\xff\xfen\x00", nil, `depth.yaml:1:1: got text that is not UTF-8, want UTF-8`},
		{"zero variation", head + "train: {variation: 0}\n", nil, `depth.yaml:4:20: train.variation: got 0, want another value, or the key left out (for never)`},
		{"zero seconds", head + "train: {stop: {seconds: 0}}\n", nil, `depth.yaml:4:25: train.stop.seconds: got 0, want another value, or the key left out (for no limit)`},
		{"zero plateau", head + "train: {stop: {plateau: 0}}\n", nil, `depth.yaml:4:25: train.stop.plateau: got 0, want another value, or the key left out (for no such stop)`},
		{"zero loss", head + "grid: {train.stop.loss: [0, 0.1]}\n", nil, `depth.yaml:4:26: train.stop.loss: got 0, want another value, or the key left out (for no such stop)`},
		{"zero tasks at once", head + "engine: {kind: slurm, array-limit: 0}\n", nil, `depth.yaml:4:36: engine.array-limit: got 0, want another value, or the key left out (default 100)`},
		{"zero momentum", head + "train: {method: momentum, momentum: 0}\n", nil, `depth.yaml:4:37: train.momentum: got 0, want another value, or the key left out (default 0.9)`},
		{"zero momentum of gd", head + "train: {momentum: 0}\n", nil, `depth.yaml:4:19: train.momentum: got 0, want it left out, or method: momentum, nesterov or muon`},
		{"zero step of adam", head + "train: {method: adam, step: {value: 0}}\n", nil, `depth.yaml:4:37: train.step.value: got 0, want another value, or the key left out (default 0.01)`},
		{"zero epsilon", head + "train: {method: adam, epsilon: 0}\n", nil, `depth.yaml:4:32: train.epsilon: got 0, want another value, or the key left out (default 1e-08)`},
		{"zero epsilon of sgd", head + "train: {method: sgd, epsilon: 0.0}\n", nil, `depth.yaml:4:31: train.epsilon: got 0.0, want it left out, or method: adam, adamw or muon`},
		{"zero factor", head + "train: {step: {factor: 0}}\n", nil, `depth.yaml:4:24: train.step.factor: got 0, want it left out, or rule: armijo or schedule: decay`},
		{"zero batch in a grid", head + "grid: {train.batch: [0]}\n", nil, `depth.yaml:4:22: train.batch: got 0, want no batch with method gd, which takes all samples (use method: sgd)`},
		{"zero batch of an override", head, []string{"train.batch=0"}, `--set train.batch=0: train.batch: got 0, want no batch with method gd, which takes all samples (use method: sgd)`},
		{"zero hidden width", head + "network: {hidden: 0}\n", nil, `depth.yaml:4:19: network.hidden: got 0, want no hidden width with block inner (use block: mlp)`},
		{"zero angle of another kind", head + "grid: {data.angle: [0]}\n", nil, `depth.yaml:4:21: data.angle: got 0, want it left out: kind separated has no angle (for rotation)`},
		{"empty norms", head + "train: {norms: ''}\n", nil, `depth.yaml:4:16: train.norms: got "", want another value, or the key left out`},
		{"a rule that is a schedule", head + "train: {step: {rule: cosine}}\n", nil, `depth.yaml:4:22: train.step.rule: got "cosine", want one of depth, constant, armijo, certified (cosine is a schedule: write schedule: cosine)`},
		{"zero width", head + "network: {width: 0}\n", nil, `depth.yaml:4:18: network.width: got 0, want another value, or the key left out (default 4)`},
		{"zero hurst", head + "initial: {hurst: 0.0}\n", nil, `depth.yaml:4:18: initial.hurst: got 0.0, want another value, or the key left out (default 0.5)`},
		{"empty activation", head + "network: {activation: ''}\n", nil, `depth.yaml:4:23: network.activation: got "", want another value, or the key left out (default tanh)`},
		{"part untied", head + "initial: {tied: true, parts: {A: {tied: false}}}\n", nil, `depth.yaml:4:41: initial.parts.A.tied: got false, want another value, or the key left out (default true)`},

		// files
		{"files missing", "name: s\ndepths: [4]\ndata: {kind: files, inputs: a.npy, targets: b.npy}\n", nil, `depth.yaml:3:29: data.inputs: got "a.npy", want a file that can be read: no such file or directory
depth.yaml:3:45: data.targets: got "b.npy", want a file that can be read: no such file or directory`},
		{"a folder for a file", "name: s\ndepths: [4]\ndata: {kind: csv, path: .}\n", nil, `depth.yaml:3:25: data.path: got ".", want a file that can be read: it is no regular file`},
		{"initial weights missing", head + "initial: {kind: file, path: \"A-{depth}.npy\"}\n", nil, `depth.yaml:4:29: initial.path: got "A-4.npy", want a file that can be read: no such file or directory
depth.yaml:4:29: initial.path: got "A-8.npy", want a file that can be read: no such file or directory`},
		{"part's weights missing", head + "network: {bias: true}\ninitial: {parts: {b: {kind: file, path: b.npy}}}\n", nil, `depth.yaml:5:41: initial.parts.b.path: got "b.npy", want a file that can be read: no such file or directory`},
		{"bias missing", head + "network: {bias: true}\ninitial: {kind: file, path: bad_test.npy, bias: b.npy}\n", nil, `depth.yaml:5:29: initial.path: got "bad_test.npy", want a file that can be read: no such file or directory
depth.yaml:5:49: initial.bias: got "b.npy", want a file that can be read: no such file or directory`},

		// grid and zip
		{"grid's path", head + "grid: {network.alpa: [1]}\n", nil, `depth.yaml:4:8: grid.network.alpa: got an unknown key, want one of ` + networkKeys + `; did you mean "alpha"?`},
		{"grid's path too long", head + "grid: {network.alpha.beta: [1]}\n", nil, `depth.yaml:4:8: grid.network.alpha.beta: got a path that goes on, want network.alpha, which has no fields`},
		{"grid over depths", head + "grid: {depths: [1]}\n", nil, `depth.yaml:4:8: grid.depths: got a field that cannot be varied, want a path inside data, network, initial or train, or dtype (depths and seeds are lists already)`},
		{"grid's value out of range", head + "grid: {network.alpha: [0.5, 2]}\n", nil, `depth.yaml:4:29: network.alpha: got 2, want a number in [0, 1]`},
		{"fault that all points of a grid share", head + "network: {activation: rleu}\ngrid: {network.alpha: [0.5, 1]}\n", nil, `depth.yaml:4:23: network.activation: got "rleu", want one of tanh, sin, gelu, silu, softplus, elu, sigmoid, centred-sigmoid, relu, identity; did you mean "relu"?`},
		{"grid's value of another type", head + "grid: {network.alpha: [0.5, x]}\n", nil, `depth.yaml:4:29: network.alpha: got "x", want a finite number`},
		{"grid's value twice", head + "grid: {network.alpha: [0.5, 5e-1]}\n", nil, `depth.yaml:4:29: grid.network.alpha: got 5e-1, want each value once (value 1 of the list has it already)`},
		{"grid without values", head + "grid: {network.alpha: []}\n", nil, `depth.yaml:4:23: grid.network.alpha: got an empty list, want at least one value`},
		{"grid of a value", head + "grid: {network.alpha: 1}\n", nil, `depth.yaml:4:23: grid.network.alpha: got 1, want a list of values`},
		{"grid of a field the kind lacks", head + "grid: {data.angle: [1]}\n", nil, `depth.yaml:4:21: data.angle: got 1, want it left out: kind separated has no angle (for rotation)`},
		{"grid over an absent set", head + "grid: {data.1.samples: [1]}\n", nil, `depth.yaml:4:8: grid.data.1.samples: got data set 1, want a field of one of data.0 … data.0`},
		{"grid and zip", head + "grid: {network.block: [inner, outer]}\nzip: {network.block: [inner]}\n", nil, `depth.yaml:5:7: zip.network.block: got a field that is varied already, want it varied once (by network.block alone)`},
		{"grid and its inside", head + "grid: {train.step: [{value: 1}], train.step.value: [2]}\n", nil, `depth.yaml:4:34: grid.train.step.value: got a field that is varied already, want it varied once (by train.step alone)`},
		{"grid of all sets and one", head + "grid: {data.samples: [1], data.0.samples: [2]}\n", nil, `depth.yaml:4:27: grid.data.0.samples: got a field that is varied already, want it varied once (by data.samples alone)`},
		{"zip of two lengths", head + "zip: {network.alpha: [1, 0], train.step.value: [1]}\n", nil, `depth.yaml:4:48: zip.train.step.value: got a list of 1, want a list of 2, as many as zip.network.alpha has`},
		{"zip without a path", head + "zip: [{}, {}]\n", nil, `depth.yaml:4:7: zip.0: got a mapping, want a mapping path: value, here or in another row`},
		{"a path in two zips", head + "zip: [[{network.alpha: 1}, {network.alpha: 0}], [{network.alpha: 1}]]\n", nil, `depth.yaml:4:51: zip.1.network.alpha: got a field that is varied already, want it varied once (by network.alpha alone)`},
		{"zips of other forms", head + "zip: [[{network.alpha: 1}], 3]\n", nil, `depth.yaml:4:29: zip.1: got 3, want a list of mappings path: value, or a mapping path: list`},
		{"a path of zip set", head + "zip: [[{network.alpha: 1}], [{train.step.value: 3}, {network.bias: true}]]\n", []string{"network.bias=true"}, `--set network.bias=true: network.bias: got a field that zip.network.bias varies, want zip.network.bias to be set instead`},
		{"same run twice", head + "grid: {initial: [{kind: normal}, {}]}\n", nil, `depth.yaml:4:8: the runs "separated" initial={kind: normal} depth 4 seed 1 and "separated" initial={} depth 4 seed 1 are the same once resolved, want runs that differ (hash ab3053f2)`},
		{"too many runs", head + "seeds: 1000000\n", nil, `depth.yaml:4:8: got 2000000 runs (2 depths × 1000000 seeds), want at most 100000; --max-runs raises the limit`},
		{"a grid of 1e10 runs", head + "seeds: 10\ngrid: " + grid(9) + "\n", nil, `depth.yaml:5:8: got 20000000000 runs (1000000000 data sets and grid points × 2 depths × 10 seeds), want at most 100000; --max-runs raises the limit`},
		{"a grid of more than 64 bits", head + "grid: " + grid(30) + "\n", nil, `depth.yaml:4:8: got 2000000000000000000000000000000 runs (1000000000000000000000000000000 data sets and grid points × 2 depths), want at most 100000; --max-runs raises the limit`},

		// overrides
		{"override without a value", head, []string{"network.alpha"}, `--set network.alpha: got no path=value, want one such as network.alpha=0.75`},
		{"override of an unknown key", head, []string{"network.alfa=1"}, `--set network.alfa=1: network.alfa: got an unknown key, want one of ` + networkKeys + `; did you mean "alpha"?`},
		{"override out of range", head, []string{"network.alpha=2"}, `--set network.alpha=2: network.alpha: got 2, want a number in [0, 1]`},
		{"override of another type", head, []string{"network.alpha=x"}, `--set network.alpha=x: network.alpha: got "x", want a finite number`},
		{"override of one depth", head, []string{"depths.0=5"}, `--set depths.0=5: depths.0: got one value of a list, want depths as a whole, such as depths=[1, 2]`},
		{"override of one seed", head + "seeds: 3\n", []string{"seeds.0=5"}, `--set seeds.0=5: seeds.0: got one value of a list, want seeds as a whole, such as seeds=[1, 2]`},
		{"override in a section that is none", head + "network: 5\n", []string{"network.alpha=1"}, `depth.yaml:4:10: network: got 5, want a mapping with keys among ` + networkKeys},
		{"override that is no YAML", head, []string{"network.alpha=[1"}, `--set network.alpha=[1: did not find expected ',' or ']' while parsing a flow sequence that begins in line 1, column 1`},
		{"override of an absent set", head, []string{"data.3.samples=1"}, `--set data.3.samples=1: data.3.samples: got data set 3, want a field of one of data.0 … data.0`},
		{"override of all sets", head, []string{"data=[{kind: digits},{kind: digits}]", "data.samples=3"}, `--set data.samples=3: data.samples: got a field of 2 data sets, want one of them named: data.0.samples … data.1.samples`},
		{"override of what the grid varies", head + "grid: {network.alpha: [0.5]}\n", []string{"network.alpha=1"}, `--set network.alpha=1: network.alpha: got a field that grid.network.alpha varies, want grid.network.alpha to be set instead`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse("depth.yaml", []byte(c.text), c.set)
			if err == nil {
				_, err = s.Runs()
			}
			if err == nil {
				t.Fatal("got no error")
			}
			want := "study: " + strings.ReplaceAll(c.want, "\n", "\nstudy: ")
			if err.Error() != want {
				t.Errorf("got\n%v\nwant\n%v", err, want)
			}
			if e := new(Error); !errors.As(err, &e) {
				t.Errorf("got a %T, want *Error", err)
			}
		})
	}
}

func TestErrorHoldsPlaceAndField(t *testing.T) {
	_, err := Parse("depth.yaml", []byte(head+"network: {alpha: half}\n"), nil)
	var e *Error
	if !errors.As(err, &e) || e.File != "depth.yaml" || e.Line != 4 || e.Column != 18 || e.Path != "network.alpha" || e.Set != "" {
		t.Errorf("got %+v, want depth.yaml, 4, 18, network.alpha", e)
	}
	var f *field.Error
	if !errors.As(err, &f) || f.Path != "network.alpha" || f.Got != any("half") {
		t.Errorf("got %+v, want the field's error inside", f)
	}
}

func TestNoSuchStudy(t *testing.T) {
	_, err := Load("nowhere.yaml", nil)
	if want := "study: open nowhere.yaml: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
