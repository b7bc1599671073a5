"""Takes the network program out of README.md, compiles it as the README says, runs it and reads its last line.

usage: readme.py SOURCE_ROOT COMPILER "LIBRARY DIRECTORIES, colon separated"
"""
import os
import re
import subprocess
import sys
import tempfile

root, compiler, libraries = sys.argv[1:4]
with open(os.path.join(root, "README.md")) as file:
    section = file.read().split("\n## A network from one line of text\n")[1]
program = re.search(r"```c\n(.*?)```", section, re.S).group(1)
command = re.search(r"^    cc digits\.c (.*?) -o digits", section, re.M).group(1).split()
with tempfile.TemporaryDirectory() as folder:
    source, binary = os.path.join(folder, "digits.c"), os.path.join(folder, "digits")
    with open(source, "w") as file:
        file.write(program)
    # pkg-config's part of the command stands for the installed library; here it is the build tree's.
    arguments = [a for a in command if a == "-lm" or a.startswith("-I") or a.endswith(".c")]
    arguments += ["-I" + os.path.join(root, "include"), "-lcnnblas_net", "-lcnnblas"]
    for path in libraries.split(":"):
        arguments += ["-L" + path, "-Wl,-rpath," + path]
    flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"] + os.environ.get("README_CFLAGS", "").split()
    subprocess.run(compiler.split() + flags + [source, "-o", binary] + arguments, cwd=root, check=True)
    output = subprocess.run([binary], capture_output=True, text=True, check=True).stdout
lines = len([line for line in program.splitlines() if line.strip()])
print(output + f"{lines} lines of C")
accuracy = float(re.findall(r"([0-9.]+)% of the test digits", output)[-1])
sys.exit(0 if accuracy >= 98 and lines <= 35 else 1)
