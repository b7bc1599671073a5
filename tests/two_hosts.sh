#!/bin/bash
# Two hosts in network namespaces, joined by a pair of virtual cards over TCP: two ranks leave the model that one process leaves.
# Needs root, `ip netns` and OpenMPI; skipped (exit code 77) without.
#
# usage: two_hosts.sh PROGRAM MPIRUN
set -euo pipefail
program=$(realpath "$1") mpirun=$2
[ "$(id -u)" = 0 ] && [ -x "$mpirun" ] && command -v ip >/dev/null || { echo 'skipped: not root, no mpirun or no ip'; exit 77; }
a=cnnblas_a_$$ b=cnnblas_b_$$
folder=$(mktemp -d)
clean() {
  for space in $a $b; do ip netns pids "$space" 2>/dev/null | xargs -r kill -9 || true; done
  ip netns del $a 2>/dev/null || true
  ip netns del $b 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT
ip netns add $a 2>/dev/null && ip netns add $b 2>/dev/null || { echo 'skipped: no network namespaces here'; exit 77; }
ip link add cba$$ netns $a type veth peer name cbb$$ netns $b || { echo 'skipped: no virtual cards here'; exit 77; }
for host in "$a cba$$ 10.77.0.1" "$b cbb$$ 10.77.0.2"; do
  read -r space card address <<<"$host"
  ip -n "$space" link set lo up
  ip -n "$space" addr add "$address/24" dev "$card"
  ip -n "$space" link set "$card" up
done

# What mpirun takes for ssh: the host's name is its namespace, in which it has that name for itself too.
cat >"$folder/agent" <<AGENT
#!/bin/bash
case \$1 in 10.77.0.1) space=$a ;; *) space=$b ;; esac
name=\$1
shift
exec ip netns exec \$space unshare --uts bash -c 'hostname host\${1##*.}; shift; eval "\$*"' bash "\$name" "\$@"
AGENT
chmod +x "$folder/agent"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive
cd "$folder"
common="train --epochs 1 --threads 1 -q --no-checkpoint"
"$program" $common --segments 16 --out one
on_both() { # ARGUMENT...: the command with two ranks, one on each host
  ip netns exec $a unshare --uts bash -c 'hostname host1; shift; exec "$@"' bash x "$mpirun" --host 10.77.0.1:1,10.77.0.2:1 -n 2 \
    --mca plm_rsh_agent "$folder/agent" --mca orte_keep_fqdn_hostnames 1 --mca oob_tcp_if_include 10.77.0.0/24 \
    --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 "$program" "$@"
}
on_both $common --out "$folder/two"
cmp one two
echo 'two hosts: the same bytes as one process'

# The cable is pulled: both ranks end, and say so once on each side.
CNNBLAS_MPI_PATIENCE=3 on_both train --epochs 100000 --threads 1 -q --checkpoint "$folder/kept" >log 2>&1 &
run=$!
until [ -e kept ] || ! kill -0 $run 2>/dev/null; do sleep 0.2; done
ip -n $a link set cba$$ down
begun=$SECONDS
ranks() { pgrep -f "^$program train --epochs 100000" || true; }
while [ -n "$(ranks)" ] && [ $((SECONDS - begun)) -lt 30 ]; do sleep 0.5; done
sleep 1 # until the launcher has passed on what they said
left=$(ranks)
[ -z "$left" ] || kill -9 $left
ip netns pids $a | xargs -r kill -9 || true # the launcher waits for a host that it does not reach
wait $run 2>/dev/null || true
grep '^cnnblas train: rank' log || { cat log; echo 'nobody has said what was wrong'; exit 1; }
[ -z "$left" ] || { echo "ranks are left after 30 s: $left"; exit 1; }
"$program" inspect kept >/dev/null
echo "a cable pulled: all ranks have ended in $((SECONDS - begun)) s, and the checkpoint is whole"
