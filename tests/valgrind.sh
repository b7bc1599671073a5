#!/bin/sh
# A short run of the tests under valgrind: the example, the arguments, failed allocations and a few random problems.
# usage: tests/valgrind.sh BUILD_DIRECTORY
# Exit code 1: valgrind found an error or a leak, or a test failed.
#
# CNNBLAS_ISA and OPENBLAS_CORETYPE stay at AVX2, which valgrind can run. What libgomp keeps for its threads is not a leak
# of ours, hence definite leaks only.
set -eu
[ $# -eq 1 ] || { echo "usage: tests/valgrind.sh BUILD_DIRECTORY" >&2; exit 2; }
build=$1/tests
export CNNBLAS_ISA=avx2 OPENBLAS_CORETYPE=Haswell OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2

check() {
  echo "valgrind: $*"
  valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --num-callers=20 "$@"
}

check "$build/conv/test_theory"
check "$build/conv/test_arguments"
check "$build/conv/test_calls"
check "$build/internal/test_alloc_failures"
check "$build/conv/test_random" --count 40 --short
