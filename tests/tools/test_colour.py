"""Colour images: CIFAR-10's files, folders of pictures by class, JPEG; names of classes, and each channel's mean and deviation."""
import base64
import json
import os
import random
import subprocess

import rig

NET = 'INPUT -> CONV 4@3x3 pad same -> RELU -> POOL max 2 -> FC'
CLASSES = ['green', 'red', 'violet']
COLOURS = [(40, 200, 40), (200, 30, 30), (150, 40, 200)]
# 16 x 12 pixels: red is 200 in the left half and 40 in the right, green 180 above and 60 below, blue 100.
JPEG = base64.b64decode(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDA'
    'sKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAM'
    'ABADAREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhBy'
    'JxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKT'
    'lJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAA'
    'AAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRom'
    'JygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExc'
    'bHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD33/hrb9nz/ooH/lKu/wD41X89f6m8Sf8APj/yaH/yR+7f8Q/4'
    'u/6Bv/J6f/yZ8gf8NZ/s/f8AQ/8A/lKu/wD41X7Z/qbxJ/z4/wDJof8AyR/l/wD8Q/4u/wCgb/yen/8AJmTXSf7rHyHX7Yf5fn//2Q==')
PROGRESSIVE = base64.b64decode(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDA'
    'sKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wgARCAAM'
    'ABADAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABwQG/8QAFwEAAwEAAAAAAAAAAAAAAAAAAwYIB//aAAwDAQACEAMQAAAB32ePZA7S/I'
    'W6yF2l/wD/xAAXEAADAQAAAAAAAAAAAAAAAAAABhYQ/9oACAEBAAEFAq1fKxf3/8QAGxEAAAcBAAAAAAAAAAAAAAAAAAIFFlOh0RD/2gAIAQMB'
    'AT8Bb6vHZdDfV47Lvf/EABsRAAAHAQAAAAAAAAAAAAAAAAABBRVSodEQ/9oACAECAQE/AWZShZaGZShZb3//xAAaEAABBQEAAAAAAAAAAAAAAA'
    'ACABA0o9E1/9oACAEBAAY/AuhUWKfUWP8A/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABPyEZVf/aAAwDAQACAAMAAAAQyA//xAAUEQEA'
    'AAAAAAAAAAAAAAAAAAAg/9oACAEDAQE/EAab/8QAFBEBAAAAAAAAAAAAAAAAAAAAIP/aAAgBAgEBPxAFFf/EABQQAQAAAAAAAAAAAAAAAAAAAC'
    'D/2gAIAQEAAT8QC/8A/9k=')


def ppm(numbers, colour, width=10, height=10):
    return b'P6 %d %d 255\n' % (width, height) + bytes(max(0, min(255, value + numbers.randrange(-30, 31)))
                                                       for _ in range(width * height) for value in colour)


