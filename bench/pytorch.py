#!/usr/bin/env python3
"""Training by `cnnblas train` and by PyTorch: images a second in turns, and the losses of the same steps compared.

usage: pytorch.py [--build DIR] [--threads N] [--rounds N] [--seconds S] [--json FILE] [NETWORK[=RATIO]]...

Networks: resnet20 (3x32x32, batch 64, Nesterov's momentum), lenet5 (1x28x28, batch 64, SGD with momentum); without any, both.
In every round cnnblas, PyTorch in its NCHW arrays and PyTorch in channels_last run for about --seconds (4) each, in
processes of their own, another one first in each round; --rounds is 3. A side's figure is its fastest run: of cnnblas whole
epochs with reading, shuffling and normalising, of PyTorch steps on one batch that lies ready. Before, both train from the
same weights on one batch, and the losses of five steps may differ by 1e-3 of their value. The exit status is 1 if they
differ, or if the ratio to NCHW is below RATIO. Without PyTorch (python3-torch) one line says so, and the status is 77.
"""
import gzip
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import side_by_side

SKIPPED = 77
NETWORKS = {
    'resnet20': {'shape': (3, 32, 32), 'net': 'NET resnet20', 'optimiser': 'nesterov', 'lr': 0.1, 'decay': 5e-4},
    'lenet5': {'shape': (1, 28, 28), 'optimiser': 'sgd', 'lr': 0.02, 'decay': 0.0,
               'net': 'INPUT -> [CONV 6@5x5 pad 2 -> RELU -> POOL max 2] -> [CONV 16@5x5 -> RELU -> POOL max 2] -> '
                      'FC 120 -> RELU -> FC 84 -> RELU -> FC'}}
BATCH, STEPS, CLASSES = 64, 5, 10
CHECKED_LR = 0.01  # at which steps do not yet carry one rounding error to the next many times over


# ---- PyTorch's side, a process of its own: pytorch.py --side JSON ----

def torch_network(torch, name):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.main = nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
                nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
            self.beside = nn.Identity() if stride == 1 else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

        def forward(self, x):
            return nn.functional.relu(self.main(x) + self.beside(x))

    if name == 'resnet20':
        blocks = [Block(16 * 2**max(i - (not j), 0) if i else 16, 16 * 2**i, 2 if i and not j else 1)
                  for i in range(3) for j in range(3)]
        return nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True), *blocks,
                             nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, CLASSES))


def read_safetensors(path):
    """(metadata, {name: (shape, bytes)})"""
    with open(path, 'rb') as file:
        head = json.loads(file.read(struct.unpack('<Q', file.read(8))[0]))
        body = file.read()
    metadata = head.pop('__metadata__')
    return metadata, {name: (t['shape'], body[slice(*t['data_offsets'])]) for name, t in head.items()}


def take_weights(torch, network, tensors):
    """Both number convolutions, batch normalisations and connected layers from the input to the output."""
    counts = {}
    for layer in network.modules():
        kind = {torch.nn.Conv2d: 'conv', torch.nn.BatchNorm2d: 'bn', torch.nn.Linear: 'fc'}.get(type(layer))
        if not kind:
            continue
        counts[kind] = counts.get(kind, 0) + 1
        for part in ('weight', 'bias'):
            parameter = getattr(layer, part)
            if parameter is not None:
                shape, data = tensors['%s%d.%s' % (kind, counts[kind], part)]
                values = torch.frombuffer(bytearray(data), dtype=torch.float32)
                parameter.data.copy_(values.reshape(shape).reshape(parameter.shape))


def torch_side(job):
    import time
    import torch
    torch.set_num_threads(job['threads'])
    spec, network = NETWORKS[job['network']], torch_network(torch, job['network'])
    layout = torch.channels_last if job['channels_last'] else torch.contiguous_format
    x, y = torch.randn(BATCH, *spec['shape']), torch.randint(0, CLASSES, (BATCH,))
    momentum = 0.9
    if job.get('model'):
        metadata, tensors = read_safetensors(job['model'])
        take_weights(torch, network, tensors)
        mean = torch.tensor([float(v) for v in metadata['input_mean'].split(',')]).reshape(-1, 1, 1)
        scale = torch.tensor([float(v) for v in metadata['input_scale'].split(',')]).reshape(-1, 1, 1)
        pixels = torch.frombuffer(bytearray(job['pixels'].encode('latin-1')), dtype=torch.uint8)
        x = (pixels.reshape(x.shape).float() - mean) * scale
        y, momentum = torch.tensor(job['labels']), 0
    network, x = network.to(memory_format=layout), x.to(memory_format=layout)
    checked = bool(job.get('model'))
    optimiser = torch.optim.SGD(network.parameters(), CHECKED_LR if checked else spec['lr'], momentum=momentum,
                                nesterov=spec['optimiser'] == 'nesterov' and momentum > 0,
                                weight_decay=0 if checked else spec['decay'])

    def step():
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x), y)
        loss.backward()
        optimiser.step()
        return loss.item()

    losses = [step() for _ in range(STEPS)]
    best, begin = float('inf'), time.time()
    while time.time() - begin < job['seconds']:
        at = time.time()
        step()
        best = min(best, time.time() - at)
    print(json.dumps({'losses': losses, 'speed': BATCH / best, 'version': torch.__version__}))


# ---- both, in turns ----

