"""
Twenty steps of resnet20, broken twice in the middle of an epoch and resumed on another number of threads: the bits of the run
that was left alone.

usage: test_resnet20.py BREAKING_PROGRAM [unittest's arguments]     the program of breaks.c
"""
import signal

import rig


class Resnet20(rig.CommandTest):
    def test_interrupted_run_is_bit_identical(self):
        data = rig.write_data(self.path('data'), size=32, channels=3, counts=(152, 16))
        begin = ['train', '--data', data, '--net', 'NET resnet20', '--batch', 16, '--epochs', 2, '--augment', 'flip,crop:4',
                 '--optimiser', 'nesterov', '--lr', '0.1', '--weight-decay', '5e-4', '--schedule', 'cosine']
        self.run_command(*begin, '--threads', 2, '--out', 'whole')
        command = begin
        for step, threads in (7, 1), (6, 3):
            self.run_command(*command, '--threads', threads, '--out', 'broken', status=128 + signal.SIGTERM,
                             env={'CNNBLAS_TEST_BREAK': '%d %d 1' % (step, signal.SIGTERM)})
            command = ['train', '--data', data, '--resume', 'broken.checkpoint']
        self.run_command(*command, '--threads', 8)
        self.assertEqual(rig.read(self.path('whole')), rig.read(self.path('broken')))


rig.main()
