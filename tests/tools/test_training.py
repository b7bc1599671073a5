"""How a run is judged and continued: augmentation, images held out, the best epoch, patience, fine-tuning."""
import csv
import json
import os
import re
import struct

import rig


class Training(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'))
        self.base = ['train', '--data', self.data, '--net', rig.NET, '--batch', '16', '-q']

    def test_augmentation_is_keyed_by_the_image(self):
        """Threads change nothing, each kind of change does; the half that is resumed goes on with the same draws."""
        models = {}
        for augment in ('none', 'flip', 'crop:2', 'cutout:3', 'flip,crop:2,cutout:3'):
            for threads in '12':
                self.run_command(*self.base, '--epochs', '2', '--augment', augment, '--threads', threads, '--out', 'm' + threads)
            self.assertEqual(rig.read(self.path('m1')), rig.read(self.path('m2')), augment)
            models[augment] = rig.read(self.path('m1'))
        self.assertEqual(len(set(models.values())), len(models))
        self.run_command(*self.base, '--epochs', '1', '--augment', 'flip,crop:2,cutout:3', '--checkpoint', 'ck')
        self.run_command('train', '--data', self.data, '--resume', 'ck', '--epochs', '2', '--out', 'm', '-q')
        self.assertEqual(rig.read(self.path('m')), models['flip,crop:2,cutout:3'])

    def test_validation(self):
        out, _ = self.run_command(*self.base[:-1], '--validation', '0.2', '--epochs', '3', '--out', 'm', '--json', 'j', '--history', 'h',
                                  '--plot', 'curve.svg', env={'PATH': '/nowhere'})
        self.assertIn('320 images of 1x8x8 to train, 80 held out for validation, 100 to test', out)
        self.assertRegex(out, r'epoch   3/3 .* validation loss \d')
        self.assertRegex(out, r'validation accuracy [\d.]+% \(\d+ of 80\) in epoch \d, the best; test accuracy [\d.]+% \(\d+ of 100\)')
        run = json.loads(rig.read(self.path('j')))
        best = max(run['epochs'], key=lambda row: (row['validation_accuracy'], -row['validation_loss']))
        self.assertEqual((run['tested'], run['epoch_of_model'], run['test']['images']), ('validation', best['epoch'], 100))
        with open(self.path('h'), encoding='ascii') as file:
            self.assertEqual(len([row['validation_loss'] for row in csv.DictReader(file)]), 3)
        self.assertIn('validation', rig.read(self.path('curve.svg.gp')).decode())
        again = json.loads(self.run_command('eval', '--model', 'm', '--data', self.data, '--json', '-')[0])
        self.assertEqual(again['correct'], run['test']['correct'])
        self.refused(3, ['--validation 0.001', 'is 0 of them'], *self.base, '--validation', '0.001')

    def held_out(self, *options):
        """What the images that are trained on leave in a model, mean and scale of their pixels, and so which are held out."""
        self.run_command('train', '--data', self.data, '--validation', '0.2', '--epochs', '1', '--out', 'm', '-q', *options)
        found = json.loads(self.run_command('inspect', 'm', '--json', '-')[0])['metadata']
        return found['input_mean'], found['input_scale']

    def test_images_held_out_follow_from_the_seed_alone(self):
        first = self.held_out('--net', rig.NET, '--seed', '5')
        self.assertEqual(self.held_out('--net', 'INPUT -> FC', '--seed', '5', '--batch', '7', '--threads', '1', '--lr', '0.001'), first)
        self.assertNotEqual(self.held_out('--net', rig.NET, '--seed', '6'), first)
        self.assertNotEqual(self.held_out('--net', rig.NET, '--seed', '5', '--validation', '0.3'), first)

    def test_the_best_epoch_is_kept(self):
        """A rate that ruins the later epochs: the model is that of the best, also after a break."""
        ruin = ['--lr-step', '3:100', '--lr', '0.05', '--validation', '0.2']
        self.run_command(*self.base, *ruin, '--epochs', '5', '--out', 'whole', '--json', 'j')
        run = json.loads(rig.read(self.path('j')))
        self.assertLessEqual(run['epoch_of_model'], 3)
        self.run_command(*self.base, *ruin, '--epochs', '5', '--out', 'last', '--keep', 'last')
        self.assertNotEqual(rig.read(self.path('whole')), rig.read(self.path('last')))
        self.run_command(*self.base, *ruin, '--epochs', '3', '--checkpoint', 'ck')
        self.run_command('train', '--data', self.data, '--resume', 'ck', '--epochs', '5', '--out', 'broken', '-q')
        self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('broken')))
        self.run_command('eval', '--model', 'ck', '--data', self.data)

    def test_patience(self):
        out, _ = self.run_command(*self.base, '--lr-step', '3:0', '--patience', '2', '--epochs', '30', '--out', 'm', '--json', 'j')
        run = json.loads(rig.read(self.path('j')))
        self.assertTrue(run['stopped_early'])
        self.assertLess(len(run['epochs']), 10)
        self.assertRegex(out, r'ended after epoch \d: none of the last 2 was better')
        # A run that ended goes on when it is asked to.
        self.run_command('train', '--data', self.data, '--resume', 'm.checkpoint', '--patience', '0', '--epochs', '12', '--json', 'j',
                         '-q')
        self.assertEqual(len(json.loads(rig.read(self.path('j')))['epochs']), 12)

    def test_checkpoints_by_default(self):
        self.run_command(*self.base, '--epochs', '1')
        self.assertEqual(os.listdir(self.folder), ['data'])
        self.run_command(*self.base, '--epochs', '1', '--out', 'm', '--no-checkpoint')
        self.assertEqual(sorted(os.listdir(self.folder)), ['data', 'm'])
        self.run_command(*self.base, '--epochs', '2', '--out', 'm')
        self.assertEqual(sorted(os.listdir(self.folder)), ['data', 'm', 'm.checkpoint'])
        self.run_command(*self.base, '--epochs', '4', '--out', 'four')
        self.run_command('train', '--data', self.data, '--resume', 'm.checkpoint', '--epochs', '4', '--out', 'm', '-q')
        self.assertEqual(rig.read(self.path('m')), rig.read(self.path('four')))

    def test_init_from(self):
        self.run_command(*self.base, '--epochs', '3', '--out', 'm')
        other = rig.write_data(self.path('other'), classes=3)
        begin = ['train', '--data', other, '--net', rig.NET, '--epochs', '1', '--lr', '0', '--momentum', '0', '--init-from', 'm']
        out, _ = self.run_command(*begin, '--out', 'fine')
        self.assertIn('m: 4 of 6 tensors taken; begun anew: fc2.weight (another shape), fc2.bias (another shape)', out)
        values = [json.loads(self.run_command('inspect', name, '--json', '-')[0]) for name in ('m', 'fine')]
        self.assertEqual(values[0]['tensors'][:4], values[1]['tensors'][:4])
        self.assertEqual(values[0]['metadata']['input_mean'], values[1]['metadata']['input_mean'])
        self.refused(3, ['m', 'none of its tensors'], 'train', '--data', other, '--net', 'INPUT -> FC', '--init-from', 'm', '-q')
        self.refused(3, 'nowhere', *begin[:-1], 'nowhere', '-q')

    OPTIMISERS = {'nesterov': ['--optimiser', 'nesterov'], 'adamw': ['--optimiser', 'adamw', '--lr', '0.003'],
                  'cosine': ['--schedule', 'cosine'], 'warm': ['--warm-up', '1'], 'clip': ['--clip', '0.5'], 'ema': ['--ema', '0.9'],
                  'smooth': ['--label-smoothing', '0.1'],
                  'all': ['--optimiser', 'adamw', '--lr', '0.003', '--schedule', 'cosine', '--warm-up', '1', '--clip', '0.5', '--ema',
                          '0.9', '--label-smoothing', '0.1', '--weight-decay', '0.01', '--validation', '0.2', '--augment', 'crop:1']}

    def test_optimisers_and_schedules(self):
        """
        Each changes the model, learns, and gives the same bits by another number of threads, in two processes: the second takes
        all settings but the number of epochs from the checkpoint. A cosine would change with that number; test_breaks.py breaks
        such runs inside.
        """
        models = set()
        for name, options in self.OPTIMISERS.items():
            self.run_command(*self.base, *options, '--epochs', '4', '--out', 'whole', '--threads', '1', '--json', 'j')
            models.add(rig.read(self.path('whole')))
            run = json.loads(rig.read(self.path('j')))
            row = run['epochs'][-1]
            self.assertGreater(row.get('test_accuracy', row.get('validation_accuracy')), 0.9, name)
            if 'cosine' in options:
                self.run_command(*self.base, *options, '--epochs', '4', '--threads', '2', '--out', 'again')
            else:
                self.run_command(*self.base, *options, '--epochs', '2', '--checkpoint', 'ck')
                self.run_command('train', '--data', self.data, '--resume', 'ck', '--epochs', '4', '--threads', '2', '--out', 'again', '-q')
            self.assertEqual(rig.read(self.path('again')), rig.read(self.path('whole')), name)
        self.assertEqual(len(models), len(self.OPTIMISERS))
        rates = [row['lr'] for row in run['epochs']]
        self.assertAlmostEqual(rates[0], 0.003)
        self.assertLess(rates[3], rates[2])
        self.assertEqual(run['settings']['optimiser'], 'adamw')

    def test_a_cosine_that_is_extended(self):
        """The epochs that are done keep their rates; those that follow have the rates that they have in a run of the new length."""
        rates = {}
        for epochs in (2, 5):
            self.run_command(*self.base, '--schedule', 'cosine', '--lr', '0.1', '--epochs', epochs, '--checkpoint', 'ck%d' % epochs, '--json', 'j')
            rates[epochs] = [row['lr'] for row in json.loads(rig.read(self.path('j')))['epochs']]
        self.assertEqual(sorted(rates[5], reverse=True), rates[5])
        self.run_command('train', '--data', self.data, '--resume', 'ck2', '--epochs', '5', '--json', 'j', '--out', 'm', '-q')
        run = json.loads(rig.read(self.path('j')))
        self.assertEqual([row['lr'] for row in run['epochs']], rates[2] + rates[5][2:])
        self.assertEqual((run['settings']['schedule'], run['settings']['lr'], run['settings']['epochs']), ('cosine', 0.1, 5))
        model = rig.read(self.path('m'))
        self.run_command('train', '--data', self.data, '--resume', 'ck2', '--epochs', '5', '--threads', '1', '--out', 'm', '-q')
        self.assertEqual(rig.read(self.path('m')), model)

    def test_top5_and_classes(self):
        data = rig.write_data(self.path('eight'), classes=8)
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '2', '--out', 'm', '-q')
        out, _ = self.run_command('eval', '--model', 'm', '--data', data, '--classes')
        found = json.loads(self.run_command('eval', '--model', 'm', '--data', data, '--json', '-', '--confusion')[0])
        table, classes = found['confusion'], found['classes']
        self.assertEqual(float(re.search(r'top-5 ([\d.]+)%', out).group(1)), round(100 * found['top5'], 2))
        self.assertGreaterEqual(found['top5'], found['accuracy'])
        for i, row in enumerate(classes):
            taken, are = sum(line[i] for line in table), sum(table[i])
            self.assertEqual(row['precision'], table[i][i] / taken if taken else None)
            self.assertEqual(row['recall'], table[i][i] / are if are else None)

    NEWER = ['augment', 'validation', 'keep', 'patience', 'optimiser', 'schedule', 'warm_up', 'clip', 'ema', 'label_smoothing']

    def test_checkpoints_of_0_1_go_on(self):
        """They lack what came later, and have one mean for all channels."""
        data = rig.write_data(self.path('colour'), size=6, channels=3)
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '2', '--checkpoint', 'new', '-q')

        def rewrite(name, metadata):
            text = rig.read(self.path('new'))
            length, = struct.unpack('<Q', text[:8])
            header = json.loads(text[8:8 + length])
            header['__metadata__'] = metadata(header['__metadata__'])
            head = json.dumps(header).encode()
            head += b' ' * (-len(head) % 8)
            rig.write(self.path(name), struct.pack('<Q', len(head)) + head + text[8 + length:])

        def old(metadata):
            metadata = {key: value for key, value in metadata.items() if key not in self.NEWER}
            metadata.update(input_mean='100', input_scale='0.002')
            return metadata

        def one_mean(metadata):
            return {**metadata, 'input_mean': '100', 'input_scale': '0.002'}

        rewrite('old', old)
        rewrite('one', one_mean)
        for name in ('old', 'one'):
            self.run_command('train', '--data', data, '--resume', name, '--epochs', '3', '--out', name + '.m', '-q')
            self.run_command('eval', '--model', name, '--data', data)
        self.assertEqual(rig.read(self.path('old.m')), rig.read(self.path('one.m')))
        for key, value in (('input_mean', '1,2'), ('input_scale', '1,2,x'), ('input_mean', ''), ('class_names', '[1]'), ('class_names', '{'),
                           ('augment', 'blur'), ('keep', 'all'), ('ema', '1'), ('optimiser', 'x'), ('validation', '-1')):
            rewrite('bad', lambda metadata, key=key, value=value: {**metadata, key: value})
            self.refused(3, ['bad', key], 'train', '--data', data, '--resume', 'bad', '--epochs', '3')


rig.main()
