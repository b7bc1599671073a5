#!/usr/bin/env python3
"""usage: trained_model_test.py PROGRAM CNNBLAS   two classes of pictures, a model of them, and PROGRAM names a picture's class"""
import os
import subprocess
import sys
import tempfile


def picture(path, colour):
    with open(path, 'wb') as file:
        file.write(b'P6 8 8 255\n' + bytes(colour) * 64)


def main():
    program, cnnblas = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        for part, count in ('train', 8), ('test', 2):
            for name, colour in ('red', (200, 10, 20)), ('blue', (10, 20, 220)):
                folder = os.path.join(work, 'data', part, name)
                os.makedirs(folder)
                for i in range(count):
                    picture(os.path.join(folder, '%d.ppm' % i), [min(255, v + 3 * i) for v in colour])
        model = os.path.join(work, 'model.safetensors')
        subprocess.run([cnnblas, 'train', '--data', os.path.join(work, 'data'), '--input', '3x8x8', '--net', 'INPUT -> GPOOL avg -> FC',
                        '--epochs', '20', '--batch', '4', '--out', model], check=True, stdout=subprocess.DEVNULL)
        for name, colour in ('red', (180, 30, 30)), ('blue', (30, 30, 180)):
            path = os.path.join(work, 'one.ppm')
            picture(path, colour)
            said = subprocess.run([program, model, path], check=True, stdout=subprocess.PIPE, text=True).stdout
            print(said, end='')
            if said.split()[1] != name:
                sys.exit('a picture of class %s' % name)
        if subprocess.run([program, path, path], stderr=subprocess.DEVNULL).returncode != 1:
            sys.exit('a picture is no model')


if __name__ == '__main__':
    main()
