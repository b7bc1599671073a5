#!/usr/bin/env python3
"""The table and the picture at the top of README.md, from measurements that are kept in docs/.

usage: readme.py measure BUILD [SECONDS]   times ResNet-50 against every peer at each level that this machine has, SECONDS for
                                           each candidate of a layer (0.5), into docs/resnet50_LEVEL.json; then as `write`
       readme.py write [BUILD]             makes the table anew from the files, and the picture, if BUILD is given
       readme.py check                     is the table what the files say? exit code 1 if not

A level's file is measured as on a machine that has no more: the library, oneDNN and OpenBLAS are all held to it. A level that
the machine does not have keeps its file.
"""
import json
import math
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, 'README.md')
LEVELS = {
    'avx512': ('AVX-512', {'CNNBLAS_ISA': 'avx512'}),
    'avx2': ('AVX2', {'CNNBLAS_ISA': 'avx2', 'ONEDNN_MAX_CPU_ISA': 'avx2', 'OPENBLAS_CORETYPE': 'Zen'}),
}
DIRECTIONS = ('forward', 'backward_data', 'backward_weights')
RIVALS = {'onednn_nchw': 'oneDNN, NCHW', 'onednn_best': 'oneDNN, its own layout', 'im2col_images': 'im2col by hand'}
KEPT = ('set', 'layer', 'problem', 'direction', 'algorithm', 'batch', 'real_time', 'time_unit', 'gflops', 'flops', 'bytes',
        'load', 'load_foreign', 'fma_peak_before_gflops', 'fma_peak_after_gflops')


def path_of(level):
    return os.path.join(ROOT, 'docs', 'resnet50_%s.json' % level)


def measure(build, seconds):
    program = os.path.join(build, 'bench', 'cnnblas-bench')
    for level, (_, lowered) in LEVELS.items():
        with tempfile.TemporaryDirectory() as folder:
            report_file = os.path.join(folder, 'report.json')
            subprocess.run([program, '--set', 'resnet50', '--batch', '8', '--no-naive', '--min-time', str(seconds), '--json',
                            report_file], env=dict(os.environ, **lowered), check=True)
            with open(report_file, encoding='utf-8') as file:
                report = json.load(file)
        if report['context']['isa'] != level:
            print('this machine has no %s: %s stays as it is' % (level, os.path.basename(path_of(level))), file=sys.stderr)
            continue
        for name in ('host_name', 'executable'):
            report['context'].pop(name, None)
        rows = [{key: row[key] for key in KEPT if key in row} for row in report['benchmarks']]
        with open(path_of(level), 'w', encoding='utf-8') as file:
            file.write('{"context": %s,\n "benchmarks": [\n' % json.dumps(report['context']))
            file.write(',\n'.join('  ' + json.dumps(row) for row in rows) + '\n]}\n')


def mean(report, direction, algorithm):
    """Geometric mean of the layers' GFLOP/s; None without such rows."""
    rates = [row['gflops'] for row in report['benchmarks'] if (row['direction'], row['algorithm']) == (direction, algorithm)]
    return math.exp(sum(map(math.log, rates)) / len(rates)) if rates else None


def table():
    """The lines of the table, a block for each level that has a file."""
    lines = ['| ResNet-50, 8 images | `cnnblas` | %s |' % ' | '.join(RIVALS.values()), '|---|---|' + '---|' * len(RIVALS)]
    where = []
    for level, (name, _) in LEVELS.items():
        if not os.path.exists(path_of(level)):
            where.append('%s: not measured yet.' % name)
            continue
        with open(path_of(level), encoding='utf-8') as file:
            report = json.load(file)
        context = report['context']
        lower = ', held to this level' if context['isa_detected'] != level else ''
        where.append('%s: %s%s, %d threads, oneDNN, OpenBLAS %s on its %s kernels, %s.' % (
            name, context['cpu'], lower, context['threads'], context['openblas_version'], context['openblas_core'],
            context['date'][:10]))
        for direction in DIRECTIONS:
            own = mean(report, direction, 'auto')
            cells = []
            for rival in RIVALS:
                rate = mean(report, direction, rival)
                cells.append('%.0f (%.2f)' % (rate, own / rate) if rate else '-')
            lines.append('| %s, %s | **%.0f** | %s |' % (name, direction, own, ' | '.join(cells)))
    lines += ['', 'GFLOP/s, geometric means over the distinct layers, arrays in plain NCHW; in brackets how many times as fast',
              '`cnnblas` is.'] + where
    return '\n'.join(lines)


def page_with(text):
    with open(PAGE, encoding='utf-8') as file:
        page = file.read()
    new, count = re.subn(r'(<!-- readme\.py: table -->\n).*?(<!-- end -->)', lambda m: m.group(1) + text + '\n' + m.group(2), page,
                         flags=re.S)
    if count != 1:
        raise SystemExit('readme.py: README.md has no place for the table')
    return page, new


def write(build):
    _, new = page_with(table())
    with open(PAGE, 'w', encoding='utf-8') as file:
        file.write(new)
    best = next((path_of(level) for level in LEVELS if os.path.exists(path_of(level))), None)
    if build and best:
        subprocess.run([os.path.join(build, 'bench', 'cnnblas-bench'), 'plot', best, os.path.dirname(best), 'means_resnet50'],
                       check=True)


def main():
    arguments = sys.argv[1:]
    if arguments == ['check']:
        old, new = page_with(table())
        if old != new:
            print('readme.py: the table in README.md is not what docs/resnet50_*.json say: run tools/readme.py write')
        return int(old != new)
    if len(arguments) in (2, 3) and arguments[0] == 'measure':
        build = os.path.abspath(arguments[1])
        measure(build, float(arguments[2]) if len(arguments) == 3 else 0.5)
        write(build)
        return 0
    if len(arguments) in (1, 2) and arguments[0] == 'write':
        write(os.path.abspath(arguments[1]) if len(arguments) == 2 else None)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
