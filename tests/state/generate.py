"""Writes a wrapper of every public function: the same signature, the real function between two looks at the state.

usage: generate.py OUTPUT.c HEADER...
"""
import os
import re
import sys


def declarations(paths):
    for path in paths:
        with open(path, encoding='utf-8') as file:
            text = re.sub(r'/\*.*?\*/', ' ', file.read(), flags=re.S)
        for match in re.finditer(r'CNNBLAS_API\s+([^;{}]*?)(\w+)\s*\(([^;{}]*)\)\s*;', text):
            yield tuple(' '.join(part.split()) for part in match.groups())


def wrapper(number, result, name, parameters):
    names = [] if parameters in ('', 'void') else [re.search(r'(\w+)(\[\d*\])?$', p.strip()).group(1)
                                                   for p in parameters.split(',')]
    call = 'real(%s)' % ', '.join(names)
    returns = result != 'void'
    separator = '' if result.endswith('*') else ' '
    return '\n'.join([
        '%s%s%s(%s)' % (result, separator, name, parameters or 'void'),
        '{',
        '  static %s%s(*real)(%s);' % (result, separator, parameters or 'void'),
        '  if (!real) *(void **)&real = state_real("%s");' % name,
        '  state wrapped_before;',
        '  state_enter(&wrapped_before, %d);' % number,
        '  %s%s;' % ('%s%swrapped_result = ' % (result, separator) if returns else '', call),
        '  state_compare(&wrapped_before, %d, "%s");' % (number, name),
        '  return wrapped_result;' if returns else '  return;',
        '}', ''])


def main():
    output, headers = sys.argv[1], sys.argv[2:]
    functions = list(declarations(headers))
    with open(output, 'w', encoding='utf-8') as file:
        file.write('/* Made by tests/state/generate.py. */\n#include "state.h"\n')
        for path in headers:
            file.write('#include <cnnblas/%s>\n' % os.path.basename(path))
        file.write('\nconst int state_functions = %d;\n\n' % len(functions))
        for number, function in enumerate(functions):
            file.write(wrapper(number, *function) + '\n')


main()
