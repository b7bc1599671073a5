#!/bin/bash
# Builds the fuzz targets (clang, libFuzzer, address and undefined-behaviour sanitizers) and runs each for some seconds.
#
# usage: tests/fuzz/run.sh [SECONDS [TARGET...]]     60 seconds and all targets if not said
#
# Prints a line a target: executions, edges and features covered, inputs kept. What a run learnt stays in
# BUILD-fuzz/corpus/TARGET and is where the next begins; BUILD is ./build, or $CNNBLAS_BUILD. An input that crashes,
# hangs (20 minutes), leaks or takes 2 GiB ends its target, is kept in BUILD-fuzz/crashes, and makes the exit status 1; run
# it again with BUILD-fuzz/tests/fuzz/fuzz_TARGET FILE. 77: no clang here.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- descriptor notation algorithms idx safetensors picture wisdom onnx
case $seconds in '' | *[!0-9]*) sed -n '4,5s/^# //p' "$0" >&2; exit 2 ;; esac
command -v clang >/dev/null || { echo "skipped: no clang here"; exit 77; }
build=${CNNBLAS_BUILD:-$root/build}-fuzz

if [ ! -f "$build/build.ninja" ]; then
  CC=clang CXX=clang++ meson setup "$build" "$root" --buildtype=debugoptimized -Db_sanitize=address,undefined \
    -Db_lundef=false -Dfuzz=true -Dtests=disabled -Dbench=enabled -Dtools=enabled -Ddefault_library=static \
    -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined' >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
fi
ninja -C "$build" "${@/#/tests/fuzz/fuzz_}" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }

export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=1
mkdir -p "$build/crashes"
status=0
printf '%-12s %12s %9s %9s %9s\n' target executions edges features inputs
for target in "$@"; do
  corpus=$build/corpus/$target log=$build/$target.log
  mkdir -p "$corpus"
  words=()
  [ ! -f "$root/tests/fuzz/$target.dict" ] || words=(-dict="$root/tests/fuzz/$target.dict")
  "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=1200 -rss_limit_mb=2048 -print_final_stats=1 \
    -max_len=4096 -artifact_prefix="$build/crashes/$target-" "${words[@]}" "$corpus" "$root/tests/fuzz/seeds/$target" \
    >"$log" 2>&1
  result=$?
  awk -v target="$target" '
    $1 ~ /^#/ { for (i = 2; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1); if ($i == "corp:") inputs = $(i + 1) } }
    $1 == "stat::number_of_executed_units:" { executions = $2 }
    END { sub("/.*", "", inputs); printf "%-12s %12s %9s %9s %9s\n", target, executions, edges, features, inputs }' "$log"
  [ $result -eq 0 ] || { tail -n 60 "$log"; status=1; }
done
exit $status
