#!/usr/bin/env python3
"""Makes a man page of what a program says with --help, so that there is one text.

usage: manpage.py --program PROGRAM --name NAME --version VERSION --output FILE
       manpage.py --program PROGRAM --name NAME --check FILE     every line of the help is in the page, and groff
                                                                 finds nothing to complain about

The help is a sentence, a block that begins with "usage:", blocks of options, and optional blocks "examples:" and
"exit status:". A program that lists commands (lines under "commands:") is asked for the help of each of them.
"""
import argparse
import re
import shutil
import subprocess
import sys


def help_of(program, *command):
    done = subprocess.run([program, *command, '--help'], stdout=subprocess.PIPE, text=True)
    if done.returncode or not done.stdout.strip():
        sys.exit(f'{program} {" ".join(command)} --help: exit status {done.returncode}')
    return done.stdout


def escape(line):
    line = line.replace('\\', '\\e').replace('-', '\\-')
    return '\\&' + line if line[:1] in ('.', "'") else line


def blocks(text):
    """[(title, lines)]: titles are the words before a colon at the beginning of a line."""
    found, title = [('', [])], ''
    for line in text.rstrip('\n').split('\n'):
        match = re.match(r'(usage|options|commands|examples?|exit (?:status|codes?)):\s*(.*)$', line)
        if match:
            title = match.group(1)
            found.append((title, [match.group(2)] if match.group(2) else []))
        elif not line.strip() and title == 'usage':
            title = 'options'
            found.append((title, []))
        else:
            found[-1][1].append(line)
    return [(title, lines) for title, lines in found if any(line.strip() for line in lines)]


def verbatim(lines):
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return ['.nf', *[escape(line) for line in lines], '.fi']


SECTIONS = {'usage': 'SYNOPSIS', 'options': 'OPTIONS', 'commands': 'COMMANDS', 'example': 'EXAMPLES', 'examples': 'EXAMPLES',
            'exit status': 'EXIT STATUS', 'exit code': 'EXIT STATUS', 'exit codes': 'EXIT STATUS'}


def page(program, name, version):
    text = help_of(program)
    parts = blocks(text)
    summary = ' '.join(line.strip() for line in parts[0][1]) if parts[0][0] == '' else name
    out = [f'.TH {escape(name).upper()} 1 "" "cnnblas {version}" "User Commands"', '.SH NAME',
           f'{escape(name)} \\- {escape(summary.strip().rstrip("."))}']
    for title, lines in parts:
        if title:
            out += [f'.SH {SECTIONS[title]}', *verbatim(lines)]
    for command in commands(text):
        out += [f'.SH "{escape(name + " " + command).upper()}"', *verbatim(help_of(program, command).split('\n'))]
    return '\n'.join(out) + '\n'


def commands(text):
    lines = next((lines for title, lines in blocks(text) if title == 'commands'), [])
    return [match.group(1) for match in (re.match(r'  ([a-z][a-z-]*)(?:  | [A-Z\[]|$)', line) for line in lines) if match]


def check(program, name, path):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    plain = re.sub(r'\s+', ' ', text.replace('\\-', '-').replace('\\&', '').replace('\\e', '\\'))
    wanted = [help_of(program)] + [help_of(program, command) for command in commands(help_of(program))]
    for line in '\n'.join(wanted).split('\n')[1:]:
        words = re.sub(r'^[a-z]+( [a-z]+)?:\s*', '', re.sub(r'\s+', ' ', line).strip())
        if words not in plain:
            sys.exit(f'{path} lacks this line of the help: {line}')
    if shutil.which('groff'):
        done = subprocess.run(['groff', '-man', '-ww', '-z', '-Tutf8', path], stderr=subprocess.PIPE, text=True)
        if done.returncode or done.stderr:
            sys.exit(done.stderr)
    print(f'{name}.1: every line of the help is there')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--program', required=True)
    parser.add_argument('--name', required=True)
    parser.add_argument('--version', default='')
    parser.add_argument('--output')
    parser.add_argument('--check')
    options = parser.parse_args()
    if options.check:
        check(options.program, options.name, options.check)
    else:
        text = page(options.program, options.name, options.version)
        with open(options.output, 'w', encoding='utf-8') as file:
            file.write(text)


if __name__ == '__main__':
    main()
