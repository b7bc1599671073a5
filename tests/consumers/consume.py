#!/usr/bin/env python3
"""Builds and runs programs against cnnblas as its users do.

usage: consume.py KIND --build BUILD_DIRECTORY --source SOURCE_DIRECTORY [--cc COMPILER] [--cxx COMPILER]

kinds: pkgconfig_shared, pkgconfig_cpp, pkgconfig_net, pkgconfig_mpi, cmake, meson   against a copy installed into an empty folder
       pkgconfig_static   the same, linked with -static: the program needs no shared library at all
       exact          libcnnblas_net refuses to be loaded with a libcnnblas of another version, and says which it wants
       prefix         the installed folder moved elsewhere: the programs in it run, and pkg-config's and CMake's variables
                      for prefixes, which README.md names, are enough to find the libraries
       bare           configured where pkg-config knows OpenBLAS alone: what lacks is left out, and its package named
       readme         every C program of README.md, compiled and run; where a block of text follows it is what it prints
       subproject     cnnblas as a meson subproject
       reproducible   two builds in two folders give identical libraries
Exit status: 0 fine, 1 not, 77 skipped because a program is missing here (it is named).
"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = ['include', 'lib', 'packaging', 'reports', 'tools', 'tests', 'bench', 'docs', 'meson.build', 'meson_options.txt']


def run(command, **options):
    print('+', ' '.join(command), flush=True)
    return subprocess.run(command, check=True, text=True, **options)


def output(command, **options):
    return run(command, stdout=subprocess.PIPE, **options).stdout


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            print(f'skipped: no {program} here')
            sys.exit(77)


class Installed:
    """A copy of the build, installed into `root` as `meson install` does; nothing else on the machine is touched."""

    def __init__(self, build, root):
        run(['meson', 'install', '-C', build, '--no-rebuild', '--quiet', '--destdir', root])
        found = [os.path.join(path, 'cnnblas.pc') for path, _, names in os.walk(root) if 'cnnblas.pc' in names]
        if len(found) != 1:
            sys.exit(f'{len(found)} files cnnblas.pc were installed; expected one')
        self.pkgconfig = os.path.dirname(found[0])
        self.libdir = os.path.dirname(self.pkgconfig)
        with open(found[0], encoding='utf-8') as file:
            if 'prefix=${pcfiledir}' not in file.read():
                print('skipped: this build directory is set up without -Dpkgconfig.relocatable=true (the default)')
                sys.exit(77)
        self.env = dict(os.environ, PKG_CONFIG_PATH=self.pkgconfig, LD_LIBRARY_PATH=self.libdir, OMP_WAIT_POLICY='passive')

    def flags(self, *arguments):
        return output(['pkg-config', *arguments], env=self.env).split()

    def needed(self, program):
        text = output(['readelf', '-d', program])
        return re.findall(r'\(NEEDED\).*\[(.*)\]', text)


def expect_needed(installed, program, present, absent):
    names = installed.needed(program)
    print(os.path.basename(program), 'needs', *names)
    for name in present:
        if not any(n.startswith(name) for n in names):
            sys.exit(f'{program} does not need {name}')
    for name in absent:
        if any(n.startswith(name) for n in names):
            sys.exit(f'{program} needs {name}')


OTHERS = ['libjansson', 'libz.', 'libpng']  # what a user of the convolution alone must not be made to link


def pkgconfig(options, work, compiler, standard, name='cnnblas', program='consumer.c'):
    need('pkg-config', 'readelf', compiler[0])
    installed = Installed(options.build, os.path.join(work, 'root'))
    source = os.path.join(work, program if standard.startswith('c1') else program + 'pp')
    shutil.copy(os.path.join(HERE, program), source)
    binary = os.path.join(work, 'program')
    flags = installed.flags('--cflags', '--libs', name)
    run([*compiler, f'-std={standard}', '-Wall', '-Wextra', '-Wpedantic', '-Werror', source, '-o', binary, *flags])
    run([binary], env=installed.env)
    expect_needed(installed, binary, [f'lib{name}.so'], OTHERS)
    expect_needed(installed, os.path.join(installed.libdir, 'libcnnblas.so'), ['libopenblas'], OTHERS)


def pkgconfig_shared(options, work):
    pkgconfig(options, work, options.cc.split(), 'c11')


def pkgconfig_static(options, work):
    compiler = options.cc.split()
    need('pkg-config', 'readelf', compiler[0])
    probe = os.path.join(work, 'probe.c')
    with open(probe, 'w', encoding='utf-8') as file:
        file.write('int main(void) { return 0; }\n')
    if subprocess.run([*compiler, '-static', '-fopenmp', probe, '-o', os.path.join(work, 'probe')]).returncode:
        print(f'skipped: {options.cc} has no static OpenMP runtime here')
        sys.exit(77)
    installed = Installed(options.build, os.path.join(work, 'root'))
    for name, program in ('cnnblas', 'consumer.c'), ('cnnblas_net', 'network.c'):
        binary = os.path.join(work, name)
        flags = installed.flags('--static', '--cflags', '--libs', name)
        if '-lgfortran' in flags:
            sys.exit('the Fortran runtime is asked for, which machines without gfortran lack')
        run([*compiler, '-static', os.path.join(HERE, program), '-o', binary, *flags])
        run([binary], env=dict(os.environ, OMP_WAIT_POLICY='passive'))
        if installed.needed(binary):
            sys.exit(f'{binary} needs shared libraries')


def pkgconfig_cpp(options, work):
    pkgconfig(options, work, options.cxx.split(), 'c++17')


def pkgconfig_net(options, work):
    pkgconfig(options, work, options.cc.split(), 'c11', name='cnnblas_net', program='network.c')


def pkgconfig_mpi(options, work):
    pkgconfig(options, work, options.cc.split(), 'c11', name='cnnblas_mpi', program='ranks.c')


def exact(options, work):
    need('readelf', options.cc.split()[0])
    installed = Installed(options.build, os.path.join(work, 'root'))
    version = output(['pkg-config', '--modversion', 'cnnblas'], env=installed.env).strip()
    net = os.path.join(installed.libdir, 'libcnnblas_net.so')
    wanted = f'CNNBLAS_{version}_PRIVATE'
    soname = next(name for name in installed.needed(net) if name.startswith('libcnnblas.so'))
    beside = os.path.join(work, 'beside')
    os.mkdir(beside)
    shutil.copy(net, beside)
    source, script = os.path.join(work, 'other.c'), os.path.join(work, 'other.map')
    with open(source, 'w', encoding='utf-8') as file:
        file.write('void cnnblas_shared_free(void *memory) { (void)memory; }\n')
    with open(script, 'w', encoding='utf-8') as file:
        file.write('CNNBLAS_99.0.0_PRIVATE { cnnblas_shared_*; };\n')
    run([*options.cc.split(), '-shared', '-fPIC', source, f'-Wl,-soname,{soname}', f'-Wl,--version-script={script}',
         '-o', os.path.join(beside, soname)])
    load = [sys.executable, '-c', 'import ctypes, sys; ctypes.CDLL(sys.argv[1])']
    for folder, fits in (installed.libdir, True), (beside, False):
        done = subprocess.run([*load, os.path.join(folder, 'libcnnblas_net.so')], stderr=subprocess.PIPE, text=True,
                              env=dict(os.environ, LD_LIBRARY_PATH=folder))
        print(done.stderr.strip().split('\n')[-1])
        if (done.returncode == 0) != fits or not fits and wanted not in done.stderr:
            sys.exit(f'libcnnblas_net.so in {folder}: loading it ends in {done.returncode}, without a word about {wanted}')
    required = output(['pkg-config', '--print-requires', 'cnnblas_net'], env=installed.env).strip()
    if required != f'cnnblas = {version}':
        sys.exit(f'cnnblas_net.pc requires "{required}"')


def cmake(options, work):
    need('cmake')
    installed = Installed(options.build, os.path.join(work, 'root'))
    version = output(['pkg-config', '--modversion', 'cnnblas'], env=installed.env).strip()
    base = ['cmake', '-S', os.path.join(HERE, 'cmake'), f'-Dcnnblas_DIR={installed.libdir}/cmake/cnnblas',
            f'-DCMAKE_C_COMPILER={options.cc.split()[-1]}']
    build = os.path.join(work, 'cmake')
    run([*base, '-B', build, f'-DWANTED_VERSION={version}'], stdout=subprocess.DEVNULL)
    run(['cmake', '--build', build])
    for name in ['with_cnnblas', 'with_cnnblas_static', 'with_net', 'with_net_static']:
        run([os.path.join(build, name)], env=installed.env)
        if name.endswith('_static'):
            others = [n for n in OTHERS if n != 'libjansson' or 'net' not in name]  # networks' model files need that one
            expect_needed(installed, os.path.join(build, name), ['libopenblas'], ['libcnnblas', *others])
    print('a version that is not there must be refused:')
    refused = subprocess.run([*base, '-B', build + '99', '-DWANTED_VERSION=99.0'], stderr=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, text=True)
    if refused.returncode == 0 or '99.0' not in refused.stderr:
        sys.exit('find_package(cnnblas 99.0) found something')


def clean_environment(**variables):
    hidden = ('LD_LIBRARY_PATH', 'PKG_CONFIG_PATH', 'CMAKE_PREFIX_PATH')
    return dict({k: v for k, v in os.environ.items() if k not in hidden}, OMP_WAIT_POLICY='passive', **variables)


def prefix(options, work):
    need('pkg-config', 'readelf', 'ldd')
    installed = Installed(options.build, os.path.join(work, 'root'))
    within = os.path.relpath(installed.libdir, os.path.join(work, 'root'))
    os.rename(os.path.join(work, 'root'), os.path.join(work, 'moved elsewhere'))
    libdir = os.path.join(work, 'moved elsewhere', within)
    top = libdir
    while not os.path.isdir(os.path.join(top, 'include')):
        top = os.path.dirname(top)

    programs = [os.path.join(top, 'bin', name) for name in ('cnnblas', 'cnnblas-bench')]
    programs = [program for program in programs if os.path.exists(program)]
    for program in programs:
        run([program, '--version'], env=clean_environment())
        found = re.findall(r'libcnnblas\S* => (.*) \(', output(['ldd', program], env=clean_environment()))
        # The benchmark carries the library in itself, to look at its tasks (--project).
        alone = program.endswith('cnnblas-bench')
        if bool(found) == alone or any(os.path.commonpath([top, os.path.realpath(path)]) != top for path in found):
            sys.exit(f'{program} takes libraries from elsewhere: {found}')
    print(f'{len(programs)} installed programs run')

    os.rename(os.path.join(work, 'moved elsewhere'), os.path.join(work, 'moved'))  # pkg-config quotes blanks, sh must unquote
    libdir, top = (path.replace('moved elsewhere', 'moved') for path in (libdir, top))
    env = clean_environment(PKG_CONFIG_PATH=os.path.join(libdir, 'pkgconfig'))
    binary = os.path.join(work, 'program')
    run([*options.cc.split(), os.path.join(HERE, 'network.c'), '-o', binary, f'-Wl,-rpath,{libdir}',
         *output(['pkg-config', '--cflags', '--libs', 'cnnblas_net'], env=env).split()])
    run([binary], env=clean_environment())
    if not shutil.which('cmake'):
        print('no cmake here: find_package is left out')
        return
    build = os.path.join(work, 'cmake')
    run(['cmake', '-S', os.path.join(HERE, 'cmake'), '-B', build, f'-DCMAKE_PREFIX_PATH={top}',
         f'-DCMAKE_C_COMPILER={options.cc.split()[-1]}'], stdout=subprocess.DEVNULL, env=clean_environment())
    run(['cmake', '--build', build, '--target', 'with_cnnblas', 'with_net'], stdout=subprocess.DEVNULL)
    for name in 'with_cnnblas', 'with_net':
        run([os.path.join(build, name)], env=clean_environment())


def bare(options, work):
    need('ninja', 'pkg-config')
    known = os.path.join(work, 'pkgconfig')
    os.mkdir(known)
    folder = output(['pkg-config', '--variable=pcfiledir', 'openblas']).strip()
    shutil.copy(os.path.join(folder, 'openblas.pc'), known)
    native = os.path.join(work, 'native.ini')
    with open(native, 'w', encoding='utf-8') as file:  # meson asks CMake for what pkg-config does not know
        file.write("[binaries]\ncmake = '/nonexistent'\n")
    source = os.path.join(work, 'source')
    copy_sources(options.source, source)
    env = clean_environment(PKG_CONFIG_LIBDIR=known, CC=options.cc)

    def setup(name, *arguments):
        return subprocess.run(['meson', 'setup', os.path.join(work, name), source, '--native-file', native, *arguments],
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    done = setup('build')
    summary = done.stdout[done.stdout.rfind('Besides the library'):]
    print(summary)
    if done.returncode:
        sys.exit(f'meson setup failed:\n{done.stdout}')
    for line in [r'cnnblas-bench *: NO', r'cnnblas *: NO', r'tests *: NO', r'examples *: YES', r'cnnblas-bench *: libjansson-dev',
                 r'cnnblas \(JSON\) *: libjansson-dev', r'tests *: libcmocka-dev', r'PNG pictures *: libpng-dev',
                 *([] if shutil.which('doxygen') else [r'reference *: doxygen'])]:
        if not re.search(rf'^ *{line}$', summary, re.M):
            sys.exit(f'the summary has no line {line}')
    targets = output(['ninja', '-C', os.path.join(work, 'build'), '-t', 'targets', 'all'])
    for wanted, words in (True, 'lib/libcnnblas.so.'), (True, 'tools/examples/example_lenet:'), (False, 'tests/'), (False, 'bench/'):
        if any(line.startswith(words) for line in targets.splitlines()) != wanted:
            sys.exit(f'{words} {"is not" if wanted else "is"} built')
    files = output(['meson', 'introspect', '--installed', os.path.join(work, 'build')])
    if 'cnnblas/net.h' not in files or 'cnnblas/onnx.h' in files:
        sys.exit('net.h is not installed, or onnx.h is, without its library')
    for part, lacks in ('bench', 'jansson'), ('tests', 'cmocka'):
        refused = setup('wanted_' + part, f'-D{part}=enabled')
        if refused.returncode == 0 or lacks not in refused.stdout[-400:]:
            sys.exit(f'-D{part}=enabled does not fail for want of {lacks}:\n{refused.stdout[-1000:]}')


def meson(options, work):
    need('ninja')
    installed = Installed(options.build, os.path.join(work, 'root'))
    source = os.path.join(work, 'source')
    shutil.copytree(os.path.join(HERE, 'meson'), source)
    shutil.copy(os.path.join(HERE, 'consumer.c'), source)
    build = os.path.join(work, 'meson')
    run(['meson', 'setup', build, source], env=dict(installed.env, CC=options.cc))
    run(['ninja', '-C', build])
    for name in ['shared', 'static']:
        run([os.path.join(build, name)], env=installed.env)
    expect_needed(installed, os.path.join(build, 'static'), [], ['libcnnblas'])


def copy_sources(source, target):
    os.makedirs(target)
    for name in SOURCES:
        path = os.path.join(source, name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(target, name))
        elif os.path.exists(path):
            shutil.copy(path, target)


def subproject(options, work):
    need('ninja')
    source = os.path.join(work, 'source')
    shutil.copytree(os.path.join(HERE, 'subproject'), source)
    shutil.copy(os.path.join(HERE, 'consumer.c'), source)
    copy_sources(options.source, os.path.join(source, 'subprojects', 'cnnblas'))
    build = os.path.join(work, 'build')
    run(['meson', 'setup', build, source, '--wrap-mode=forcefallback'], env=dict(os.environ, CC=options.cc))
    run(['ninja', '-C', build])
    run([os.path.join(build, 'consumer')], env=dict(os.environ, OMP_WAIT_POLICY='passive'))


def reproducible(options, work):
    need('ninja')
    digests = []
    for place in ['one', os.path.join('another', 'deeper', 'place')]:
        source = os.path.join(work, place, 'cnnblas')
        copy_sources(options.source, source)
        build = os.path.join(source, 'build') if place == 'one' else os.path.join(work, 'somewhere')
        root = os.path.join(work, 'root-' + os.path.basename(place))
        run(['meson', 'setup', build, source, '-Dauto_features=disabled'], env=dict(os.environ, CC=options.cc),
            stdout=subprocess.DEVNULL)
        run(['meson', 'install', '-C', build, '--quiet', '--destdir', root])
        found = {}
        for path, _, names in os.walk(root):
            for name in names:
                if name.startswith('libcnnblas') and not os.path.islink(os.path.join(path, name)):
                    with open(os.path.join(path, name), 'rb') as file:
                        found[name] = hashlib.sha256(file.read()).hexdigest()
        digests.append(found)
    if len(digests[0]) < 2:
        sys.exit('no libraries were installed')
    for name in sorted(digests[0]):
        print(digests[0][name], name, 'identical' if digests[0][name] == digests[1].get(name) else 'DIFFERS')
    if digests[0] != digests[1]:
        sys.exit('the two builds differ')


def readme(options, work):
    need('pkg-config')
    path = os.path.join(options.source, 'README.md')
    if not os.path.exists(path):
        print('skipped: no README.md')
        sys.exit(77)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    programs = re.findall(r'^```c\n(.*?)^```\n(?:(?:(?!```)[^\n]*\n){1,6}^```(?:text)?\n(.*?)^```\n)?', text, re.M | re.S)
    programs = [p for p in programs if 'main(' in p[0]]
    if not programs:
        sys.exit('README.md holds no C program')
    installed = Installed(options.build, os.path.join(work, 'root'))
    for number, (program, prints) in enumerate(programs, 1):
        source, binary = os.path.join(work, f'readme{number}.c'), os.path.join(work, f'readme{number}')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(program)
        package = 'cnnblas_net' if 'cnnblas/net.h' in program else 'cnnblas'
        tools = os.path.join(options.source, 'tools')
        digits = ['-I', tools, os.path.join(tools, 'data', 'digits.c')] if 'data/digits.h' in program else []
        run([*options.cc.split(), '-Wall', '-Wextra', '-Werror', source, *digits, '-o', binary,
             *installed.flags('--cflags', '--libs', package), '-lm'])
        said = output([binary], env=installed.env, cwd=work)
        print(said, end='')
        if prints and said != prints:
            sys.exit(f'program {number} of README.md does not print what README.md says:\n{prints}')
    print(f'{len(programs)} programs of README.md, {sum(1 for p in programs if p[1])} with their output compared')


KINDS = {kind.__name__: kind for kind in [pkgconfig_shared, pkgconfig_static, pkgconfig_cpp, pkgconfig_net, pkgconfig_mpi, exact, prefix, bare,
                                          cmake, meson, readme, subproject, reproducible]}


def main():
    parser = argparse.ArgumentParser(description='Builds and runs programs against cnnblas as its users do.')
    parser.add_argument('kind', choices=KINDS)
    parser.add_argument('--build', required=True)
    parser.add_argument('--source', required=True)
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--cxx', default='')
    options = parser.parse_args()
    if options.kind == 'pkgconfig_cpp' and not options.cxx:
        print('skipped: no C++ compiler here')
        sys.exit(77)
    need('meson')
    with tempfile.TemporaryDirectory(prefix='cnnblas-consumer-') as work:
        try:
            KINDS[options.kind](options, work)
        except subprocess.CalledProcessError as error:
            sys.exit(f'exit status {error.returncode}: {" ".join(error.cmd)}')


if __name__ == '__main__':
    main()
