"""Help, usage errors and exit statuses of every subcommand."""
import json
import os

import rig

COMMANDS = ['train', 'eval', 'predict', 'inspect', 'info']


class Usage(rig.CommandTest):
    def test_help_fits_a_screen(self):
        for command in [[]] + [[name] for name in COMMANDS]:
            out, error = self.run_command(*command, '--help')
            self.assertEqual(error, '')
            lines = out.rstrip('\n').split('\n')
            self.assertLessEqual(len(lines), 40, command)
            self.assertLessEqual(max(map(len, lines)), 110, command)
            for word in ('usage:', 'example', 'exit status:'):
                self.assertIn(word, out, command)

    def test_every_option_is_in_the_help(self):
        train = self.run_command('train', '--help')[0]
        for option in ('data input net init-from augment validation keep patience no-checkpoint optimiser schedule warm-up clip ema label-smoothing epochs batch lr momentum weight-decay lr-step init loss accuracy seed threads out checkpoint resume '
                       'history json progress quiet').split():
            self.assertIn('--' + option, train)

    def test_version(self):
        self.assertRegex(self.run_command('--version')[0], r'^cnnblas \d+\.\d+\.\d+\n$')

    def test_words_for_help_and_version(self):
        for command in [[]] + [[name] for name in COMMANDS]:
            long = self.run_command(*command, '--help')[0]
            for words in ([*command, '-h'], ['help', *command]):
                self.assertEqual(self.run_command(*words)[0], long, words)
            for word in ('-V', '--version'):
                self.assertEqual(self.run_command(*command, word)[0], self.run_command('--version')[0], command)
        self.refused(2, '"tain" is no command', 'help', 'tain')

    def test_json_goes_where_it_is_sent(self):
        for command in (['info'], ['inspect', '--net', 'INPUT 1x8x8 -> FC 2']):
            text = self.run_command(*command)[0]
            only = json.loads(self.run_command(*command, '--json', '-')[0])
            self.assertEqual(self.run_command(*command, '--json', 'found.json')[0], text)
            with open(self.path('found.json'), encoding='utf-8') as file:
                self.assertEqual(json.load(file), only)
            self.assertIn('nowhere/found.json', self.run_command(*command, '--json', 'nowhere/found.json', status=4)[1])
            self.refused(2, '--json', *command, '--json')

    def test_usage_errors(self):
        for words, arguments in [
                ('usage', []), ('"tain" is no command', ['tain']), ('--epochs 0', ['train', '--epochs', '0']),
                ('--epochs 1e3', ['train', '--epochs', '1e3']), ('--lr -1', ['train', '--lr', '-1']),
                ('--lr nan', ['train', '--lr', 'nan']), ('--momentum 1', ['train', '--momentum', '1']),
                ('--augment flip,blur: it is none, or some of', ['train', '--augment', 'flip,blur']), ('--augment crop:0', ['train', '--augment', 'crop:0']),
                ('--augment flip,', ['train', '--augment', 'flip,']), ('--augment crop:4,crop:4', ['train', '--augment', 'crop:4,crop:4']),
                ('sgd, nesterov, adamw', ['train', '--optimiser', 'lamb']), ('step, cosine', ['train', '--schedule', 'poly']),
                ('--ema 1:', ['train', '--ema', '1']), ('--optimiser cannot be given with --resume', ['train', '--resume', 'x', '--optimiser', 'sgd']),
                ('softmax', ['train', '--loss', 'sigmoid', '--label-smoothing', '0.1']), ('--validation 1:', ['train', '--validation', '1']), ('--keep first', ['train', '--keep', 'first']),
                ('--top 0', ['predict', '--top', '0']), ('exclude each other', ['train', '--checkpoint', 'x', '--no-checkpoint']),
                ('--validation cannot be given with --resume', ['train', '--resume', 'x', '--validation', '0.1']),
                ('--input 3x', ['train', '--input', '3x']), ('--lr-step 0:0.1', ['train', '--lr-step', '0:0.1']), ('--lr-step 3', ['train', '--lr-step', '3']),
                ('he, he-fan-out, small, zero', ['train', '--init', 'xavier']), ('--seed -3', ['train', '--seed', '-3']),
                ('softmax, sigmoid', ['train', '--loss', 'l2']),
                ('--accuracy high: it is one of default, exact, relaxed', ['train', '--accuracy', 'high']),
                ('--accuracy high: it is one of default, exact, relaxed', ['eval', '--accuracy', 'high']),
                ('--accuracy high: it is one of default, exact, relaxed', ['predict', '--accuracy', 'high']),
                ('--accuracy cannot be given with --resume', ['train', '--resume', 'x', '--accuracy', 'exact']), ('auto, always, never', ['train', '--progress', 'x']),
                ('"extra"', ['train', 'extra']), ('bogus', ['train', '--bogus']), ('--seed', ['train', '--seed']),
                ('--seed cannot be given with --resume', ['train', '--resume', 'x', '--seed', '1']),
                ('--model is missing', ['eval']), ('--model is missing', ['predict', 'x.png']),
                ('no FILE', ['predict', '--model', 'x']), ('one of them', ['inspect']),
                ('one of them', ['inspect', 'x', '--net', 'INPUT 1x8x8 -> FC 2']), ('"x"', ['info', 'x']),
                ('--net: column 7', ['inspect', '--net', 'INPUT x']),
                ('--input 3x', ['inspect', '--net', 'INPUT -> FC', '--input', '3x'])]:
            self.refused(2, words, *arguments)

    def test_presets_print_their_notation(self):
        """Above the table, in lines that --net takes again; an error in it is marked below its column."""
        notation, table = self.run_command('inspect', '--net', 'NET ResNet20')[0].split('\n\n')
        self.assertTrue(notation.startswith('INPUT 3x32x32 -> CONV 16@3x3 pad 1 -> BN -> RELU -> [ADD[ '), notation)
        self.assertTrue(notation.endswith(' FC 10'), notation)
        self.assertTrue(all(len(line) <= 110 for line in notation.splitlines()))
        self.assertEqual(self.run_command('inspect', '--net', notation)[0], table)
        found = json.loads(self.run_command('inspect', '--net', 'NET resnet20', '--json', '-')[0])
        self.assertEqual(found['network'], notation.replace('\n', ' '))
        error = self.refused(2, ['cat1 does not fit its input', 'what NET unet stands for'], 'inspect', '--net', 'NET unet',
                             '--input', '3x30x30')
        lines = [line.replace('cnnblas inspect: ', '', 1) for line in error.splitlines()]
        mark, = [i for i, line in enumerate(lines) if line.strip() == '^']
        self.assertEqual(lines[mark - 1][lines[mark].index('^'):][:5], 'CAT[ ')
        column = int(lines[0].split('column ')[1].split(':')[0])
        self.assertEqual(' '.join(lines[2:mark] + lines[mark + 1:])[column - 1:][:5], 'CAT[ ')
        self.assertEqual(self.refused(2, 'column 16', 'inspect', '--net', 'INPUT 3x4x4 -> FCC').count('\n'), 1)
        self.assertEqual(self.refused(2, 'found \'unit\'', 'inspect', '--net', 'NET unit').count('\n'), 1)
        data = rig.write_data(self.path('data'), counts=(20, 10))
        train = ['train', '--data', data, '--batch', '10', '--epochs', '1']
        out = self.run_command(*train, '--net', 'NET resnet20')[0]
        self.assertIn('10 to test\nINPUT -> CONV 16@3x3', out)
        self.assertIn('what NET unet stands for', self.run_command(*train, '--net', 'NET unet', status=2)[1])
        self.assertNotIn('\nINPUT', self.run_command(*train, '--net', rig.NET)[0])

    def test_missing_files(self):
        for arguments in (['eval', '--model', 'nowhere'], ['predict', '--model', 'nowhere', 'x'], ['inspect', 'nowhere'],
                          ['train', '--data', 'nowhere'], ['train', '--resume', 'nowhere']):
            self.refused(3, 'nowhere', *arguments)
        self.refused(3, 'Is a directory', 'inspect', '.')

    def test_info_openblas(self):
        """Kernels for another core than the processor's are named, with what they cost and what chooses others."""
        found = json.loads(self.run_command('info', '--json', '-')[0])
        if found['isa_detected'] == 'baseline':
            self.skipTest('no lesser kernels than those for this processor')
        best = {'avx2': 'Haswell', 'avx512': 'SkylakeX'}[found['isa_detected']]
        text = self.run_command('info', env={'OPENBLAS_CORETYPE': 'Prescott'})[0]
        if 'kernels for Prescott' not in text:
            self.skipTest('this OpenBLAS does not heed OPENBLAS_CORETYPE')
        self.assertIn('OpenBLAS runs its kernels for Prescott', text)
        self.assertIn('OPENBLAS_CORETYPE=' + best, text)
        self.assertNotIn('OpenBLAS runs its kernels', self.run_command('info', env={'OPENBLAS_CORETYPE': best})[0])

    def test_info(self):
        cores = len(os.sched_getaffinity(0))
        self.assertNotIn('OMP_NUM_THREADS asks', self.run_command('info', env={'OMP_NUM_THREADS': '1'})[0])
        many = {'OMP_NUM_THREADS': str(cores + 3)}
        self.assertIn('asks for %d threads, but this process may run on %d' % (cores + 3, cores),
                      self.run_command('info', env=many)[0])
        found = json.loads(self.run_command('info', '--json', '-', env=many)[0])
        self.assertEqual(found['cores'], cores)
        self.assertTrue(any('take turns' in text for text in found['warnings']))
        if found['openblas_flavour'] == 'pthread' and found['openblas_threads'] > 1 and found['threads'] > 1:
            self.assertTrue(any('pthread flavour' in text for text in found['warnings']))
        if cores > 1:
            all_cores = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {min(all_cores)})
            self.addCleanup(os.sched_setaffinity, 0, all_cores)
            self.assertIn('may run on 1 of the machine', self.run_command('info')[0])

    def test_inspect_a_notation(self):
        net = 'INPUT 1x28x28 -> [CONV 8@5x5 -> RELU -> POOL max 2]*2 -> FC 10'
        out, _ = self.run_command('inspect', '--net', net)
        for words in ('conv2', '8x12x12', 'implicit_gemm', 'parameters', 'MiB to train'):
            self.assertIn(words, out)
        found = json.loads(self.run_command('inspect', '--net', net, '--json', '-')[0])
        weights = 8 * 25 + 8 + 8 * 8 * 25 + 8 + 10 * 8 * 16 + 10
        self.assertEqual((found['parameters'], found['classes'], len(found['layers'])), (weights, 10, 7))
        self.assertEqual([layer['output'] for layer in found['layers']][:3], ['8x24x24', '8x24x24', '8x12x12'])
        given = self.run_command('inspect', '--net', 'INPUT -> CONV -> FC', '--input', '3x32x32', '--classes', '7', '--json', '-')
        self.assertEqual(json.loads(given[0])['classes'], 7)


rig.main()
