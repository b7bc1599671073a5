"""What JSON cannot hold: figures that are not finite are null, each in its place, and no success; names that are not UTF-8
are refused.

usage: test_figures.py PROGRAM
"""
import json
import os
import struct

import rig


class Figures(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'), counts=(16, 8))
        self.train = ['train', '--data', self.data, '--net', rig.NET, '--epochs', '1', '-q']

    def strict(self, text):
        def refuse(word):
            self.fail('%s is not JSON' % word)
        return json.loads(text, parse_constant=refuse)

    def spoil(self, name, value):
        """Puts the value into the last tensor's first element."""
        data = bytearray(rig.read(self.path(name)))
        length = struct.unpack('<Q', data[:8])[0]
        header = json.loads(data[8:8 + length])
        begin = max(t['data_offsets'][0] for key, t in header.items() if key != '__metadata__')
        struct.pack_into('<f', data, 8 + length + begin, value)
        rig.write(self.path(name), data)

    def test_train(self):
        # One step with a finite loss leaves weights whose test is not.
        out, error = self.run_command(*self.train, '--batch', '16', '--lr', '1e38', '--out', 'm', '--json', 'j', status=1)
        self.assertIn('not finite', error)
        self.assertNotIn('memory', error)
        self.assertNotIn('model: m', out)
        result = self.strict(rig.read(self.path('j')))
        self.assertIsNone(result['epochs'][0]['test_loss'])
        self.assertIsNotNone(result['epochs'][0]['train_loss'])
        self.assertIsNone(result['model'])
        self.refused(3, 'm', 'inspect', 'm')

    def test_model(self):
        images = self.path('data', 't10k-images-idx3-ubyte')
        for value in (float('nan'), float('inf')):
            self.run_command(*self.train, '--out', 'm')
            self.spoil('m', value)
            out, error = self.run_command('predict', '--model', 'm', '--json', '-', images, status=1)
            self.assertIn('not finite', error)
            rows = self.strict(out)
            self.assertEqual(len(rows), 8)
            for row in rows:
                self.assertEqual(len(row['probabilities']), 4)  # no class moves into another's place
                self.assertIn(None, row['probabilities'])
            out, _ = self.run_command('eval', '--model', 'm', '--data', self.data, '--json', '-', status=1)
            self.assertIsNone(self.strict(out)['loss'])
            self.strict(self.run_command('inspect', 'm', '--json', '-')[0])

    def test_names_that_are_not_utf8(self):
        images = self.path('data', 't10k-images-idx3-ubyte')
        self.run_command(*self.train, '--out', 'm')
        for name in ('\udcff', 'a\udcc3', '\udced\udca0\udc80', 'z\udcc0\udc80'):
            for other, source in (('m', self.path('m')), ('i', images), ('d', self.data)):
                os.symlink(source, self.path(other + name))
            whole = [['predict', '--model', 'm', 'i' + name], ['eval', '--model', 'm' + name, '--data', self.data],
                     ['eval', '--model', 'm', '--data', 'd' + name], [*self.train, '--out', 'o' + name],
                     ['train', '--data', 'd' + name, '--net', rig.NET, '--epochs', '1', '-q']]
            for arguments in whole:
                self.run_command(*arguments)
                self.assertNotIn('memory', self.refused(2, ['UTF-8', name], *arguments, '--json', 'j'))
            self.assertFalse(os.path.exists(self.path('j')))
        os.symlink(images, self.path('\u00e9'))
        rows = self.strict(self.run_command('predict', '--model', 'm', '\u00e9', '--json', '-')[0])
        self.assertEqual(rows[0]['file'], '\u00e9')


rig.main()
