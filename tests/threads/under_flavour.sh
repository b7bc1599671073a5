#!/bin/sh
# Runs a test with one of OpenBLAS's flavours: under_flavour.sh CHECKER FLAVOUR DIRECTORY TEST [ARGUMENT]...
# CHECKER FLAVOUR must succeed first, in the same environment: it asserts openblas_get_parallel().
checker=$1 flavour=$2 LD_LIBRARY_PATH=$3${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
shift 3
"$checker" "$flavour" || exit 1
exec "$@"
