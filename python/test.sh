#!/usr/bin/env bash
# Install a wheel alone into a fresh environment and test it there: the package with pandas, then
# polars, figures and notebooks.
set -euo pipefail
wheel=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet "$wheel"
cd "$venv" # nothing of the checkout is in reach
"$venv/bin/deeplimit" version
"$venv/bin/python" -c 'import deeplimit; assert deeplimit.pvar([0, 1, 0], 2) == 2'
"$venv/bin/pip" install --quiet "$wheel[polars,plot]" pytest hypothesis
cp -r "$here/tests" "$here/pyproject.toml" "$venv"
"$venv/bin/pytest" -q -rs tests # says what is skipped, and why
package=$("$venv/bin/python" -c 'import deeplimit; print(deeplimit.__path__[0])')
cp "$venv/tests/conftest.py" "$package" # doctests find their study there
"$venv/bin/pytest" -q --doctest-modules --rootdir "$package" "$package"

"$venv/bin/pip" install --quiet nbclient nbformat ipykernel roughpy
cp -r "$here/notebooks" "$venv"
"$venv/bin/python" notebooks/execute.py --check notebooks/*.ipynb
