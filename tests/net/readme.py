"""Takes the network program out of README.md, compiles it as the README says, runs it and reads its last line; and the lines
that load a model, which get a model, a picture and a main around them.

usage: readme.py SOURCE_ROOT COMPILER "LIBRARY DIRECTORIES, colon separated"
"""
import os
import re
import subprocess
import sys
import tempfile

# A model whose second class always wins; the lines of the README; without jansson there are no models, and status 77.
AROUND = """
#include <cnnblas/net_model.h>
#include <stdio.h>

int main(void)
{{
  static const char *const names[] = {{"cat", "dog"}};
  static const uint8_t pixels[3 * 4 * 4];
  float x[3 * 4 * 4];
  int32_t class = -1;
  cnnblas_net *net;
  cnnblas_net_tensor bias;
  if (cnnblas_net_create("INPUT 3x4x4 -> FC 2", NULL, &net) || cnnblas_net_set_class_names(net, names, 2) ||
      cnnblas_net_find_tensor(net, "fc1.bias", &bias))
    return 1;
  ((float *)bias.value)[1] = 1;
  cnnblas_status saved = cnnblas_net_save(net, "animals.safetensors");
  cnnblas_net_destroy(net);
  if (saved) return saved == CNNBLAS_UNSUPPORTED ? 77 : 1;
{lines}
}}
"""

root, compiler, libraries = sys.argv[1:4]
with open(os.path.join(root, "README.md")) as file:
    readme = file.read()
section = readme.split("\n## A network from one line of text\n")[1]
program = re.search(r"```c\n(.*?)```", section, re.S).group(1)
command = re.search(r"^    cc digits\.c (.*?) -o digits", section, re.M).group(1).split()
# pkg-config's part of the command stands for the installed library; here it is the build tree's.
arguments = [a for a in command if a == "-lm" or a.startswith("-I") or a.endswith(".c")]
arguments += ["-I" + os.path.join(root, "include"), "-lcnnblas_net", "-lcnnblas"]
for path in libraries.split(":"):
    arguments += ["-L" + path, "-Wl,-rpath," + path]
flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"] + os.environ.get("README_CFLAGS", "").split()


def run(name, text, more):
    """Compiles a program and runs it in the folder."""
    source, binary = os.path.join(folder, name + ".c"), os.path.join(folder, name)
    with open(source, "w") as file:
        file.write(text)
    subprocess.run(compiler.split() + flags + [source, "-o", binary] + more, cwd=root, check=True)
    return subprocess.run([binary], cwd=folder, stdout=subprocess.PIPE, text=True, check=False)


with tempfile.TemporaryDirectory() as folder:
    done = run("digits", program, arguments)
    load, = re.findall(r"```c\n(cnnblas_net_load\(.*?)```", readme, re.S)
    loaded = run("load", AROUND.format(lines=load), [a for a in arguments if not a.endswith(".c")])
lines = len([line for line in program.splitlines() if line.strip()])
print(done.stdout + f"{lines} lines of C\n{len(load.splitlines())} lines load a model: {loaded.stdout.strip() or loaded.returncode}")
accuracy = float(re.findall(r"([0-9.]+)% of the test digits", done.stdout)[-1])
right = loaded.returncode == 77 or (loaded.returncode == 0 and loaded.stdout == "dog\n")
sys.exit(0 if done.returncode == 0 and accuracy >= 98 and lines <= 35 and right else 1)
