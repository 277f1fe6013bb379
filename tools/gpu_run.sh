#!/bin/sh
# Runs Tandem's tests and benchmarks on this machine's GPU and writes report.json beside this script. It installs nothing
# and downloads nothing; tests that compile CUDA C++ need NVRTC, which `./tandem setup` can fetch before.
# TANDEM_DEVICE=host tries the script itself without a GPU. It ends within MINUTES (10; 0 for no bound): a step is stopped there, and
# later ones are missing, as the report says. Exit status: 0 if all steps passed, else 1.
set -u
cd "$(dirname "$0")" || exit 1
here=$PWD
if [ "${TANDEM_DEVICE:-}" = host ]; then
	contract= device='env TANDEM_DEVICE=host'
else
	contract=-gpu device='env TANDEM_DEVICE=gpu'
	export TANDEM_REQUIRE="${TANDEM_REQUIRE:-gpu}" # a GPU that is not found is a failure, not a skip
fi

# json writes standard input as a JSON string.
json() {
	LC_ALL=C tr -d '\000-\010\013-\037' | awk 'BEGIN { printf "\"" }
		{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }
		END { printf "\"" }'
}

# count writes how many lines of the log begin like a test's result, subtests included.
count() { grep -c "^ *--- $1:" "$here/log"; }

minutes=${MINUTES:-10}
end=$(($(date +%s) + 60 * minutes))

# bounded COMMAND… runs a command until the time is over, where the machine has the program for that; then the status is 124.
bounded() {
	left=$((end - $(date +%s)))
	if [ "$minutes" -eq 0 ] || ! command -v timeout >/dev/null 2>&1; then
		"$@"
	elif [ $left -le 0 ]; then
		echo 'not run: the time is over'
		return 124
	else
		timeout -k 5 $left "$@"
	fi
}

failed=0
# step NAME DIR COMMAND… runs a command in a folder and appends what came of it to the report.
step() {
	name=$1 dir=$2
	shift 2
	echo "$name: $*"
	begin=$(date +%s)
	(cd "$dir" && bounded "$@") >"$here/log" 2>&1
	rc=$?
	[ $rc -eq 0 ] || { failed=$((failed + 1)); tail -n 20 log; }
	echo "$name: exit status $rc"
	{
		[ ! -s steps ] || echo ,
		printf '{"name": %s, "command": %s, "exit": %d, "seconds": %d, "passed": %d, "failed": %d, "skipped": %d, "output": ' \
			"$(echo "$name" | json)" "$(echo "$*" | json)" $rc $(($(date +%s) - begin)) "$(count PASS)" "$(count FAIL)" "$(count SKIP)"
		json <log
		printf '}'
	} >>steps
}

: >steps
step devices . ./tandem devices
step doctor . $device ./tandem doctor
step example . $device ./multiply_them
step contract internal_nvidia ./test -test.v -test.timeout 30m -test.run '^TestConformance$' $contract
step cuda cuda ./test -test.v -test.timeout 30m
step cudatest cuda_cudatest ./test -test.v -test.timeout 10m
for p in kernels kernels_scan kernels_sort kernels_random kernels_linalg; do
	step $p $p ./test -test.v -test.timeout 30m
done
step hetero hostpar_hetero ./test -test.v -test.timeout 30m
step 'benchmarks of cuda' cuda ./test -test.run '^$' -test.bench . -test.benchtime "${BENCHTIME:-200ms}" -test.timeout 60m
for p in kernels_scan kernels_sort kernels_random kernels_linalg; do
	step "benchmarks of $p" $p ./test -test.run '^$' -test.bench . -test.benchtime "${BENCHTIME:-200ms}" -test.timeout 60m
done
# The promises of hostpar/hetero: never worse than the best device, gain where there is one, nothing for the CPU
# where the data is on the GPU, overlap, faults, disturbance, cores, streams of jobs, code by hand. It exits with 1 where one
# does not hold. That both give the same bits is among the tests of hetero.
step 'hetero: chunks' . ./bench_hetero -part chunks
step 'hetero: CPU and GPU' . ./bench_hetero -part gpu -rounds "${ROUNDS:-5}" -v

{
	printf '{"commit": %s,\n"date": "%s",\n"machine": %s,\n"device": %s,\n"nvidia_smi": %s,\n"steps": [\n' \
		"$(echo '@COMMIT@' | json)" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(uname -srm | json)" "$(echo "${TANDEM_DEVICE:-auto}" | json)" \
		"$({ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>&1 || true; } | json)"
	cat steps
	printf '\n],\n"failed": %d}\n' $failed
} >report.json
rm -f steps log
echo "report.json: $failed steps failed"
[ $failed -eq 0 ]
