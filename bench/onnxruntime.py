#!/usr/bin/env python3
"""`cnnblas run` and ONNX Runtime on the same models, in turns, and their results compared.

usage: onnxruntime.py [--build DIR] [--package DIR] [--threads N] [--rounds N] [--seconds S] [--json FILE]
                      MODEL.onnx[=RATIO]...

Each model has one f32 input; named or unknown sizes of it are 1. In every round both run for --seconds (1) in processes of
their own, each the first in every second round; --rounds is 4. Figures are the median run of all rounds, images a second,
their ratio (above 1: cnnblas is faster), and the most memory of each process: of node's what it took before the model is
taken off. Results may differ by 1e-4 of the largest value. With MODEL=RATIO the exit status is 1 if the ratio is below,
and always if results differ. --package is the folder of the npm package onnxruntime-node (its binary is the package's own;
no script of it needs to run). Without node, or without the package, one line says so and the exit status is 77:

    npm install --ignore-scripts onnxruntime-node@1.30.0     # in a folder of its own
    bench/onnxruntime.py --package FOLDER/node_modules/onnxruntime-node resnet50.onnx=1.0 vgg16.onnx

CNNBLAS_ISA=avx2 holds cnnblas to that level; ONNX Runtime takes what the CPU has, and nothing holds it.
"""
import array
import json
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import side_by_side

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77


def fields(message):
    """(number, value) of each field of a protobuf message: ints, or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        count = varint() if key & 7 == 2 else {1: 8, 5: 4}[key & 7]
        yield key >> 3, message[at:at + count]
        at += count


def first(message, number):
    return next(value for field, value in fields(message) if field == number)


def input_sizes(path):
    """The sizes of the first input that is no constant, and the names of those that have one instead of a number."""
    with open(path, 'rb') as file:
        graph = first(memoryview(file.read()), 7)  # ModelProto.graph; below, its initializers are 5 and its inputs 11
    constants = {bytes(first(value, 8)) for field, value in fields(graph) if field == 5}
    for field, value in fields(graph):
        if field == 11 and bytes(first(value, 1)) not in constants:
            sizes = [dict(fields(d)) for f, d in fields(first(first(first(value, 2), 1), 2)) if f == 1]
            return [d.get(1, 1) for d in sizes], sorted({bytes(d[2]).decode() for d in sizes if 2 in d})
    sys.exit('%s: it has no input' % path)


def write_input(folder, sizes):
    """Random elements, plain and as .npy."""
    elements = array.array('f', (random.gauss(0, 1) for _ in range(math.prod(sizes))))
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }" % ', '.join(map(str, sizes))
    head += ' ' * (-(len(head) + 11) % 64) + '\n'
    with open(folder + '/x.npy', 'wb') as file:
        file.write(b'\x93NUMPY\x01\x00' + len(head).to_bytes(2, 'little') + head.encode() + elements.tobytes())
    with open(folder + '/x.raw', 'wb') as file:
        file.write(elements.tobytes())


def run(command):
    """The standard output of a command, and the most bytes of memory that it held."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            sys.exit('%s: exit status %d' % (' '.join(command), child.returncode))
        out.seek(0)
        return out.read().decode(), 1024 * usage.ru_maxrss


def run_ours(options, model, folder, names, repeat):
    command = [options.build + '/tools/cnnblas', 'run', model, '--input', folder + '/x.npy', '--output', folder + '/y.npy',
               '--threads', str(options.threads), '--repeat', str(repeat)]
    text, memory = run(command + [word for name in names for word in ('--dimension', name + '=1')])
    return float(re.search(r'p50 ([0-9.]+) ms', text).group(1)) / 1e3, memory


def run_theirs(options, model, folder, sizes):
    text, _ = run(['node', HERE + '/onnxruntime.js', os.path.abspath(options.package), model, folder + '/x.raw',
                   ','.join(map(str, sizes)), folder + '/y.raw', str(options.threads), str(options.seconds)])
    told = json.loads(text)
    return statistics.median(told['seconds']), told['after'] - told['before'], told['version']


def difference(folder):
    """The largest difference of the two results, as a part of the largest value."""
    with open(folder + '/y.npy', 'rb') as file:
        bytes_ = file.read()
    ours, theirs = array.array('f'), array.array('f')
    ours.frombytes(bytes_[10 + int.from_bytes(bytes_[8:10], 'little'):])
    with open(folder + '/y.raw', 'rb') as file:
        theirs.frombytes(file.read())
    if len(ours) != len(theirs):
        return math.inf
    largest = max(map(abs, theirs))
    worst = max(abs(a - b) for a, b in zip(ours, theirs))
    return worst / largest if largest else worst


def compare(options, path):
    sizes, names = input_sizes(path)
    ours, theirs, memory, version = [], [], [0, 0], ''
    with tempfile.TemporaryDirectory() as folder:
        write_input(folder, sizes)
        once, _ = run_ours(options, path, folder, names, 3)
        repeat = max(3, int(options.seconds / once))
        for i in range(options.rounds):
            for side in ((0, 1) if i % 2 else (1, 0)):
                if side:
                    seconds, bytes_, version = run_theirs(options, path, folder, sizes)
                    theirs.append(seconds)
                else:
                    seconds, bytes_ = run_ours(options, path, folder, names, repeat)
                    ours.append(seconds)
                memory[side] = max(memory[side], bytes_)
        apart = difference(folder)
    a, b = statistics.median(ours), statistics.median(theirs)
    return {'model': os.path.basename(path), 'threads': options.threads, 'cnnblas_seconds': a, 'onnxruntime_seconds': b,
            'ratio': b / a, 'cnnblas_memory': memory[0], 'onnxruntime_memory': memory[1], 'difference': apart,
            'onnxruntime': version, 'level': os.environ.get('CNNBLAS_ISA', '')}


def main():
    parser = side_by_side.parser(__doc__, 4, 1)
    parser.add_argument('--package', default='node_modules/onnxruntime-node')
    parser.add_argument('models', nargs='+')
    options = parser.parse_args()
    if not shutil.which('node') or not os.path.isdir(options.package):
        print('skipped: no node here, or no onnxruntime-node in %s (--package)' % options.package)
        return SKIPPED
    rows, bad = [], False
    print('%-20s %10s %10s %7s %8s %8s %9s' % ('model', 'cnnblas ms', 'ORT ms', 'ratio', 'MiB', 'ORT MiB', 'apart'))
    for text in options.models:
        path, least, mark = side_by_side.named_ratio(text)
        row = compare(options, path)
        low = row['ratio'] < least
        rows.append(row)
        bad = bad or low or not row['difference'] <= 1e-4
        print('%-20s %10.3f %10.3f %7.3f %8.0f %8.0f %9.1e%s' % (
            row['model'], 1e3 * row['cnnblas_seconds'], 1e3 * row['onnxruntime_seconds'], row['ratio'],
            row['cnnblas_memory'] / 2**20, row['onnxruntime_memory'] / 2**20, row['difference'],
            mark if low else ''), flush=True)
    print('geometric mean %.3f, ONNX Runtime %s' % (statistics.geometric_mean(r['ratio'] for r in rows), rows[0]['onnxruntime']))
    side_by_side.write_rows(options.json, rows)
    return int(bad)


if __name__ == '__main__':
    sys.exit(main())
