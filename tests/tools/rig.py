"""What the command's tests share: running it, and small files to give it."""
import gzip
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

NET = 'INPUT -> CONV 4@3x3 pad same -> RELU -> POOL max 2 -> FC 16 -> RELU -> FC'
NAMES = {'train': ('train-images-idx3-ubyte', 'train-labels-idx1-ubyte'),
         't10k': ('t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte')}
program = None


def main():
    """test_x.py PROGRAM [unittest's arguments]"""
    global program
    program = os.path.abspath(sys.argv.pop(1))
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
    unittest.main(verbosity=2)


def idx(kind, sizes, data):
    return struct.pack('>HBB', 0, kind, len(sizes)) + struct.pack('>%dI' % len(sizes), *sizes) + bytes(data)


def shapes(seed, count, size=8, channels=1, classes=4):
    """Images whose class is the place of a bright block, and labels: (pixels, labels)."""
    numbers = random.Random(seed)
    pixels, labels = bytearray(), bytearray()
    for _ in range(count):
        label = numbers.randrange(classes)
        labels.append(label)
        for _ in range(channels):
            for i in range(size):
                for j in range(size):
                    inside = (i >= size // 2) * 2 + (j >= size // 2) == label % 4
                    pixels.append(numbers.randrange(60) + (180 if inside else 0))
    return pixels, labels


def write_data(folder, packed=False, size=8, channels=1, classes=4, counts=(400, 100)):
    """MNIST's four files."""
    os.makedirs(folder, exist_ok=True)
    for seed, (half, count) in enumerate(zip(('train', 't10k'), counts)):
        pixels, labels = shapes(seed, count, size, channels, classes)
        axes = [count, size, size] if channels == 1 else [count, channels, size, size]
        images = NAMES[half][0].replace('idx3', 'idx%d' % len(axes))
        for name, data in ((images, idx(8, axes, pixels)), (NAMES[half][1], idx(8, [count], labels))):
            write(os.path.join(folder, name + ('.gz' if packed else '')), gzip.compress(data) if packed else data)
    return folder


def write(path, data):
    with open(path, 'wb') as file:
        file.write(data)
    return path


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def png(width, height, channels, rows, depth=8):
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))

    body = b''.join(b'\0' + bytes(row) for row in rows)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, kind, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(body)) + chunk(b'IEND', b''))


class CommandTest(unittest.TestCase):
    """Each test in a folder of its own."""

    def setUp(self):
        self.folder_object = tempfile.TemporaryDirectory()
        self.folder = self.folder_object.name
        self.addCleanup(self.folder_object.cleanup)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run_command(self, *arguments, status=0, env=None):
        """Runs it and asserts its exit status: (standard output, standard error)."""
        done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors='surrogateescape', cwd=self.folder, env=dict(os.environ, **(env or {})))
        self.assertEqual(done.returncode, status, '%s\n%s%s' % (arguments, done.stdout, done.stderr))
        return done.stdout, done.stderr

    def refused(self, status, words, *arguments):
        """It ends with the status, says nothing on standard output, and names every word in one line of error."""
        out, error = self.run_command(*arguments, status=status)
        self.assertEqual(out, '')
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word, error)
        return error
