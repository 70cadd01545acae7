#!/bin/sh
# Writes the assembly of this package from the generator module. With --check it
# writes nothing and fails if a committed file differs from what would be written.
set -eu
cd "$(dirname "$0")"
out=.
if [ "${1:-}" = --check ]; then
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
fi
out=$(cd "$out" && pwd)
here=$PWD
(cd generate && go build -o "${TMPDIR:-/tmp}/kernel-generate.$$" .)
trap 'rm -f "${TMPDIR:-/tmp}/kernel-generate.$$"; [ "$out" = "$here" ] || rm -rf "$out"' EXIT
status=0
for kind in product activation vector; do
	# Run where the files go, so that the command line in their headers is always the same.
	(cd "$out" && "${TMPDIR:-/tmp}/kernel-generate.$$" -kind $kind -out ${kind}_amd64.s -stubs ${kind}_amd64.go -pkg kernel)
	for file in ${kind}_amd64.s ${kind}_amd64.go; do
		if [ "$out" != "$here" ] && ! diff -q "$file" "$out/$file" >/dev/null; then
			echo "internal/kernel: $file is stale: run go generate ./internal/kernel" >&2
			status=1
		fi
	done
done
exit $status