class Colour(rig.CommandTest):
    def folders(self, top, halves=(('train', 20), ('test', 5))):
        numbers = random.Random(3)
        for half, count in halves:
            for name, colour in zip(CLASSES, COLOURS):
                os.makedirs(os.path.join(top, half, name))
                for i in range(count):
                    rig.write(os.path.join(top, half, name, '%d.ppm' % i), ppm(numbers, colour, 8 + i % 5, 9 + i % 3))
        return top

    def train(self, data, *more, status=0):
        return self.run_command('train', '--data', data, '--net', NET, '--epochs', '4', '--batch', '8', '--out', 'm', *more,
                                status=status)

    def test_folders(self):
        data = self.folders(self.path('data'))
        rig.write(os.path.join(data, 'train', 'red', 'notes.txt'), b'not a picture')
        rig.write(os.path.join(data, 'train', '.hidden'), b'')
        out, _ = self.train(data, '--net', NET.replace('INPUT', 'INPUT 3x8x8'))
        self.assertIn('60 images of 3x8x8 to train, 15 to test', out)
        self.assertIn('test accuracy 100.00% (15 of 15)', out)
        found = json.loads(self.run_command('eval', '--model', 'm', '--data', data, '--json', '-')[0])
        self.assertEqual([(row['name'], row['precision'], row['recall']) for row in found['classes']],
                         [(name, 1, 1) for name in CLASSES])
        self.assertIn('100.0%    100.0%  1 red', self.run_command('eval', '--model', 'm', '--data', data, '--classes')[0])
        one = os.path.join(data, 'test', 'violet', '3.ppm')
        self.assertIn(': violet (', self.run_command('predict', '--model', 'm', one)[0])
        row = json.loads(self.run_command('predict', '--model', 'm', '--json', '-', one)[0])[0]
        self.assertEqual((row['class'], row['name']), (2, 'violet'))

    def test_folders_resumed(self):
        """Images are read in a thread of their own where they are not held; bits do not depend on threads, breaks or the place."""
        data = self.folders(self.path('data'))
        settings = ['--input', '3x8x8', '--augment', 'flip,crop:2,cutout:3', '--validation', '0.2']
        self.train(data, *settings)
        whole = rig.read(self.path('m'))
        self.train(data, *settings, '--threads', '1')
        self.assertEqual(rig.read(self.path('m')), whole)
        self.train(data, *settings, '--epochs', '2', '--checkpoint', 'half')
        os.rename(data, self.path('moved'))
        self.run_command('train', '--data', self.path('moved'), '--resume', 'half', '--epochs', '4', '--out', 'm')
        self.assertEqual(rig.read(self.path('m')), whole)

    def test_bad_folders(self):
        data = self.folders(self.path('data'))
        net = ['train', '--data', data, '--net', NET, '-q']
        self.refused(3, ['--input CxHxW', data], *net)
        self.refused(3, 'the network takes 2', *net, '--input', '2x8x8')
        self.refused(3, 'sides are at most', *net, '--input', '3x8x99999')
        torn = os.path.join(data, 'train', 'red', '7.ppm')
        rig.write(torn, rig.read(torn)[:50])
        self.refused(3, [torn, 'ends within its pixels'], *net, '--input', '3x8x8')
        os.remove(torn)
        torn = os.path.join(data, 'test', 'red', '2.ppm')  # read after the epoch, by the other thread
        rig.write(torn, rig.read(torn)[:50])
        self.refused(3, [torn, 'ends within its pixels'], *net, '--input', '3x8x8')
        os.rename(os.path.join(data, 'test', 'red'), os.path.join(data, 'test', 'blue'))
        self.refused(3, ['"blue" is none of the 3 classes', 'test'], *net, '--input', '3x8x8')
        os.makedirs(os.path.join(data, 'train', 'black'))
        self.refused(3, ['black', 'no picture'], *net, '--input', '3x8x8')
        self.refused(3, ['nowhere: No such file'], 'train', '--data', 'nowhere')
        plain = self.folders(self.path('plain'), (('.', 6),))
        self.refused(3, ['no test images', '--validation 0.1'], 'train', '--data', plain, '--net', NET, '--input', '3x8x8')
        self.train(plain, '--input', '3x8x8', '--validation', '0.3')

    def cifar(self, folder):
        os.makedirs(folder)
        numbers = random.Random(1)
        for file, count in (('data_batch_1.bin', 30), ('data_batch_2.bin', 30), ('test_batch.bin', 12)):
            records = bytearray()
            for i in range(count):
                records.append(i % 3)
                for value in COLOURS[i % 3]:
                    records += bytes(value + numbers.randrange(-30, 31) for _ in range(1024))
            rig.write(os.path.join(folder, file), records)
        rig.write(os.path.join(folder, 'batches.meta.txt'), b'\n'.join(b'class%d' % i for i in range(10)) + b'\n\n')
        return folder

    def test_cifar(self):
        data = self.cifar(self.path('data'))
        out, _ = self.train(data)
        for words in ('60 images of 3x32x32 to train, 12 to test', 'FC 10', 'test accuracy 100.00%'):
            self.assertIn(words, out)
        found = json.loads(self.run_command('inspect', 'm', '--json', '-')[0])['metadata']
        self.assertEqual(json.loads(found['class_names']), ['class%d' % i for i in range(10)])
        for channel, mean in enumerate(found['input_mean'].split(',')):
            self.assertAlmostEqual(float(mean), sum(colour[channel] for colour in COLOURS) / 3, delta=1)
        self.assertEqual(len(found['input_scale'].split(',')), 3)
        batch = os.path.join(data, 'data_batch_2.bin')
        whole = rig.read(batch)
        for bad, words in ((whole[:-1], 'make a multiple of 3073'), (b'', 'multiple of 3073'),
                           (whole[:3073] + b'\x0a' + whole[3074:], 'image 1: label 10')):
            rig.write(batch, bad)
            self.refused(3, ['data_batch_2.bin', words], 'train', '--data', data, '--net', NET)
        rig.write(batch, whole)
        for bad, words in ((b'a\n\nb\n', 'line 2 is empty'), (b'a\nb\na\n', 'comes twice'), (b'a\nb\n', '2 names')):
            rig.write(os.path.join(data, 'batches.meta.txt'), bad)
            self.refused(3, ['batches.meta.txt', words], 'train', '--data', data, '--net', NET)

    def test_jpeg(self):
        data = self.folders(self.path('data'))
        for kind, picture in (('a', JPEG), ('b', PROGRESSIVE)):
            rig.write(os.path.join(data, 'train', 'red', kind + '.jpg'), picture)
        done = subprocess.run([rig.program, 'train', '--data', data, '--net', NET, '--input', '3x8x8', '--epochs', '1', '--out', 'm',
                               '-q'], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if 'without libjpeg' in done.stdout:
            self.skipTest('built without libjpeg-turbo')
        self.assertEqual(done.returncode, 0, done.stdout)
        rig.write(self.path('p.jpg'), JPEG)
        rows = [bytes(value for x in range(16) for value in (200 if x < 8 else 40, 180 if y < 6 else 60, 100)) for y in range(12)]
        rig.write(self.path('p.ppm'), b'P6 16 12 255\n' + b''.join(rows))
        said = [json.loads(self.run_command('predict', '--model', 'm', '--json', '-', name)[0])[0]['probabilities']
                for name in ('p.jpg', 'p.ppm')]
        for one, other in zip(*said):
            self.assertAlmostEqual(one, other, delta=0.02)
        frame = b'\xff\xc0\x00\x11\x08'
        for bad, words in ((JPEG[:-40], 'damaged JPEG'), (JPEG[:20], 'damaged JPEG'),
                           (JPEG.replace(frame + b'\x00\x0c\x00\x10', frame + b'\xff\xdc\xff\xdc'), 'sides are 1 to'),
                           (JPEG.replace(frame + b'\x00\x0c\x00\x10', frame + b'\x40\x00\x40\x00'), 'a picture has at most')):
            self.assertNotEqual(bad, JPEG)
            rig.write(self.path('bad.jpg'), bad)
            self.refused(3, ['bad.jpg', words], 'predict', '--model', 'm', 'bad.jpg')


rig.main()
