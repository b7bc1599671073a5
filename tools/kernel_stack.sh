#!/bin/sh
# Lists the micro-kernels whose inner loop touches the stack or shuffles registers: a sum, or more often a row's
# offset, that found no register of its own. Looks at the compiled objects, so it tells what this compiler made of
# microkernel.c.
#
# usage: tools/kernel_stack.sh BUILD_DIRECTORY [--all]      (--all: the kernels with a clean loop too; x86-64 only)
#
# The inner loop of multiply_MxN (M rows, N vectors of lanes) is the shortest stretch that ends in a jump back to its
# beginning and holds a packed multiplication. Columns, all of one turn of that loop:
#   steps     steps of the sum: (multiplications) / (M * N)
#   instr     instructions a step
#   read      stack operands read: the rows' offsets from the seventh on are meant to be (see microkernel.c)
#   write     stack operands written, and whole vectors read: sums that have no register; always a fault
#   bcast     broadcasts from a register (the shuffle port) in place of memory, and scalar loads that feed them
#   xmm       integers kept in vector registers: moves between the two kinds
#   copy      vector registers copied to another
# Without FMA (baseline) a broadcast is always a scalar load and a shuffle; those are not counted.
# Needs objdump; prints a table, exits 0 (2: usage, or no objects found).
set -eu

all=0
[ "${2:-}" = "--all" ] && all=1
if [ $# -lt 1 ] || [ ! -d "$1" ]; then
  echo "usage: $0 BUILD_DIRECTORY [--all]" >&2
  exit 2
fi
objects=$(find "$1" -path '*engine_*' -name 'microkernel.c.o' | sort)
if [ -z "$objects" ]; then
  echo "$0: $1: no microkernel.c.o under a directory engine_*: not a build directory, or not built" >&2
  exit 2
fi

printf '%-14s %7s %6s %6s %6s %6s %6s %6s %6s\n' engine kernel steps instr read write bcast xmm copy
for object in $objects; do
  engine=$(echo "$object" | sed 's/.*engine_\([a-z0-9_]*\)\.a.*/\1/')
  objdump -d --no-show-raw-insn "$object" | awk -v engine="$engine" -v all="$all" '
    function count(from, to, pattern,   i, n) {
      n = 0
      for (i = from; i <= to; i++) if (text[i] ~ pattern) n++
      return n
    }
    function report(   i, target, from, best, to, products, base, stack, write, bcast, xmm, copy, size, steps) {
      if (name == "") return
      best = 0
      for (i = 1; i <= lines; i++) {
        if (text[i] !~ /^j[a-z]+ /) continue
        target = text[i]
        sub(/^j[a-z]+ +/, "", target)
        sub(/ .*/, "", target)
        if (!(target in at) || at[target] > i) continue
        if (count(at[target], i, product) == 0) continue
        if (best == 0 || i - at[target] < to - from) { from = at[target]; to = i; best = 1 }
      }
      kernels++
      if (!best) { printf "%-14s %7s  no inner loop found\n", engine, name; odd++; return }
      split(name, size, "x")
      products = count(from, to, product)
      steps = products / (size[1] * size[2])
      base = framed ? "\\(%r[sb]p[^)]*\\)" : "\\(%rsp[^)]*\\)"
      stack = count(from, to, base)
      write = count(from, to, "^[^cjt].*" base "$") + count(from, to, "^v?mov.*" base ",%[xyz]mm")
      bcast = count(from, to, "^(vbroadcasts[sd] +%xmm|vmovs[sd] +[^%]|vmovs[sd] +%xmm)")
      xmm = count(from, to, "^vp?(mov|extr|insr)[dq] ")
      copy = count(from, to, "^v?mova?p[sd] +%[xyz]mm[0-9]+,%[xyz]mm")
      if (stack + bcast + xmm) odd++
      if (all || stack + bcast + xmm)
        printf "%-14s %7s %6g %6.1f %6d %6d %6d %6d %6d\n", engine, name, steps, (to - from + 1) / steps,
               stack - write, write, bcast, xmm, copy
    }
    BEGIN { product = engine ~ /baseline/ ? "^mulp[sd] " : "^vf(n?m)(add|sub)[0-9]+p[sd] " }
    /^[0-9a-f]+ <.*>:$/ {
      report()
      name = ""; lines = 0; framed = 0
      split("", at)
      if ($2 ~ /^<multiply_[0-9]+x[0-9]+>:$/) { name = $2; gsub(/<multiply_|>:/, "", name) }
      next
    }
    name != "" && /^ +[0-9a-f]+:\t/ {
      address = $1
      sub(/:$/, "", address)
      sub(/^ *[0-9a-f]+:\t/, "")
      text[++lines] = $0
      at[address] = lines
      if ($0 ~ /^mov +%rsp,%rbp/) framed = 1
    }
    END { report(); printf "%-14s %d of %d kernels\n", engine, odd, kernels }'
done
