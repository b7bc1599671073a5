#!/usr/bin/env python3
"""What the documents for contributors name exists: files, functions, tests, suites, options, sources.

usage: recipes.py ROOT         check CONTRIBUTING.md, lib/README.md, bench/README.md and bench/calibration/README.md
       recipes.py --self-test

files      a word in backticks or in a command that has a slash, or the ending of a file of this project, is a file, seen from
           the document's folder or the root; where a part of it is in capitals (NAME), its folder exists; below build/ it is a
           program that a meson.build names
functions  cb_x, cnnblas_conv_x and run_x in CONTRIBUTING.md and lib/README.md stand in lib/ or include/
tests      what follows `meson test -C build` are tests and --suite suites that a meson.build names
options    each --option of a line with cnnblas-bench or choice.py or calibrate.py stands in the source of one of them
"""
import os
import re
import sys
import tempfile

DOCUMENTS = ['CONTRIBUTING.md', 'lib/README.md', 'bench/README.md', 'bench/calibration/README.md']
ENDINGS = ('.c', '.h', '.py', '.sh', '.md', '.txt', '.symbols', '.build')
ELSEWHERE = ('cblas.h', '/sys/', '/proc/', '<', '$', '~', 'http', '../old', 'old/', 'new/', 'layers.txt', 'compare.py')  # not of this tree
PROGRAMS = ('cnnblas-bench', 'choice.py', 'calibrate.py', '$B')
OPTION_SOURCES = ['bench/command_line.c', 'bench/compare.c', 'bench/ab.c', 'bench/choice.py', 'bench/calibrate.py']


def read(root, path):
    try:
        with open(os.path.join(root, path), encoding='utf-8') as file:
            return file.read()
    except OSError:
        return ''


def builds(root):
    """The text of every meson.build."""
    found = []
    for directory, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith('.') and not os.path.exists(os.path.join(directory, f, 'meson-info')))
        if 'meson.build' in names:
            found.append(read(directory, 'meson.build'))
    return '\n'.join(found)


def named(text, word):
    """True if a meson.build has the word in quotes, whole or in two pieces that it joins, "'bench_' + name"."""
    pieces = [(word, '')] + [(word[:i + 1], word[i + 1:]) for i in range(len(word)) if word[i] == '_']
    return any("'%s'" % a in text and (not b or "'%s'" % b in text) for a, b in pieces)


def phrases(text):
    """(line number, words) of what is in backticks and of indented lines."""
    for number, line in enumerate(text.split('\n'), 1):
        if re.match(r' {4}\S', line) and not line.lstrip().startswith(('*', '-', '|')):
            yield number, line.split('#')[0].split(), True
        else:
            for phrase in re.findall(r'`([^`]+)`', line):
                yield number, phrase.split(), phrase.count(' ') > 0


def code(root):
    """All of the library's sources and public headers."""
    text = []
    for top in ('lib', 'include'):
        for directory, _, names in os.walk(os.path.join(root, top)):
            text += [read(root, os.path.relpath(os.path.join(directory, name), root)) for name in names if name.endswith(('.c', '.h', '.in'))]
    return '\n'.join(text)


def is_file(word):
    return not word.startswith(ELSEWHERE) and '=' not in word and ('/' in word or word.endswith(ENDINGS)) and not word.startswith('-') \
        and re.fullmatch(r'[\w./*+-]+', word) and re.search('[a-z]', word) and not re.fullmatch(r'[\d./x]+', word) \
        and not re.search(r'/[A-Z0-9_]+(/|$)', word) and not word.endswith('.json')


def file_exists(root, document, word, meson):
    if word.startswith('build/'):
        return named(meson, os.path.basename(word)) or os.path.basename(word) in ('libcnnblas.so', 'test_soak')
    for base in (os.path.dirname(document), '', 'lib'):
        path = os.path.normpath(os.path.join(root, base, word))
        if re.search(r'[A-Z]{3,}|\*|_n\b', os.path.basename(word)) and not os.path.exists(path):
            path = os.path.dirname(path)
        if os.path.exists(path):
            return True
    return False


