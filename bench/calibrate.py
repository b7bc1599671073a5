#!/usr/bin/env python3
"""The table of the cost model, fitted to timing files: lib/conv/costs_table.h from bench/calibration/*.json.

usage: calibrate.py [--check | --judge] [--table FILE] [FILE.json...]

Without an option it writes the table; the files are those of bench/calibration unless others are named. --check compares
instead: exit status 1 if the table that stands there is not, to the byte, what the files give. --judge prints by file, batch and
direction how many of the table's choices are within 10% of the fastest, and the median error of its estimates.

A file is what cnnblas-bench --calibrate writes: times of every algorithm by name, with the work that its estimate counts. For
each instruction-set level, row of the table, dtype and direction

    minimise  sum over samples of (best / seconds)^1.5 * (sum over kinds of work * cost / seconds - 1)^2,  all costs >= 0

that is, relative errors, where an algorithm that is k times as slow as the fastest one of its case counts the less: where it is
no rival its estimate need not be close. The sum is convex and there are six kinds, so the least is found exactly: of all sets of
kinds that may be above 0, the one whose unconstrained least squares are non-negative and best. Fifteen times more it is solved
with weights from the errors of the time before: twice as much and half as much become equally wrong; what is off by more than
10% counts by its error, not by the square of it (Huber), since some shapes are slow for reasons that nothing counts; but of an
algorithm over 10% behind the fastest, which must not be chosen, too low an estimate counts by its square however far it is off, and
too high a one counts a third. Then the costs of all rows together are moved so that their choices lose less, as calibrate_choice.py has
it. Costs are written with three digits, in nanoseconds. A dtype without a file takes the other's costs, times 2 for f64, half for f32.

The fastest is the fastest of those that the default policy of accuracy may take; relaxed ones, faster or not, are fitted beside them.
Several machines of one level count alike: each file's times are first divided by its machine's pace, the geometric mean of its fastest
times over the same of the other files', so that what remains to differ is how the algorithms compare there.
"""
import argparse
import glob
import itertools
import json
import math
import os
import re
import sys

import calibrate_choice

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, '..', 'lib', 'conv', 'costs_table.h')
DTYPES = ['f32', 'f64']
DIRECTIONS = ['forward', 'backward_data', 'backward_weights']
FEWEST = 3  # samples, for a fit
ROUNDS, CLOSE, TOO_HIGH, POWER = 15, 0.1, 0.3, 0.75


def solve(matrix, right):
    """x of matrix x = right for a symmetric positive matrix, by elimination with pivots; None if it is singular."""
    n = len(right)
    rows = [list(matrix[i]) + [right[i]] for i in range(n)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        if abs(rows[pivot][i]) < 1e-10:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, n):
            factor = rows[r][i] / rows[i][i]
            for c in range(i, n + 1):
                rows[r][c] -= factor * rows[i][c]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - math.fsum(rows[i][c] * x[c] for c in range(i + 1, n))) / rows[i][i]
    return x


def fit(samples, kinds):
    """Costs of the kinds, non-negative: samples are (work, seconds, weight)."""
    used = [k for k in range(kinds) if any(work[k] > 0 for work, _, _ in samples)]
    lines = [([weight * work[k] / seconds for k in used], weight) for work, seconds, weight in samples]
    scale = [math.sqrt(math.fsum(line[i] ** 2 for line, _ in lines)) for i in range(len(used))]
    lines = [([line[i] / scale[i] for i in range(len(used))], weight) for line, weight in lines]
    gram = [[math.fsum(line[i] * line[j] for line, _ in lines) for j in range(len(used))] for i in range(len(used))]
    right = [math.fsum(line[i] * weight for line, weight in lines) for i in range(len(used))]
    best, gain = (), 0.0
    for size in range(1, len(used) + 1):
        for chosen in itertools.combinations(range(len(used)), size):
            x = solve([[gram[i][j] for j in chosen] for i in chosen], [right[i] for i in chosen])
            if x is None or min(x) < 0:
                continue
            reached = math.fsum(right[i] * v for i, v in zip(chosen, x))  # what the residual falls by
            if reached > gain * (1 + 1e-12):
                best, gain = list(zip(chosen, x)), reached
    costs = [0.0] * kinds
    for i, v in best:
        costs[used[i]] = v / scale[i]
    return costs


def fit_robustly(samples, kinds):
    """fit, and again with the weights that its own errors ask for."""
    costs = fit(samples, kinds)
    for _ in range(ROUNDS):
        again = []
        for work, seconds, weight in samples:
            estimate = max(math.fsum(w * c for w, c in zip(work, costs)), 0.05 * seconds)
            error = math.log(estimate / seconds)
            behind = weight < (1 + CLOSE) ** -POWER
            blame = math.sqrt(min(1, CLOSE / abs(error)) if error else 1)
            if behind:
                blame = 1 if error < 0 else TOO_HIGH * blame
            again.append((work, seconds, weight * blame * math.sqrt(seconds / estimate)))
        costs = fit(again, kinds)
    return costs


