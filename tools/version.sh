#!/bin/sh
# Prints the version that include/cnnblas/version.h states, for meson.build.
sed -n 's/^#define CNNBLAS_VERSION_\(MAJOR\|MINOR\|PATCH\) *\([0-9]*\)$/\2/p' "$(dirname "$0")/../include/cnnblas/version.h" |
  tr '\n' '.' | sed 's/\.$//'
