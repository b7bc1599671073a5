#!/bin/bash
# Data races: the library and the concurrency tests under ThreadSanitizer, by clang with its libomp and Archer, which
# tells the sanitizer what OpenMP's barriers order, and the serial OpenBLAS, so that one OpenMP runtime is in the process.
#
# usage: tests/tsan.sh BUILD_DIRECTORY     made if it is not there
#
# A control with a race of its own must be reported, or the silence of the rest would say nothing.
# Exit status: 0 no race but the control's, 1 otherwise, 77 clang, Archer or the serial OpenBLAS is not here.
set -uo pipefail
[ $# -eq 1 ] || { sed -n '5s/^# //p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=$1
command -v clang >/dev/null || { echo "skipped: no clang here"; exit 77; }
archer=$(ls /usr/lib/llvm-*/lib/libarcher.so 2>/dev/null | tail -n 1)
serial=$(ls -d /usr/lib/*/openblas-serial 2>/dev/null | head -n 1)
[ -n "$archer" ] && [ -n "$serial" ] || { echo "skipped: no libarcher.so or no openblas-serial here"; exit 77; }

[ -f "$build/build.ninja" ] ||
  CC=clang CXX=clang++ meson setup "$build" "$root" --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false \
    -Dbench=disabled -Dtools=disabled -Dexamples=disabled || exit 1
ninja -C "$build" tests/threads/test_concurrent tests/threads/flavour tests/internal/test_session || exit 1

export LD_LIBRARY_PATH=$serial${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export OMP_TOOL_LIBRARIES=$archer OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2
# libomp itself is not instrumented: what it does to its own memory is left out.
printf 'called_from_lib:libomp.so\n' >"$build/suppressions" || exit 1
export TSAN_OPTIONS="suppressions=$build/suppressions exitcode=66"
"$build/tests/threads/flavour" serial || exit 1

"$build/tests/threads/test_concurrent" --racy >"$build/racy.log" 2>&1
if [ $? -ne 66 ] || ! grep -q 'WARNING: ThreadSanitizer: data race' "$build/racy.log"; then
  echo "the control's race went unreported:"
  cat "$build/racy.log"
  exit 1
fi
echo "the control's race is reported: $(grep -c 'WARNING: ThreadSanitizer: data race' "$build/racy.log") reports"
"$build/tests/threads/test_concurrent" --calls 100 || exit 1
"$build/tests/internal/test_session" || exit 1
echo "no other race"
