#!/usr/bin/env python3
"""cnnblas-bench --latency: which rows there are, that their figures hang together, and what it refuses.

usage: test_latency.py BENCH [unittest's arguments]
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

BENCH = os.path.abspath(sys.argv.pop(1))


class Latency(unittest.TestCase):
    def latency(self, *arguments, status=0):
        done = subprocess.run([BENCH, '--latency', '--min-time', '0.001', *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env={**os.environ, 'OMP_WAIT_POLICY': 'passive'})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def test_rows(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'latency.json')
            out, _ = self.latency('--direction', 'forward', '--peers', 'im2col_images', '--threads', '2', '--json', path,
                                  'mb2ic4ih9oc6kh3n"a"')
            with open(path, encoding='utf-8') as file:
                report = json.load(file)
        self.assertLessEqual(max(map(len, out.splitlines())), 100)
        rows = report['benchmarks']
        self.assertEqual([row['name'] for row in rows], ['line:a/forward/%s/%s' % (algorithm, caches)
                                                         for algorithm in ('auto', 'im2col_images')
                                                         for caches in ('warm', 'cold')])
        self.assertEqual([row['kind'] for row in rows], ['cnnblas'] * 2 + ['peer'] * 2)
        for row in rows:
            self.assertGreaterEqual(row['iterations'], 100)
            order = ['real_time', 'time_quartile_low', 'latency_p50', 'time_quartile_high', 'latency_p99', 'latency_max']
            figures = [row[key] for key in order]
            self.assertEqual(figures, sorted(figures), row['name'])
            self.assertGreater(figures[0], 0)
            self.assertFalse(row['error_occurred'])
        # More than any one level of the caches that the benchmark knows of holds.
        levels = [cache['size'] for cache in report['context']['caches'] if cache['level'] < 3]
        self.assertGreater(report['context']['cold_bytes'], max(levels))

    def test_refusals(self):
        for option in ('--csv x.csv', '--plot x', '--fresh', '--wisdom x', '--set kernels', '--set layers'):
            _, errors = self.latency(*option.split(), status=2)
            self.assertIn(option if option.startswith('--set') else option.split()[0], errors)
        quick = ['--peers', 'none', '--direction', 'forward']
        _, errors = self.latency(*quick, '--algorithm', 'depthwise', 'ic4ih9oc6kh3', status=3)
        self.assertIn('--algorithm depthwise applies to no layer', errors)
        self.assertIn('for one input channel a group only', errors)
        _, errors = self.latency(*quick, '--json', 'no/such/folder.json', '--threads', '1', 'ic4ih9oc6kh3', status=4)
        self.assertIn('no/such/folder.json', errors)


if __name__ == '__main__':
    unittest.main(verbosity=2)
