#!/bin/sh
# Answer questions of the literature by commands alone: make questions. docs/compare.md has what came out.
set -eu
program=${1:?the deeplimit program}
out=${2:-runs/questions}
here=$(dirname "$0")
for study in mean-field mean-field-reference seeds outputs ode-limit sde-limit penalty batches width best-step; do
	"$program" run "$here/$study.yaml" --out "$out/$study" --no-report >/dev/null
done
echo "== Error in depth L and hidden width M after 50 steps, against the mean of four networks at (512, 1024)"
"$program" compare "$out/mean-field" --of outputs --to "$out/mean-field-reference" \
	--in depth,network.hidden --model 'a/L + b/sqrt(L*M)' --squares | sed -n '/^QUANTITY/,$p'
echo "== Distance between seeds: trained weights, and their displacement"
"$program" compare "$out/seeds" --of weights --between seeds | sed -n '/^QUANTITY/,$p'
"$program" compare "$out/seeds" --of displacement --between seeds | sed -n '/^QUANTITY/,$p'
echo "== Error of the outputs against the deepest network"
"$program" compare "$out/outputs" --of outputs --to deepest | sed -n '/^QUANTITY/,$p'
echo "== Error of the outputs of the rebuilt network against L = 16384"
"$program" transfer "$out/ode-limit" --depth 16,32,64,128,256,512,1024,2048 --reference 16384 | sed -n '/^ORDER/,$p'
echo "== Orders of the SDE limit"
"$program" transfer "$out/sde-limit" --depth 8,16,32,64,128 --reference 1024 --draws 20000 | sed -n '/^ORDER/,$p'
echo "== Does a penalty on increments make the limit smooth?"
"$program" analyze "$out/penalty" | grep -e '^separated' -e '^The limit'
"$program" analyze "$out/penalty" --contrast train.penalty.increments --of v_1
echo "== Do mini-batches roughen the path at equal loss?"
"$program" analyze "$out/batches" --contrast train.batch --at loss=0.001 --of displacement_v_2
echo "== What does width do to rate and exponents?"
"$program" analyze "$out/width" --contrast network.width --of rate
echo "== Test accuracy against depth at the best step"
"$program" analyze "$out/best-step" --contrast depth --of test_accuracy --best train.step.value
