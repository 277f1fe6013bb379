#!/bin/sh
# Tries Tandem where nothing is installed: the static binary in an empty root, then a clone of the last commit in a fresh
# Debian root with Go, make, git and ca-certificates alone, as root and as an ordinary user, with and without network.
#
#   tools/chroot.sh [all | static | debian | image | modules]      CHROOT_TESTS=0 leaves the tests out
#
# Needs root and, for the Debian root, debootstrap and the network.
set -eu
what=${1:-all}
top=$(cd "$(dirname "$0")/.." && pwd)
. "$top/tools/go.sh"
[ "$(id -u)" = 0 ] || { echo "chroot: needs root" >&2; exit 1; }
work=${CHROOT_DIR:-$(mktemp -d)}
root=$work/root
mkdir -p "$work"
user=user builder=builder
trap 'umount "$root/proc" "$root/dev/shm" 2>/dev/null || true; [ -n "${CHROOT_DIR:-}" ] || rm -rf "$work"' EXIT

say() { printf '\n== %s\n' "$*"; }

static() {
	say "a static binary in an empty root"
	mkdir -p "$work/empty/tmp"
	(cd "$top" && CGO_ENABLED=0 "$GO" build -buildvcs=false -tags tandem_nodl -o "$work/empty/multiply_them" ./examples/multiply_them)
	chroot "$work/empty" /multiply_them | tail -n 3
}

# in_root USER COMMAND: a login shell's environment and nothing else, but the proxy's variables; with no_network set, in a
# network namespace without a way out.
in_root() {
	as=$1
	shift
	home=/home/$as
	[ "$as" != root ] || home=/root
	${no_network:+unshare --net} chroot --userspec="$as" "$root" /usr/bin/env -i HOME="$home" PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		${HTTPS_PROXY+HTTPS_PROXY="$HTTPS_PROXY"} ${HTTP_PROXY+HTTP_PROXY="$HTTP_PROXY"} ${GOPROXY+GOPROXY="$GOPROXY"} \
		${GOTOOLCHAIN+GOTOOLCHAIN="$GOTOOLCHAIN"} ${CI+CI="$CI"} "$@"
}

clone() { # clone USER DIR
	rm -rf "$root$2"
	git -c safe.directory='*' clone -q "$top" "$root$2"
	chown -R "$(chroot "$root" id -u "$1"):$(chroot "$root" id -g "$1")" "$root$2"
}

fresh() {
	command -v debootstrap >/dev/null || { echo "chroot: needs debootstrap" >&2; exit 1; }
	say "a fresh Debian 12 root"
	if [ ! -x "$root/usr/bin/make" ]; then
		debootstrap --variant=minbase --include=make,git,ca-certificates bookworm "$root" ${DEBIAN_MIRROR:-} >"$work/debootstrap.log"
	fi
	mkdir -p "$root/usr/local"
	[ -d "$root/usr/local/go" ] || cp -a "$("$GO" env GOROOT)" "$root/usr/local/go"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	[ ! -d /usr/local/share/ca-certificates ] || { cp -a /usr/local/share/ca-certificates "$root/usr/local/share/"; chroot "$root" update-ca-certificates >/dev/null 2>&1 || true; }
	mount -t proc proc "$root/proc"
	mkdir -p "$root/dev/shm" && mount -t tmpfs tmpfs "$root/dev/shm"
	chroot "$root" id user >/dev/null 2>&1 || chroot "$root" useradd -m user

}

debian() {
	fresh
	say "ordinary user: make run"
	clone user "/home/$user/tandem"
	in_root user sh -c 'cd ~/tandem && make run' | tail -n 5
	if [ "${CHROOT_TESTS:-1}" != 0 ]; then
		say "ordinary user: make test"
		in_root user sh -c 'cd ~/tandem && CI= make test'
	fi
	say "ordinary user without network and without NVRTC: embedded PTX"
	in_root user sh -c 'rm -rf ~/.local/share/tandem ~/.cache/tandem'
	no_network=1 in_root user sh -c 'cd ~/tandem && make run' | tail -n 5

	image

	say "root: make run and make test"
	clone root /src
	in_root root sh -c 'cd /src && make run' | tail -n 3
	if [ "${CHROOT_TESTS:-1}" != 0 ]; then
		in_root root sh -c 'cd /src && CI= make test'
	fi
	say "an ordinary user uses what root set up"
	in_root user sh -c 'cd ~/tandem && make run' | tail -n 3
}

# modules runs the tests of the nested modules, which install what they need.
modules() {
	[ "${CHROOT_TESTS:-1}" != 0 ] || return 0
	say "root: make test-modules"
	clone root /src
	in_root root sh -c 'cd /src && CI= make test-modules'
}

# image does what the Dockerfile does, stage by stage.
image() {
	say "the Dockerfile's first stage: an ordinary user fetches and builds"
	chroot "$root" id $builder >/dev/null 2>&1 || chroot "$root" useradd -m $builder
	clone $builder /src
	in_root $builder sh -c 'cd /src && BIN=$HOME/bin sh tools/image.sh' | tail -n 3
	say "its last stage: a root without Go, an ordinary user"
	last=$work/last
	if [ ! -x "$last/usr/bin/env" ]; then
		debootstrap --variant=minbase bookworm "$last" ${DEBIAN_MIRROR:-} >"$work/debootstrap.log"
		chroot "$last" useradd -m $user
	fi
	mkdir -p "$last/usr/local/share"
	rm -rf "$last/usr/local/share/tandem"
	cp -a "$root/home/$builder/.local/share/tandem" "$last/usr/local/share/tandem"
	cp -a "$root/home/$builder/bin/." "$last/usr/local/bin/"
	chown -R 0:0 "$last/usr/local"
	(
		root=$last
		in_root $user multiply_them | tail -n 3
		in_root $user generated
		in_root $user tandem doctor
		in_root $user sh -c '! TANDEM_DEVICE=gpu multiply_them'
	)
}

case $what in
static) static ;;
debian) debian ;;
image) fresh; image ;;
modules) fresh; modules ;;
all) static; debian; modules ;;
*) echo "usage: tools/chroot.sh [all | static | debian | image | modules]" >&2; exit 2 ;;
esac
