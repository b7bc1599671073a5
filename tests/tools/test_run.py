"""ONNX models by the command, on a model that is written here byte by byte."""
import os
import struct

import rig


def varint(v):
    out = b''
    while v > 127:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def number(field, v):
    return varint(field << 3) + varint(v)


def message(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def value(name, sizes):
    shape = b''.join(message(1, number(1, s)) for s in sizes)
    return message(1, name) + message(2, message(1, number(1, 1) + message(2, shape)))


def relu(sizes, op='Relu'):
    node = message(1, 'x') + message(2, 'y') + message(3, 'only') + message(4, op)
    graph = message(1, node) + message(11, value('x', sizes)) + message(12, value('y', sizes))
    return number(1, 8) + message(8, number(2, 13)) + message(7, graph)


def tensor(sizes, numbers):
    return b''.join(number(1, s) for s in sizes) + number(2, 1) + message(9, struct.pack('<%df' % len(numbers), *numbers))


def npy(sizes, numbers):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }" % ', '.join(map(str, sizes))
    head += ' ' * (117 - len(head)) + '\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head.encode() + struct.pack('<%df' % len(numbers), *numbers)


class Run(rig.CommandTest):
    NUMBERS = [1, -2, 3, -4, 0.5, 6]

    def setUp(self):
        super().setUp()
        rig.write(self.path('m.onnx'), relu([2, 3]))
        rig.write(self.path('x.npy'), npy([2, 3], self.NUMBERS))

    def test_arrays(self):
        self.run_command('run', 'm.onnx', '--input', 'x=x.npy', '--output', 'y=y.npy')
        with open(self.path('y.npy'), 'rb') as file:
            found = file.read()
        self.assertEqual(found[:6], b'\x93NUMPY')
        self.assertEqual(list(struct.unpack('<6f', found[-24:])), [max(0, x) for x in self.NUMBERS])
        self.run_command('run', 'm.onnx', '--input', 'y.npy', '--output', 'z.npy')  # what was written can be read
        with open(self.path('z.npy'), 'rb') as file:
            self.assertEqual(file.read(), found)

    def test_top(self):
        rig.write(self.path('names'), b'cat\ndog\nbird\n')
        out = self.run_command('run', 'm.onnx', '--input', 'x.npy', '--top', '2', '--labels', 'names')[0]
        self.assertEqual([line.split()[1:] for line in out.splitlines()], [['2', 'bird'], ['0', 'cat']])

    def test_check(self):
        os.mkdir(self.path('set'))
        rig.write(self.path('set/input_0.pb'), tensor([2, 3], self.NUMBERS))
        rig.write(self.path('set/output_0.pb'), tensor([2, 3], [max(0, x) for x in self.NUMBERS]))
        self.assertIn('fine', self.run_command('run', 'm.onnx', '--check', 'set')[0])
        rig.write(self.path('set/output_0.pb'), tensor([2, 3], [1.5, 0, 3, 0, 0.5, 6]))
        self.assertIn('0.5 absolute', self.run_command('run', 'm.onnx', '--check', 'set', status=1)[0])
        self.run_command('run', 'm.onnx', '--check', 'set', '--rtol', '0.5')

    def test_profile(self):
        out = self.run_command('run', 'm.onnx', '--input', 'x.npy', '--repeat', '3', '--profile')[0]
        self.assertRegex(out, r'3 runs: p50 [0-9.]+ ms, p99')
        self.assertRegex(out, r'Relu +only')

    def test_pictures(self):
        """A picture of another size is scaled until it covers the input, and cut to its middle; then normalised."""
        rig.write(self.path('p.onnx'), relu([1, 1, 4, 4]))
        rig.write(self.path('n.onnx'), relu([1, 4, 4, 3]))
        rig.write(self.path('grey.pgm'), b'P5\n12 8\n255\n' + bytes([0, 0] + [51] * 8 + [0, 0]) * 8)
        for model, layout, count in (('p.onnx', 'nchw', 16), ('n.onnx', 'nhwc', 48)):
            self.run_command('run', model, '--input', 'grey.pgm', '--mean', '0.1', '--scale', '10', '--layout', layout,
                             '--output', 'y.npy')
            with open(self.path('y.npy'), 'rb') as file:
                found = struct.unpack('<%df' % count, file.read()[128:])
            inner = found[1:3] if layout == 'nchw' else found[3:9]  # far from the black columns that were cut off
            for x in inner:
                self.assertAlmostEqual(x, 1, places=5)
        self.assertIn('takes no picture', self.run_command('run', 'm.onnx', '--input', 'grey.pgm', status=3)[1])

    def test_choices(self):
        for words in (['--effort', 'measure'], ['--dimension', 'n=4'], ['--accuracy', 'exact']):
            self.run_command('run', 'm.onnx', '--input', 'x.npy', *words)
        for words in (['--effort', 'much'], ['--dimension', 'n'], ['--dimension', '=4'], ['--dimension', 'n=-1']):
            self.run_command('run', 'm.onnx', '--input', 'x.npy', *words, status=2)

    def test_errors(self):
        rig.write(self.path('w.onnx'), relu([2, 3], 'Wobble'))
        self.assertIn('Wobble (only)', self.run_command('run', 'w.onnx', '--input', 'x.npy', status=3)[1])
        self.assertIn('nothing.onnx', self.run_command('run', 'nothing.onnx', status=3)[1])
        self.assertIn('z', self.run_command('run', 'm.onnx', '--input', 'z=x.npy', status=2)[1])
        self.assertIn('input x is missing', self.run_command('run', 'm.onnx', status=3)[1])
        rig.write(self.path('short.npy'), npy([2, 3], self.NUMBERS)[:-1])
        self.run_command('run', 'm.onnx', '--input', 'short.npy', status=3)


rig.main()
