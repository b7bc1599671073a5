#!/usr/bin/env python3
"""Compares what a library exports with the reviewed list.

usage: exports.py LIST SHARED_LIBRARY [STATIC_LIBRARY]

The shared library must export exactly the names of LIST (one a line, # begins a comment), all of them cnnblas_; a name that
LIST follows by @VERSION is exported under that version of symbols, and no other name is under any. The
static library's global names must begin with cnnblas_ or cb_, so that it clashes with nobody. There is one LIST a soname:
under one soname names may enter it, none may leave. Edit it by hand, and say so in CHANGELOG.md.
"""
import re
import subprocess
import sys


def names(arguments):
    text = subprocess.run(['nm', *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {line.split()[-1] for line in text.splitlines() if re.match(r'^[0-9a-f]+ [A-Za-z] ', line)}


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding='utf-8') as file:
        wanted = {line.split('#')[0].strip() for line in file} - {''}
    # the linker's own marks, and those of a coverage or sanitizer build, are no names of ours
    exported = {n.replace('@@', '@') for n in names(['-D', '--defined-only', sys.argv[2]])
                if not re.match(r'_init$|_fini$|__odr_asan|__asan|__ubsan|__gcov|CNNBLAS_.*_PRIVATE', n)}
    bad = [f'exported, but not in the list: {n}' for n in sorted(exported - wanted)]
    bad += [f'in the list, but not exported: {n}' for n in sorted(wanted - exported)]
    bad += [f'not cnnblas_: {n}' for n in sorted(exported) if not n.startswith('cnnblas_')]
    if len(sys.argv) == 4:
        inside = names(['-g', '--defined-only', sys.argv[3]])
        bad += [f'global in the static library, neither cnnblas_ nor cb_: {n}' for n in sorted(inside)
                if not re.match(r'cnnblas_|cb_|__odr_asan|__asan|__ubsan|__gcov', n)]
    if bad:
        print('\n'.join(bad))
        sys.exit(f'{sys.argv[2]}: its exports are not those of {sys.argv[1]}')
    print(f'{len(exported)} exported names, as listed')


if __name__ == '__main__':
    main()
