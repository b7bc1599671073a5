"""Bad data folders: every refusal names the file and what is wrong with it."""
import gzip
import json
import os
import random

import rig


class Data(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'))
        self.train = ['train', '--data', self.data, '--net', rig.NET, '--epochs', '1', '-q']

    def file(self, half, which):
        return os.path.join(self.data, rig.NAMES[half][which])

    def test_labels_above_the_classes(self):
        labels = bytearray(rig.read(self.file('t10k', 1)))
        labels[8 + 17] = 4
        rig.write(self.file('t10k', 1), labels)
        self.refused(3, ['t10k-labels-idx1-ubyte', 'label 17 is 4', '4 classes'], *self.train)
        self.run_command(*self.train[:3], '--net', 'INPUT -> FC 5', '--epochs', '1', '-q', '--out', 'm')
        self.refused(3, ['train-labels', 'is 3', '3 classes'], *self.train[:3], '--net', 'INPUT -> FC 3')
        labels[8 + 17] = 9
        rig.write(self.file('t10k', 1), labels)
        self.refused(3, ['label 17 is 9', '5 classes'], 'eval', '--model', 'm', '--data', self.data)

    def test_broken_files(self):
        images, labels = rig.read(self.file('train', 0)), rig.read(self.file('train', 1))
        for which, data, words in [
                (0, images[:-1], 'sizes ask for'), (0, images[:9], 'ends within its sizes'),
                (0, images[:3], 'ends within its magic number'), (0, b'', 'ends within its magic number'),
                (0, images + b'x', 'goes on after'), (0, b'\x01' + images[1:], 'magic number 01000803'),
                (0, images[:2] + b'\x07' + images[3:], 'is not that of an IDX'), (0, labels, '1 axes; images have 3'),
                (0, images[:3] + b'\x05' + images[4:], '5 axes'), (1, labels[:-1], 'sizes ask for'),
                (1, rig.idx(8, [399], labels[8:-1]), ['399 labels', '400 images']), (1, images, 'along 1 axis'),
                (0, rig.idx(8, [0, 8, 8], b''), 'no pixels'),
                (0, rig.idx(8, [400, 8, 8, 3], bytes(400 * 192)), ['400 x 8 x 8 x 3 look like n, h, w, c', 'must be n, c, h, w']), (0, rig.idx(8, [2 ** 32 - 1] * 3, b'x' * 50), '63 bits'),
                (0, gzip.compress(images)[:-4], 'ends within'), (0, gzip.compress(images[:-1]), 'ends within'),
                (0, gzip.compress(images + b'x'), 'goes on after'), (0, gzip.compress(images)[:30], 'ends within'),
                (0, gzip.compress(images)[:-8] + b'\0' * 8, 'damaged gzip'),
                (0, rig.idx(0x0d, [400, 8, 8], b'\x7f\xc0\0\0' * 25600), 'not finite'),
                (1, rig.idx(0x09, [400], b'\xff' * 400), 'label 0 is -1')]:
            rig.write(self.file('train', 0), images)
            rig.write(self.file('train', 1), labels)
            rig.write(self.file('train', which), data)
            self.refused(3, [rig.NAMES['train'][which]] + ([words] if isinstance(words, str) else words), *self.train)

    def test_missing_and_mismatched(self):
        os.rename(self.file('t10k', 1), self.path('away'))
        self.refused(3, ['t10k-labels-idx1-ubyte', self.data], *self.train)
        os.rename(self.path('away'), self.file('t10k', 1))
        rig.write(self.file('t10k', 0), rig.idx(8, [100, 4, 16], bytes(6400)))
        self.refused(3, ['t10k-images', '1x4x16', '1x8x8'], *self.train)

    def test_network_and_data_disagree(self):
        self.refused(2, ['--net', 'column'], *self.train[:3], '--net', 'INPUT 1x28x28 -> FC')
        self.refused(2, ['--net', 'column'], *self.train[:3], '--net', 'INPUT -> CONV 4@9x9 -> FC')

    def test_emnist(self):
        # The same data as EMNIST would store them: images of 8 x 6 transposed, labels counted from 1.
        plain, other = self.path('plain'), self.path('other')
        os.makedirs(plain), os.makedirs(other)
        for seed, (half, count) in enumerate((('train', 60), ('t10k', 20))):
            numbers = random.Random(seed)
            labels = bytes(numbers.randrange(3) for _ in range(count))
            rows = [[bytes(numbers.randrange(256) for _ in range(6)) for _ in range(8)] for _ in range(count)]
            for folder, turned, offset in ((plain, False, 0), (other, True, 1)):
                pixels = b''.join(bytes(column) for image in rows for column in zip(*image)) if turned else \
                    b''.join(row for image in rows for row in image)
                rig.write(os.path.join(folder, rig.NAMES[half][0]), rig.idx(8, [count, 6, 8] if turned else [count, 8, 6], pixels))
                rig.write(os.path.join(folder, rig.NAMES[half][1]), rig.idx(8, [count], bytes(l + offset for l in labels)))
        net = ['--net', 'INPUT -> CONV 4@3x3 -> RELU -> FC', '--epochs', '2', '--batch', '16', '-q']
        form = ['--transpose', '--label-offset', '1']
        self.run_command('train', '--data', plain, *net, '--out', 'a')
        self.run_command('train', '--data', other, *form, *net, '--out', 'b')
        self.assertEqual(rig.read(self.path('a')), rig.read(self.path('b')))
        images = os.path.join(other, rig.NAMES['t10k'][0])
        said = [self.run_command('eval', '--model', 'a', '--data', plain, '--json', '-')[0],
                self.run_command('eval', '--model', 'b', '--data', other, *form, '--json', '-')[0]]
        said = [json.loads(text) for text in said]
        self.assertEqual([said[0][key] for key in ('correct', 'loss')], [said[1][key] for key in ('correct', 'loss')])
        rows = [json.loads(self.run_command('predict', '--model', 'a', '--json', '-', *arguments)[0]) for arguments in
                ([os.path.join(plain, rig.NAMES['t10k'][0])], ['--transpose', images])]
        self.assertEqual([row['probabilities'] for row in rows[0]], [row['probabilities'] for row in rows[1]])
        self.refused(3, '1x6x8 pixels', 'predict', '--model', 'a', images)
        self.refused(3, 'it must be at least 2', 'train', '--data', other, '--transpose', '--label-offset', '2', *net)


rig.main()
