#!/bin/sh
# All tests, with everything they need.
#
# usage: tests/run.sh [PART...] [-k NAME] [--preset PRESET]...
#
#   unit       builds the presets ci, asan and tsan with -Werror and runs the unit tests under each
#   sim        the simulator, where the build has one
#   ops        the HTTP endpoint and its page: in a browser, by generated requests, under abuse
#   system     against a real broker and a real schema registry
#   deploy     the package, the unit, and what else is in deploy/, each by its own tool
#   debian13   builds and unit-tests in a fresh Debian 13 root (not part of the default)
#
#   -k NAME          only tests whose name contains NAME
#   --preset PRESET  unit: only this preset; may come several times
#
# Missing Debian packages, Python packages and Maven artefacts are installed, the latter two under
# ${XDG_CACHE_HOME:-~/.cache}/ringfold-tests. What cannot be had makes the tests that need it skipped, by name;
# with CI=true a skipped test is a failure. The last line is "N passed, N failed, N skipped".
set -u
program=tests
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=deploy/debian.sh
. "$top/deploy/debian.sh"

# shellcheck source=tests/system/environment.sh
. "$top/tests/system/environment.sh"

results=$top/out/test-results

parts=""
presets=""
name=""
while [ $# -gt 0 ]; do
    case $1 in
    unit | sim | ops | system | deploy | debian13) parts="$parts $1" ;;
    -k | --preset)
        [ $# -ge 2 ] || fail 2 "$1 needs a value"
        if [ "$1" = -k ]; then name=$2; else presets="$presets $2"; fi
        shift
        ;;
    -h | --help)
        sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"
        exit 0
        ;;
    *) fail 2 "unknown part or option '$1': unit, sim, ops, system, deploy, debian13, -k NAME, --preset PRESET" ;;
    esac
    shift
done
parts=${parts:-unit sim ops system deploy}
presets=${presets:-ci asan tsan}

# note passed|failed|skipped NAME REASON: a result that no test program wrote.
note() {
    printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$results/notes.tsv"
}

# build PRESET: its log is shown only when something is wrong.
build() {
    log=$results/build-$1.log
    say "building preset $1"
    if cmake --preset "$1" >"$log" 2>&1 && cmake --build --preset "$1" >>"$log" 2>&1; then
        note passed "build ($1)" ""
        return 0
    fi
    grep -E 'error|warning|FAILED|undefined|CMake' "$log" | head -60 >&2
    note failed "build ($1)" "see $log"
    return 1
}

# ctest_preset PRESET LABEL-OPTION...
ctest_preset() {
    preset=$1
    shift
    ctest --test-dir "$top/build-$preset" --output-on-failure --no-tests=ignore -j "$(nproc)" \
        --output-junit "$results/ctest-$preset-$2.xml" "$@" ${name:+-R "$name"} >&2
}

# The libraries from Debian are not instrumented: what TSan believes to see inside them is noise. Check's four
# seconds for a test are for a machine that has nothing else to do.
run_unit() {
    for preset in $presets; do
        build "$preset" || continue
        say "unit tests, preset $preset"
        CK_TIMEOUT_MULTIPLIER=15 TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1 second_deadlock_stack=1" \
            UBSAN_OPTIONS="print_stacktrace=1" ctest_preset "$preset" -L unit
    done
}

run_sim() {
    if [ -d "$top/tests/sim" ]; then
        { [ -x "$top/build-ci/ringfold" ] && [ "${parts#*unit}" != "$parts" ]; } || build ci || return
        say "simulator"
        ctest_preset ci -L sim
    fi
}

# run_pytest FOLDER: its tests, with the Python packages that its requirements.txt names.
run_pytest() {
    use_requirements "$top/tests/$1/requirements.txt"
    if ! make_venv; then
        for file in "$top/tests/$1"/test_*.py; do
            note skipped "$1/$(basename "$file" .py)" "its Python packages could not be installed"
        done
        return
    fi
    say "tests of $1"
    RINGFOLD="$top/build/ringfold" RINGFOLD_TEST_CACHE="$cache" "$venv/bin/python" -m pytest \
        -c "$top/tests/$1/pytest.ini" --rootdir "$top/tests/$1" "$top/tests/$1" \
        --junit-xml "$results/$1.xml" ${name:+-k "$name"} >&2
    case $? in
    0 | 1 | 5) ;; # passed, failed, none selected: in the file
    *) note failed "$1" "pytest did not come to an end" ;;
    esac
}

run_ops() {
    build release || return
    # shellcheck disable=SC2086 # a list of names
    install_missing $ops_packages || say "going on without them"
    run_pytest ops
}

run_system() {
    build release || return
    # shellcheck disable=SC2086 # a list of names
    install_missing $system_packages || say "going on without them"
    run_pytest system
}

run_deploy() {
    build release || return
    # shellcheck disable=SC2086 # a list of names
    install_missing $deploy_packages || say "going on without them"
    run_pytest deploy
}

run_debian13() {
    say "Debian 13"
    if sh "$top/tests/debian13.sh" >&2; then
        note passed "debian13" ""
    else
        note failed "debian13" "tests/debian13.sh says why"
    fi
}

cd "$top" || exit 1
rm -rf "$results"
mkdir -p "$results"
# shellcheck disable=SC2086 # a list of names
install_missing $build_packages $unit_test_packages || fail 1 "without these packages nothing can be built"
for part in $parts; do
    "run_$part"
done
exec python3 "$top/tests/summary.py" "$results"
