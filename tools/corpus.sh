#!/bin/sh
# The test kernels through every NVRTC that Tandem supports, on the host device. The libraries are fetched through pip into
# build/nvrtc and are not committed.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
for pin in nvidia-cuda-nvrtc-cu11==11.8.89 nvidia-cuda-nvrtc-cu12==12.4.127 nvidia-cuda-nvrtc-cu12==12.9.86 nvidia-cuda-nvrtc==13.0.88; do
	dir=build/nvrtc/${pin##*==}
	if [ ! -d "$dir" ]; then
		mkdir -p build/nvrtc
		python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --dest "$dir.tmp" "$pin"
		python3 -m zipfile -e "$dir.tmp"/*.whl "$dir.tmp/tree"
		mv "$dir.tmp/tree" "$dir"
		rm -rf "$dir.tmp"
	fi
	echo "NVRTC ${pin##*==}"
	TANDEM_NVRTC=$PWD/$dir GOFLAGS=-buildvcs=false GOWORK=off "$GO" test -count 1 -run 'Corpus|Pointee' "$@" ./cuda
done
