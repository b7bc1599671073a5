#!/usr/bin/env python3
"""The rules of the house that a compiler does not check.

usage: rules.py ROOT          check the sources under ROOT; exit code 1 and a line for each breach
       rules.py --self-test   check that each rule catches its breach

arrows     inside lib/ a folder includes only itself and what stands right of it: net -> graph -> layers -> conv -> gemm -> base,
           onnx -> graph, mpi -> base, and none of net, onnx and mpi includes another;
           tools, bench and tests include the public headers, lib/ includes no outsider; tools and bench share reports/, and neither
           includes the other
doors      only tests/internal, bench/kernels.c and bench/calibrate.c may include headers of lib/, bench/project.c base/parallel.h alone, and
           tools/io/file.c and reports/output.h base/replace.h alone, whose source the tools compile into themselves
blas       within lib/, cblas.h is included by lib/gemm/blas.c alone
openmp     within lib/, an OpenMP pragma stands in lib/base/parallel.c alone
memory     within lib/, malloc and its family are called in lib/base/memory.c alone
silence    lib/ never prints, exits or aborts
names      no two files of lib/ have the same name, apart from meson.build and README.md, and none of bench/ has that of one of lib/
spelling   an algorithm's or a direction's name is spelt where the table of them is, and a peer's; who needs it elsewhere asks the library
           (SPELT names the few files that may: names that tests ask for, a document's steps, a word of reports)
circles    no files of lib/, bench/, tools/ or reports/ depend on each other in a circle (see circles.py)
limits     no test and none of its programs has a limit of time but the one of tests/meson.build, which catches what hangs
"""
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True  # the folder of the sources stays as it is
from circles import circles

ORDER = ['onnx', 'mpi', 'net', 'graph', 'layers', 'conv', 'gemm', 'base']
APART = ('onnx', 'mpi', 'net')  # libraries of their own, side by side
OUTSIDE = ['tools', 'bench', 'reports', 'tests']
# Rooms that outsiders may not include.
CLOSED = {'tools': ('bench', 'tests'), 'bench': ('tools', 'tests'), 'reports': ('tools', 'bench', 'tests')}
DOORS = ('tests/internal/', 'bench/kernels.c', 'bench/calibrate.c', 'bench/project.c', 'tools/io/file.c', 'reports/output.h')
# Doors through which one header is seen.
NARROW = {'bench/project.c': 'lib/base/parallel.h', 'tools/io/file.c': 'lib/base/replace.h', 'reports/output.h': 'lib/base/replace.h'}
NO_CIRCLES = ['lib', 'bench', 'tools', 'reports']
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
OPENMP = re.compile(r'^[ \t]*#[ \t]*pragma[ \t]+omp\b|_Pragma[ \t]*\([ \t]*"[ \t]*omp\b', re.M)
MEMORY = re.compile(r'\b(malloc|calloc|realloc|reallocarray|free|posix_memalign|aligned_alloc|memalign|strdup|strndup|'
                    r'mmap|alloca|__builtin_alloca)[ \t]*\(')
NOISE = re.compile(r'\b(printf|vprintf|fprintf|vfprintf|puts|fputs|putchar|perror|exit|_exit|quick_exit|abort|assert)'
                   r'[ \t]*\(')
TABLES = 'lib/conv/'
ROW = re.compile(r'\bCB_(?:NAMED\("(\w+)"\)|ORIENTED\("(\w+)",\s*"(\w+)"\))')
DIRECTION = re.compile(r'\[CNNBLAS_(?:FORWARD|BACKWARD_\w+)\]\s*=\s*"(\w+)"')
SPELT = ('tests/support/names.h', 'tools/tutorial.py', 'bench/report_json.c')
COMMENTS_AND_STRINGS = {
    'c': re.compile(r'//[^\n]*|/\*.*?\*/|"((?:\\.|[^"\\\n])*)"', re.S),
    'py': re.compile(r'#[^\n]*|""".*?"""|\'((?:\\.|[^\'\\\n])*)\'|"((?:\\.|[^"\\\n])*)"', re.S),
}
LIMIT = re.compile(r'\btimeout[ \t]*[:=]')


