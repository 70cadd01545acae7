#!/bin/sh
# Writes the assembly of this package from the generator module. With --check it
# writes nothing and fails if a committed file differs from what would be written.
set -eu
cd "$(dirname "$0")"
package=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd generate && go build -o "$work/generate" . && go build -o "$work/neon" ./neon)
cd "$work"
for kind in product activation vector normalise update; do
	./generate -kind $kind -out ${kind}_amd64.s -stubs ${kind}_amd64.go -pkg kernel
	./neon -kind $kind -out ${kind}_arm64.s -stubs ${kind}_arm64.go
done
if [ "${1:-}" != --check ]; then
	cp ./*_amd64.* ./*_arm64.* "$package"
	exit
fi
status=0
for file in *_amd64.* *_arm64.*; do
	if ! cmp -s "$file" "$package/$file"; then
		echo "internal/kernel: $file is stale: run go generate ./internal/kernel" >&2
		status=1
	fi
done
exit $status
