#!/bin/sh
# The build steps of the Dockerfile, for any user: NVRTC into the data folder, the commands and the example into $BIN.
set -eu
cd "$(dirname "$0")/.."
. tools/go.sh
export GOFLAGS=-buildvcs=false GOWORK=off
"$GO" mod download
sh tools/setup.sh
mkdir -p "${BIN:=/usr/local/bin}"
CGO_ENABLED=0 "$GO" build -o "$BIN/" ./cmd/tandem ./examples/multiply_them ./examples/generated