def blank(text):
    """The text with comments, and strings but those of #include, turned to blanks; line numbers stay."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def hide(match):
        found = match.group(0)
        if found[0] == '"':
            line = text[text.rfind('\n', 0, match.start()) + 1:match.start()]
            if re.match(r'[ \t]*#[ \t]*include[ \t]*$', line) or re.search(r'_Pragma[ \t]*\([ \t]*$', line):
                return found
            return '""'
        return re.sub(r'[^\n]', ' ', found)

    return pattern.sub(hide, text)


def sources(root, folder):
    for directory, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(names):
            if name.endswith(('.c', '.h', '.cpp', '.in')):
                path = os.path.join(directory, name)
                with open(path, encoding='utf-8') as file:
                    yield os.path.relpath(path, root), blank(file.read())


def scripts(root, folder):
    for directory, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(names):
            if name == 'meson.build' or name.endswith('.py'):
                path = os.path.join(directory, name)
                with open(path, encoding='utf-8') as file:
                    yield os.path.relpath(path, root), file.read()


def originals(root, folder, endings):
    for directory, folders, names in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(names):
            if name.endswith(endings):
                path = os.path.join(directory, name)
                with open(path, encoding='utf-8') as file:
                    yield os.path.relpath(path, root), file.read()


def misspelt(root):
    """(path, text, match, name) of each string that is an algorithm's name, with or without orientation, or in C a direction's."""
    homes = {}  # a name, and the files of the tables that spell it
    for path, text in originals(root, TABLES, ('.c',)):
        for name, family, orientation in ROW.findall(text):
            for spelt in (name, family, orientation and family + ':' + orientation):
                homes.setdefault(spelt, set()).add(path)
        for name in DIRECTION.findall(text):
            homes.setdefault(name, set()).add(path)
    homes.pop('', None)
    directions = {name for path, text in originals(root, TABLES, ('.c',)) for name in DIRECTION.findall(text)}
    for folder in ['lib'] + OUTSIDE:
        for path, text in originals(root, folder, ('.c', '.h', '.py')):
            if path in SPELT or (path.endswith('.py') and path.startswith('tests')):
                continue
            for match in COMMENTS_AND_STRINGS['py' if path.endswith('.py') else 'c'].finditer(text):
                word = next((group for group in match.groups() if group), '')
                word = word[:-2] if word.endswith('\\n') else word
                if word in homes and path not in homes[word] and not (path.endswith('.py') and word in directions):
                    yield path, text, match, word


def line(text, match):
    return text.count('\n', 0, match.start()) + 1


def home(root, path, quoted, name):
    """Where an include leads: a path relative to the root, or None for a header of the system."""
    tries = [os.path.join(os.path.dirname(path), name)] if quoted else []
    tries += [os.path.join('lib', name), os.path.join('include', name), name]
    for place in tries:
        place = os.path.normpath(place)
        if os.path.isfile(os.path.join(root, place)):
            return place
    return None


def check(root):
    """A list of breaches, each "path:line: sentence", and the number of includes followed."""
    found, followed, names = [], 0, {}

    def breach(path, text, match, sentence):
        found.append('%s:%d: %s' % (path, line(text, match), sentence))

    for path, text in sources(root, 'lib'):
        parts = path.split(os.sep)
        folder = parts[1] if len(parts) > 2 else None
        if folder not in ORDER:
            found.append('%s:1: lib/ has the folders %s only' % (path, ' '.join(ORDER)))
            continue
        if parts[-1] in names:
            found.append('%s:1: the same name as %s' % (path, names[parts[-1]]))
        names[parts[-1]] = path
        for match in INCLUDE.finditer(text):
            place = home(root, path, match.group(1) == '"', match.group(2))
            followed += 1
            if match.group(2) == 'cblas.h' and path != 'lib/gemm/blas.c':
                breach(path, text, match, 'only lib/gemm/blas.c includes cblas.h')
            if place is None:
                if match.group(1) == '"':
                    breach(path, text, match, 'no file "%s"' % match.group(2))
            elif place.startswith('lib' + os.sep):
                target = place.split(os.sep)[1]
                if folder != target and (folder in APART and target in APART or folder == 'mpi' and target != 'base'
                                         or target in ORDER and ORDER.index(target) < ORDER.index(folder)):
                    breach(path, text, match, '%s -> %s is against the arrows %s' % (folder, target, ' -> '.join(ORDER)))
            elif not place.startswith('include' + os.sep):
                breach(path, text, match, 'the library includes %s' % place)
        if path != 'lib/base/parallel.c':
            for match in OPENMP.finditer(text):
                breach(path, text, match, 'an OpenMP pragma outside lib/base/parallel.c')
        if path != 'lib/base/memory.c':
            for match in MEMORY.finditer(text):
                breach(path, text, match, '%s outside lib/base/memory.c' % match.group(1))
        for match in NOISE.finditer(text):
            breach(path, text, match, 'the library calls %s' % match.group(1))

    for folder in OUTSIDE:
        for path, text in sources(root, folder):
            if folder == 'bench' and os.path.basename(path) in names:
                found.append('%s:1: the same name as %s' % (path, names[os.path.basename(path)]))
            for match in INCLUDE.finditer(text):
                place = home(root, path, match.group(1) == '"', match.group(2))
                followed += 1
                if place is not None and place.startswith('lib' + os.sep) and not path.startswith(DOORS):
                    breach(path, text, match, 'only %s include headers of lib/' % ' and '.join(DOORS))
                elif path in NARROW and place is not None and place.startswith('lib' + os.sep) and place != NARROW[path]:
                    breach(path, text, match, '%s includes no header of lib/ but %s' % (path, NARROW[path]))
                elif place is not None and place.split(os.sep)[0] in CLOSED.get(folder, ()):
                    breach(path, text, match, '%s -> %s is against the arrows' % (folder, place.split(os.sep)[0]))

        for path, text in scripts(root, folder):
            for match in LIMIT.finditer(text):
                breach(path, text, match, 'a limit of time beside that of tests/meson.build')

    for path, text, match, name in misspelt(root):
        breach(path, text, match, 'the name %s is spelt outside its table' % name)

    for folder in NO_CIRCLES:
        for node, sentence in circles(folder, list(sources(root, folder))):
            found.append('%s:1: %s' % (node, sentence))

    for path, text in sources(root, 'include'):
        for match in INCLUDE.finditer(text):
            place = home(root, path, match.group(1) == '"', match.group(2))
            followed += 1
            if place is not None and not place.startswith('include' + os.sep):
                breach(path, text, match, 'a public header includes %s' % place)
    return found, followed


CLEAN = {
    'include/cnnblas/conv.h': '#include <stddef.h>\n',
    'lib/base/memory.h': '/* free() here. */\n',
    'lib/base/memory.c': '#include "base/memory.h"\nvoid f(void *p) { free(p); }\n',
    'lib/base/parallel.c': '#pragma omp parallel\n',
    'lib/gemm/blas.h': '#include <cnnblas/conv.h>\n',
    'lib/gemm/blas.c': '#include <cblas.h>\n#include "base/memory.h"\n',
    'lib/conv/plan.h': '#include "gemm/blas.h" /* #pragma omp, malloc(1) */\n',
    'lib/conv/plan.c': '#include "conv/plan.h"\nconst char *s = "malloc(";\nint i = snprintf(0, 0, "");\n',
    'tests/internal/a.c': '#include "conv/plan.h"\n',
    'tests/b.c': '#include <cnnblas/conv.h>\n#include "c.h"\n',
    'tests/c.h': '\n',
    'bench/kernels.c': '#include "gemm/blas.h"\n',
    'bench/project.c': '#include "base/parallel.h"\n',
    'lib/base/parallel.h': '\n',
    'lib/base/replace.h': '\n',
    'lib/net/layer.h': '\n',
    'reports/output.h': '#include "base/replace.h"\n',
    'bench/a.c': '#include "a.h"\n#include "b.h"\nvoid a_do(void)\n{\n  b_do(0);\n}\n',
    'bench/a.h': 'void a_do(void);\n',
    'bench/b.c': '/* a_do() calls this. */\nstatic void c(void)\n{\n}\nint b_do(int a)\n{\n  return a;\n}\n',
    'bench/b.h': 'int b_do(int a);\n',
    'lib/conv/row.c': 'row a = {CB_NAMED("deep")};\nrow b = {CB_ORIENTED("gemm", "rows")}; /* "deep" */\n',
    'lib/conv/directions.c': 'names[] = {[CNNBLAS_FORWARD] = "forward"};\n',
    'tests/d.c': '/* "deep" */ const char *s = "deeper";\n',
    'tools/t.py': "x = 'forward'  # 'deep'\n",
    'tests/meson.build': "add_test_setup('default', timeout_multiplier: 240)\n",
}
# Path, text, and what the breach must say; a limit of time in two pieces, or this file would break its own rule.
BREACHES = [
    ('lib/base/x.c', '#include "gemm/blas.h"\n', 'base -> gemm is against'),
    ('lib/gemm/x.c', '#  include "conv/plan.h"\n', 'gemm -> conv is against'),
    ('lib/conv/x.c', '#include "../../tests/c.h"\n', 'the library includes tests/c.h'),
    ('lib/conv/y.c', '#include "nowhere.h"\n', 'no file "nowhere.h"'),
    ('lib/onnx/x.c', '#include "net/layer.h"\n', 'onnx -> net is against'),
    ('lib/mpi/x.c', '#include "net/layer.h"\n', 'mpi -> net is against'),
    ('lib/mpi/x.c', '#include "conv/plan.h"\n', 'mpi -> conv is against'),
    ('lib/stray/x.c', '\n', 'has the folders'),
    ('lib/conv/memory.h', '\n', 'the same name as lib/base/memory.h'),
    ('lib/conv/x.c', '#include <cblas.h>\n', 'only lib/gemm/blas.c'),
    ('lib/conv/x.c', '  #pragma omp simd\n', 'OpenMP pragma outside'),
    ('lib/conv/x.c', '#define P _Pragma("omp parallel for")\n', 'OpenMP pragma outside'),
    ('lib/conv/x.c', 'void *p = calloc (1, 1);\n', 'calloc outside lib/base/memory.c'),
    ('lib/conv/x.c', 'void f(void) { abort(); }\n', 'the library calls abort'),
    ('lib/base/x.c', 'void f(void) { fprintf(stderr, ""); }\n', 'the library calls fprintf'),
    ('tests/x.c', '#include "conv/plan.h"\n', 'only tests/internal/'),
    ('tools/x.c', '#include "../lib/gemm/blas.h"\n', 'only tests/internal/'),
    ('bench/x.h', '#include "base/memory.h"\n', 'only tests/internal/'),
    ('bench/project.c', '#include "base/memory.h"\n', 'no header of lib/ but lib/base/parallel.h'),
    ('tools/io/file.c', '#include "base/memory.h"\n', 'no header of lib/ but lib/base/replace.h'),
    ('tests/tools/meson.build', "test('x', x, time" 'out: 300)\n', 'a limit of time'),
    ('tests/tools/x.py', 'subprocess.run([program], time' 'out=120)\n', 'a limit of time'),
    ('lib/conv/x.c', 'bool b = strcmp(s, "deep") == 0;\n', 'the name deep is spelt outside its table'),
    ('bench/x.c', 'const char *s = "gemm:rows";\n', 'the name gemm:rows is spelt'),
    ('tests/x.c', 'const char *s = "gemm\\n";\n', 'the name gemm is spelt'),
    ('tests/x.c', 'const char *s = "forward";\n', 'the name forward is spelt'),
    ('tools/x.py', "s = 'deep'\n", 'the name deep is spelt'),
    ('bench/b.h', '#include "a.h"\n', 'a circle of files: bench/a -> bench/b (includes) -> bench/a (includes)'),
    ('bench/b.c', 'int b_do(int a)\n{\n  a_do();\n  return a;\n}\n', '-> bench/a (a_do)'),
    ('include/cnnblas/x.h', '#include "../../lib/gemm/blas.h"\n', 'a public header includes'),
    ('bench/memory.h', '\n', 'the same name as lib/base/memory.h'),
    ('bench/x.c', '#include "../tests/c.h"\n', 'bench -> tests is against'),
    ('reports/x.c', '#include "bench/a.h"\n', 'reports -> bench is against'),
]


def self_test():
    def run(files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                    file.write(text)
            return check(root)[0]

    wrong = run(CLEAN)
    for path, text, sentence in BREACHES:
        found = run({**CLEAN, path: text})
        place = (path, 'bench/a') if 'circle' in sentence or 'a_do' in sentence else (path,)
        if len(found) != 1 or sentence not in found[0] or not found[0].startswith(tuple(p + ':1: ' for p in place)):
            wrong.append('%s %r: wanted one breach "%s", got %s' % (path, text, sentence, found))
    for sentence in wrong:
        print(sentence)
    print('self-test: %d breaches tried, %d wrong answers' % (len(BREACHES), len(wrong)))
    return 1 if wrong else 0


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == '--self-test':
        return self_test()
    found, followed = check(sys.argv[1])
    for sentence in found:
        print(sentence)
    print('%d includes followed, %d breaches' % (followed, len(found)))
    return 1 if found or followed == 0 else 0


sys.exit(main())
