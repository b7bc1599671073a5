"""What onnxruntime.py and pytorch.py share: the command line of a comparison in turns, and what becomes of its rows."""
import argparse
import json


def parser(usage, rounds, seconds):
    """Options that both have; usage is the script's whole help."""
    made = argparse.ArgumentParser(usage=usage, add_help=False)
    made.add_argument('--build', default='build')
    made.add_argument('--threads', type=int, default=2)
    made.add_argument('--rounds', type=int, default=rounds)
    made.add_argument('--seconds', type=float, default=seconds)
    made.add_argument('--json')
    return made


def named_ratio(text):
    """(name, least ratio, how a row below it is marked) of NAME or NAME=RATIO; the least of the first is 0."""
    name, _, least = text.partition('=')
    return name, float(least or 0), ' below ' + least


def write_rows(path, rows):
    if path:
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(rows, file, indent=1)
            file.write('\n')
