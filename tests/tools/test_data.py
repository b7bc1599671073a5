"""Bad data folders: every refusal names the file and what is wrong with it."""
import gzip
import os

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
                (0, rig.idx(8, [0, 8, 8], b''), 'no pixels'), (0, rig.idx(8, [2 ** 32 - 1] * 3, b'x' * 50), '63 bits'),
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


rig.main()
