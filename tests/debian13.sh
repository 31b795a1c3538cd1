#!/bin/sh
# Builds ringfold and runs its unit tests in a fresh Debian root (default: Debian 13, trixie) made by debootstrap.
#
# usage: tests/debian13.sh [--suite SUITE] [--keep]
#
# Needs root and debootstrap. The mirror is that of this machine's own package sources. The root lies under
# ${XDG_CACHE_HOME:-~/.cache}/ringfold-tests and is removed at the end unless --keep is given, which makes the next
# run quick. What is built is a clone of HEAD: what is not committed is not in it.
set -eu
program=debian13
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=deploy/debian.sh
. "$top/deploy/debian.sh"

suite=trixie
keep=no
while [ $# -gt 0 ]; do
    case $1 in
    --suite)
        [ $# -ge 2 ] || fail 2 "--suite needs a value"
        suite=$2
        shift
        ;;
    --keep) keep=yes ;;
    *) fail 2 "unknown option '$1': --suite SUITE, --keep" ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || fail 1 "debootstrap needs root"
install_missing debootstrap git || fail 1 "without debootstrap there is no root to build in"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ringfold-tests
root=$cache/root-$suite

# The address from which this machine itself takes the package that every Debian has.
mirror=$(apt-cache policy base-files | sed -n 's|^ *[0-9]* \([a-z]*://[^ ]*\) [^ ]*/main .*|\1|p' | grep -v security |
    head -n 1)
[ -n "$mirror" ] || fail 1 "this machine's package sources name no Debian mirror"

leave() {
    status=$?
    umount "$root/dev/pts" 2>/dev/null || true
    umount "$root/proc" 2>/dev/null || true
    if [ $keep = no ]; then
        rm -rf --one-file-system "$root"
    fi
    exit $status
}

in_root() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

mkdir -p "$cache"
if [ ! -f "$root/complete" ]; then
    say "making a $suite root"
    rm -rf --one-file-system "$root"
    debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$cache/debootstrap.log" 2>&1 ||
        fail 1 "debootstrap failed: $cache/debootstrap.log" "$(tail -n 1 "$cache/debootstrap.log")"
    : >"$root/complete"
fi
trap leave EXIT
trap 'exit 1' INT TERM
# The way out is the machine's: how apt reaches its mirror, and which certificates it believes.
for file in /etc/resolv.conf /etc/hosts; do
    cp "$file" "$root$file"
done
mount -t proc proc "$root/proc" 2>/dev/null || say "no /proc in the root: going on without"
mkdir -p "$root/dev/pts" # terminals of its own, for the tests of what is shown on one
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" 2>/dev/null &&
    ln -sf pts/ptmx "$root/dev/ptmx" || say "no terminals in the root: going on without"

# shellcheck disable=SC2086 # a list of names
wanted=$(for package in $build_packages $unit_test_packages; do printf '%s ' "${package%%|*}"; done)
say "installing: $wanted"
in_root apt-get -q update >"$cache/$suite-apt.log" 2>&1
# shellcheck disable=SC2086 # a list of names
in_root apt-get -q -y install --no-install-recommends $wanted >>"$cache/$suite-apt.log" 2>&1 ||
    fail 1 "the packages could not be installed: $cache/$suite-apt.log" "$(tail -n 1 "$cache/$suite-apt.log")"

say "building with -Werror and running the unit tests on $suite"
rm -rf "$root/src/ringfold"
git clone -q --no-hardlinks "$top" "$root/src/ringfold"
in_root sh -c 'cd /src/ringfold && cmake --preset ci && cmake --build build-ci &&
    CK_TIMEOUT_MULTIPLIER=15 ctest --test-dir build-ci -L unit --output-on-failure -j "$(nproc)" && build-ci/ringfold --version'
say "$suite: built and tested ($(in_root pkg-config --modversion rdkafka avro-c rocksdb 2>/dev/null | tr '\n' ' '))"
