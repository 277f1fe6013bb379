#!/bin/sh
# Tests interop/gorgonia: fetches NVIDIA's headers of CUDA 12 from PyPI to a temporary folder (commits nothing), builds the driver
# library in C that needs no GPU, and links gorgonia.org/cu with it. Needs gcc and python3 with pip. The exit status is 77 where
# something of that is missing.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off
wheel=${GORGONIA_WHEEL:-nvidia-cuda-runtime-cu12==12.4.127}
not_run() { echo "gorgonia: not run: $*" >&2; exit 77; }
command -v gcc >/dev/null 2>&1 || not_run 'no gcc'
python3 -m pip --version >/dev/null 2>&1 || not_run 'no python3 with pip'
[ -z "${TANDEM_NO_DOWNLOAD:-}" ] || not_run 'it downloads, and TANDEM_NO_DOWNLOAD forbids that'

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: -d "$tmp" "$wheel" ||
	not_run "$wheel cannot be fetched"
(cd "$tmp" && python3 -m zipfile -e ./*.whl .)
gcc -std=gnu11 -shared -fPIC -O2 -pthread -Wl,-soname,libcuda.so.1 -o "$tmp/libcuda.so.1" \
	internal/nvidia/testdata/fakecuda/fakecuda.c interop/gorgonia/testdata/more.c
ln -s libcuda.so.1 "$tmp/libcuda.so"
cd interop/gorgonia
# The package calls more of the driver than the tests do: what is not there fails when it is called.
CGO_ENABLED=1 CGO_CFLAGS="-I$(dirname "$(find "$tmp" -name cuda.h)")" CGO_LDFLAGS="-L$tmp -Wl,--unresolved-symbols=ignore-all" \
	LD_LIBRARY_PATH="$tmp" "$GO" test -count 1 -tags gorgonia -vet=all "$@" .
