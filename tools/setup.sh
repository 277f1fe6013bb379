#!/bin/sh
# Everything that has to be installed before `make run` and `make test`. The work is done by `tandem setup`, in Go, so that
# it is the same without make: go run ./cmd/tandem setup
set -eu
. "$(dirname "$0")/go.sh"
cd "$(dirname "$0")/.."
exec "$GO" run -buildvcs=false ./cmd/tandem setup "$@"
