"""Runs that ended in an awkward place: nothing that was trained is lost, and what goes on gives the same bits."""
import json
import os

import rig


class Recovery(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'))
        self.base = ['train', '--data', self.data, '--net', rig.NET, '--batch', '16', '-q']

    def birds(self, classes=('crow', 'robin')):
        for half in ('train', 'test'):
            for number, name in enumerate(classes):
                folder = self.path('birds', half, name)
                os.makedirs(folder)
                for i in range(6):
                    row = [(80 * number + 7 * i + j) % 256 for j in range(8)]
                    rig.write(os.path.join(folder, f'{i}.png'), rig.png(8, 8, 1, [row] * 8))
        return self.path('birds')

    def test_the_model_of_a_run_that_is_over_can_still_be_written(self):
        """Averages too: they are the model, and what a checkpoint evaluates to."""
        self.run_command(*self.base, '--epochs', '2', '--ema', '0.9', '--out', 'm')
        model = rig.read(self.path('m'))
        os.remove(self.path('m'))
        evaluated = json.loads(self.run_command('eval', '--model', 'm.checkpoint', '--data', self.data, '--json', '-')[0])
        self.run_command('train', '--resume', 'm.checkpoint', '--data', self.data, '-q')
        self.assertEqual(rig.read(self.path('m')), model)
        again = json.loads(self.run_command('eval', '--model', 'm', '--data', self.data, '--json', '-')[0])
        self.assertEqual((evaluated['correct'], evaluated['loss']), (again['correct'], again['loss']))
        self.refused(2, ['all of its 2 epochs are done'], 'train', '--resume', 'm.checkpoint', '--data', self.data)

    def test_patience_that_is_at_its_end_stays_so(self):
        ruin = ['--lr-step', '2:100', '--validation', '0.2', '--patience', '1', '--epochs', '9']
        self.run_command(*self.base, *ruin, '--out', 'm', '--json', 'j')
        run = json.loads(rig.read(self.path('j')))
        self.assertTrue(run['stopped_early'])
        model = rig.read(self.path('m'))
        self.run_command('train', '--resume', 'm.checkpoint', '--data', self.data, '-q', '--json', 'j')
        self.assertEqual(rig.read(self.path('m')), model)
        self.assertEqual(len(json.loads(rig.read(self.path('j')))['epochs']), len(run['epochs']))

    def test_a_damaged_test_picture_costs_no_training(self):
        birds, whole = self.birds(), ['--net', 'INPUT 1x8x8 -> FC', '--batch', '4', '--epochs', '2', '-q']
        self.run_command('train', '--data', birds, *whole, '--out', 'm')
        damaged = os.path.join(birds, 'test', 'robin', '3.png')
        good = rig.read(damaged)
        rig.write(damaged, good[:40])
        self.refused(3, ['robin/3.png', 'n.checkpoint'], 'train', '--data', birds, *whole, '--out', 'n')
        rig.write(damaged, good)
        self.run_command('train', '--resume', 'n.checkpoint', '--data', birds, '-q')
        self.assertEqual(rig.read(self.path('n')), rig.read(self.path('m')))

    def test_a_run_without_a_model_says_so(self):
        self.run_command(*self.base, '--epochs', '1', '--checkpoint', 'ck')
        _, said = self.run_command('train', '--data', self.data, '--resume', 'ck', '--epochs', '2')
        self.assertIn('no model will be written: --out FILE names one', said)

    def test_fine_tuning_takes_the_network_and_the_averages(self):
        self.run_command(*self.base, '--epochs', '3', '--out', 'm')
        fine = ['train', '--data', self.data, '--init-from', 'm', '--batch', '16', '--epochs', '1', '--lr', '0.0001']
        out, _ = self.run_command(*fine, '--ema', '0.9999', '--out', 'n')
        self.assertIn('6 of 6 tensors taken', out)
        before = json.loads(self.run_command('eval', '--model', 'm', '--data', self.data, '--json', '-')[0])
        after = json.loads(self.run_command('eval', '--model', 'n', '--data', self.data, '--json', '-')[0])
        self.assertGreater(after['correct'], before['correct'] - 3)
        self.refused(3, ['of dtype F32', 'of dtype F64'], *fine, '--dtype', 'f64')

    def test_files_that_are_no_pictures_are_counted(self):
        birds = self.birds()
        rig.write(os.path.join(birds, 'train', 'crow', 'x.gif'), b'GIF89a')
        out, _ = self.run_command('train', '--data', birds, '--net', 'INPUT 1x8x8 -> FC', '--epochs', '1', '--out', 'm')
        self.assertIn('; 1 file is no PNG, JPEG, PGM or PPM', out)
        self.refused(3, ['neither PNG, JPEG, PGM or PPM nor an IDX file'], 'predict', '--model', 'm',
                     os.path.join(birds, 'train', 'crow', 'x.gif'))
        self.refused(3, ['No such file'], 'train', '--data', 'nowhere')
        self.refused(3, ['Not a directory'], 'train', '--data', 'm')

    def test_options_without_a_meaning(self):
        self.refused(2, ['--lr-step is for --schedule step'], *self.base, '--schedule', 'cosine', '--lr-step', '2:0.1')
        self.refused(2, ['--momentum is for sgd'], *self.base, '--optimiser', 'adamw', '--momentum', '0.9')
        self.refused(2, ['--warm-up 4'], *self.base, '--warm-up', '4', '--epochs', '4')
        self.refused(2, ['below 2^64'], *self.base, '--seed', '9' * 23)


rig.main()
