#!/bin/sh
# Builds ringfold and the benchmarks' programs, makes the Python environment of the system tests, and runs a
# benchmark in it.
#
# usage: bench/start.sh SCRIPT [ARGUMENT...]
#
# With RINGFOLD=PATH that binary is measured instead of the one built here.
set -eu
program=bench
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=deploy/debian.sh
. "$top/deploy/debian.sh"

[ $# -ge 1 ] || fail 2 "usage: bench/start.sh SCRIPT [ARGUMENT...]"

cache=${RINGFOLD_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ringfold-tests}
requirements=$top/tests/system/requirements.txt
venv=$cache/python-$(cksum <"$requirements" | cut -d' ' -f1)
logs=$top/out/bench
mkdir -p "$cache" "$logs"

say "building"
if ! { cmake -S "$top" -B "$top/build-bench" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRINGFOLD_BENCH=ON -DBUILD_TESTING=OFF &&
    cmake --build "$top/build-bench"; } >"$logs/build.log" 2>&1; then
    tail -n 30 "$logs/build.log" >&2
    fail 1 "the build failed, see $logs/build.log"
fi

if [ ! -f "$venv/complete" ]; then
    say "Python packages of ${requirements#"$top"/}"
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install -q --disable-pip-version-check -r "$requirements" >&2
    : >"$venv/complete"
fi

RINGFOLD=${RINGFOLD:-$top/build-bench/ringfold} RINGFOLD_TEST_CACHE=$cache PYTHONPATH=$top/tests/system:$top/bench \
    exec "$venv/bin/python" "$@"
