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
"$tmp/mpi.test"
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

# misbehaves LIBRARY FAULT TEXT: the job must end soon, with a failure that says TEXT.
limit=30
misbehaves() {
	began=$(date +%s)
	rc=0
	MPI_TEST_FAULT=$2 launch "$1" 3 >"$tmp/log" 2>&1 || rc=$?
	took=$(($(date +%s) - began))
	# MPICH's launcher itself kills all ranks when one exits so, and its status is 9 or, at times, 0.
	[ "$1 $2" != 'mpich exit' ] || rc=9
	if [ $rc -eq 0 ] || grep -q 'past the barrier' "$tmp/log" || [ $took -ge $limit ] || { [ -n "$3" ] && ! grep -q "$3" "$tmp/log"; }; then
		cat "$tmp/log"
		echo "mpi-test: $1: a rank with the fault $2: status $rc after $took s" >&2
		exit 1
	fi
	echo "$1: fault $2: status $rc after $took s"
}
for lib in openmpi mpich; do
	MPI_TEST_FAULT=none launch $lib 3 >"$tmp/log" && [ "$(grep -c 'past the barrier' "$tmp/log")" -eq 3 ] || { echo "mpi-test: $lib: a job without fault failed" >&2; exit 1; }
	misbehaves $lib panic 'rank 2 panicked: deliberate panic'
	misbehaves $lib error 'deliberate error'
	misbehaves $lib goexit 'ended by runtime.Goexit'
	misbehaves $lib exit ''
	misbehaves $lib kill ''
done

# The library of the other launcher must be refused.
openmpi=libmpi.so.40 mpich=libmpich.so.12
TANDEM_MPI=$mpich misbehaves openmpi none 'does not belong to the launcher'
TANDEM_MPI=$openmpi misbehaves mpich none 'does not belong to the launcher'
echo 'mpi-test: all passed'
