"""Runs a program under mpirun; skipped (77) where that can start nothing, for want of a network interface for example.

usage: run.py PROGRAM MPIRUN FLAVOUR RANKS      test_ranks.py and example.py take the launcher from here
"""
import os
import subprocess
import sys

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1', OMP_WAIT_POLICY='passive')
ENVIRONMENT.pop('LD_PRELOAD', None)  # not into the launcher
ENVIRONMENT['ASAN_OPTIONS'] = ENVIRONMENT.get('ASAN_OPTIONS', '') + ':detect_leaks=0'  # MPI itself leaks


def launcher(mpirun, flavour):
    """The launcher's command, or None if it cannot start a process here."""
    command = [mpirun, *(['--oversubscribe'] if flavour == 'OpenMPI' else [])]
    try:
        works = subprocess.run([*command, '-n', '2', 'true'], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        works = False
    if not works:
        print('skipped: %s starts no process here' % mpirun)
    return command if works else None


def main():
    program, mpirun, flavour, ranks = sys.argv[1:]
    command = launcher(mpirun, flavour)
    return subprocess.run([*command, '-n', ranks, program], env=ENVIRONMENT, check=False).returncode if command else 77


if __name__ == '__main__':
    sys.exit(main())
