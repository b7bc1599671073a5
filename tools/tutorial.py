#!/usr/bin/env python3
"""The figures of lib/TUTORIAL.md, measured into it; its commands and files checked.

usage: tutorial.py measure BUILD [SECONDS]   times every step of the ladder, SECONDS for each candidate (0.5), and writes
                                             the tables between the page's marks
       tutorial.py check BUILD               runs every command of the page with little time on one image, compares the
                                             printed example with what its program prints, and looks for every file that
                                             the page names

The ratios of a row come from one process; the machine and the date stand above the table. The tables of the page have a
column for the machine's instruction-set level, and one for AVX2 beside it where the machine has more.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, 'lib', 'TUTORIAL.md')
LAYER = 'mb8ic64ih56oc64oh56kh3ph1'
LENET = 'ic6ih14oc16oh10kh5ph0'
DIRECTIONS = ('forward', 'backward_data', 'backward_weights')

# The algorithms that the document is about; cnnblas-bench refuses a name that its library's table does not have.
LOOPS, TILES, TABLE, FILTERING = 'naive', 'im2col', 'implicit_gemm', 'winograd'

# step, section, the level that it is about ('' for whichever the column is), algorithm, peer
LADDER = [
    ('seven loops, one thread', 2, '', LOOPS, None),
    ('im2col of an image, one SGEMM', 3, '', None, 'im2col_sgemm'),
    ('im2col in tiles', 4, '', TILES, None),
    ('address table, portable vectors', 6, 'baseline', TABLE, None),
    ('the same, AVX2', 7, 'avx2', TABLE, None),
    ('the same, AVX-512', 7, 'avx512', TABLE, None),
    ('weights packed beforehand', 7, '', TABLE + '_prepacked', None),
    ('minimal filtering, F(2x2, 3x3)', 9, '', FILTERING, None),
    ('the same, weights transformed beforehand', 9, '', FILTERING + '_prepacked', None),
]
# Each level's column is measured as on a machine that has no more: the library, oneDNN and OpenBLAS are all held to it.
LEVELS = {
    'avx512': {},
    'avx2': {'CNNBLAS_ISA': 'avx2', 'ONEDNN_MAX_CPU_ISA': 'avx2', 'OPENBLAS_CORETYPE': 'Zen'},
}
ORDER = ['baseline', 'avx2', 'avx512']


def environment(build, more=()):
    env = dict(os.environ, **dict(more))
    env['PATH'] = os.pathsep.join([os.path.join(build, p) for p in ('bench', 'tools', 'tools/examples')] + [env['PATH']])
    env.setdefault('OMP_WAIT_POLICY', 'passive')
    return env


def bench(build, seconds, arguments, more=()):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, 'report.json')
        command = ['cnnblas-bench', '--peers', 'none', '--min-time', str(seconds), '--json', report] + arguments
        subprocess.run(command, env=environment(build, more), check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        with open(report) as file:
            return json.load(file)


def rate(report, **wanted):
    for row in report['benchmarks']:
        if all(row.get(key) == value for key, value in wanted.items()):
            return row['gflops']
    raise SystemExit('tutorial.py: no row of %s' % wanted)


def levels(build):
    """The machine's own level, and AVX2 where that is less."""
    own = bench(build, 0.001, ['--no-naive', '--direction', 'forward', 'mb1ic1ih4oc1kh1'])['context']['isa']
    if own not in LEVELS:
        raise SystemExit('tutorial.py: the level is %s; the tables have columns for %s' % (own, ' and '.join(LEVELS)))
    return [own] + (['avx2'] if own == 'avx512' else [])


def ladder_rows(build, seconds, level):
    """The step's figures, and the ratio to im2col of the same process; where that was and when."""
    cells, where = [], ''
    for _, _, about, algorithm, peer in LADDER:
        if about and ORDER.index(about) > ORDER.index(level):
            cells.append('- | -')
            continue
        named = [TILES] + ([algorithm] if algorithm and algorithm != TILES else [])
        arguments = ['--algorithm', ','.join(named), '--direction', 'forward', LAYER]
        if algorithm != LOOPS:
            arguments.insert(0, '--no-naive')
        if peer:
            arguments += ['--peers', peer]
        report = bench(build, seconds, arguments, dict(LEVELS[level], **({'CNNBLAS_ISA': about} if about else {})))
        c = report['context']
        where = '%s, %d threads, %s' % (c['cpu'], c['threads'], c['date'][:10])
        found, base = rate(report, algorithm=algorithm or peer), rate(report, algorithm=TILES)
        cells.append('%.1f | %.2f' % (found, found / base))
    return cells, where


