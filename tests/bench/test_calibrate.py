#!/usr/bin/env python3
"""bench/calibrate.py: the table stands as the timing files give it, planted costs are found again, and the program's own file is one
that it reads. usage: test_calibrate.py BENCH-FOLDER CNNBLAS-BENCH"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

FOLDER, BENCH = sys.argv[1:3]
sys.dont_write_bytecode = True
sys.path.insert(0, FOLDER)
import calibrate  # noqa: E402
import calibrate_choice  # noqa: E402


def in_source(name, pattern):
    """What the pattern finds in a file of lib/conv."""
    with open(os.path.join(FOLDER, '..', 'lib', 'conv', name), encoding='utf-8') as file:
        return re.search(pattern, file.read()).group(1)


class Calibrate(unittest.TestCase):
    def test_table_stands(self):
        done = subprocess.run([sys.executable, '-B', os.path.join(FOLDER, 'calibrate.py'), '--check'],
                              stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_planted_costs(self):
        planted = [2e-11, 0, 3e-10, 0, 5e-7, 1e-6]
        samples = []
        for i in range(1, 40):
            work = [1e6 * i * i, 1e4 * (i % 7 + 1), 1e5 * (i % 5 + 1), 300.0 * (i % 3 + 1), i % 8 + 1.0, 1.0]
            samples.append((work, sum(w * c for w, c in zip(work, planted)), 1 / i))
        for found, cost in zip(calibrate.fit(samples, 6), planted):
            self.assertAlmostEqual(found, cost, delta=1e-6 * cost + 1e-15)

    def test_costs_are_never_negative(self):
        samples = [([float(i), 1.0], 2.0 * i - 1, 1.0) for i in range(1, 20)]  # least squares would take -1 for the second
        costs = calibrate.fit(samples, 2)
        self.assertGreater(costs[0], 0)
        self.assertEqual(costs[1], 0)

    def test_kinds_without_work(self):
        self.assertEqual(calibrate.fit([([0.0, 2.0], 4.0, 1.0)] * 3, 2), [0.0, 2.0])

    def test_two_machines_of_a_level(self):
        """The slower one's times count as much as the other's: where they agree but for the pace, the table is theirs at a pace between;
        where one algorithm is faster on one and slower on the other, its cost lies between the two."""
        def times(pace, second):
            samples = []
            for i in range(1, 30):
                case = 'mb1ic%d' % i
                samples.append((case, 'forward', 'a', 'A', [1e6 * i, 0.0], pace * 2e-5 * i))
                samples.append((case, 'forward', 'b', 'B', [0.0, 1e6 * i], pace * second * 1e-5 * i))
            return samples
        kinds = ['MAC', 'STORE']
        files = [('x.json', 'avx2', 'f32', times(1, 3)), ('y.json', 'avx2', 'f32', times(4, 3))]
        for pace, want in zip(calibrate.paces(files), (0.5, 2)):
            self.assertAlmostEqual(pace, want)
        table = calibrate.least_squares(files, kinds)
        for row, want in (('A', [4e-11, 0]), ('B', [0, 6e-11])):
            for cost, wanted in zip(table['avx2', row, 'f32', 'forward'], want):
                self.assertAlmostEqual(cost, wanted, delta=1e-15)
        files[1] = ('y.json', 'avx2', 'f32', times(4, 2.2))
        table = calibrate.least_squares(files, kinds)
        self.assertAlmostEqual(table['avx2', 'A', 'f32', 'forward'][0], 4e-11, delta=1e-15)
        self.assertTrue(2 * 2.2e-11 < table['avx2', 'B', 'f32', 'forward'][1] < 2 * 3e-11)
        self.assertEqual(calibrate.least_squares(files[::-1], kinds), table)
        self.assertEqual(calibrate.fit_all(files[::-1], kinds), calibrate.fit_all(files, kinds))
        faster = [(case, 'forward', 'c', 'C', [1e6, 1e6], seconds / 9) for case, _, a, _, _, seconds in files[1][3] if a == 'a']
        both = [files[0], ('y.json', 'avx2', 'f32', files[1][3] + faster)]  # an algorithm that one file has is no pace of its machine
        self.assertEqual(calibrate.paces(both), calibrate.paces(files))
        self.assertEqual(calibrate.least_squares(both, kinds, {'c'})['avx2', 'A', 'f32', 'forward'], table['avx2', 'A', 'f32', 'forward'])
        other_level = ('z.json', 'avx512', 'f32', times(9, 3))
        self.assertEqual(calibrate.paces(files + [other_level])[2], 1)

    def test_costs_settle(self):
        """Where two estimates that are equally wrong choose the slower algorithm, the costs move until they choose the faster one, and no
        further than they must; a kind that had no cost may get one, and what is right stays."""
        def case(first, second):
            return [('A', [1.0, 0.0], first), ('B', [0.0, 1.0], second)]
        costs = {'A': [1e-3, 0.0], 'B': [0.0, 1.02e-3]}
        calibrate_choice.Costs([case(0.5, 0.0)] * 50, costs, set()).settle()
        self.assertLess(costs['B'][1], costs['A'][0])
        self.assertLess(costs['A'][0], 3e-3)
        self.assertGreater(costs['B'][1], 3e-4)
        right = {'A': [1e-3, 0.0], 'B': [0.0, 9e-3]}
        calibrate_choice.Costs([case(0.0, 0.5)] * 50, right, set()).settle()
        self.assertEqual(right, {'A': [1e-3, 0.0], 'B': [0.0, 9e-3]})
        doubted = {'A': [1e-3, 0.0], 'B': [0.0, 1e-3]}
        found = calibrate_choice.Costs([case(0.5, 0.0)], doubted, {'B'})
        self.assertAlmostEqual(found.estimates[0][1], 1.1e-3)
        missing = {'A': [1e-3, 0.0], 'B': [0.0, 1.02e-3]}
        cases = [[('A', [1.0, 1.0], 0.5), ('B', [0.0, 1.0], 0.0)]] * 50 + [case(0.0, 0.5)] * 50
        calibrate_choice.Costs(cases, missing, set()).settle()
        self.assertGreater(missing['A'][0] + missing['A'][1], missing['B'][1])

    def test_forward_cases(self):
        """A forward of few images is a case of its own; one of many is chosen by the work of two images, and then its orientation."""
        def rivals(images):
            return {'g:x': ('X', [4.0 + images], 2.0), 'g:y': ('Y', [images], 1.0), 'b': ('B', [2.0 * images], 4.0)}
        cases = list(calibrate_choice.forward_cases({'s': {16: rivals(16), 64: rivals(64)}}))
        self.assertEqual(len(cases), 2 * 3)
        self.assertEqual([(row, work) for row, work, _ in cases[0]], [('X', [6.0]), ('Y', [2.0]), ('B', [4.0])])
        self.assertEqual([lost for _, _, lost in cases[0]], [0, 0, calibrate_choice.CAP])
        self.assertEqual([row for row, _, _ in cases[1]], ['X', 'Y'])
        self.assertEqual(cases[1][0][1], [20.0])
        self.assertEqual(len(list(calibrate_choice.forward_cases({'s': {1: rivals(1), 8: rivals(8)}}))), 2)
        self.assertEqual(calibrate_choice.DOUBT, float(in_source('costs.c', r'BLAS_DOUBT = ([0-9.]+)')))
        self.assertEqual(calibrate_choice.JUDGED, int(in_source('row.h', r'CB_FORWARD_IMAGES = (\d+)')))

    def test_the_programs_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path, table = os.path.join(folder, 'a.json'), os.path.join(folder, 'table.h')
            subprocess.run([BENCH, '--min-time', '0.001', '--threads', '2', '--calibrate', path] +
                           ['mb2ic%dih%doc8kh3ph1' % (c, h) for c in (3, 8) for h in (6, 9)], check=True,
                           stdout=subprocess.DEVNULL, env={**os.environ, 'OMP_WAIT_POLICY': 'passive'})
            with open(path, encoding='utf-8') as file:
                root = json.load(file)
            for problem, direction, algorithm, row, work, seconds in root['samples']:
                self.assertTrue(problem.startswith('mb2ic') and direction in calibrate.DIRECTIONS and algorithm and row)
                self.assertEqual(len(work), len(root['kinds']))
                self.assertTrue(min(work) >= 0 and max(work) > 0 and seconds > 0)
            self.assertGreaterEqual(len(root['samples']), 4 * 3 * 2)
            self.assertTrue(set(root['relaxed']) < {sample[2] for sample in root['samples']})
            command = [sys.executable, '-B', os.path.join(FOLDER, 'calibrate.py'), '--table', table, path]
            subprocess.run(command, check=True)
            subprocess.run(command[:3] + ['--check'] + command[3:], check=True)
            subprocess.run(command[:3] + ['--judge'] + command[3:], check=True, stdout=subprocess.DEVNULL)
            with open(table, 'a', encoding='utf-8') as file:
                file.write('\n')
            self.assertEqual(subprocess.run(command[:3] + ['--check'] + command[3:], stdout=subprocess.DEVNULL).returncode, 1)


unittest.main(argv=sys.argv[:1])
