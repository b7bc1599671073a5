"""The command under mpirun: models of any number of ranks are equal to the byte, and whatever fails ends all ranks, once told.

usage: test_ranks.py PROGRAM [unittest's arguments] MPIRUN FLAVOUR KILLS
"""
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

import rig
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'mpi'))
import run as mpi

KILLS, FLAVOUR, MPIRUN = int(sys.argv.pop()), sys.argv.pop(), sys.argv.pop()
SEED = 20250301
RESIDUAL = ('INPUT -> CONV 8@3x3 pad 1 -> BN -> RELU -> ADD[ CONV 8@3x3 pad 1 -> BN -> RELU -> CONV 8@3x3 pad 1 -> BN | ] -> RELU '
            '-> DROPOUT 0.2 -> GPOOL avg -> FC')
LAUNCHER = mpi.launcher(MPIRUN, FLAVOUR)
if not LAUNCHER:
    sys.exit(77)


class Ranks(rig.CommandTest):
    def launch(self, *parts, patience=20, **options):
        """Begins an mpirun; a part is (ranks, arguments of the command)."""
        line = list(LAUNCHER)
        for number, (ranks, arguments) in enumerate(parts):
            line += ([':'] if number else []) + ['-n', str(ranks), *arguments]
        return subprocess.Popen(line, cwd=self.folder, env=dict(mpi.ENVIRONMENT, CNNBLAS_MPI_PATIENCE=str(patience)), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def ranks(self, ranks, *arguments, status=0):
        run = self.launch((ranks, [rig.program, *map(str, arguments)]))
        out, err = run.communicate()
        self.assertEqual(run.returncode, status, out + err)
        return out, err

    def told(self, err):
        """The lines of the command's own among the launcher's."""
        return [line for line in err.splitlines() if line.startswith(('cnnblas ', 'cnnblas: '))]

    def same(self, a, b):
        self.assertEqual(rig.read(self.path(a)), rig.read(self.path(b)), '%s and %s differ' % (a, b))

    def data(self, size=8, channels=1, counts=(90, 20)):
        return rig.write_data(self.path('data'), size=size, channels=channels, counts=counts)

    def test_lenet(self):
        data = self.data(28, 1, (480, 64))
        whole = ['train', '--data', data, '--epochs', '2', '--batch', '32', '-q', '--augment', 'crop:2']  # 30 steps
        self.run_command(*whole, '--segments', '16', '--out', 'one')
        for ranks in 1, 2, 4:
            for threads in 1, 2:
                self.ranks(ranks, *whole, '--threads', threads, '--out', 'some')
                self.same('one', 'some')

    def test_resnet20(self):
        data = self.data(8, 3, (80, 16))
        whole = ['train', '--data', data, '--net', 'NET resnet20', '--epochs', '1', '--batch', '32', '-q', '--threads', '1']
        self.run_command(*whole, '--segments', '16', '--out', 'one')
        for ranks in 2, 4:
            self.ranks(ranks, *whole, '--out', 'some')
            self.same('one', 'some')

    def test_resume(self):
        """4 -> 2 -> 1 ranks, with dropout, batch normalisation and an uneven last batch."""
        data = self.data(8, 3)
        whole = ['train', '--data', data, '--net', RESIDUAL, '--batch', '32', '-q', '--augment', 'flip,crop:1', '--out', 'whole']
        self.run_command(*whole, '--segments', '16', '--epochs', '3')
        go_on = ['train', '--data', data, '-q', '--threads', '1', '--resume', 'some.checkpoint', '--out', 'some']
        self.ranks(4, *whole[:-1], 'some', '--threads', '1', '--epochs', '1')
        self.ranks(2, *go_on, '--epochs', '2')
        self.ranks(1, *go_on, '--epochs', '3')
        self.same('whole', 'some')

    def test_eval(self):
        data = self.data(counts=(64, 90))
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '1', '-q', '--out', 'model')
        one = ['eval', '--model', 'model', '--data', data, '--batch', '16', '--confusion', '--json', 'report']
        self.run_command(*one)
        report = json.loads(rig.read(self.path('report')))
        self.ranks(4, *one, '--threads', '1')
        other = json.loads(rig.read(self.path('report')))
        for key in 'seconds', 'images_per_second':
            del report[key], other[key]
        self.assertEqual(report, other)

    def test_eval_not_finite(self):
        """The first batch's layer is named, whichever rank has it: weights that are large, a pixel too large in batch 1, and one in
        batch 2 that is too large for the second layer alone."""
        data = self.data(counts=(64, 64))
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '1', '-q', '--out', 'model')
        model = rig.read(self.path('model'))
        begin = 8 + struct.unpack('<Q', model[:8])[0]
        values = struct.unpack('<%df' % ((len(model) - begin) // 4), model[begin:])
        rig.write(self.path('model'), model[:begin] + struct.pack('<%df' % len(values), *(1e4 * value for value in values)))
        images = os.path.join(data, rig.NAMES['t10k'][0])
        pixels = [float(value) for value in rig.read(images)[16:]]
        pixels[20 * 64 + 27], pixels[40 * 64 + 27] = 3e38, 1e35
        rig.write(images, rig.idx(13, [64, 8, 8], struct.pack('>4096f', *pixels)))
        line = ['eval', '--model', 'model', '--data', data, '--batch', '16', '--threads', '1']
        one, _ = self.run_command(*line, status=1)
        other, _ = self.ranks(2, *line, status=1)
        self.assertIn('the output of conv1 is not finite', one)
        self.assertEqual(re.sub('[0-9]+ images/s', '', one), re.sub('[0-9]+ images/s', '', other))

    def test_slow_rank(self):
        """A rank that is slow, but never for one whole batch, is waited for: it is stopped for longer than patience in all."""
        data = self.data(counts=(64, 60000))
        net = 'INPUT 1x8x8 -> CONV 64@3x3 pad same -> RELU -> CONV 64@3x3 pad same -> RELU -> FC 4'
        self.run_command('train', '--data', data, '--net', net, '--epochs', '1', '-q', '--out', 'model')
        run = self.launch((2, [rig.program, 'eval', '--model', 'model', '--data', data, '--batch', '16', '--threads', '1']), patience=3)
        pid = self.pids(run, 2)[1]
        stops = 0
        for _ in range(8):
            for number, seconds in (signal.SIGSTOP, 1), (signal.SIGCONT, 0.1):
                if run.poll() is None:
                    os.kill(pid, number)
                    time.sleep(seconds)
                    stops += number == signal.SIGSTOP
        self.assertGreater(stops, 3)  # of a second each: patience is 3
        _, err = run.communicate()
        self.assertEqual(run.returncode, 0, err)

    def test_figures(self):
        data = self.data()
        out, _ = self.ranks(2, 'train', '--data', data, '--net', rig.NET, '--epochs', '1', '--threads', '1', '--json', 'report')
        self.assertEqual(len(re.findall(r'^epoch ', out, re.M)), 1, out)
        self.assertIn('2 ranks: ', out)
        figures = json.loads(rig.read(self.path('report')))['mpi']
        self.assertEqual(figures['ranks'], 2)
        self.assertGreater(figures['bytes_a_step'], 0)
        self.assertLessEqual(figures['efficiency'], 1)

    def test_refused(self):
        data = self.data()
        for ranks, arguments, words in ((3, [], 'power of two, as 2 or 4'), (4, ['--segments', '2'], 'a batch has 2 segments'),
                                        (2, ['--lr', 'x'], '--lr x')):
            _, err = self.ranks(ranks, 'train', '--data', data, '--net', rig.NET, *arguments, status=2)
            self.assertEqual(len(self.told(err)), 1, err)
            self.assertIn(words, err)

    def refusal(self, status, words, *parts):
        run = self.launch(*parts)
        _, err = run.communicate()
        self.assertEqual(run.returncode, status, err)
        self.assertEqual(len(self.told(err)), 1, err)
        self.assertIn(words, self.told(err)[0])

    def test_unequal_data(self):
        train = [rig.program, 'train', '--net', rig.NET, '--epochs', '1', '--threads', '1', '-q', '--data']
        data, other = self.data(), self.path('other')
        shutil.copytree(data, other)
        labels = os.path.join(other, rig.NAMES['train'][1])
        rig.write(labels, rig.read(labels)[:-1] + bytes([3 - rig.read(labels)[-1]]))
        self.refusal(3, "rank 1: training data: other images or labels than rank 0's", (1, [*train, data]), (1, [*train, other]))
        self.refusal(3, 'rank 1: nowhere', (1, [*train, data]), (1, [*train, 'nowhere']))

    def test_unequal_pictures(self):
        """Equal names, other pictures: another size of a file, or, where that is equal, other pixels."""
        for folder in 'one', 'other', 'third':
            for number in range(12):
                value = 10 * number + 5 * (folder == 'other')
                name = self.path(folder, 'train', 'ab'[number % 2], '%d.pgm' % number)
                os.makedirs(os.path.dirname(name), exist_ok=True)
                rig.write(name, b'P5 8 8 255 ' + bytes([value] * 64) + b'\n' * (folder == 'third'))
        train = [rig.program, 'train', '--net', rig.NET.replace('INPUT', 'INPUT 1x8x8'), '--epochs', '1', '--threads', '1', '-q',
                 '--validation', '0.3', '--data']
        for folder, words in ('other', 'other pixels'), ('third', 'other images or labels'):
            self.refusal(3, "rank 1: training data: %s than rank 0's" % words, (1, [*train, 'one']), (1, [*train, folder]))

    def unequal(self, *pairs):
        train = [rig.program, 'train', '--data', self.data(), '--epochs', '2', '--threads', '1', '-q', '--net', rig.NET]
        for words, options in pairs:
            self.refusal(3, 'rank 1: ' + words, (1, train), (1, [*train, *options]))

    def test_unequal_settings(self):
        self.unequal(('setting lr: "0.05000001", but rank 0 has "0.05"', ['--lr', '0.05000001']),
                     ('setting segments: "1", but rank 0 has "16"', ['--segments', '1']),
                     ('the network: "', ['--net', rig.NET.replace('FC 16 -> RELU', 'FC 16 -> TANH')]))

    def test_unequal_others(self):
        """Settings of each kind, and the last layers of a network whose text is long."""
        self.unequal(('setting optimiser: "adamw"', ['--optimiser', 'adamw']),
                     ('setting augment: "flip"', ['--augment', 'flip']),
                     ('setting lr_steps: "2:0.5"', ['--lr-step', '2:0.5']),
                     ('setting loss: "sigmoid"', ['--loss', 'sigmoid']),
                     ('setting checkpoint: "after each epoch"', ['--out', 'model']))
        net = rig.NET.replace('FC 16', 'FC 16 -> RELU -> ' * 8 + 'FC 16 -> %s')
        train = [rig.program, 'train', '--data', self.data(), '--threads', '1', '-q', '--net']
        self.refusal(3, 'rank 1: the network: ', (1, [*train, net % 'RELU']), (1, [*train, net % 'TANH']))

    def test_unequal_levels(self):
        lower = ['env', 'CNNBLAS_ISA=baseline', rig.program, 'train', '-q', '--threads', '1']
        out, _ = self.run_command('info')
        if 'instruction set baseline' in out:
            self.skipTest('there is no lower level')
        self.refusal(3, 'rank 1: on ', (1, [rig.program, 'train', '-q', '--threads', '1']), (1, lower))

    def test_predict(self):
        data = self.data(counts=(300, 40))
        self.run_command('train', '--data', data, '--net', rig.NET, '--epochs', '1', '-q', '--out', 'model')
        images = os.path.join(data, rig.NAMES['train'][0])
        rig.write(self.path('grey.pgm'), b'P5 8 8 255 ' + bytes(range(64)))
        line = ['predict', '--model', 'model', '--json', 'report', images, 'grey.pgm']
        out, _ = self.run_command(*line)
        report = rig.read(self.path('report'))
        other, _ = self.ranks(4, *line, '--threads', '1')
        self.assertEqual(out, other)
        self.assertEqual(report, rig.read(self.path('report')))

    def test_one_message(self):
        """What all ranks meet is said once, and what one alone meets by that one, before MPI begins too."""
        train = ['train', '--data', self.data(), '--net', rig.NET, '--epochs', '1', '-q']
        self.run_command(*train, '--out', 'model')
        self.refusal(3, ': rank 0: missing.png: No such file', (2, [rig.program, 'predict', '--model', 'model', 'missing.png']))
        self.refusal(2, 'cnnblas train: rank 1: --bogus is not an option', (1, [rig.program, *train]),
                     (1, [rig.program, *train, '--bogus']))
        self.refusal(2, 'cnnblas: "trian" is no command; cnnblas --help lists them', (2, [rig.program, 'trian']))

    def test_usage(self):
        self.refusal(2, 'cnnblas info: --bogus is not an option', (2, [rig.program, 'info', '--bogus']))
        self.refusal(2, 'cnnblas eval: -x is not an option', (2, [rig.program, 'eval', '-x']))
        self.refusal(2, 'cnnblas train: --batch: the option lacks its value', (2, [rig.program, 'train', '--batch']))
        self.refusal(2, 'cnnblas train: --quiet=1: the option takes no value', (2, [rig.program, 'train', '--quiet=1']))
        _, err = self.ranks(2, status=2)
        self.assertEqual(err.count('usage: cnnblas COMMAND'), 1, err)
        # A launcher that is not recognised: --mpi says so. What is kept for one rank to say is kept whole.
        _, err = self.run_command('inspect', '--mpi', '--net', 'NET googlenet', '--input', '3x2x2', status=2, env=mpi.ENVIRONMENT)
        self.assertTrue(err.rstrip().endswith('FC 1000'), err[-200:])

    def test_progress(self):
        _, err = self.ranks(2, 'train', '--data', self.data(), '--threads', '1', '--progress', 'always', '--epochs', '1', '--net',
                            rig.NET)
        self.assertEqual(err.count('epoch 1/1'), 1, err)

    def test_not_finite(self):
        data = self.data()
        _, err = self.ranks(2, 'train', '--data', data, '--net', rig.NET, '--lr', '1e30', '--threads', '1', '-q', status=1)
        self.assertRegex(self.told(err)[0], r'step \d+: rank \d: the output of \w+ is the first that is not finite')

    def test_full_disk(self):
        data = self.data()
        train = [rig.program, 'train', '--data', data, '--net', 'INPUT -> FC 20000 -> FC', '--epochs', '1000', '--threads', '1',
                 '-q', '--out', 'model']
        full = "trap '' XFSZ; ulimit -f 9000; exec \"$@\""  # of files: MPI's own of shared memory are smaller
        self.refusal(4, 'rank 0: model.checkpoint: cannot write', (1, ['sh', '-c', full, 'sh', *train]), (1, train))
        self.assertFalse(os.path.exists(self.path('model.checkpoint')))

    def test_signal(self):
        """One rank gets it: all end after the same step, say so once, and leave a checkpoint."""
        data = self.data()
        train = ['train', '--data', data, '--net', rig.NET, '--threads', '1', '-q', '--segments', '4']
        run = self.launch((2, [rig.program, *train, '--epochs', '100000', '--out', 'model']))
        pids = self.pids(run, 2)
        self.wait_for('model.checkpoint', run)
        os.kill(pids[1], signal.SIGTERM)
        _, err = run.communicate()
        self.assertEqual(run.returncode, 128 + signal.SIGTERM, err)
        self.assertEqual(self.told(err), ['cnnblas train: interrupted; go on with: --resume model.checkpoint'])
        out, _ = self.run_command('inspect', 'model.checkpoint')
        self.assertIn('momentum', out)

    def test_stopped(self):
        data = self.data()
        run = self.launch((4, [rig.program, 'train', '--data', data, '--net', rig.NET, '--threads', '1', '-q', '--epochs', '100000',
                               '--out', 'model']), patience=3)
        pids = self.pids(run, 4)
        self.wait_for('model.checkpoint', run)
        os.kill(pids[2], signal.SIGSTOP)
        begun = time.monotonic()
        _, err = run.communicate()
        self.assertLess(time.monotonic() - begun, 30)
        self.assertEqual(len(self.told(err)), 1, err)
        self.assertIn('process %d ' % pids[2], self.told(err)[0])

    def pids(self, run, count):
        """The processes of an mpirun, by rank."""
        while run.poll() is None:
            found = {}
            for pid in filter(str.isdigit, os.listdir('/proc')):
                try:
                    words = rig.read('/proc/%s/environ' % pid).split(b'\0')
                    is_ours = os.readlink('/proc/%s/cwd' % pid) == os.path.realpath(self.folder)
                    is_ours = is_ours and os.readlink('/proc/%s/exe' % pid) == os.path.realpath(rig.program)
                except OSError:
                    continue
                for word in words:
                    name, _, value = word.partition(b'=')
                    if is_ours and name in (b'OMPI_COMM_WORLD_RANK', b'PMI_RANK'):
                        found[int(value)] = int(pid)
            if len(found) == count:
                return found
            time.sleep(0.01)
        self.fail(run.communicate()[1])

    def wait_for(self, name, run):
        while not os.path.exists(self.path(name)):
            if run.poll() is not None:
                self.fail(run.communicate()[1])
            time.sleep(0.01)

    def test_kills(self):
        """A rank killed at any moment: one message names it, all end, and the checkpoint can be read."""
        numbers = random.Random(SEED)
        data = self.data()
        for number in range(KILLS):
            run = self.launch((4, [rig.program, 'train', '--data', data, '--net', rig.NET, '--threads', '1', '-q', '--epochs',
                                   '100000', '--out', 'model']))
            pids = self.pids(run, 4)
            self.wait_for('model.checkpoint', run)
            time.sleep(numbers.random() * 0.3)
            rank = numbers.randrange(4)
            begun = time.monotonic()
            os.kill(pids[rank], signal.SIGKILL)
            out, err = run.communicate()
            self.assertLess(time.monotonic() - begun, 30)
            self.assertNotEqual(run.returncode, 0)
            self.assertLessEqual(len(self.told(err)), 1, err)
            # MPICH's launcher ends all at once and says which process it was; those of OpenMPI have time to speak.
            self.assertRegex(out + err, r'rank %d\b' % rank if FLAVOUR == 'OpenMPI' else r'PID %d\b|EXIT CODE: 9' % pids[rank])
            for pid in pids.values():
                self.assertFalse(os.path.exists('/proc/%d' % pid) and b'train' in rig.read('/proc/%d/cmdline' % pid))
            self.run_command('inspect', 'model.checkpoint')
            os.remove(self.path('model.checkpoint'))
            print('kill %d: rank %d, exit %d, %.1f s, %s' % (number + 1, rank, run.returncode, time.monotonic() - begun,
                                                           self.told(err)))


rig.main()
