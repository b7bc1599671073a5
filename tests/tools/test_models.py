"""
Model files as the command and the library read them: one table of bad ones that both refuse, the keys of the metadata against
the list in net_model.h, a model of version 0.1.0, names that would control the terminal.

usage: test_models.py PROGRAM LOAD SOURCE_ROOT [unittest's arguments]     LOAD: the program of load.c
"""
import json
import os
import re
import struct
import subprocess
import sys

import rig

LOAD, ROOT = os.path.abspath(sys.argv.pop(2)), os.path.abspath(sys.argv.pop(2))
OLD = os.path.join(ROOT, 'tests', 'net', 'models', 'version_0_1.safetensors')
BAD_FORMAT = 6  # the status of the library


class Models(rig.CommandTest):
    def setUp(self):
        super().setUp()
        # 3 classes of 1 x 8 x 8 pixels.
        data = rig.read(OLD)
        length, = struct.unpack('<Q', data[:8])
        self.header, self.data = json.loads(data[8:8 + length]), data[8 + length:]
        rig.write(self.path('x'), rig.idx(8, [1, 8, 8], [i * 37 % 256 for i in range(64)]))

    def write(self, name, metadata=None, tensors=None, data=None):
        """The old model with other metadata (None: without the key), tensors and data."""
        header = {**self.header, **(tensors or {})}
        header['__metadata__'] = {key: value for key, value in {**header['__metadata__'], **(metadata or {})}.items() if value is not None}
        text = json.dumps({key: value for key, value in header.items() if value is not None}).encode()
        text += b' ' * (-len(text) % 8)
        return rig.write(self.path(name), struct.pack('<Q', len(text)) + text + (self.data if data is None else data))

    def loads(self, *names):
        """What the library says of the files: a list of (status, message)."""
        out = subprocess.run([LOAD, *names], cwd=self.folder, stdout=subprocess.PIPE, text=True, check=True).stdout
        return [(int(line.split()[0]), line.split(' ', 1)[1]) for line in out.splitlines()]

    def tensor(self, name, **changed):
        return {name: {**self.header[name], **changed}}

    def test_bad_files_are_refused_by_both(self):
        end = len(self.data)
        bad = {  # name: (words that both say, the file)
            'white': ('input_white', {'metadata': {'input_white': '-1'}}),
            'white nan': ('input_white', {'metadata': {'input_white': 'nan'}}),
            'no white': ('input_white', {'metadata': {'input_white': None}}),
            'behind': ('4 bytes after the last tensor', {'data': self.data + bytes(4)}),
            'short': ('fc1.bias', {'data': self.data[:-4]}),
            'overlap': ('overlap', {'tensors': self.tensor('fc1.bias', data_offsets=[end - 16, end - 4]), 'data': self.data[:-4]}),
            'hole': ('hole', {'tensors': self.tensor('fc1.bias', data_offsets=[end - 8, end + 4]), 'data': self.data + bytes(4)}),
            'names': ('class_names', {'metadata': {'class_names': '["a", "b", "c", "d"]'}}),
            'empty name': ('class_names', {'metadata': {'class_names': '["a", ""]'}}),
            'number': ('class_names', {'metadata': {'class_names': '["a", 1]'}}),
            'no list': ('class_names', {'metadata': {'class_names': '{"a": 1}'}}),
            'long name': ('class_names', {'metadata': {'class_names': json.dumps(['x' * 256])}}),
            'means': ('input_mean', {'metadata': {'input_mean': '1,2'}}),
            'scales': ('input_scale', {'metadata': {'input_scale': '1,2'}}),
            'input': ('input', {'metadata': {'input': '1x8x8x'}}),
            'classes': ('classes', {'metadata': {'classes': '0'}}),
            'format': ('cnnblas_model', {'metadata': {'cnnblas_model': '2'}}),
            'loss': ('loss', {'metadata': {'loss': 'l2'}}),
            'no network': ('network', {'metadata': {'network': None}}),
            'notation': ('its network: column 16: expected CONV',
                         {'metadata': {'network': 'INPUT 1x8x8 -> CONF 4@3x3 pad 1 -> RELU -> POOL max 2 -> FC 3'}}),
            'other size': ("column 7: expected the data's size, 1x8x8",
                           {'metadata': {'network': 'INPUT 1x8x9 -> CONV 4@3x3 pad 1 -> RELU -> POOL max 2 -> FC 3'}}),
            'shape': ('fc1.weight has not the shape that its network gives it: 64x3, not 3x64',
                      {'tensors': self.tensor('fc1.weight', shape=[64, 3])}),
            'flat': ('conv1.weight has not the shape that its network gives it: 36, not 4x1x3x3',
                     {'tensors': self.tensor('conv1.weight', shape=[36])}),
            'f64': ('fc1.bias', {'tensors': self.tensor('fc1.bias', dtype='F64', data_offsets=[end - 12, end + 12]),
                                 'data': self.data + bytes(12)}),
            'missing': ('its network has', {'tensors': {'fc1.bias': None}, 'data': self.data[:-12]}),
        }
        good = {
            'plain': {}, 'few names': {'metadata': {'class_names': '["a"]'}}, 'all names': {'metadata': {'class_names': '["a", "b", "c"]'}},
            'no names': {'metadata': {'class_names': '[]'}}, 'no white known': {'metadata': {'input_white': '0'}},
            'more keys': {'metadata': {'somebody': 'else'}},
        }
        said = self.loads(*[self.write(name, **file) for name, (_, file) in bad.items()])
        for (name, (words, _)), (status, message) in zip(bad.items(), said):
            self.assertEqual(status, BAD_FORMAT, (name, message))
            self.assertTrue(message.startswith(self.path(name) + ': '), message)
            self.assertIn(words, message, name)
            for command in (['predict', '--model', self.path(name), 'x'], ['eval', '--model', self.path(name)], ['inspect', self.path(name)]):
                self.refused(3, [self.path(name) + ': ', words], *command)
        for name, file in good.items():
            self.write(name, **file)
            self.assertEqual(self.loads(name), [(0, 'fine')], name)
            self.run_command('predict', '--model', name, 'x')
        # An input without axes is one of two axes of size 1.
        tensors = {'conv1.weight': None, 'conv1.bias': None, **self.tensor('fc1.weight', data_offsets=[0, 768]),
                   **self.tensor('fc1.bias', data_offsets=[768, 780])}
        self.write('point', {'network': 'INPUT 64 -> FC 3', 'input': '64x1x1'}, tensors, self.data[160:])
        self.assertEqual(self.loads('point'), [(0, 'fine')])
        self.run_command('inspect', 'point')

    def test_version_0_1(self):
        """The command reads what version 0.1.0 wrote, and says of the same pixels what that said."""
        out, _ = self.run_command('predict', '--model', OLD, 'x')
        self.assertEqual(out, 'x[0]: 0 (41.7%)\n')
        self.assertIn('conv1.weight', self.run_command('inspect', OLD)[0])
        data = rig.write_data(self.path('data'), classes=3)
        self.run_command('eval', '--model', OLD, '--data', data)
        self.run_command('train', '--data', data, '--net', self.header['__metadata__']['network'], '--init-from', OLD, '--epochs', '1', '-q')

    def test_the_documented_keys_are_those_written(self):
        with open(os.path.join(ROOT, 'include', 'cnnblas', 'net_model.h'), encoding='utf-8') as file:
            text = file.read().split('Its metadata are texts:')[1].split('A checkpoint of the command')[0]
        documented = re.findall(r'^ \*   (\w+)  +\S', text, re.M)
        self.assertIn('class_names', documented)
        data = rig.write_data(self.path('data'))
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '1', '--out', 'm', '-q')
        written = json.loads(self.run_command('inspect', 'm', '--json', '-')[0])['metadata']
        self.assertEqual(sorted(written), sorted(set(documented) - {'class_names'}))
        rig.write(self.path('data', 'classes.txt'), b'a\nb\nc\nd\n')
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '1', '--out', 'm', '-q')
        written = json.loads(self.run_command('inspect', 'm', '--json', '-')[0])['metadata']
        self.assertEqual(sorted(written), sorted(documented))
        self.assertEqual(self.loads('m'), [(0, 'fine')])

    def test_more_names_than_outputs(self):
        """A network that has an output for each label, but not for each name of classes.txt, keeps the names of its outputs."""
        data = rig.write_data(self.path('data'))
        rig.write(self.path('data', 'classes.txt'), b'a\nb\nc\nd\ne\nf\n')
        self.run_command('train', '--data', data, '--net', rig.NET + ' 4', '--epochs', '1', '--out', 'm', '-q')
        self.assertEqual(json.loads(json.loads(self.run_command('inspect', 'm', '--json', '-')[0])['metadata']['class_names']),
                         ['a', 'b', 'c', 'd'])
        self.assertEqual(self.loads('m'), [(0, 'fine')])
        self.run_command('predict', '--model', 'm', 'x')

    def test_names_do_not_control_the_terminal(self):
        names = ['\x1b[2Jcat\n', 'd\x7fg\t', 'v\u00f6gel\u009b1m']
        self.write('names', metadata={'class_names': json.dumps(names)})
        out, _ = self.run_command('predict', '--model', 'names', '--top', '3', 'x')
        self.assertRegex(out, r'^x\[0\]: \?\[2Jcat\? \(41\.7%\), ')
        for shown in ('d?g?', 'v\u00f6gel?1m'):
            self.assertIn(shown, out)
        row = json.loads(self.run_command('predict', '--model', 'names', '--json', '-', 'x')[0])[0]
        self.assertEqual(row['name'], names[0])
        data = rig.write_data(self.path('data'), classes=3)
        self.assertIn('?[2Jcat?', self.run_command('eval', '--model', 'names', '--data', data, '--classes')[0])
        self.write('loss', metadata={'loss': 'a\x1b[2Jb'})
        self.assertIn('metadata loss is "a?[2Jb"', self.run_command('predict', '--model', 'loss', 'x', status=3)[1])


rig.main()
