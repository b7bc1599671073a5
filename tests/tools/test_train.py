"""Training: what it learns, shows and writes, and a run that is resumed."""
import csv
import json
import os
import re
import struct
import subprocess

import rig


class Train(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'))
        self.base = ['train', '--data', self.data, '--net', rig.NET, '--batch', '16', '--lr', '0.05']

    def test_learns_and_shows(self):
        out, error = self.run_command(*self.base, '--epochs', '3', '--out', 'm.safetensors', '--history', 'h.csv', '--json',
                                      'run.json')
        self.assertEqual(error, '')
        for words in ('400 images of 1x8x8 to train, 100 to test', 'conv1', 'MiB to train', 'epoch   3/3',
                      'test accuracy 100.00% (100 of 100)', 'model: m.safetensors'):
            self.assertIn(words, out)
        with open(self.path('h.csv'), encoding='ascii') as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row['epoch'] for row in rows], ['1', '2', '3'])
        self.assertGreater(float(rows[0]['train_loss']), float(rows[2]['train_loss']))
        with open(self.path('run.json'), encoding='utf-8') as file:
            run = json.load(file)
        self.assertEqual((run['settings']['batch'], run['epochs'][2]['test_accuracy']), (16, 1))
        out, _ = self.run_command('eval', '--model', 'm.safetensors', '--data', self.data, '--confusion')
        self.assertIn('accuracy 100.00% (100 of 100)', out)
        again = json.loads(self.run_command('eval', '--model', 'm.safetensors', '--data', self.data, '--confusion',
                                            '--json', '-')[0])
        self.assertEqual(sum(again['confusion'][i][i] for i in range(4)), 100)
        self.assertEqual(sum(map(sum, again['confusion'])), 100)
        self.assertAlmostEqual(again['loss'], run['epochs'][2]['test_loss'], delta=1e-5)
        self.assertEqual(sorted(os.listdir(self.folder)), ['data', 'h.csv', 'm.safetensors', 'm.safetensors.checkpoint', 'run.json'])

    def test_quiet_and_progress(self):
        out, error = self.run_command(*self.base, '--epochs', '2', '-q', '--progress', 'always')
        self.assertEqual((out.count('\n'), error), (1, ''))
        out, error = self.run_command(*self.base, '--epochs', '2', '--progress', 'always')
        self.assertRegex(error, r'epoch 1/2 +\d+%  loss \d')

    def test_packed_files_and_threads_give_the_same_bits(self):
        packed = rig.write_data(self.path('packed'), packed=True)
        self.run_command(*self.base, '--epochs', '2', '--out', 'a', '--threads', '1')
        self.run_command(*self.base, '--epochs', '2', '--out', 'b', '--threads', '2')
        self.run_command(*self.base, '--epochs', '2', '--out', 'c', '--data', packed)
        self.run_command(*self.base, '--epochs', '2', '--out', 'd', '--seed', '2')
        self.assertEqual(rig.read(self.path('a')), rig.read(self.path('b')))
        self.assertEqual(rig.read(self.path('a')), rig.read(self.path('c')))
        self.assertNotEqual(rig.read(self.path('a')), rig.read(self.path('d')))

    def test_settings_matter(self):
        plain = None
        for option in ([], ['--weight-decay', '0.01'], ['--lr-step', '2:0.1'], ['--init', 'small'], ['--loss', 'sigmoid'],
                       ['--momentum', '0.9'], ['--momentum', '0'], ['--init', 'he-fan-out']):
            self.run_command(*self.base, '--epochs', '2', '--out', 'm', '-q', *option)
            model = rig.read(self.path('m'))
            if plain is None:
                plain = model
            elif option == ['--momentum', '0.9']:
                self.assertEqual(model, plain)
            else:
                self.assertNotEqual(model, plain, option)

    def test_double_channels_and_four_axes(self):
        data = rig.write_data(self.path('colour'), size=6, channels=3)
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '2', '--dtype', 'f64', '--out', 'm')
        found = json.loads(self.run_command('inspect', 'm', '--json', '-')[0])
        self.assertEqual((found['dtype'], found['tensors'][0]['dtype'], found['tensors'][0]['shape']),
                         ('f64', 'F64', [4, 3, 3, 3]))
        self.run_command('eval', '--model', 'm', '--data', data)
        self.refused(3, ['3x6x6', '1x8x8'], 'eval', '--model', 'm', '--data', self.data)

    def test_resumed_run_is_bit_identical(self):
        settings = ['--weight-decay', '0.001', '--lr-step', '3:0.1']
        self.run_command(*self.base, *settings, '--epochs', '4', '--out', 'whole', '--checkpoint', 'whole.ck')
        self.run_command(*self.base, *settings, '--epochs', '2', '--out', 'half', '--checkpoint', 'part.ck')
        self.run_command('train', '--data', self.data, '--resume', 'part.ck', '--epochs', '4', '--out', 'resumed',
                         '--history', 'h.csv')
        self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('resumed')))
        self.assertNotEqual(rig.read(self.path('whole')), rig.read(self.path('half')))
        with open(self.path('h.csv'), encoding='ascii') as file:
            self.assertEqual(len(file.readlines()), 5)
        self.refused(2, 'all of its 4 epochs are done', 'train', '--data', self.data, '--resume', 'whole.ck')
        self.refused(3, 'a model, but not a checkpoint', 'train', '--data', self.data, '--resume', 'whole')
        other = rig.write_data(self.path('other'), counts=(300, 100))
        self.refused(3, 'other data', 'train', '--data', other, '--resume', 'part.ck', '--epochs', '4')
        self.run_command('eval', '--model', 'part.ck', '--data', self.data)

    def test_segments(self):
        """Their number alone shapes the bits, and a resumed run goes on with it."""
        for segments, threads in ('1', '1'), ('4', '1'), ('4', '2'):
            self.run_command(*self.base, '--epochs', '3', '--segments', segments, '--threads', threads, '--out', segments + threads)
        self.assertEqual(rig.read(self.path('41')), rig.read(self.path('42')))
        self.assertNotEqual(rig.read(self.path('41')), rig.read(self.path('11')))
        self.run_command(*self.base, '--epochs', '2', '--segments', '4', '--out', 'm')
        self.run_command('train', '--data', self.data, '--resume', 'm.checkpoint', '--epochs', '3')
        self.assertEqual(rig.read(self.path('41')), rig.read(self.path('m')))
        self.refused(2, '--segments 6: it must be a power of two', *self.base, '--segments', '6')

    def test_resumed_run_writes_its_model(self):
        self.run_command(*self.base, '--epochs', '3', '--out', 'whole')
        self.run_command(*self.base, '--epochs', '2', '--out', 'm')
        out, _ = self.run_command('train', '--data', self.data, '--resume', 'm.checkpoint', '--epochs', '3')
        self.assertIn('model: m', out)
        self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('m')))
        self.assertIn('all of its 3 epochs are done', self.refused(2, '', 'train', '--data', self.data, '--resume', 'm.checkpoint'))

    def test_a_run_that_only_guesses_is_told_of_its_rate(self):
        _, error = self.run_command(*self.base, '--net', 'INPUT -> FC', '--init', 'zero', '--lr', '1e-9', '--epochs', '2')
        self.assertEqual(error.count('\n'), 1)
        self.assertIn('is no better than guessing among 4 classes (1.386): try another --lr than 1e-09', error)
        self.assertIn('a smaller --lr than 1e+30', self.run_command(*self.base, '--lr', '1e30', status=1)[1])

    def test_accuracy_of_convolutions(self):
        """The settings and the checkpoint hold it; evaluation and prediction take it too."""
        for accuracy in ('default', 'exact', 'relaxed'):
            self.run_command(*self.base, '--accuracy', accuracy, '--epochs', '1', '--out', 'm', '--checkpoint', 'a.ck')
            self.run_command('train', '--data', self.data, '--resume', 'a.ck', '--epochs', '2', '--json', 'a.json')
            with open(self.path('a.json'), encoding='utf-8') as file:
                self.assertEqual(json.load(file)['settings']['accuracy'], accuracy)
            self.run_command('eval', '--model', 'm', '--data', self.data, '--accuracy', accuracy)

    def test_nan_stops(self):
        before = self.run_command(*self.base, '--epochs', '1', '--checkpoint', 'run.ck')[0]
        self.assertIn('epoch   1/1', before)
        kept = rig.read(self.path('run.ck'))
        _, error = self.run_command('train', '--data', self.data, '--resume', 'run.ck', '--checkpoint', 'run.ck', '--epochs',
                                    '3', '--lr', '1e30', '--out', 'm', status=1)
        self.assertRegex(error, r'epoch 2: step \d+: the (output|gradient) of \w+ is the first that is not finite')
        self.assertIn('run.ck still holds epoch 1', error)
        self.assertEqual(rig.read(self.path('run.ck')), kept)
        self.assertFalse(os.path.exists(self.path('m')))

    def test_drawn_digits_by_default(self):
        out, _ = self.run_command('train', '--epochs', '2', '--out', 'digits')
        self.assertIn('drawn digits: 8000 images of 1x28x28', out)
        accuracy = float(re.search(r'test accuracy ([\d.]+)%', out).group(1))
        print('drawn digits, 2 epochs: %.2f%%' % accuracy)
        self.assertGreater(accuracy, 95)
        self.assertIn('of 2000', self.run_command('eval', '--model', 'digits')[0])

    def test_a_batch_beyond_the_data(self):
        data = rig.write_data(self.path('few'), counts=(40, 10))
        results = []
        for batch in ('40', '16777216'):
            self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '2', '--batch', batch, '--out', 'm' + batch,
                             '--checkpoint', 'c' + batch, '--json', 'j', '-q')
            results.append(json.loads(rig.read(self.path('j'))))
        self.assertEqual(rig.read(self.path('m40')), rig.read(self.path('m16777216')))
        self.assertEqual(results[0]['network'], results[1]['network'])  # the bytes of training among them
        self.assertEqual(results[1]['settings']['batch'], 40)
        # A checkpoint that says more is taken for what the data allow.
        text = rig.read(self.path('c40'))
        changed = text.replace(b'"batch":"40"', b'"batch":"9999999"')
        extra = len(changed) - len(text)
        length, = struct.unpack('<Q', text[:8])
        at = 8 + length + extra
        pad = -at % 8
        rig.write(self.path('c'), struct.pack('<Q', length + extra + pad) + changed[8:at] + b' ' * pad + changed[at:])
        resident = []
        for arguments in (['eval', '--model', 'm40', '--data', data, '--batch', '10'],
                          ['eval', '--model', 'm40', '--data', data, '--batch', '16777216'],
                          ['train', '--data', data, '--resume', 'c40', '--epochs', '3'],
                          ['train', '--data', data, '--resume', 'c', '--epochs', '3']):
            child = subprocess.Popen([rig.program, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = status
            self.assertEqual(status, 0, arguments)
            resident.append(used.ru_maxrss)  # KiB
        self.assertLess(max(resident), 2 * min(resident) + 100000)

    def test_files_that_cannot_be_written(self):
        for option in ('--out', '--checkpoint', '--history', '--json'):
            for place, words in (('no/such/place', 'cannot create'), (self.data, 'not a regular file'),
                                 ('/dev/full', 'not a regular file')):
                self.refused(4, [place, words], *self.base, '--epochs', '1', option, place)
        self.assertEqual(os.listdir(self.folder), ['data'])

    def test_full_disk_of_standard_output(self):
        self.run_command(*self.base, '--epochs', '1', '--out', 'm')
        images = os.path.join(self.data, 't10k-images-idx3-ubyte')
        commands = (['info'], ['inspect', 'm'], ['inspect', 'm', '--json', '-'], ['eval', '--model', 'm', '--data', self.data],
                    ['eval', '--model', 'm', '--data', self.data, '--json', '-'], ['predict', '--model', 'm', images],
                    ['predict', '--model', 'm', '--json', '-', images], [*self.base, '--epochs', '1'], ['--help'], ['--version'],
                    ['train', '--help'])
        for command in commands:
            with open('/dev/full', 'w', encoding='ascii') as full:
                done = subprocess.run([rig.program, *command], stdout=full, stderr=subprocess.PIPE, text=True,
                                      cwd=self.folder, check=False)
            self.assertEqual(done.returncode, 4, command)
            self.assertIn('standard output', done.stderr, command)


rig.main()
