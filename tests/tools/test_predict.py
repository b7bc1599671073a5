"""Pictures and IDX images through a trained model."""
import gzip
import json
import os
import struct
import subprocess
import zlib

import rig


class Predict(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'))
        self.run_command('train', '--data', self.data, '--net', rig.NET, '--epochs', '3', '--batch', '16', '--out', 'm', '-q')
        self.pixels, self.labels = rig.shapes(9, 6)

    def image(self, i):
        return bytes(self.pixels[64 * i:64 * i + 64])

    def classes(self, *arguments):
        return [row['class'] for row in json.loads(self.run_command('predict', '--model', 'm', '--json', '-', *arguments)[0])]

    def test_idx(self):
        rig.write(self.path('x'), rig.idx(8, [6, 8, 8], self.pixels))
        rig.write(self.path('x.gz'), gzip.compress(rig.idx(8, [6, 8, 8], self.pixels)))
        self.assertEqual(self.classes('x'), list(self.labels))
        self.assertEqual(self.classes('x.gz'), list(self.labels))
        out, _ = self.run_command('predict', '--model', 'm', 'x')
        self.assertRegex(out.split('\n')[2], r'^x\[2\]: %d \(\d+\.\d%%\)$' % self.labels[2])
        probabilities = json.loads(self.run_command('predict', '--model', 'm', '--json', '-', 'x')[0])[0]['probabilities']
        self.assertAlmostEqual(sum(probabilities), 1, places=5)

    def test_axes_in_another_order(self):
        """Images with their channels last are told as such, not as of another size."""
        data = rig.write_data(self.path('colour'), size=6, channels=3)
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '1', '--out', 'c', '-q')
        for name, axes in (('nhwc', [2, 6, 6, 3]), ('nchw', [2, 3, 6, 6]), ('ncwh', [2, 3, 6, 7])):
            rig.write(self.path(name), rig.idx(8, axes, bytes(axes[0] * axes[1] * axes[2] * axes[3])))
        self.assertIn('nhwc: its axes are n, h, w, c; they must be n, c, h, w', self.refused(3, 'nhwc', 'predict', '--model', 'c', 'nhwc'))
        self.assertIn('ncwh: 3x6x7 pixels; c takes 3x6x6', self.refused(3, 'ncwh', 'predict', '--model', 'c', 'ncwh'))
        self.run_command('predict', '--model', 'c', 'nchw')

    def test_pictures(self):
        names = []
        for i in range(6):
            grey = self.image(i)
            rows = [grey[8 * j:8 * j + 8] for j in range(8)]
            files = {
                'g.pgm': b'P5\n# a comment\n8 8 255\n' + grey,
                'a.pgm': b'P2 8 8 255\n' + ' '.join(map(str, grey)).encode(),
                'w.pgm': b'P5 8 8 65535\n' + b''.join(struct.pack('>H', 257 * v) for v in grey),
                'g.png': rig.png(8, 8, 1, rows),
                'rgb.png': rig.png(8, 8, 3, [b''.join(bytes([v] * 3) for v in row) for row in rows]),
                'rgba.png': rig.png(8, 8, 4, [b''.join(bytes([v, v, v, 255]) for v in row) for row in rows]),
                'wide.png': rig.png(8, 8, 1, [b''.join(struct.pack('>H', 257 * v) for v in row) for row in rows], 16),
            }
            for name, data in files.items():
                names.append('%d%s' % (i, name))
                rig.write(self.path(names[-1]), data)
        if 'without libpng' in self.maybe(names[3]):
            self.skipTest('built without libpng')
        self.assertEqual(self.classes(*names), [label for label in self.labels for _ in range(7)])
        dark = rig.png(8, 8, 1, [bytes(255 - v for v in self.image(0)[8 * j:8 * j + 8]) for j in range(8)])
        rig.write(self.path('dark.png'), dark)
        self.assertEqual(self.classes('--invert', 'dark.png'), [self.labels[0]])
        clear = rig.png(8, 8, 4, [b''.join(bytes([0, 0, 0, 255 - v]) for v in self.image(1)[8 * j:8 * j + 8])
                                  for j in range(8)])
        rig.write(self.path('clear.png'), clear)
        self.assertEqual(self.classes('clear.png'), [self.labels[1]])

    def test_what_is_too_large_is_not_unpacked(self):
        # 16384 x 16384 zeros: a quarter of a megabyte that wants three gigabytes of pixels.
        packer = zlib.compressobj(9)
        rows = b''.join(packer.compress(bytes(16385 * 64)) for _ in range(256)) + packer.flush()

        def chunk(name, data):
            return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))

        rig.write(self.path('bomb.png'), b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 16384, 16384, 8, 0, 0, 0, 0)) +
                  chunk(b'IDAT', rows) + chunk(b'IEND', b''))
        rig.write(self.path('bomb.pgm'), b'P5 16384 16384 255\n' + bytes(1 << 20))
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        data = packer.compress(rig.idx(8, [1, 16384, 16384], b''))
        rig.write(self.path('bomb.gz'), data + b''.join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush())
        for name in ('bomb.png', 'bomb.pgm', 'bomb.gz'):
            child = subprocess.Popen([rig.program, 'predict', '--model', 'm', name], cwd=self.folder, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE)
            error = child.stderr.read().decode()
            child.stderr.close()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if 'without libpng' in error:
                continue
            self.assertEqual(child.returncode, 3, name)
            self.assertIn({'bomb.gz': '1x16384x16384 pixels; m takes 1x8x8', 'bomb.png': 'a picture has at most',
                           'bomb.pgm': 'ends within its pixels'}[name], error)
            self.assertLess(used.ru_maxrss, 200000, name)  # KiB

    def test_pictures_of_any_size(self):
        for i in range(4):
            grey = self.image(i)
            for times in (1, 2, 5):
                rows = [bytes(v for v in grey[8 * j:8 * j + 8] for _ in range(times)) for j in range(8) for _ in range(times)]
                side = 8 * times
                wide = [bytes(side) + row + bytes(side) for row in rows]  # what is beside the middle is cut off
                rig.write(self.path('x.pgm'), b'P5 %d %d 255\n' % (side, side) + b''.join(rows))
                rig.write(self.path('y.pgm'), b'P5 %d %d 255\n' % (3 * side, side) + b''.join(wide))
                rig.write(self.path('z.ppm'), b'P6 %d %d 255\n' % (side, side) + bytes(v for row in rows for v in row for _ in range(3)))
                self.assertEqual(self.classes('x.pgm', 'y.pgm', 'z.ppm'), [self.labels[i]] * 3)

    def test_top(self):
        rig.write(self.path('x.pgm'), b'P5 8 8 255\n' + self.image(0))
        out, _ = self.run_command('predict', '--model', 'm', '--top', '3', 'x.pgm')
        self.assertRegex(out, r'^x\.pgm: %d \(\d+\.\d%%\)(, \d \(\d+\.\d%%\)){2}\n$' % self.labels[0])
        row = json.loads(self.run_command('predict', '--model', 'm', '--top', '9', '--json', '-', 'x.pgm')[0])[0]
        sure = [one['probability'] for one in row['top']]
        self.assertEqual((len(sure), sure, row['top'][0]['class']), (4, sorted(row['probabilities'], reverse=True), row['class']))

    def maybe(self, name):
        import subprocess
        return subprocess.run([rig.program, 'predict', '--model', 'm', name], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False).stdout

    def test_bad_pictures(self):
        grey = self.image(0)
        whole = rig.png(8, 8, 1, [grey[8 * j:8 * j + 8] for j in range(8)])
        bad = {'short.pgm': b'P5 8 8 255\n' + grey[:-1], 'most.pgm': b'P5 8 8 0\n' + grey,
               'huge.pgm': b'P5 65000 65000 255\n' + grey, 'above.pgm': b'P2 8 8 9\n' + b' 10' * 64,
               'digits.pgm': b'P2 8 8 255\n' + b'1 ' * 63, 'text': b'hello, world', 'empty': b''}
        if 'without libpng' not in self.maybe(rig.write(self.path('whole.png'), whole)):
            bad.update({'short.png': whole[:-20], 'flipped.png': whole[:45] + bytes([whole[45] ^ 1]) + whole[46:],
                        'huge.png': rig.png(30000, 30000, 1, [])})
        for name, data in bad.items():
            rig.write(self.path(name), data)
            self.refused(3, name, 'predict', '--model', 'm', name)


rig.main()
