#!/bin/sh
# The wrappers let a call pass that changes nothing, and stop one that does, with its name.
# usage: control.sh PROGRAM LIBSTATE LIBPLANT
set -u
LD_PRELOAD=$2 "$1" || { echo "a call that changes nothing was stopped"; exit 1; }
said=$(LD_PRELOAD="$2 $3" "$1" 2>&1) && { echo "a changed rounding went unnoticed"; exit 1; }
echo "$said" | grep -q 'state: cnnblas_conv_get_shape changed the rounding'
