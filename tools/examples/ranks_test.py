"""The program prints the same with 1, 2 and 4 ranks. usage: ranks_test.py PROGRAM MPIRUN FLAVOUR"""
import os
import subprocess
import sys

program, mpirun, flavour = sys.argv[1:]
environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT='1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM='1', OMP_WAIT_POLICY='passive')
environment.pop('LD_PRELOAD', None)
environment['ASAN_OPTIONS'] = environment.get('ASAN_OPTIONS', '') + ':detect_leaks=0'  # MPI itself leaks
launcher = [mpirun, *(['--oversubscribe'] if flavour == 'OpenMPI' else [])]
if not os.path.exists(mpirun) or subprocess.run([*launcher, '-n', '2', 'true'], env=environment, stderr=subprocess.DEVNULL).returncode:
    print('skipped: no mpirun that starts a process here')  # without a network interface it starts none
    sys.exit(77)
outputs = [subprocess.run([*launcher, '-n', str(ranks), program],
                          env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout for ranks in (1, 2, 4)]
print(outputs[0])
if outputs != outputs[:1] * 3 or outputs[0].count('\n') != 3:
    sys.exit('other ranks print something else: %r' % outputs)
