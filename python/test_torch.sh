#!/usr/bin/env bash
# Test a wheel beside Debian's PyTorch (1.13, CPU), which is installed if it can be, and run the examples.
set -euo pipefail
wheel=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
/usr/bin/python3 -c 'import torch' 2> /dev/null || {
	apt-get install -qy --no-install-recommends python3-torch python3-venv || { apt-get update && apt-get install -qy --no-install-recommends python3-torch python3-venv; }
}
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
/usr/bin/python3 -m venv --system-site-packages "$venv"
# Debian's PyTorch was compiled for NumPy below 2.
"$venv/bin/pip" install --quiet "$wheel" pytest 'numpy<2'
cp -r "$here/tests" "$here/pyproject.toml" "$venv"
cd "$venv"
"$venv/bin/python" -m pytest -q -s tests/test_torch.py
cp -r "$here/examples" "$venv"
"$venv/bin/python" examples/resnet.py runs/resnet "$here/../dataset/data/digits.csv.gz"
"$venv/bin/python" examples/transformer.py runs/transformer
"$venv/bin/deeplimit" report runs/transformer
