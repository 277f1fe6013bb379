# Sourced by the other scripts: finds Go in $GO and checks its version before any other go command, because an old one
# would only say that it does not understand go.mod.
GO=${GO:-go}
need=$(sed -n 's/^go //p' "$(dirname "$0")/../go.mod")
if ! command -v "$GO" >/dev/null 2>&1; then
	if [ -x /usr/local/go/bin/go ]; then
		GO=/usr/local/go/bin/go
	else
		echo "Go is not installed: Tandem needs Go $need or newer, see https://go.dev/dl" >&2
		exit 1
	fi
fi
have=$(cd / && GOTOOLCHAIN=local "$GO" version | sed -n 's/^go version go\([0-9.]*\).*/\1/p')
oldest=$(printf '%s\n%s\n' "$have" "$need" | sort -V | head -n 1)
if [ "$oldest" != "$need" ]; then
	case "$(cd / && GOTOOLCHAIN= "$GO" env GOTOOLCHAIN 2>/dev/null)" in
	auto*) ;; # Go fetches the toolchain that go.mod names
	*)
		echo "this is Go $have with GOTOOLCHAIN=local, but Tandem needs Go $need or newer: install it, or set GOTOOLCHAIN=auto" >&2
		exit 1
		;;
	esac
fi
export GO
