#!/bin/sh
# Every package of tools/packages.txt is explained in README.md, and README.md's table names no other.
# usage: packages.sh ROOT
set -eu
listed=$(grep -v '^#' "$1/tools/packages.txt" | awk 'NF { print $2 }' | sort -u)
explained=$(sed -n '/^## Packages/,/^## /s/^| `\([^|]*\)`.*/\1/p' "$1/README.md" | tr -d '`,' | tr ' ' '\n' | sort -u)
if [ -z "$listed" ] || [ "$listed" != "$explained" ]; then
  echo "tools/packages.txt and the table of README.md's section Packages differ:"
  printf 'tools/packages.txt: %s\nREADME.md:          %s\n' "$(echo "$listed" | tr '\n' ' ')" "$(echo "$explained" | tr '\n' ' ')"
  exit 1
fi
echo "$(echo "$listed" | wc -l) packages"
