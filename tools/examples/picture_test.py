#!/usr/bin/env python3
"""Runs the picture example on pictures made here, of many sizes, and checks every pixel that comes out.

usage: picture_test.py PROGRAM
"""
import os
import random
import struct
import subprocess
import sys
import tempfile
import zlib


def write_png(path, rows, channels):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    header = struct.pack('>IIBBBBB', len(rows[0]) // channels, len(rows), 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    data = b''.join(b'\0' + bytes(row) for row in rows)
    with open(path, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(data)) + chunk(b'IEND', b''))


def read_png(path, channels):
    """Rows of an 8-bit picture, not interlaced; the five row filters of the PNG standard undone."""
    with open(path, 'rb') as file:
        text = file.read()
    at, data = 8, b''
    while at < len(text):
        length, kind = struct.unpack('>I4s', text[at:at + 8])
        body = text[at + 8:at + 8 + length]
        at += 12 + length
        if kind == b'IHDR':
            width, height, depth, colour, _, _, interlace = struct.unpack('>IIBBBBB', body)
            assert (depth, colour, interlace) == (8, {1: 0, 3: 2}[channels], 0), (depth, colour, interlace)
        elif kind == b'IDAT':
            data += body
    data = zlib.decompress(data)
    rows, stride, above = [], width * channels, [0] * (width * channels)
    for i in range(height):
        kind, row = data[i * (stride + 1)], list(data[i * (stride + 1) + 1:(i + 1) * (stride + 1)])
        for j in range(stride):
            left, up = row[j - channels] if j >= channels else 0, above[j]
            corner = above[j - channels] if j >= channels else 0
            nearest = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))
            row[j] = (row[j] + [0, left, up, (left + up) // 2, nearest[2]][kind]) % 256
        rows.append(row)
        above = row
    return rows


def expected(rows, channels, weights):
    """The filters' results at every pixel, borders repeated."""
    height, width, half = len(rows), len(rows[0]) // channels, len(weights) // 2
    clamp = lambda i, size: max(0, min(i, size - 1))
    return [[sum(weights[u][v] * rows[clamp(i + u - half, height)][clamp(j + v - half, width) * channels + c]
                 for u in range(len(weights)) for v in range(len(weights)))
             for j in range(width) for c in range(channels)] for i in range(height)]


def main():
    program = sys.argv[1]
    line = [1, 4, 6, 4, 1]
    blur = [[a * b / 256 for b in line] for a in line]
    across = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    down = [list(row) for row in zip(*across)]
    checked = 0
    generator = random.Random(1)
    with tempfile.TemporaryDirectory() as work:
        source, target = os.path.join(work, 'in.png'), os.path.join(work, 'out.png')
        for height, width in [(1, 1), (1, 9), (7, 1), (2, 2), (13, 31), (64, 48)]:
            for channels, mode in [(3, 'blur'), (1, 'sobel')]:
                rows = [[generator.randrange(256) for _ in range(width * channels)] for _ in range(height)]
                write_png(source, rows, channels)
                subprocess.run([program, mode, source, target], check=True)
                got = read_png(target, channels)
                if mode == 'blur':
                    want = expected(rows, 3, blur)
                else:
                    gx, gy = expected(rows, 1, across), expected(rows, 1, down)
                    want = [[min(255, (a * a + b * b) ** 0.5) for a, b in zip(*pair)] for pair in zip(gx, gy)]
                assert len(got) == height and all(len(row) == width * channels for row in got), 'size changed'
                for i in range(height):
                    for j in range(width * channels):
                        # half a step of rounding, and a little for float
                        assert abs(got[i][j] - want[i][j]) <= 0.501, (mode, height, width, i, j, got[i][j], want[i][j])
                        checked += 1
        for arguments, status in [([], 2), (['emboss', source, target], 2), (['blur', os.path.join(work, 'none.png'), target], 3),
                                  (['blur', source, os.path.join(work, 'no', 'such.png')], 3)]:
            got = subprocess.run([program, *arguments], stderr=subprocess.PIPE, text=True)
            assert got.returncode == status and got.stderr, (arguments, got)
        with open(source, 'wb') as file:
            file.write(b'\x89PNG\r\n\x1a\n broken')
        assert subprocess.run([program, 'blur', source, target], stderr=subprocess.DEVNULL).returncode == 3
    print(f'{checked} pixels checked')


if __name__ == '__main__':
    main()
