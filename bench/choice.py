#!/usr/bin/env python3
"""How good the automatic choice is: cnnblas-bench's JSON files of auto beside forced algorithms, judged.

usage: choice.py [--within PERCENT] [--worst N] [--least PERCENT] FILE.json...

A case is one layer, direction, batch and dtype. What auto chose is as slow as the chosen algorithm was when it was forced,
in the same run; it is right if that is at most --within percent (10) above the fastest forced one. Each orientation of
implicit_gemm is an algorithm here; a wrong choice is one of orientation if another orientation of the chosen name was the
fastest. Cases where only one algorithm applies, and cases of which the chosen or the fastest row was disturbed by other processes, are
counted apart. Prints the share of right cases by dtype, batch and direction, and the worst N (10). With --least the exit
status is 1 if the share over all cases is smaller. To make the files:

    cnnblas-bench --set NAME --batch N --algorithm all --peers none --no-naive --min-time 0.02 --json NAME_N.json
"""
import argparse
import collections
import json
import sys


def read(paths):
    """{(dtype, batch, direction, set, layer, problem): {algorithm: row}}"""
    cases = collections.defaultdict(dict)
    for path in paths:
        with open(path, encoding='utf-8') as file:
            for row in json.load(file)['benchmarks']:
                if row['kind'] != 'cnnblas' or row['algorithm'].endswith('_prepacked'):
                    continue
                if row['error_occurred']:
                    sys.exit('%s: %s is wrong; fix that first' % (path, row['name']))
                key = (row['dtype'], row['batch'], row['direction'], row['set'], row['layer'], row['problem'])
                if row['algorithm'] != 'auto' and row['chosen'] != row['algorithm']:
                    continue  # a name that stands for several orientations
                if row['algorithm'] in cases[key]:
                    sys.exit('%s: %s stands in two files' % (path, row['name']))
                cases[key][row['algorithm']] = row
    return cases


def judge(rows):
    """The chosen algorithm, the fastest, how many times as slow the chosen is, how many apply, whether others disturbed the two."""
    times = {name: row['real_time'] for name, row in rows.items() if name != 'auto'}
    chosen = rows['auto']['chosen']
    best = min(times, key=times.get)
    disturbed = any(rows[name].get('load') == 'busy' or rows[name].get('peaks_moved') for name in (chosen, best))
    return chosen, best, times[chosen] / times[best], len(times), disturbed


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('\n')[2][7:])
    parser.add_argument('--within', type=float, default=10)
    parser.add_argument('--worst', type=int, default=10)
    parser.add_argument('--least', type=float, default=0)
    parser.add_argument('files', nargs='+')
    options = parser.parse_args()
    groups, judged, single, disturbed = collections.defaultdict(list), [], 0, 0
    for key, rows in read(options.files).items():
        if 'auto' not in rows or rows['auto']['chosen'] not in rows:
            sys.exit('%s: auto, or what it chose, was not timed' % '/'.join(map(str, key)))
        chosen, best, ratio, rivals, noisy = judge(rows)
        if rivals == 1:
            single += 1
            continue
        if noisy:
            disturbed += 1
            continue
        judged.append((ratio, chosen, best, key))
        groups[key[:3]].append(ratio)
    if not judged:
        sys.exit('no case with two algorithms')

    def share(ratios):
        return 100 * sum(ratio <= 1 + options.within / 100 for ratio in ratios) / len(ratios)

    print('within %g%% of the best forced algorithm' % options.within)
    print('%-5s %5s  %-16s %6s %7s' % ('dtype', 'batch', 'direction', 'cases', 'share'))
    for key in sorted(groups):
        print('%-5s %5d  %-16s %6d %6.1f%%' % (*key, len(groups[key]), share(groups[key])))
    every = share([case[0] for case in judged])
    print('%-5s %5s  %-16s %6d %6.1f%%' % ('all', '', '', len(judged), every))
    wrong = [case for case in judged if case[0] > 1 + options.within / 100]
    if wrong:
        inside = sum(chosen.split(':')[0] == best.split(':')[0] for _, chosen, best, _ in wrong)
        print('%d wrong: %d of orientation, %d of algorithm' % (len(wrong), inside, len(wrong) - inside))
    if single:
        print('%d more with no choice: one algorithm applies' % single)
    if disturbed:
        print('%d more that other processes disturbed' % disturbed)
    if options.worst:
        print('\n%-8s %-22s %-22s %s' % ('slower', 'auto took', 'best', 'case'))
    for ratio, chosen, best, key in sorted(judged, reverse=True)[:options.worst]:
        print('x%-7.2f %-22s %-22s %s %s, batch %d: %s:%s  %s' % (ratio, chosen, best, *key[:1], key[2], *key[1:2], *key[3:]))
    return 1 if every < options.least else 0


if __name__ == '__main__':
    sys.exit(main())
