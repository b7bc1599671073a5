#!/usr/bin/env python3
"""Compares the sizes of the public structs, the places of their fields and the values of the constants with a reviewed list.

usage: sizes.py LIST INCLUDE_DIRECTORY HEADER... -- COMPILER [ARGUMENT...]
       sizes.py --write INCLUDE_DIRECTORY HEADER... -- COMPILER [ARGUMENT...]    prints the list

A line of LIST is the name of a struct with its size in bytes, of a field with its offset and its size, or of a constant of an
enumeration with its value. Reserved fields are left out: later fields are taken from them. There is one LIST a soname: under
one soname lines may enter it, none may change or leave. Edit it by hand, and say so in CHANGELOG.md. The list is that of
machines with pointers of 8 bytes; others are skipped (exit status 77).
"""
import os
import re
import subprocess
import sys
import tempfile


def declared(text):
    """C expressions of what a header declares: (name, text of a printf) pairs."""
    text = re.sub(r'/\*.*?\*/|//[^\n]*', ' ', text, flags=re.S)
    for kind, name, body in re.findall(r'typedef\s+(struct|enum)\s+(\w+)\s*\{(.*?)\}', text, re.S):
        if kind == 'enum':
            for constant in re.findall(r'\b([A-Z]\w+)\s*(?:=[^,]*)?(?:,|$)', body.strip()):
                yield constant, f'printf("{constant} %d\\n", (int){constant});'
            continue
        yield name, f'printf("{name} %zu\\n", sizeof({name}));'
        for field in body.split(';')[:-1]:
            found = re.search(r'(\w+)\s*(?:\[[^\]]*\]\s*)*$', field)
            if not found or ',' in field:
                sys.exit(f'{name}: "{field.strip()}" is not one field a declaration')
            label = f'{name}.{found.group(1)}'
            if found.group(1) != 'reserved':
                yield label, (f'printf("{label} %zu %zu\\n", offsetof({name}, {found.group(1)}), '
                              f'sizeof((({name} *)0)->{found.group(1)}));')


def measured(include, headers, compiler):
    lines = []
    for header in headers:
        with open(header, encoding='utf-8') as file:
            lines += [line for _, line in declared(file.read())]
    includes = [f'#include <cnnblas/{os.path.basename(header)}>' for header in headers]
    program = '\n'.join(includes + ['#include <stddef.h>', '#include <stdio.h>', 'int main(void)', '{',
                                    'if (sizeof(void *) != 8) return 77;', *lines, 'return 0;', '}', ''])
    with tempfile.TemporaryDirectory(prefix='cnnblas-sizes-') as work:
        source, binary = os.path.join(work, 'sizes.c'), os.path.join(work, 'sizes')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(program)
        subprocess.run([*compiler, '-I', include, source, '-o', binary], check=True)
        done = subprocess.run([binary], stdout=subprocess.PIPE, text=True)
    if done.returncode == 77:
        print('skipped: pointers have not 8 bytes here')
        sys.exit(77)
    return sorted(done.stdout.splitlines())


def main():
    if '--' not in sys.argv or len(sys.argv) < 6:
        sys.exit(__doc__)
    split = sys.argv.index('--')
    path, include, *headers = sys.argv[1:split]
    found = measured(include, headers, sys.argv[split + 1:])
    if path == '--write':
        print('\n'.join(found))
        return
    with open(path, encoding='utf-8') as file:
        wanted = {line.split('#')[0].strip() for line in file} - {''}
    bad = [f'not in the list: {line}' for line in found if line not in wanted]
    bad += [f'in the list, but not so in the headers: {line}' for line in sorted(wanted - set(found))]
    if bad:
        print('\n'.join(bad))
        sys.exit(f'the headers are not those of {path}')
    print(f'{len(found)} sizes, places and values, as listed')


if __name__ == '__main__':
    main()
