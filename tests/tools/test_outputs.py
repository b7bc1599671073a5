"""Where the programs write: through links, never over what is not a regular file, with the old file's rights.

usage: test_outputs.py PROGRAM [BENCH]   BENCH: cnnblas-bench, if it is built
"""
import os
import stat
import subprocess
import sys

import rig

BENCH = os.path.abspath(sys.argv.pop(2)) if len(sys.argv) > 2 else None


def has_users():
    """Whether there is a user but root: a namespace made by unshare -r has none."""
    with open('/proc/self/uid_map', encoding='utf-8') as ranges:
        return any(int(first) <= 1234 < int(first) + int(count) for first, _, count in map(str.split, ranges))


class Outputs(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'), counts=(16, 8))
        self.train = ['train', '--data', self.data, '--net', rig.NET, '--epochs', '1', '-q']

    def leftovers(self):
        return [name for name in os.listdir(self.folder) if name.endswith('.tmp')]

    def test_links_and_rights(self):
        os.mkdir(self.path('there'))
        for option in ('--out', '--checkpoint', '--history', '--json'):
            target, link = self.path('there', 'target' + option), self.path('link' + option)
            os.symlink(os.path.join('there', 'target' + option), link)
            self.run_command(*self.train, option, link)  # the link leads to nothing yet
            os.chmod(target, 0o640)
            if os.geteuid() == 0 and has_users():
                os.chown(target, 1234, 4321)
            before = os.stat(target)
            os.symlink('link' + option, self.path('again' + option))
            self.run_command(*self.train, option, self.path('again' + option))
            after = os.lstat(target)
            self.assertTrue(os.path.islink(link) and stat.S_ISREG(after.st_mode))
            self.assertNotEqual(before.st_ino, after.st_ino)
            self.assertEqual((before.st_mode, before.st_uid, before.st_gid), (after.st_mode, after.st_uid, after.st_gid))
        left = self.leftovers() + os.listdir(self.path('there'))
        self.assertEqual([name for name in left if name.endswith('.tmp')], [])

    def test_not_regular(self):
        os.mkfifo(self.path('pipe'))
        for option in ('--out', '--checkpoint', '--history', '--json'):
            for place in ('pipe', '/dev/null', self.folder):
                kind = os.stat(self.path(place)).st_mode
                self.refused(4, [place, 'not a regular file'], *self.train, option, place)
                self.assertEqual(os.lstat(self.path(place)).st_mode, kind)

    def test_refused_before_training(self):
        # 10,000 epochs: whoever trains first does not come back.
        long = [*self.train[:-2], '10000', '-q']
        for option in ('--out', '--checkpoint', '--history', '--json'):
            self.refused(4, 'cannot create', *long, option, '')
            self.refused(4, 'cannot create', *long, option, 'x' * 300)
            self.refused(4, 'cannot create', *long, option, 'x/' * 3000 + 'x')
            self.refused(4, 'cannot create', *long, option, 'new/')
        self.refused(2, '.svg', *long, '--plot', '')
        self.refused(4, 'cannot create', *long, '--plot', 'x' * 300 + '.svg')
        self.refused(4, 'cannot create', *long, '--out', 'x' * 250)  # for OUT.checkpoint, of a signal
        self.run_command(*self.train, '--out', 'x' * 250, '--checkpoint', 'y' * 255)  # a temporary file's name is no longer
        self.assertEqual(self.leftovers(), [])

    def test_later_outputs_are_tried_first(self):
        # What is written last, beside --out and --plot, and only when a signal comes.
        long = [*self.train[:-2], '10000', '-q']
        os.mkdir(self.path('m.checkpoint'))
        self.refused(4, 'm.checkpoint', *long, '--out', 'm')
        os.mkdir(self.path('curves.svg.gp'))
        self.refused(4, 'curves.svg.gp', *long, '--plot', 'curves.svg')

    def test_no_right_to_write(self):
        if os.geteuid() == 0:
            self.skipTest('root may write everything')
        rig.write(self.path('mine'), b'old')
        os.chmod(self.path('mine'), 0o444)
        self.refused(4, 'mine', *self.train, '--out', 'mine')
        self.assertEqual(rig.read(self.path('mine')), b'old')

    def test_bench(self):
        if not BENCH:
            self.skipTest('cnnblas-bench is not built')
        run = [BENCH, '--peers', 'none', '--no-naive', '--min-time', '0.0001', '--direction', 'forward', 'ic4ih9oc6kh3']
        for option in ('--json', '--csv'):
            rig.write(self.path('target' + option), b'old')
            os.chmod(self.path('target' + option), 0o600)
            os.symlink('target' + option, self.path('link' + option))
            subprocess.run([*run, option, 'link' + option], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
            self.assertTrue(os.path.islink(self.path('link' + option)))
            self.assertEqual(os.stat(self.path('target' + option)).st_mode & 0o777, 0o600)
            self.assertIn(b'ic4ih9oc6oh7kh3', rig.read(self.path('target' + option)))
            # A pipe is written straight; a full device is heard of.
            piped = subprocess.run([*run, option, '/dev/stderr'], cwd=self.folder, check=True, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
            self.assertIn(b'ic4ih9oc6oh7kh3', piped.stderr)
            full = subprocess.run([*run, option, '/dev/full'], cwd=self.folder, check=False, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
            self.assertEqual(full.returncode, 4)
        self.assertEqual(self.leftovers(), [])


rig.main()
