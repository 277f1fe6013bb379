#!/bin/sh
# Builds what a machine with an NVIDIA driver and no Go needs to try Tandem: the tests of the contract, of package cuda and
# of the kernels, the benchmarks, the example, the command, and run.sh, which runs them and writes one report. The binaries
# need glibc's loader and nothing else; GOARCH chooses the machine. Usage: gpu.sh DIR
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
out=${1:?usage: gpu.sh DIR}
export GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0 GOOS=linux
rm -rf "$out"
mkdir -p "$out"

"$GO" build -trimpath -o "$out/" ./cmd/tandem ./examples/multiply_them
(cd bench && "$GO" build -trimpath -o "$OLDPWD/$out/bench_hetero" ./hetero)
for p in internal/nvidia cuda cuda/cudatest kernels kernels/scan kernels/sort kernels/random kernels/linalg hostpar/hetero; do
	dir=$out/$(echo "$p" | tr / _)
	mkdir "$dir"
	"$GO" test -c -trimpath -o "$dir/test" "./$p"
	find "$p" -maxdepth 1 \( -name testdata -o -name '*.cu' -o -name '*.ptx' -o -name '*.zip' \) -exec cp -R {} "$dir/" \;
done
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || commit="$commit, changed"
sed "s/@COMMIT@/$commit/" tools/gpu_run.sh >"$out/run.sh"
chmod +x "$out/run.sh"
echo "$out: copy it to a machine with an NVIDIA driver and run ./run.sh there; report.json is for docs/results"
