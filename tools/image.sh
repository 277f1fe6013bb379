#!/bin/sh
# The steps of the Dockerfile: NVRTC into the system's folder, the command and the example into the path.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off
"$GO" mod download
sh tools/setup.sh
CGO_ENABLED=0 "$GO" build -o "${BIN:-/usr/local/bin}/" ./cmd/tandem ./examples/multiply_them
