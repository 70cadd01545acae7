#!/bin/sh
# Answer three questions of the literature by commands alone: make questions. docs/compare.md has what came out.
set -eu
program=${1:?the deeplimit program}
out=${2:-runs/questions}
here=$(dirname "$0")
for study in mean-field mean-field-reference seeds outputs; do
	"$program" run "$here/$study.yaml" --out "$out/$study" --no-report >/dev/null
done
echo "== Error in depth L and hidden width M after 50 steps, against the mean of four networks at (256, 512)"
"$program" compare "$out/mean-field" --of outputs --to "$out/mean-field-reference" \
	--in depth,network.hidden --model 'a/L + b/sqrt(L*M)' --squares | sed -n '/^QUANTITY/,$p'
echo "== Distance between seeds: trained weights, and their displacement"
"$program" compare "$out/seeds" --of weights --between seeds | sed -n '/^QUANTITY/,$p'
"$program" compare "$out/seeds" --of displacement --between seeds | sed -n '/^QUANTITY/,$p'
echo "== Error of the outputs against the deepest network"
"$program" compare "$out/outputs" --of outputs --to deepest | sed -n '/^QUANTITY/,$p'
