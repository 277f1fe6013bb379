#!/bin/sh
# Holds our table of the CUDA driver's functions against NVIDIA's own header and library: static assertions against the
# cuda.h of pip wheels, of several versions, and a look-up of every name in the distribution's libcuda. All of it goes to
# a temporary folder and away again. A header that cannot be fetched is a failure; the library may be missing.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0
wheels=${ABI_WHEELS:-"nvidia-cuda-runtime-cu11==11.8.89 nvidia-cuda-runtime-cu12==12.4.127 nvidia-cuda-runtime-cu12==12.9.79 nvidia-cuda-runtime==13.0.48"}
command -v gcc >/dev/null 2>&1 || { echo 'abi: not run: no gcc' >&2; exit 1; }
command -v python3 >/dev/null 2>&1 || { echo 'abi: not run: no python3 with pip' >&2; exit 1; }
[ -z "${TANDEM_NO_DOWNLOAD:-}" ] || { echo 'abi: not run: it downloads, and TANDEM_NO_DOWNLOAD forbids that' >&2; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$GO" run ./internal/nvidia/cuapi/abigen >"$tmp/abi.c"
"$GO" run ./internal/nvidia/cuapi/abigen -symbols >"$tmp/symbols"

for w in $wheels; do
	mkdir "$tmp/$w"
	python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: -d "$tmp/$w" "$w"
	(cd "$tmp/$w" && python3 -m zipfile -e ./*.whl .)
	header=$(find "$tmp/$w" -name cuda.h)
	gcc -std=gnu11 -Wall -Werror -Wno-deprecated-declarations -I "$(dirname "$header")" "$tmp/abi.c" -o "$tmp/abi"
	"$tmp/abi"
	echo "abi: $w: $(grep -c _Static_assert "$tmp/abi.c") assertions hold"
done

# libcuda looks for the names in a driver library: libcuda FILE.
libcuda() {
	nm -D --defined-only "$1" | sed 's/.* //; s/@.*//' | sort >"$tmp/exported"
	missing=0
	while read -r since names; do
		found=
		for n in $names; do
			if grep -qx "$n" "$tmp/exported"; then found=$n; fi
		done
		[ -z "$found" ] || continue
		echo "abi: ${1##*/} does not export $names (in CUDA since $since)"
		[ "$since" -ne 0 ] || missing=1
	done <"$tmp/symbols"
	[ $missing -eq 0 ] || exit 1
	echo "abi: ${1##*/}: all $(wc -l <"$tmp/symbols") entry points looked up"
}

if [ -n "${ABI_LIBCUDA:-}" ]; then
	libcuda "$ABI_LIBCUDA"
elif file=$(sh tools/libcuda.sh fetch "$tmp"); then
	libcuda "$file"
else
	echo 'abi: no libcuda looked at (above)'
fi
