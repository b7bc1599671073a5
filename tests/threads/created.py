#!/usr/bin/env python3
"""Runs a command and counts the threads and processes that it creates, by strace.

usage: created.py EXPECTED COMMAND...     EXPECTED: a number, or "+N" for more than N

OpenBLAS is told to make none of its own; nothing is preloaded. Exit code 0 as expected, 1 not, 77 skipped: no strace, or it may not trace.
"""
import os
import shutil
import subprocess
import sys
import tempfile

STRACE = ['strace', '-f', '--seccomp-bpf', '-c', '-e', 'trace=clone,clone3']


def created(summary):
    """Calls without errors in the table of `strace -c`: % time, seconds, usecs/call, calls, errors or nothing, name."""
    total = 0
    for line in summary.splitlines():
        fields = line.split()
        if fields and fields[-1] in ('clone', 'clone3'):
            total += int(fields[3]) - (int(fields[4]) if len(fields) == 6 else 0)
    return total


def trace(command, folder):
    """(exit status, threads and processes created)"""
    path = os.path.join(folder, 'summary')
    env = dict(os.environ, OPENBLAS_NUM_THREADS='1')
    env.pop('LD_PRELOAD', None)
    done = subprocess.run([*STRACE, '-o', path, *command], env=env, cwd=folder, check=False)
    with open(path, encoding='utf-8') as file:
        return done.returncode, created(file.read())


def main():
    expected, command = sys.argv[1], [os.path.abspath(sys.argv[2]), *sys.argv[3:]]
    if not shutil.which('strace'):
        print('no strace here')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        # A shell that creates one process, so that a count of none cannot pass for a result.
        probe = subprocess.run([*STRACE, 'sh', '-c', 'true & wait'], stderr=subprocess.PIPE, text=True, check=False)
        if probe.returncode or created(probe.stderr) != 1:
            print('strace cannot trace here: %s' % probe.stderr.strip())
            return 77
        status, count = trace(command, folder)
    print('%s: exit status %d, %d created, %s expected' % (' '.join(sys.argv[2:]), status, count, expected))
    right = count > int(expected) if expected.startswith('+') else count == int(expected)
    return 0 if status == 0 and right else 1


sys.exit(main())
