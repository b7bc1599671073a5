#!/usr/bin/env python3
"""bench/choice.py on planted reports. usage: test_choice.py CHOICE.PY"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

CHOICE = sys.argv[1]


def row(layer, algorithm, chosen, time, **more):
    return {'kind': 'cnnblas', 'error_occurred': False, 'name': layer + algorithm, 'dtype': 'f32', 'batch': 1, 'direction': 'forward',
            'set': 's', 'layer': layer, 'problem': 'p', 'algorithm': algorithm, 'chosen': chosen, 'real_time': time, **more}


def layer(name, chosen, times, **more):
    return [row(name, 'auto', chosen, 0.5)] + [row(name, a, a, t, **more) for a, t in times.items()]


class Choice(unittest.TestCase):
    def choice(self, rows, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'r.json')
            with open(path, 'w', encoding='utf-8') as file:
                json.dump({'benchmarks': rows}, file)
            done = subprocess.run([sys.executable, '-B', CHOICE, *arguments, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True)
        return done.returncode, done.stdout

    def test_shares_and_limits(self):
        rows = layer('a', 'g:x', {'g:x': 1, 'g:y': 2, 'im2col': 3})           # right
        rows += layer('b', 'g:x', {'g:x': 1.09, 'g:y': 1, 'im2col': 3})       # right within 10%
        rows += layer('c', 'g:x', {'g:x': 1.14, 'g:y': 1, 'im2col': 3})       # wrong orientation, right within 15%
        rows += layer('d', 'g:x', {'g:x': 2, 'g:y': 2, 'im2col': 1})          # wrong algorithm
        rows += layer('e', 'g:x', {'g:x': 1})                                 # no choice
        rows += layer('f', 'g:x', {'g:x': 9, 'im2col': 1}, load='busy')       # disturbed
        rows += [row('a', 'g', 'g:x', 1)]                                     # a name of two orientations is no algorithm
        status, text = self.choice(rows)
        self.assertEqual(status, 0)
        for wanted in ('all                                4   50.0%', '2 wrong: 1 of orientation, 1 of algorithm',
                       '1 more with no choice', '1 more that other processes disturbed', 'x2.00'):
            self.assertIn(wanted, text)
        self.assertEqual(self.choice(rows, '--least', '50')[0], 0)
        self.assertEqual(self.choice(rows, '--least', '51')[0], 1)
        self.assertEqual(self.choice(rows, '--least', '75', '--within', '15')[0], 0)

    def test_refusals(self):
        self.assertIn('was not timed', self.choice(layer('a', 'g:z', {'g:x': 1, 'im2col': 3}))[1])
        self.assertIn('stands in two files', self.choice(2 * layer('a', 'g:x', {'g:x': 1, 'im2col': 3}))[1])
        self.assertIn('no case with two', self.choice(layer('a', 'g:x', {'g:x': 1}))[1])


unittest.main(argv=sys.argv[:1])