def check(root):
    found, seen = [], 0
    meson = builds(root)
    identifiers = set(re.findall(r'\w+', code(root)))
    options = '\n'.join(read(root, path) for path in OPTION_SOURCES)
    for document in DOCUMENTS:
        for number, words, command in phrases(read(root, document)):
            place = '%s:%d: ' % (document, number)
            words = [word.rstrip(',:').strip('"\'') for word in words]
            for word in words:
                if is_file(word):
                    seen += 1
                    if not file_exists(root, document, word, meson):
                        found.append(place + 'there is no %s' % word)
                if re.fullmatch(r'(cb|cnnblas_conv|run)_[a-z0-9_]+(\(\))?', word) and document.startswith(('lib', 'CONTRIBUTING')):
                    seen += 1
                    if word.rstrip('()') not in identifiers:
                        found.append(place + 'the library has no %s' % word)
            for call in re.findall(r'meson test -C (?:build|cov) ?([^&;`|]*)', ' '.join(words)):
                for word in re.sub(r'--setup \S+', '', call).split():
                    seen += word[0] != '-'
                    if word[0] != '-' and not named(meson, word):
                        found.append(place + 'there is no test or suite %s' % word)
            if command and any(word.endswith(PROGRAMS) for word in words):
                for option in re.findall(r'(?<!\S)--([a-z][a-z-]*)', ' '.join(words)):
                    seen += 1
                    if '"%s"' % option not in options and '--%s' % option not in options:
                        found.append(place + 'no program has --%s' % option)
    return found, seen


CLEAN = {
    'CONTRIBUTING.md': 'See `lib/a.c`, `lib/NAME.c`.\n\n    ninja -C build && meson test -C build random bench_check --suite docs\n'
                       '    build/bench/cnnblas-bench --set x\n    bench/choice.py --least 95 r1.json\n',
    'lib/README.md': '`a.c` and `base/`, 1/2; `run_job`, `cb_f()`\n', 'bench/README.md': '`../lib/a.c`\n', 'lib/a.c': 'void run_job(void) { cb_f(); }', 'lib/base/b.c': '',
    'bench/choice.py': "'--least'", 'bench/command_line.c': '{"set", 1}',
    'meson.build': "test('random', suite: 'docs')\ntest('bench_' + 'check')\nexecutable('cnnblas-bench')\n"}
BREACHES = [('CONTRIBUTING.md', '`lib/b.c`\n', 'there is no lib/b.c'), ('lib/README.md', '`nothing/NAME.c`\n', 'there is no nothing/NAME.c'),
            ('lib/README.md', '`run_jobs`\n', 'the library has no run_jobs'),
            ('CONTRIBUTING.md', '    meson test -C build odd\n', 'no test or suite odd'), ('bench/README.md', '`gone.py`\n', 'there is no gone.py'),
            ('CONTRIBUTING.md', '    build/bench/other\n', 'there is no build/bench/other'),
            ('bench/README.md', '    cnnblas-bench --odd 1\n', 'no program has --odd')]


def self_test():
    wrong = []
    for path, text, sentence in [(None, '', '')] + BREACHES:
        with tempfile.TemporaryDirectory() as root:
            files = {**CLEAN, path: CLEAN[path] + '\n' + text} if path else CLEAN
            for name, content in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                with open(os.path.join(root, name), 'w', encoding='utf-8') as file:
                    file.write(content)
            found = check(root)[0]
        if len(found) != bool(path) or (path and sentence not in found[0]):
            wrong.append('%s: wanted "%s", got %s' % (path, sentence, found))
    print('\n'.join(wrong + ['self-test: %d breaches tried, %d wrong answers' % (len(BREACHES), len(wrong))]))
    return 1 if wrong else 0


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == '--self-test':
        return self_test()
    found, seen = check(sys.argv[1])
    print('\n'.join(found + ['%d names looked for, %d missing' % (seen, len(found))]))
    return 1 if found or not seen else 0


sys.exit(main())
