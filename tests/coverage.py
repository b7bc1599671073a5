#!/usr/bin/env python3
"""Lines and branches of the project's own code that the tests run, by gcov.

usage: coverage.py BUILD_DIRECTORY [FOLDER...]     folders below the root; lib bench tools if not said

    meson setup cov --buildtype=debug -Db_coverage=true && meson test -C cov; tests/coverage.py cov

A line or branch counts once however often its file is compiled (a kernel is, for every instruction set and type), and is
covered if any of them ran it. Prints a row a file, the least covered first, then the folders and the sum.
Exit status: 0, or 1 if the build directory holds no counts.
"""
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def counts_of(build):
    for directory, _, names in os.walk(build):
        for name in names:
            if name.endswith('.gcda'):
                yield os.path.join(directory, name)


def collect(build):
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    branches = collections.defaultdict(lambda: collections.defaultdict(int))
    found = sorted(counts_of(build))
    for begin in range(0, len(found), 50):
        result = subprocess.run(['gcov', '--json-format', '--stdout', '--branch-probabilities'] + found[begin:begin + 50],
                                cwd=build, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        for text in result.stdout.splitlines():
            if not text.startswith('{'):
                continue
            report = json.loads(text)
            for file in report['files']:
                path = os.path.normpath(os.path.join(report['current_working_directory'], file['file']))
                for line in file['lines']:
                    number = line['line_number']
                    lines[path][number] += line['count']
                    for index, branch in enumerate(line['branches']):
                        branches[path][number, index] += branch['count']
    return lines, branches


def row(name, lines, branches):
    def share(counts):
        ran = sum(1 for count in counts if count)
        return f'{ran:7d} of {len(counts):6d} {100 * ran / len(counts) if counts else 100:6.1f} %'
    print(f'{name:40s}{share(lines)}   {share(branches)}')


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folders = sys.argv[2:] or ['lib', 'bench', 'tools']
    lines, branches = collect(sys.argv[1])
    own = {}
    for path in lines:
        name = os.path.relpath(path, ROOT)
        if name.startswith(tuple(folder + os.sep for folder in folders)):
            own[name] = (list(lines[path].values()), list(branches[path].values()))
    if not own:
        print('no counts of this tree in', sys.argv[1])
        return 1
    print(f'{"":40s}{"lines":^25s}   {"branches":^25s}')
    for name in sorted(own, key=lambda n: sum(1 for c in own[n][0] if c) / max(1, len(own[n][0]))):
        row(name, *own[name])
    for folder in folders + ['']:
        chosen = [own[name] for name in own if name.startswith(folder)]
        row(folder or 'all', [c for l, _ in chosen for c in l], [c for _, b in chosen for c in b])
    return 0


sys.exit(main())
