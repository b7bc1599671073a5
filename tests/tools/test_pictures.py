"""The command's pictures: curves, confusion, filters and feature maps; with gnuplot and without."""
import os
import shutil

import rig

HAVE_GNUPLOT = shutil.which('gnuplot') is not None
SIGNATURES = {'.png': b'\x89PNG\r\n\x1a\n', '.svg': b'<?xml'}


class Pictures(rig.CommandTest):
    def setUp(self):
        super().setUp()
        self.data = rig.write_data(self.path('data'))
        self.run_command('train', '--data', self.data, '--net', rig.NET, '--epochs', '2', '--out', 'm', '-q')
        self.images = os.path.join(self.data, 't10k-images-idx3-ubyte')
        pixels = rig.shapes(7, 1)[0]
        rig.write(self.path('one.png'), rig.png(8, 8, 1, [pixels[i:i + 8] for i in range(0, 64, 8)]))

    def drawings(self, ending):
        train = ['train', '--data', self.data, '--net', rig.NET, '--epochs', '2', '-q']
        return {'curves' + ending: [*train, '--plot', 'curves' + ending],
                'table' + ending: ['eval', '--model', 'm', '--data', self.data, '--confusion-plot', 'table' + ending],
                'filters' + ending: ['inspect', 'm', '--filters', 'filters' + ending],
                'maps' + ending: ['inspect', 'm', '--activations', 'one.png', 'maps' + ending],
                'dark' + ending: ['inspect', 'm', '--invert', '--activations', 'one.png', 'dark' + ending],
                'idx' + ending: ['inspect', 'm', '--activations', self.images, 'idx' + ending]}

    def test_drawn(self):
        for ending, signature in SIGNATURES.items():
            for name, command in self.drawings(ending).items():
                out, _ = self.run_command(*command)
                if HAVE_GNUPLOT:
                    self.assertTrue(rig.read(self.path(name)).startswith(signature), name)
                    self.assertGreater(len(rig.read(self.path(name))), 1000, name)
                    self.assertFalse(os.path.exists(self.path(name + '.gp')), name)
                else:
                    self.assertIn('gnuplot is not installed', out)

    def test_without_gnuplot(self):
        for name, command in self.drawings('.png').items():
            out, _ = self.run_command(*command, env={'PATH': '/nowhere'})
            self.assertIn('gnuplot is not installed: %s.gp' % name, out)
            self.assertIn('EOD', rig.read(self.path(name + '.gp')).decode(), name)
            self.assertFalse(os.path.exists(self.path(name)), name)

    def test_the_same_weights_and_counts_are_drawn(self):
        self.run_command('eval', '--model', 'm', '--data', self.data, '--confusion-plot', 't.svg', env={'PATH': '/nowhere'})
        cells = [line.split() for line in rig.read(self.path('t.svg.gp')).decode().split('EOD')[1].strip().splitlines()]
        self.assertEqual(sum(int(cell[3]) for cell in cells), 100)

    def test_refused(self):
        for option in (['train', '--plot'], ['eval', '--model', 'm', '--confusion-plot'], ['inspect', 'm', '--filters'],
                       ['inspect', 'm', '--activations', 'one.png']):
            self.refused(2, '.svg or .png', *option, 'curves.jpg')
            self.refused(4, 'cannot create', *option, 'no/such/place.svg')
        self.refused(2, 'IMAGE and a FILE', 'inspect', 'm', '--activations', 'one.png')
        self.refused(2, 'a notation has no weights', 'inspect', '--net', 'INPUT 4 -> FC 2', '--filters', 'f.svg')
        rig.write(self.path('torn.pgm'), b'P5 9 9 255\n')
        self.refused(3, 'torn.pgm', 'inspect', 'm', '--activations', 'torn.pgm', 'a.svg')
        self.refused(3, 'absent.png', 'inspect', 'm', '--activations', 'absent.png', 'a.svg')
        self.run_command('train', '--data', self.data, '--net', 'INPUT -> FC', '--epochs', '1', '--out', 'plain', '-q')
        self.refused(3, 'no convolution', 'inspect', 'plain', '--filters', 'f.svg')
        other = rig.write_data(self.path('other'), size=6)
        self.refused(3, ['1x6x6', '1x8x8'], 'inspect', 'm', '--activations',
                     os.path.join(other, 't10k-images-idx3-ubyte'), 'a.svg')


rig.main()
