#!/bin/sh
# The tests of hostpar/mpi under Open MPI and MPICH, on 1, 2, 4 and 7 ranks, and on goroutines; then ranks that misbehave
# while others wait, and launchers of the other library. Installs what is missing with apt-get, as root. A missing
# library or launcher is a failure.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 UCX_LOG_LEVEL=error

have() { command -v mpirun.openmpi >/dev/null 2>&1 && command -v mpirun.mpich >/dev/null 2>&1; }
if ! have; then
	command -v apt-get >/dev/null 2>&1 || { echo 'mpi-test: install Open MPI and MPICH (mpirun.openmpi, mpirun.mpich)' >&2; exit 1; }
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q && apt-get install -y -q --no-install-recommends openmpi-bin mpich
	have || { echo 'mpi-test: the packages have brought no mpirun.openmpi or mpirun.mpich' >&2; exit 1; }
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$GO" test -c -o "$tmp/mpi.test" ./hostpar/mpi
limit=180 # seconds for one job

# launch LIBRARY RANKS [ARGUMENT...]: runs the test binary.
launch() {
	lib=$1 ranks=$2
	shift 2
	case $lib in
	openmpi) timeout -k 5 $limit mpirun.openmpi --oversubscribe --bind-to none -n "$ranks" "$tmp/mpi.test" "$@" ;;
	mpich) timeout -k 5 $limit mpirun.mpich -n "$ranks" "$tmp/mpi.test" "$@" ;;
	esac
}

echo 'mpi-test: goroutines'
(cd hostpar/mpi && "$tmp/mpi.test") # one test reads a page of the documentation
for lib in openmpi mpich; do
	for ranks in 1 2 4 7; do
		launch $lib $ranks -test.run '^TestRanks' >"$tmp/log" 2>&1 || { cat "$tmp/log"; echo "mpi-test: $lib on $ranks ranks failed" >&2; exit 1; }
		passed=$(grep -c '^PASS' "$tmp/log") || true
		[ "$passed" -eq "$ranks" ] && grep -q "^$ranks ranks: " "$tmp/log" || { cat "$tmp/log"; echo "mpi-test: $lib: $passed of $ranks ranks passed" >&2; exit 1; }
		grep "^$ranks ranks: " "$tmp/log"
	done
done

# The examples say the same under both launchers as on goroutines, up to times.
plain() { sed 's/, error [^ ]* s//; s/, [0-9.]* s on / on /; s/error [^ ]*//' "$1"; }
for example in hello sendrecv collect pi buffers heat; do
	"$GO" build -o "$tmp/example" "./examples/mpi_$example"
	"$tmp/example" -ranks 4 >"$tmp/want"
	plain "$tmp/want" >"$tmp/want.plain"
	timeout $limit mpirun.openmpi --oversubscribe --bind-to none -n 4 "$tmp/example" >"$tmp/openmpi"
	timeout $limit mpirun.mpich -n 4 "$tmp/example" >"$tmp/mpich"
	for lib in openmpi mpich; do
		plain "$tmp/$lib" | diff "$tmp/want.plain" - || { echo "mpi-test: example mpi_$example differs under $lib" >&2; exit 1; }
	done
	echo "example mpi_$example"
done

# Ranks that misbehave while others wait, and launchers of the other library.
"$GO" test -count 1 -tags mpilaunch -run '^TestLaunched' -v ./hostpar/mpi >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
grep -- '--- ' "$tmp/log"
echo 'mpi-test: all passed'
