#!/bin/sh
# From a fresh Debian 12 or 13 to alerts on the screen: installs what is missing, builds build/ringfold and
# runs `ringfold demo` with the arguments given here.
#
#   sh deploy/quickstart.sh            the demo, until Ctrl-C
#   sh deploy/quickstart.sh --once     the sample once, with a summary at the end
#
# Standard output is the demo's alone; what this script has to say goes to standard error.
set -eu
program=quickstart
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=deploy/debian.sh
. "$top/deploy/debian.sh"

# shellcheck disable=SC2086 # a list of names
install_missing $build_packages || fail 1 "without these packages ringfold cannot be built"

cd "$top"
say "building build/ringfold (the first time takes a minute or two)"
cmake --preset release -DBUILD_TESTING=OFF >&2 ||
    fail 1 "cmake could not configure the build; its own words are above" \
        "if build/ is from another place or compiler: rm -r '$top/build' and try again"
cmake --build --preset release >&2 || fail 1 "the build failed; the compiler's words are above"

say "running: build/ringfold demo $*"
exec "$top/build/ringfold" demo "$@"