def load(paths):
    """[(path, level, dtype, [(problem, direction, algorithm, row, work, seconds)])], the kinds of work, for each level the core whose
    kernels OpenBLAS ran, and the algorithms that only the relaxed policy takes."""
    files, kinds, cores, relaxed = [], None, {}, set()
    for path in sorted(paths):
        with open(path, encoding='utf-8') as file:
            root = json.load(file)
        if kinds not in (None, root['kinds']):
            sys.exit('%s: other kinds of work than the file before: time it anew' % path)
        kinds = root['kinds']
        relaxed.update(root.get('relaxed', []))
        cores.setdefault(root['context']['isa'], root['context']['openblas_core'])
        files.append((path, root['context']['isa'], root['context']['dtype'], root['samples']))
    if not files:
        sys.exit('no timing files')
    return files, kinds, cores, relaxed


def fastest_of(samples, relaxed=()):
    """{(problem, direction): seconds of the fastest algorithm that is not relaxed}"""
    fastest = {}
    for problem, direction, algorithm, _, _, seconds in samples:
        key = (problem, direction)
        if algorithm not in relaxed:
            fastest[key] = min(seconds, fastest.get(key, seconds))
    return fastest


def paces(files):
    """For each file how many times as long its machine takes as the mean of its level's: geometric means over all cases, each with the
    fastest of the algorithms that all files of the level and dtype have timed."""
    found = [1.0] * len(files)
    for level, dtype in sorted({(level, dtype) for _, level, dtype, _ in files}):
        same = [i for i, file in enumerate(files) if file[1:3] == (level, dtype)]
        timed = [{tuple(sample[:3]) for sample in files[i][3]} for i in same]
        common = set.intersection(*timed)
        if len(same) > 1 and not common:
            sys.exit('%s: no case in common' % ', '.join(files[i][0] for i in same))
        fastest = [fastest_of([sample for sample in files[i][3] if tuple(sample[:3]) in common]) for i in same]
        logs = [math.fsum(math.log(seconds) for seconds in times.values()) / max(1, len(times)) for times in fastest]
        for i, log in zip(same, logs):
            found[i] = math.exp(log - math.fsum(logs) / len(logs)) if len(same) > 1 else 1.0
    return found


def least_squares(files, kinds, relaxed=()):
    """{(level, row, dtype, direction): costs}, each row's by itself"""
    gathered = {}
    for (_, level, dtype, samples), pace in zip(files, paces(files)):
        fastest = fastest_of(samples, relaxed)
        for problem, direction, _, row, work, seconds in samples:
            weight = min(1, fastest[problem, direction] / seconds) ** POWER
            gathered.setdefault((level, row, dtype, direction), []).append((work, seconds / pace, weight))
    return {key: fit_robustly(samples, len(kinds)) for key, samples in sorted(gathered.items()) if len(samples) >= FEWEST}


def fit_all(files, kinds, relaxed=(), blas=()):
    """{(level, row, dtype, direction): costs}; blas: the rows whose products are OpenBLAS's"""
    table = least_squares(files, kinds, relaxed)
    for level, dtype, direction in sorted({(level, dtype, direction) for level, _, dtype, direction in table}):
        rows = {key[1]: costs for key, costs in table.items() if (key[0], *key[2:]) == (level, dtype, direction)}
        calibrate_choice.settle(files, level, dtype, direction, rows, relaxed, blas)
    for level, row, dtype, direction in list(table):
        other = (level, row, DTYPES[1 - DTYPES.index(dtype)], direction)
        if other not in table:
            factor = 2 if dtype == 'f32' else 0.5
            table[other] = [factor * cost for cost in table[level, row, dtype, direction]]
    return table


def text(files, kinds, cores, table, levels, rows):
    """The header; levels and rows in the order in which the files name them."""
    out = ['/*', ' * The table of the cost model, in nanoseconds for one of each kind of work (see costs.h). Written by bench/calibrate.py from:']
    for path, level, dtype, samples in files:
        out.append(' *   bench/calibration/%s: %d samples' % (os.path.basename(path), len(samples)))
    out += [' */', '#ifndef CB_CONV_COSTS_TABLE_H', '#define CB_CONV_COSTS_TABLE_H', '', '#include "conv/work.h"', '#include <cnnblas/conv.h>', '', '/* clang-format off */', '',
            '/* Levels that were timed; the others take the nearest. */', 'static const struct {', '  const char *level, *openblas_core; /* whose kernels OpenBLAS ran */',
            '  double nanoseconds[CB_COST_ROWS_OF_TABLE][2][3][CB_WORK_KINDS]; /* %s */' % ', '.join(kind.lower() for kind in kinds),
            '} tables[] = {']
    for level in levels:
        out.append('  {"%s", "%s", {' % (level, cores[level]))
        for row in rows:
            if not any(key[:2] == (level, row) for key in table):
                continue
            out.append('    [CB_COST_%s] = {' % row)
            for dtype in DTYPES:
                out.append('      [CNNBLAS_%s] = {' % dtype.upper())
                for direction in DIRECTIONS:
                    costs = table.get((level, row, dtype, direction))
                    if costs:
                        out.append('        [CNNBLAS_%s] = {%s},' %
                                   (direction.upper(), ', '.join('%.3g' % (1e9 * cost) for cost in costs)))
                out.append('      },')
            out.append('    },')
        out.append('  }},')
    out += ['};', '/* clang-format on */', '', '#endif', '']
    return '\n'.join(out)


