"""
A training that a signal breaks in a chosen step, and that is resumed: its bits are those of the run that was left alone.

usage: test_breaks.py BREAKING_PROGRAM [unittest's arguments]     the program of breaks.c
"""
import json
import signal
import struct

import rig

NET = 'INPUT -> [CONV 4@5x5 pad same -> RELU]*2 -> POOL max 2 -> FC'
IMAGES, BATCH, EPOCHS = 100, 16, 2
STEPS = EPOCHS * -(-IMAGES // BATCH)  # 14: the last of an epoch has four images
# Of each process the step that is broken: in an epoch, the first of a resumed run, the last of an epoch, the first of the
# next, and in the last epoch. Two steps are left for the last process.
BREAKS = (3, 1, 3, 1, 4)


def tensors(path):
    """What a safetensors file holds but its metadata, which has the seconds of the run: (names and shapes, the bytes)."""
    data = rig.read(path)
    length, = struct.unpack('<Q', data[:8])
    header = json.loads(data[8:8 + length])
    del header['__metadata__']
    return header, data[8 + length:]


class Breaks(rig.CommandTest):
    def setUp(self):
        super().setUp()
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # under nohup; the command would keep ignoring it
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.data = rig.write_data(self.path('data'), counts=(IMAGES, 20))
        self.begin = ['train', '--data', self.data, '--net', NET, '--batch', BATCH, '--epochs', EPOCHS, '--threads', 1]
        self.resume = ['train', '--data', self.data, '--resume', 'run.ck']
        self.outputs = ['--checkpoint', 'run.ck', '--out', 'broken']

    def broken(self, number, step, times, *arguments, status):
        """Runs it with a signal in its step of that number: standard error."""
        return self.run_command(*arguments, status=status, env={'CNNBLAS_TEST_BREAK': '%d %d %d' % (step, number, times)})[1]

    def test_interrupted_run_is_bit_identical(self):
        self.run_command(*self.begin, '--out', 'whole', '--checkpoint', 'whole.ck')
        self.assertLess(sum(BREAKS), STEPS)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            command = self.begin
            for step in BREAKS:
                error = self.broken(number, step, 1, *command, *self.outputs, status=128 + number)
                self.assertIn('--resume run.ck', error)
                command = self.resume
            self.run_command(*command, *self.outputs)
            self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('broken')))
            self.assertEqual(tensors(self.path('whole.ck')), tensors(self.path('run.ck')))

    def test_what_follows_the_data_is_bit_identical_too(self):
        """Moments, averages, rates, draws and the best epoch, across breaks in the middle of epochs."""
        more = ['--augment', 'flip,crop:2,cutout:2', '--optimiser', 'adamw', '--lr', '0.003', '--schedule', 'cosine', '--warm-up', 1,
                '--clip', '0.5', '--ema', '0.9', '--label-smoothing', '0.1', '--keep', 'best']
        net = 'INPUT -> CONV 4@3x3 pad 1 -> BN -> RELU -> ADD[ CONV 4@3x3 pad 1 -> BN | ] -> RELU -> DROPOUT 0.2 -> POOL max 2 -> FC'
        begin = [*self.begin, '--net', net, '--seed', 3, *more]
        self.run_command(*begin, '--out', 'whole', '--checkpoint', 'whole.ck')
        command = begin
        for step in BREAKS:
            self.broken(signal.SIGTERM, step, 1, *command, *self.outputs, status=128 + signal.SIGTERM)
            command = self.resume
        self.run_command(*command, *self.outputs)
        self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('broken')))
        self.assertEqual(tensors(self.path('whole.ck')), tensors(self.path('run.ck')))

    SETTINGS = {'momentum': ['--momentum', '0.5'], 'nesterov': ['--optimiser', 'nesterov'], 'adamw': ['--optimiser', 'adamw', '--lr', '0.003'],
                'cosine': ['--schedule', 'cosine'], 'warm': ['--warm-up', 1], 'steps': ['--lr-step', '2:0.1'], 'clip': ['--clip', '0.05'],
                'ema': ['--ema', '0.9'], 'smooth': ['--label-smoothing', '0.1'], 'decay': ['--weight-decay', '0.1'],
                'segments': ['--segments', 4], 'augment': ['--augment', 'flip,crop:1'], 'f64': ['--dtype', 'f64']}

    def test_each_setting_is_kept_by_itself(self):
        """One break inside the second epoch; a setting that a checkpoint lost would give other bits than the run left alone."""
        models = set()
        for name, setting in self.SETTINGS.items():
            begin = [*self.begin, *setting, '-q']
            self.run_command(*begin, '--out', 'whole', '--checkpoint', 'whole.ck')
            models.add(rig.read(self.path('whole')))
            self.broken(signal.SIGTERM, STEPS // EPOCHS + 2, 1, *begin, *self.outputs, status=128 + signal.SIGTERM)
            self.run_command(*self.resume, *self.outputs, '-q')
            self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('broken')), name)
            self.assertEqual(tensors(self.path('whole.ck')), tensors(self.path('run.ck')), name)
        self.assertEqual(len(models), len(self.SETTINGS))

    def test_a_signal_in_the_last_step_of_all_breaks_nothing(self):
        self.run_command(*self.begin, '--out', 'whole')
        self.assertEqual(self.broken(signal.SIGINT, STEPS, 1, *self.begin, *self.outputs, status=0), '')
        self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('broken')))

    def test_a_second_signal_ends_the_program_at_once(self):
        self.broken(signal.SIGINT, 3, 1, *self.begin, *self.outputs, status=128 + signal.SIGINT)
        kept = rig.read(self.path('run.ck'))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            error = self.broken(number, 2, 2, *self.resume, *self.outputs, status=-number)
            self.assertEqual(error, '')
            self.assertEqual(rig.read(self.path('run.ck')), kept)

    def test_what_the_parent_ignores_stays_ignored(self):
        self.run_command(*self.begin, '--out', 'whole')
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.signal(number, signal.SIG_IGN)  # the child inherits it
            try:
                self.broken(number, 3, 2, *self.begin, *self.outputs, status=0)
            finally:
                signal.signal(number, before)
            self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('broken')))


rig.main()
