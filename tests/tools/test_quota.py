"""A CPU quota lowers the default number of threads, never an explicit one: in a control group made for this test.

usage: test_quota.py PROGRAM    exit code 77, skipped: no group can be made here
"""
import contextlib
import json
import os
import subprocess
import sys
import tempfile

import rig

PERIOD = 100000
MANY = 1000  # processors


def mounted():
    """Folders in which a group of the cpu controller may be made, and whether they are of version 2: our group first, then
    what is above it."""
    with open('/proc/self/cgroup', encoding='utf-8') as file:
        groups = [line.rstrip('\n').split(':', 2) for line in file]
    with open('/proc/self/mountinfo', encoding='utf-8') as file:
        mounts = [line.rstrip('\n').split(' - ', 1) for line in file]
    for about, source in mounts:
        kind, _, options = source.split(' ', 2)
        point = about.split(' ')[4]
        for number, controllers, path in groups:
            second = kind == 'cgroup2' and number == '0'
            first = kind == 'cgroup' and 'cpu' in controllers.split(',') and 'cpu' in options.split(',')
            while first or second:
                yield point + path, second
                if path == '/':
                    break
                path = os.path.dirname(path)


def write(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
        file.write(text)


def limit(folder, second, processors):
    quota = int(processors * PERIOD)
    if second:
        write(folder, 'cpu.max', '%d %d' % (quota, PERIOD))
    else:
        write(folder, 'cpu.cfs_period_us', str(PERIOD))
        write(folder, 'cpu.cfs_quota_us', str(quota))


@contextlib.contextmanager
def group():
    """A new group with a quota: (folder, whether of version 2); None where none can be made."""
    for parent, second in mounted():
        folder = os.path.join(parent, 'cnnblas-test-%d' % os.getpid())
        try:
            os.mkdir(folder)
        except OSError:
            continue
        try:
            limit(folder, second, 1)
            enter_and_leave(folder)
        except OSError:
            os.rmdir(folder)
            continue
        try:
            yield folder, second
        finally:
            os.rmdir(folder)
        return
    yield None, False


def enter_and_leave(folder):
    """Raises OSError unless a process can be put into the group."""
    if subprocess.run(['sh', '-c', 'echo $$ >"$0"/cgroup.procs', folder], stderr=subprocess.DEVNULL, check=False).returncode:
        raise OSError('no process may enter')


def run(folder, *arguments):
    """What the command writes as JSON behind --json, run inside the group; any OMP_NUM_THREADS is left out."""
    command = ['sh', '-c', 'echo $$ >"$0"/cgroup.procs && exec "$@"', folder, sys.argv[1], *arguments]
    env = {name: value for name, value in os.environ.items() if name != 'OMP_NUM_THREADS'}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=env, check=True)
    if arguments[-1] == '-':
        return json.loads(done.stdout)
    with open(arguments[-1], encoding='utf-8') as file:
        return json.load(file)


def main():
    cores = len(os.sched_getaffinity(0))
    with group() as (folder, second), tempfile.TemporaryDirectory() as data:
        if not folder:
            print('no control group with a CPU quota can be made here')
            return 77
        print('groups of version %d' % (2 if second else 1))
        limit(folder, second, MANY)
        above = run(folder, 'info', '--json', '-')['quota']  # what the groups above leave, if they have a quota
        for processors, whole in ((0.5, 1), (1, 1), (1.01, 2), (2, 2), (7.5, 8)):
            whole = min(whole, above)
            limit(folder, second, processors)
            found = run(folder, 'info', '--json', '-')
            print('quota %g: %d, threads %d of %d' % (processors, found['quota'], found['threads'], cores))
            assert found['quota'] == whole
            assert found['threads'] == min(whole, cores)
            assert found['cores'] == cores
            assert any('quota' in text for text in found['warnings']) == (whole < cores)
        limit(folder, second, 1)
        rig.write_data(data, counts=(32, 8))
        train = ['train', '--data', data, '--epochs', '1', '--batch', '8', '--net', 'INPUT -> CONV 2@3x3 -> FC']
        written = ['--json', os.path.join(data, 'train.json')]
        assert run(folder, *train, *written)['network']['threads'] == 1
        assert run(folder, *train, '--threads', '3', *written)['network']['threads'] == 3
        print('--threads 3 is 3')
    return 0


sys.exit(main())
