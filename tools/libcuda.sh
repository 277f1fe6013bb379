#!/bin/sh
# NVIDIA's driver library without a GPU: libcuda.sh fetch DIR puts the distribution's into DIR and prints its file;
# libcuda.sh test lets the tests open it, which must say that there is no device. Nothing is installed, nothing kept.
# TANDEM_LIBCUDA names a library that is there already.
set -eu
cd "$(dirname "$0")/.."

# fetch unpacks Debian's libcuda1, of the component non-free. apt works on private lists and state.
fetch() {
	dir=$1
	command -v apt-get >/dev/null 2>&1 || { echo 'libcuda: no apt-get to fetch it with' >&2; return 1; }
	[ -z "${TANDEM_NO_DOWNLOAD:-}" ] || { echo 'libcuda: TANDEM_NO_DOWNLOAD forbids to fetch it' >&2; return 1; }
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) non-free' 'Created-By: Packages' 'Component: main' 'Label: Debian' |
		sort -u >"$dir/apt/sources"
	o="-q -y -o Dir::Etc::sourcelist=$dir/apt/sources -o Dir::Etc::sourceparts=- -o Dir::State::lists=$dir/apt/lists -o Dir::Cache=$dir/apt/cache -o APT::Sandbox::User= -o Acquire::Languages=none"
	(cd "$dir/apt" && apt-get $o update && apt-get $o download libcuda1) >"$dir/apt.log" 2>&1 || {
		tail -n 3 "$dir/apt.log" >&2
		echo 'libcuda: the distribution does not give one (above)' >&2
		return 1
	}
	dpkg-deb -x "$dir"/apt/libcuda1_*.deb "$dir/apt/root"
	find "$dir/apt/root" -name 'libcuda.so.[0-9]*' -type f
}

case ${1:-} in
fetch) fetch "$2" ;;
test)
	. tools/go.sh
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	TANDEM_LIBCUDA=${TANDEM_LIBCUDA:-$(fetch "$tmp")}
	export TANDEM_LIBCUDA GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0
	"$GO" test -count 1 -v -tags libcuda -run RealLibrary ./internal/nvidia
	;;
*)
	echo 'usage: libcuda.sh fetch DIR | test' >&2
	exit 2
	;;
esac
