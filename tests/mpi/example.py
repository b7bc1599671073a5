"""The example of training over MPI prints the same with 1, 2 and 4 ranks. usage: example.py PROGRAM MPIRUN FLAVOUR"""
import subprocess
import sys

import run

program, mpirun, flavour = sys.argv[1:]
launcher = run.launcher(mpirun, flavour)
if not launcher:
    sys.exit(77)
outputs = [subprocess.run([*launcher, '-n', str(ranks), program], env=run.ENVIRONMENT, check=True, stdout=subprocess.PIPE,
                          text=True).stdout for ranks in (1, 2, 4)]
print(outputs[0])
if outputs != outputs[:1] * 3 or outputs[0].count('\n') != 3:
    sys.exit('other ranks print something else: %r' % outputs)
