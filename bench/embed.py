#!/usr/bin/env python3
"""Writes a C file that holds text files as an array: embed.py OUT.c SET.txt ..."""
import pathlib
import sys


def literal(line):
    text = line.replace("\\", "\\\\").replace('"', '\\"')
    return f'    "{text}\\n"'


out, *files = map(pathlib.Path, sys.argv[1:])
with out.open("w") as c:
    c.write('#include "sets.h"\n\nconst bench_set bench_sets[] = {\n')
    for file in files:
        lines = file.read_text().splitlines()
        c.write(f'  {{"{file.stem}",\n' + "\n".join(map(literal, lines)) + "},\n")
    c.write("  {0, 0}};\n")
