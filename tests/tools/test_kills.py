"""Killed while it saves: whatever the moment, the checkpoint that is left can be read.

usage: test_kills.py PROGRAM KILLS
"""
import os
import random
import subprocess
import sys
import time

import rig

KILLS = int(sys.argv.pop())
SEED = 20240701


class Kills(rig.CommandTest):
    def test_kills(self):
        print('%d kills, seed %d' % (KILLS, SEED))
        numbers = random.Random(SEED)
        data = rig.write_data(self.path('data'), counts=(64, 16))
        # A network whose file takes longer to write than its epochs to train.
        net = 'INPUT -> CONV 4@3x3 -> RELU -> FC 2000 -> RELU -> FC'
        whole = ['train', '--data', data, '--net', net, '--batch', '64', '--threads', '1', '-q', '--checkpoint', 'run.ck']
        self.run_command(*whole, '--epochs', '1')
        read, torn, done = 0, 0, 0
        while done < KILLS:
            run = subprocess.Popen([rig.program, *whole, '--epochs', '100000'], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
            before = os.stat(self.path('run.ck')).st_ino
            while os.stat(self.path('run.ck')).st_ino == before and run.poll() is None:
                time.sleep(0.0005)  # until it saves: from here on it does hardly anything else
            time.sleep(numbers.random() * 0.02)
            run.kill()
            self.assertEqual(run.wait(), -9)
            done += 1
            left = [name for name in os.listdir(self.folder) if name not in ('data', 'run.ck')]
            torn += len(left)
            for name in left:
                os.remove(self.path(name))
            out, _ = self.run_command('inspect', 'run.ck')
            self.assertIn('momentum', out)
            read += 1
        print('%d checkpoints read, %d temporary files were left behind' % (read, torn))


rig.main()
