#!/usr/bin/env python3
"""Which sources are longer than they should be: a report, nothing fails.

usage: sizes.py ROOT    files of over 400 lines, functions of over 60 lines, functions of over 8 parameters, of every C source below
                        lib, include, bench, tools, reports and tests; kernels may be longer, and so may tables
"""
import os
import re
import sys

from circles import HEAD

FOLDERS = ['lib', 'include', 'bench', 'tools', 'reports', 'tests']
FILE, FUNCTION, PARAMETERS = 400, 60, 8
HEADS = re.compile(HEAD + r'\s*\{|' + HEAD.replace('([a-z_]', '([A-Z_]') + r'\s*\{', re.M)


def functions(text):
    """(name, line, lines, parameters) of every function that begins at the first column."""
    for match in HEADS.finditer(text):
        name = match.group(2) or match.group(4)
        end = text.find('\n}', match.end() - 1)
        head = match.group(0)
        inner = head[head.index(name + '(') + len(name) + 1:head.rindex(')')]
        depth = parameters = 0
        for character in inner:
            depth += (character == '(') - (character == ')')
            parameters += character == ',' and depth == 0
        parameters += inner.strip() not in ('', 'void')
        first = text.count('\n', 0, match.start()) + 1
        yield name, first, text.count('\n', 0, end + 1) + 2 - first, parameters


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    files = over = 0
    for folder in FOLDERS:
        for directory, folders, names in os.walk(os.path.join(sys.argv[1], folder)):
            folders.sort()
            for name in sorted(n for n in names if n.endswith(('.c', '.h'))):
                path = os.path.join(directory, name)
                short = os.path.relpath(path, sys.argv[1])
                with open(path, encoding='utf-8') as file:
                    text = file.read()
                files += 1
                found = ['%s: %d lines' % (short, text.count('\n'))] if text.count('\n') > FILE else []
                for function, line, lines, parameters in functions(text):
                    if lines > FUNCTION:
                        found.append('%s:%d: %s has %d lines' % (short, line, function, lines))
                    if parameters > PARAMETERS:
                        found.append('%s:%d: %s has %d parameters' % (short, line, function, parameters))
                over += len(found)
                print(*found, sep='\n', end='\n' if found else '')
    print('%d files, %d over' % (files, over))
    return 0


if __name__ == '__main__':
    sys.exit(main())
