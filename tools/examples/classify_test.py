"""classify.c on a model that is written here: a score for each colour. usage: classify_test.py PROGRAM"""
import os
import struct
import subprocess
import sys
import tempfile
import zlib


def field(number, content):
    """A field of a protobuf message: a number below 128, or bytes."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    content = content.encode() if isinstance(content, str) else content
    assert len(content) < 128 * 128
    return bytes([number << 3 | 2, len(content) & 127 | 128, len(content) >> 7]) + content


def value(name, sizes):
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, b''.join(field(1, field(1, s)) for s in sizes))))


def node(op, x, y):
    return field(1, x) + field(2, y) + field(4, op)


def model():
    graph = field(1, node('GlobalAveragePool', 'x', 'p')) + field(1, node('Flatten', 'p', 'y'))
    graph += field(11, value('x', [1, 3, 5, 6])) + field(12, value('y', [1, 3]))
    return field(1, 7) + field(7, graph) + field(8, field(2, 13))


def png(width, height, pixel):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    rows = (b'\0' + bytes(pixel) * width) * height
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>2I5B', width, height, 8, 2, 0, 0, 0))
            + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


def run(*arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


program = os.path.abspath(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for name, content in (('m.onnx', model()), ('names', b'red\ngreen\nblue\n'), ('bad.onnx', b'\xff'),
                          ('large.png', png(64, 48, (20, 200, 100))), ('small.png', png(2, 2, (250, 200, 100)))):
        with open(name, 'wb') as file:
            file.write(content)
    large, small = run('m.onnx', 'large.png', 'names'), run('m.onnx', 'small.png')
    assert large.returncode == 0 and [line.split()[1] for line in large.stdout.splitlines()] == ['green', 'blue', 'red'], large
    assert small.returncode == 0 and small.stdout.splitlines()[0].endswith('class 0'), small
    assert run('m.onnx', 'names').returncode == 3 and run('bad.onnx', 'large.png').returncode == 3
    assert run('m.onnx').returncode == 2
