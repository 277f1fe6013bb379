#!/bin/sh
# Runs `go test -race` with the given arguments, or says why it cannot: the race detector needs cgo, and cgo a C compiler.
set -eu
. "$(dirname "$0")/go.sh"
cc=$("$GO" env CC)
if ! command -v "${cc%% *}" >/dev/null 2>&1; then
	echo "race: not run: no C compiler ($cc); install gcc and libc6-dev for it"
	[ -z "${CI:-}" ] || exit 1
	exit 0
fi
TANDEM_REQUIRE=nvrtc CGO_ENABLED=1 exec "$GO" test -race -shuffle=on -timeout 30m "$@"
