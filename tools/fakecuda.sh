#!/bin/sh
# Builds the driver library that the tests of internal/nvidia load in place of NVIDIA's (needs gcc), and runs what uses it:
# fakecuda.sh test | bench. It lies in build/fakecuda.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off CGO_ENABLED=0
command -v gcc >/dev/null 2>&1 || { echo 'fakecuda: not run: no gcc' >&2; exit 1; }
mkdir -p build/fakecuda
gcc -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -shared -fPIC -O2 -pthread \
	-o build/fakecuda/libcuda.so.1 internal/nvidia/testdata/fakecuda/fakecuda.c
TANDEM_FAKECUDA=$PWD/build/fakecuda
export TANDEM_FAKECUDA
case ${1:-test} in
test) exec "$GO" test -count 1 -tags fakecuda -run FakeC ./internal/nvidia ./cuda ;;
bench) exec "$GO" test -tags fakecuda -run '^$' -bench FakeC -benchtime 1s -count 5 ./cuda ;;
*) echo 'usage: fakecuda.sh test | bench' >&2; exit 2 ;;
esac