def blas_rows():
    """The rows that the library marks as OpenBLAS's."""
    with open(os.path.join(HERE, '..', 'lib', 'conv', 'work.h'), encoding='utf-8') as file:
        return set(re.findall(r'X\((\w+), BLAS\)', file.read()))


def judge(files, table, relaxed):
    """Prints how the table chooses among the algorithms that were timed, but those that are relaxed."""
    print('%-32s %5s  %-16s %6s %7s %7s' % ('file', 'batch', 'direction', 'cases', 'share', 'error'))
    right_of_all, all_cases, worst = 0, 0, []
    for path, level, dtype, samples in files:
        cases = {}
        for problem, direction, algorithm, row, work, seconds in samples:
            if algorithm in relaxed:
                continue
            costs = table.get((level, row, dtype, direction))
            estimate = math.fsum(w * c for w, c in zip(work, costs)) if costs else math.inf
            cases.setdefault((problem, direction), []).append((estimate, seconds, algorithm))
        groups = {}
        for (problem, direction), rivals in cases.items():
            batch = int(re.search(r'mb(\d+)', problem).group(1))
            group = groups.setdefault((batch, direction), [0, 0, []])
            best = min(rivals, key=lambda r: r[1])
            if len(rivals) > 1:
                taken = min(rivals)
                group[0] += 1
                group[1] += taken[1] <= 1.1 * best[1]
                worst.append((taken[1] / best[1], taken[2], best[2], direction, problem, level, dtype))
            group[2].append(abs(best[0] / best[1] - 1))
        for key in sorted(groups):
            cases_of, right, errors = groups[key]
            right_of_all, all_cases = right_of_all + right, all_cases + cases_of
            print('%-32s %5d  %-16s %6d %6.1f%% %6.0f%%' % (os.path.basename(path)[:32], *key, cases_of,
                  100 * right / max(1, cases_of), 100 * sorted(errors)[len(errors) // 2]))
    print('%-32s %5s  %-16s %6d %6.1f%%' % ('all', '', '', all_cases, 100 * right_of_all / max(1, all_cases)))
    for ratio, taken, best, *case in sorted(worst, reverse=True)[:15]:
        print('x%-6.2f %-24s %-24s %s' % (ratio, taken, best, ' '.join(case)))


def in_order(path, begin, prefix, names):
    """Names in the order in which a header of the library lists them, from the text `begin` on."""
    with open(path, encoding='utf-8') as file:
        source = file.read()
    source = source[source.index(begin):]
    missing = [name for name in names if prefix % name not in source]
    if missing:
        sys.exit('%s has no %s: time the files anew' % (path, ', '.join(prefix % name for name in missing)))
    return sorted(names, key=lambda name: source.index(prefix % name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage='calibrate.py [--check | --judge] [--table FILE] [FILE.json...]')
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--check', action='store_true')
    what.add_argument('--judge', action='store_true')
    parser.add_argument('--table', default=TABLE)
    parser.add_argument('files', nargs='*')
    options = parser.parse_args()
    files, kinds, cores, relaxed = load(options.files or glob.glob(os.path.join(HERE, 'calibration', '*.json')))
    table = fit_all(files, kinds, relaxed, blas_rows())
    if options.judge:
        judge(files, table, relaxed)
        return 0
    lib = os.path.join(HERE, '..', 'lib')
    levels = in_order(os.path.join(lib, 'base', 'levels.h'), 'CB_LEVEL_', 'CB_LEVEL_%s(', {key[0] for key in table})
    rows = in_order(os.path.join(lib, 'conv', 'work.h'), 'CB_COST_LIST', 'X(%s,', {key[1] for key in table})
    wanted = text(files, kinds, cores, table, levels, rows)
    if options.check:
        with open(options.table, encoding='utf-8') as file:
            if file.read() == wanted:
                return 0
        print('%s is not what the timing files give: run bench/calibrate.py' % options.table)
        return 1
    with open(options.table, 'w', encoding='utf-8') as file:
        file.write(wanted)
    return 0


if __name__ == '__main__':
    sys.exit(main())