def write_data(folder, shape, count):
    """`count` random images with labels that can be learnt, as MNIST's files: (pixels, labels)."""
    numbers = random.Random(1)
    size = shape[0] * shape[1] * shape[2]
    labels = [numbers.randrange(CLASSES) for _ in range(count)]
    pixels = bytearray()
    for label in labels:
        row = bytes(numbers.randrange(256) if i % CLASSES else 25 * label for i in range(shape[2]))
        pixels += bytes(v ^ numbers.randrange(32) for v in row * (size // shape[2]))
    for half, of in (('train', count), ('t10k', BATCH)):
        for name, sizes, data in (('images-idx4', (of, *shape), pixels[:of * size]), ('labels-idx1', (of,), bytes(labels[:of]))):
            head = struct.pack('>HBB', 0, 8, len(sizes)) + struct.pack('>%dI' % len(sizes), *sizes)
            with gzip.open('%s/%s-%s-ubyte.gz' % (folder, half, name), 'wb', 1) as file:
                file.write(head + data)
    return pixels, labels


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit('%s: exit status %d: %s' % (' '.join(command), done.returncode, done.stderr))
    return json.loads(done.stdout)


def run_torch(options, name, **job):
    job = {'network': name, 'threads': options.threads, 'seconds': options.seconds, **job}
    with tempfile.NamedTemporaryFile('w', suffix='.json', encoding='utf-8') as file:
        json.dump(job, file)
        file.flush()
        return run([options.python, os.path.abspath(__file__), '--side', file.name])


def run_ours(options, spec, folder, *more):
    return run([options.build + '/tools/cnnblas', 'train', '--data', folder, '--net', spec['net'], '--batch', str(BATCH), '--threads',
                str(options.threads), '--no-checkpoint', '--json', '-', *more])


def losses_apart(options, name):
    """The largest relative difference of five steps' losses, from the same weights."""
    spec = NETWORKS[name]
    with tempfile.TemporaryDirectory() as folder:
        pixels, labels = write_data(folder, spec['shape'], BATCH)
        model = folder + '/begin.safetensors'
        run_ours(options, spec, folder, '--epochs', '1', '--lr', str(spec['lr']), '--out', model)
        ours = run_ours(options, spec, folder, '--epochs', str(STEPS), '--init-from', model, '--momentum', '0',
                        '--lr', str(CHECKED_LR))
        theirs = run_torch(options, name, channels_last=False, model=model, pixels=pixels.decode('latin-1'), labels=labels, seconds=0)
    return max(abs(row['train_loss'] - loss) / abs(loss) for row, loss in zip(ours['epochs'], theirs['losses']))


def compare(options, name):
    spec, speeds, version = NETWORKS[name], ([], [], []), ''
    with tempfile.TemporaryDirectory() as folder:
        write_data(folder, spec['shape'], 32 * BATCH)
        more = ['--optimiser', spec['optimiser'], '--weight-decay', str(spec['decay']), '--lr', str(spec['lr'])]
        once = run_ours(options, spec, folder, *more, '--epochs', '2')['epochs'][-1]['images_per_second']
        epochs = max(2, round(options.seconds * once / (32 * BATCH)))
        for i in range(options.rounds):
            for side in ((0, 1, 2), (1, 2, 0), (2, 0, 1))[i % 3]:
                if side:
                    told = run_torch(options, name, channels_last=side == 2)
                    speeds[side].append(told['speed'])
                    version = told['version']
                else:
                    rows = run_ours(options, spec, folder, *more, '--epochs', str(epochs))['epochs']
                    speeds[0].append(max(row['images_per_second'] for row in rows))
    ours, nchw, last = map(max, speeds)
    return {'network': name, 'threads': options.threads, 'cnnblas': ours, 'pytorch_nchw': nchw, 'pytorch_channels_last': last,
            'ratio_nchw': ours / nchw, 'ratio_channels_last': ours / last, 'difference': losses_apart(options, name),
            'pytorch': version, 'level': os.environ.get('CNNBLAS_ISA', '')}


def main():
    if len(sys.argv) == 3 and sys.argv[1] == '--side':
        with open(sys.argv[2], encoding='utf-8') as file:
            return torch_side(json.load(file))
    parser = side_by_side.parser(__doc__, 3, 4)
    parser.add_argument('--python', default='/usr/bin/python3')
    parser.add_argument('networks', nargs='*')
    options = parser.parse_args()
    if subprocess.run([options.python, '-c', 'import torch'], stderr=subprocess.DEVNULL, check=False).returncode:
        print('skipped: %s has no PyTorch (python3-torch)' % options.python)
        return SKIPPED
    rows, bad = [], False
    print('%-10s %12s %12s %14s %7s %7s %9s' % ('network', 'cnnblas /s', 'NCHW /s', 'channels_last', 'ratio', 'ratio', 'apart'))
    for text in options.networks or NETWORKS:
        name, least, mark = side_by_side.named_ratio(text)
        if name not in NETWORKS:
            sys.exit('%s: networks are %s' % (name, ', '.join(NETWORKS)))
        row = compare(options, name)
        low = row['ratio_nchw'] < least
        rows.append(row)
        bad = bad or low or not row['difference'] <= 1e-3
        print('%-10s %12.0f %12.0f %14.0f %7.2f %7.2f %9.1e%s' % (
            name, row['cnnblas'], row['pytorch_nchw'], row['pytorch_channels_last'], row['ratio_nchw'], row['ratio_channels_last'],
            row['difference'], mark if low else ''), flush=True)
    print('PyTorch %s, %d threads; ratios of images a second, above 1: cnnblas is faster' % (rows[0]['pytorch'], options.threads))
    side_by_side.write_rows(options.json, rows)
    return int(bad)


if __name__ == '__main__':
    sys.exit(main())