def ladder(build, seconds):
    heads, rows, where = [], ['%s | %d' % row[:2] for row in LADDER], ''
    for level in levels(build):
        cells, where = ladder_rows(build, seconds, level)
        heads.append('%s: GFLOP/s | times `im2col` of the same run' % level)
        rows = ['%s | %s' % pair for pair in zip(rows, cells)]
    return (['Forward, %s, on an %s, by instruction-set level:' % (LAYER, where), '',
             '| step | section | %s |' % ' | '.join(heads), '|---|---|' + '---|---|' * len(heads)] +
            ['| %s |' % row for row in rows])


def lanes(build, seconds):
    heads, rows = [], list(DIRECTIONS)
    for level in levels(build):
        report = bench(build, seconds, ['--no-naive', '--algorithm', TABLE, 'mb8' + LENET, 'mb64' + LENET],
                       LEVELS[level])
        heads.append('%s: 8 images, GFLOP/s | 64 images, GFLOP/s | ratio' % level)
        for i, d in enumerate(DIRECTIONS):
            few, many = (rate(report, direction=d, batch=n) for n in (8, 64))
            rows[i] += ' | %.1f | %.1f | %.2f' % (few, many, many / few)
    return (['| direction | %s |' % ' | '.join(heads), '|---|' + '---|---|---|' * len(heads)] +
            ['| %s |' % row for row in rows])


def read():
    with open(PAGE, encoding='utf-8') as file:
        return file.read()


def measure(build, seconds):
    text = read()
    for name, make in (('ladder', ladder), ('lanes', lanes)):
        table = '\n'.join(make(build, seconds))
        text, count = re.subn(r'(<!-- tutorial\.py: %s -->\n).*?(<!-- end -->)' % name,
                              lambda m: m.group(1) + table + '\n\n' + m.group(2), text, flags=re.S)
        if count != 1:
            raise SystemExit('tutorial.py: %s has no place for %s' % (PAGE, name))
    with open(PAGE, 'w', encoding='utf-8') as file:
        file.write(text)


def check_files(text):
    names = set(re.findall(r'`((?:[\w-]+/)+[\w.-]+\.\w+)`', text)) | set(re.findall(r'\]\((?!http)([^)#]+)\)', text))
    missing = [n for n in sorted(names) if not os.path.exists(os.path.join(ROOT, n))]
    print('%d files are named' % len(names))
    return ['%s: no such file' % n for n in missing] + ([] if names else ['no file is named'])


def check_commands(text, build):
    commands = [line for block in re.findall(r'```sh\n(.*?)```', text, re.S) for line in block.splitlines() if line]
    faults = [] if commands else ['no command']
    with tempfile.TemporaryDirectory() as folder:
        for command in commands:
            quick = re.sub(r'\bmb\d+', 'mb1', re.sub(r'--min-time [\d.]+', '--min-time 0.001', command))
            run = subprocess.run(quick, shell=True, cwd=folder, env=environment(build), stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
            print('%s: exit status %d' % (command, run.returncode))
            if run.returncode:
                faults.append('%s\n%s' % (command, run.stdout))
    return faults


def check_examples(text, build):
    faults, blocks = [], re.findall(r'```text (\w+)\n(.*?)```', text, re.S)
    for name, shown in blocks:
        run = subprocess.run(['example_' + name], env=environment(build), stdout=subprocess.PIPE, text=True)
        if run.stdout != shown:
            faults.append('example_%s prints\n%sthe page shows\n%s' % (name, run.stdout, shown))
    return faults + ([] if blocks else ['no example'])


def check_tables(text):
    """A row for each step and direction, with the figures of each level that the table's head names."""
    faults = []
    for table, keys, cells, extra in (('ladder', [row[0] for row in LADDER], 2, 1), ('lanes', DIRECTIONS, 3, 0)):
        found = re.search(r'<!-- tutorial\.py: %s -->\n(.*?)<!-- end -->' % table, text, re.S)
        lines = found.group(1).splitlines() if found else []
        named = sum(line.count(level + ': ') for line in lines if line.startswith('|') for level in LEVELS)
        if not named:
            faults.append('the head of the %s names no level' % table)
        figure = r'(?:[\d.]+|-) \| '
        for key in keys:
            row = re.compile(r'\| %s \| %s$' % (re.escape(key), r'\d+ \| ' * extra + figure * cells * named))
            if not any(row.match(line + ' ') for line in lines):
                faults.append('the %s has no row "%s" with %d figures a level' % (table, key, cells))
    return faults


def main():
    if len(sys.argv) == 3 and sys.argv[1] == 'check':
        build, text = os.path.abspath(sys.argv[2]), read()
        faults = check_files(text) + check_examples(text, build) + check_commands(text, build) + check_tables(text)
        for fault in faults:
            print('TUTORIAL.md: ' + fault, file=sys.stderr)
        return 1 if faults else 0
    if len(sys.argv) in (3, 4) and sys.argv[1] == 'measure':
        measure(os.path.abspath(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) == 4 else 0.5)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
