#!/usr/bin/env bash
# Test a wheel beside JAX, Flax and Equinox in a fresh environment.
set -euo pipefail
wheel=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet "$wheel" pytest jax flax equinox
cp -r "$here/tests" "$here/pyproject.toml" "$venv"
cd "$venv"
"$venv/bin/python" -m pytest -q tests/test_jax.py
