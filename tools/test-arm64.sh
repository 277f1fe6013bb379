#!/bin/sh
# The tests of the engines and of the host device for arm64, under qemu's emulation of a user's program. Installs qemu
# with apt-get, as root, where it is missing. On an arm64 machine the tests run as they are.
# Arguments are the packages to test, without any all of them; RUN is a pattern of tests, TIMEOUT that of a package: under
# emulation all of it takes long, and parts can run at the same time.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0 GOOS=linux GOARCH=arm64

run=
if [ "$(uname -m)" != aarch64 ]; then
	find_qemu() { command -v qemu-aarch64-static || command -v qemu-aarch64; }
	if ! find_qemu >/dev/null 2>&1; then
		command -v apt-get >/dev/null 2>&1 || { echo 'test-arm64: install qemu-user-static (qemu-aarch64-static)' >&2; exit 1; }
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -q && apt-get install -y -q --no-install-recommends qemu-user-static
	fi
	run=$(find_qemu) || { echo 'test-arm64: the package has brought no qemu-aarch64-static' >&2; exit 1; }
	# qemu keeps a few bytes for each page that was ever reserved, and never reserves the same twice unless addresses are few:
	# the large ranges of the host device would take all memory. Refused, they are made smaller.
	run="$run -R 0x1000000000"
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ $# -gt 0 ] || set -- internal/engine/jit/arm64 internal/engine/enginetest internal/engine/jit internal/hostdev
for package in "$@"; do
	"$GO" test -c -o "$tmp/test" "./$package"
	echo "$package"
	(cd "$package" && $run "$tmp/test" -test.short -test.timeout "${TIMEOUT:-60m}" -test.run "${RUN:-.}")
done
