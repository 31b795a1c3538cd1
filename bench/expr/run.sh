#!/bin/bash
# Five typical rules: ringfold beside cel-go, nanoseconds an evaluation, in one run.
# usage: bench/expr/run.sh   (needs Go; the first run fetches cel-go)
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
out=$(mktemp -d)
trap 'rm -r "$out"' EXIT

cmake -S "$top" -B "$top/build-bench" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRINGFOLD_BENCH=ON >"$out/log" 2>&1 &&
    cmake --build "$top/build-bench" --target bench_expr >>"$out/log" 2>&1 || { tail -20 "$out/log"; exit 1; }
(cd "$here/cel-go" && go build -o "$out/cel-go" .)

"$top/build-bench/bench_expr" "$here/rules.txt" >"$out/ours"
"$out/cel-go" "$here/rules.txt" >"$out/theirs"
join -t $'\t' <(sort "$out/ours") <(sort "$out/theirs") | awk -F '\t' '
    BEGIN { printf "%-20s %12s %12s %8s\n", "rule", "ringfold ns", "cel-go ns", "times" }
    { printf "%-20s %12.1f %12.1f %8.1f\n", $1, $2, $3, $3 / $2 }'
