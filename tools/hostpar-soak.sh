#!/bin/sh
# Runs what goes wrong in hostpar's tests again and again under the race detector: every hazard at least HAZARDS times, and
# then every package ROUNDS times in orders drawn at random. After each run it looks in /proc for processes that are left.
# Takes hours on two cores. With arguments, runs only the hazards whose test, or the packages whose folder, is named.
#
#	sh tools/hostpar-soak.sh                                  the whole
#	HAZARDS=50 ROUNDS=2 sh tools/hostpar-soak.sh              less of it
#	sh tools/hostpar-soak.sh TestPoison TestParentKilled par  two hazards and one package
#
# RACE=0 leaves the race detector out; LOAD=4 lets four loops take processor time meanwhile; SOAK_BIN=DIR keeps the compiled
# tests there, and uses what it finds.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off
HAZARDS=${HAZARDS:-500} ROUNDS=${ROUNDS:-20}
race=-race
export CGO_ENABLED=1
[ "${RACE:-1}" = 1 ] || { race= CGO_ENABLED=0; }

bin=${SOAK_BIN:-}
tmp=$(mktemp -d)
loops=
trap 'rm -rf "$tmp"; [ -z "$loops" ] || kill $loops' EXIT
[ -n "$bin" ] || bin=$tmp
i=0
while [ $i -lt "${LOAD:-0}" ]; do
	sh -c 'while :; do :; done' &
	loops="$loops $!"
	i=$((i + 1))
done

packages='par task csp csp/cspproc proc shm mpi internal/codec internal/frame internal/futex'

# Folder, test, and how often one run of the test does what is dangerous.
hazards='
proc TestDeathOfAWorker          3
proc TestPoison                  1
proc TestCancelAtAHundredPoints  100
proc TestNestedMapInAFullPool    1
proc TestPipeBothWays            1
proc TestConsumerKilledInMidItem 20
proc TestBinaryReplaced          1
proc TestParentKilled            1
proc TestGroupEndsWithItsLeader  5
proc TestNoZombies               50
proc TestWithoutMain             1
shm  TestOwnerOfALockDies        20
shm  TestRingSurvivesItsUsers    40
'

# build FOLDER: compiles the tests of a package, once.
build() {
	binary=$bin/$(echo "$1" | tr / -).test
	[ -x "$binary" ] || "$GO" test -c $race -o "$binary" "./hostpar/$1"
}

# check COUNT WHAT FOLDER ARGUMENT...: runs the test binary, and looks for what it has left.
check() {
	count=$1 what=$2 folder=$3
	shift 3
	began=$(date +%s)
	(cd "hostpar/$folder" && TANDEM_SOAK=$$ exec "$binary" -test.timeout 12h "$@") >"$tmp/log" 2>&1 || {
		cat "$tmp/log"
		echo "hostpar-soak: $what failed" >&2
		exit 1
	}
	left=$(grep -lsz "^TANDEM_SOAK=$$\$" /proc/[0-9]*/environ || true)
	[ -z "$left" ] || { echo "hostpar-soak: $what has left $left" >&2; exit 1; }
	echo "ok  $what  x $count  $(($(date +%s) - began)) s"
}

# wanted NAME [ARGUMENT...]: is it among the arguments, if there are any?
wanted() {
	name=$1
	shift
	[ $# -gt 0 ] || return 0
	for a; do [ "$a" != "$name" ] || return 0; done
	return 1
}

echo "$hazards" | while read -r folder test each; do
	[ -n "$folder" ] && wanted "$test" "$@" || continue
	build "$folder"
	times=$(((HAZARDS + each - 1) / each))
	check $((times * each)) "$folder $test" "$folder" -test.run "^$test\$" -test.count $times
done
for folder in $packages; do
	wanted "$folder" "$@" || continue
	build "$folder"
	i=0
	while [ $i -lt "$ROUNDS" ]; do # each round draws its own order
		check 1 "$folder, round $((i + 1))" "$folder" -test.shuffle on
		i=$((i + 1))
	done
done
