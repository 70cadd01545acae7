#!/bin/sh
# Does the noise of mini-batches roughen the path, at equal loss? docs/compare.md has what came out.
set -eu
program=${1:?the deeplimit program}
out=${2:-runs/questions}
here=$(dirname "$0")
"$program" run "$here/batches.yaml" --out "$out/batches" --no-report >/dev/null
echo "== Roughness of the displacement at loss 1e-3, by gradient descent and by mini-batches of 2"
"$program" analyze "$out/batches" --at loss=1e-3 | grep -E '^at |^separated|^displacement_v_[123] '
