#!/usr/bin/env python3
"""cnnblas-bench ab: that each build is really the one that runs, that wrong results and other bits are seen, and what is
said of files that cannot be timed.

usage: test_ab.py BENCH LIBCNNBLAS.so PLANTED.so PLANTED_WRONG.so PLANTED_OTHER_VERSION.so PLANTED_OLD.so [unittest's arguments]

The planted builds (planted_build.c) know forward 1x1 convolutions only.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BENCH, LIBRARY, PLANTED, WRONG, OTHER_VERSION, OLD = (os.path.abspath(sys.argv.pop(1)) for _ in range(6))
QUICK = ['--min-time', '0.001', '--threads', '2']
POINTWISE = 'mb2ic64ih5oc8kh1n"pointwise"'


class Ab(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def copy(self, name):
        return shutil.copy(LIBRARY, self.path(name))

    def ab(self, *arguments, status=0, **environment):
        """Output and errors of the program; its exit status must be that."""
        done = subprocess.run([BENCH, 'ab', *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, 'OMP_WAIT_POLICY': 'passive', **environment})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def rows(self):
        with open(self.path('ab.json'), encoding='utf-8') as file:
            report = json.load(file)
        return report['context'], report['benchmarks']

    def check_equal_builds(self, old, new):
        out, _ = self.ab(old, new, *QUICK, '--json', self.path('ab.json'), 'ic3ih8oc4kh3n"a"', 'mb2g2ic4ih7oc6kh3n"b"')
        context, rows = self.rows()
        self.assertEqual([os.path.realpath(path) for path in (old, new)], [build['path'] for build in context['builds']])
        self.assertEqual(len(rows), 2 * 3 * 2)
        for first, second in zip(rows[::2], rows[1::2]):
            self.assertEqual((first['build'], second['build']), ('A', 'B'))
            self.assertEqual(first['name'][:-1], second['name'][:-1])
            self.assertIsNone(first['ratio_to_first'])
            self.assertAlmostEqual(second['ratio_to_first'], first['real_time'] / second['real_time'], places=4)
            self.assertEqual(second['different_outputs'], 0)
            self.assertGreater(second['iterations'], 0)
            self.assertFalse(first['error_occurred'] or second['error_occurred'])
            for row in (first, second):
                self.assertEqual(row['load'] != 'unknown', context['load_known'])
        self.assertEqual(out.count('same bits'), 6)
        self.assertEqual(len(re.findall(r'over 2: faster in \d, \d~, bits differ in 0', out)), 3)
        self.assertLessEqual(max(len(line) for line in out.splitlines() if line[1:4] != '  /'), 100)

    def test_one_file_twice(self):
        link = self.path('link.so')
        os.symlink(LIBRARY, link)
        self.check_equal_builds(LIBRARY, link)

    def test_two_copies(self):
        self.check_equal_builds(self.copy('old.so'), self.copy('new.so'))

    def test_calls_stay_inside_and_openblas_is_shared(self):
        """What the loader says of each symbol that it resolved."""
        old, new = self.copy('old.so'), self.copy('new.so')
        _, errors = self.ab(old, new, *QUICK, '--direction', 'forward', POINTWISE, LD_DEBUG='bindings')
        bindings = re.findall(r"binding file (\S+) \[0\] to (\S+) \[0\]: normal symbol `(\w+)'", errors)
        homes = {}
        for source, target, symbol in bindings:
            homes.setdefault((source, symbol), set()).add(target)
        for library in (old, new):
            own = [symbol for source, symbol in homes if source == library and symbol.startswith('cnnblas_')]
            self.assertIn('cnnblas_conv_plan_create', own)
            for symbol in own:
                self.assertEqual(homes[library, symbol], {library}, symbol)
            for symbol in ('cblas_sgemm', 'GOMP_parallel'):
                if (old, symbol) in homes:
                    self.assertEqual(homes[library, symbol], homes[old, symbol], symbol)
        self.assertIn((old, 'cblas_sgemm'), homes)

    def test_other_bits(self):
        out, _ = self.ab(LIBRARY, PLANTED, *QUICK, '--direction', 'forward', '--json', self.path('ab.json'), POINTWISE)
        self.assertIn('cnnblas 0.2.77, planted', out)
        self.assertRegex(out, r'bits differ, \de-0[5-9]')
        _, (ours, planted) = self.rows()
        self.assertEqual(planted['chosen'], 'planted')
        self.assertGreater(planted['different_outputs'], 0)
        self.assertLess(planted['largest_difference'], 1e-4)
        self.assertFalse(planted['error_occurred'])

    def test_wrong_result(self):
        out, _ = self.ab(LIBRARY, WRONG, *QUICK, '--direction', 'forward', '--json', self.path('ab.json'), POINTWISE,
                         status=1)
        self.assertIn('WRONG RESULTS', out)
        _, (ours, planted) = self.rows()
        self.assertFalse(ours['error_occurred'])
        self.assertTrue(planted['error_occurred'])
        self.assertAlmostEqual(planted['largest_difference'], 1, places=4)

    def test_three_builds_one_of_which_cannot(self):
        out, errors = self.ab(PLANTED, LIBRARY, LIBRARY, *QUICK, '--direction', 'forward,backward_data', POINTWISE)
        self.assertIn('A, auto, backward_data: the planted build knows', errors)
        self.assertEqual(len(re.findall(r'^forward ', out, re.M)), 1)
        self.assertRegex(out, r'\nB  forward .* over 1: ')
        self.assertRegex(out, r'\nC  forward .* over 1: ')
        self.assertEqual(out.count('bits differ, '), 2)

    def test_packed_weights_and_sweep(self):
        self.ab(LIBRARY, LIBRARY, *QUICK, '--direction', 'forward', '--algorithm', 'implicit_gemm_prepacked,im2col',
                '--sweep', 'batch=1,3', '--dtype', 'f64', '--json', self.path('ab.json'), 'ic4ih9oc6kh3')
        _, rows = self.rows()
        self.assertEqual([(row['batch'], row['algorithm'], row['dtype']) for row in rows[::2]],
                         [(1, 'implicit_gemm_prepacked', 'f64'), (1, 'im2col', 'f64'),
                          (3, 'implicit_gemm_prepacked', 'f64'), (3, 'im2col', 'f64')])

    def test_a_build_of_the_version_before(self):
        self.ab(OLD, LIBRARY, *QUICK, '--direction', 'forward', '--json', self.path('ab.json'), POINTWISE)
        context, rows = self.rows()
        self.assertEqual([build['cnnblas_version'] for build in context['builds']][0], '0.1.9')
        self.assertEqual(len(rows), 2)

    def test_files_that_cannot_be_timed(self):
        with open(self.path('text.so'), 'w', encoding='utf-8') as file:
            file.write('no library\n' * 100)
        missing = self.path('missing.so')
        _, errors = self.ab(LIBRARY, missing, POINTWISE, status=3)
        self.assertIn(missing + ': No such file', errors)
        _, errors = self.ab(self.path('text.so'), LIBRARY, POINTWISE, status=3)
        self.assertRegex(errors, 'not a library that can be loaded: .*text.so')
        _, errors = self.ab(LIBRARY, OTHER_VERSION, POINTWISE, status=3)
        self.assertRegex(errors, r'a build of version 0\.999\.0; this benchmark speaks to \d+\.\d+')
        linked = subprocess.run(['ldd', BENCH], stdout=subprocess.PIPE, text=True, check=True).stdout
        other = re.search(r'libjansson\S* => (\S+)', linked).group(1)
        _, errors = self.ab(LIBRARY, other, POINTWISE, status=3)
        self.assertIn('not a build of libcnnblas that can be timed: it has no cnnblas_version_string', errors)
        self.ab(LIBRARY, LIBRARY, '--json', self.path('no/such/folder.json'), *QUICK, POINTWISE, status=4)

    def test_command_line(self):
        out, _ = self.ab('--help')
        self.assertIn('example:', out)
        self.assertLessEqual(max(map(len, out.splitlines())), 102)
        self.assertLessEqual(len(out.splitlines()), 24)
        for arguments in ([], [LIBRARY], ['--batch', '1', LIBRARY, LIBRARY], [LIBRARY] * 9):
            _, errors = self.ab(*arguments, status=2)
            self.assertIn('ab takes 2 to 8 libraries, before the options', errors)
        for option in (['--peers', 'im2col_sgemm'], ['--csv', 'x.csv'], ['--fresh'], ['--wisdom', 'x'], ['--plot', 'x'],
                       ['--set', 'kernels'], ['--set', 'layers']):
            _, errors = self.ab(LIBRARY, LIBRARY, *option, status=2)
            self.assertIn(' '.join(option) if option[0] == '--set' else option[0], errors)
        _, errors = self.ab(LIBRARY, LIBRARY, *QUICK, '--algorithm', 'depthwise', 'ic4ih9oc6kh3', status=3)
        self.assertIn('depthwise, forward: ', errors)
        self.assertIn('nothing ran', errors)
        _, errors = self.ab(LIBRARY, LIBRARY, *QUICK, 'ic4ih9oc6kh3q', POINTWISE, status=3)
        self.assertIn('problem, column 13', errors)


if __name__ == '__main__':
    unittest.main(verbosity=2)
