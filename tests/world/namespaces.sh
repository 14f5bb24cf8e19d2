#!/usr/bin/env bash
# Runs a command on N ranks, each in a network namespace of its own, as if they were N machines: an own address, an own host name, own process
# numbers, and TCP over links whose rate, delay and losses are chosen, and which can be cut. Linux, as root, with Open MPI and iproute2.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: tests/world/namespaces.sh -n N [option ...] -- COMMAND ...
  --rate RATE     of each link, both ways, in tc's words: 100mbit, 1gbit (default: not limited)
  --delay MS      adds this delay to every packet (through tests/world/relay.py, which passes some 100 Mbit/s)
  --loss PERCENT  drops packets at random (also through the relay)
  --cut R:S       cuts the cable of rank R after S seconds
  --mca NAME=X    a parameter of Open MPI; may be repeated
The ranks' hosts are called rank0, rank1 ... CAMCL_* variables of the environment are passed on. The exit status is mpirun's; exit 77: this
machine cannot do it.
TEXT
}

ranks=2 rate= delay=0 loss=0 cut= mca=()
while [ $# -gt 0 ]; do
    case $1 in
    -n) ranks=$2 && shift 2 ;;
    --rate) rate=$2 && shift 2 ;;
    --delay) delay=$2 && shift 2 ;;
    --loss) loss=$2 && shift 2 ;;
    --cut) cut=$2 && shift 2 ;;
    --mca) mca+=(--mca "${2%%=*}" "${2#*=}") && shift 2 ;;
    --) shift && break ;;
    *) usage >&2 && exit 2 ;;
    esac
done
[ $# -gt 0 ] || { usage >&2 && exit 2; }

cannot() {
    echo "namespaces.sh: $*" >&2
    exit 77
}
[ "$(id -u)" = 0 ] || cannot "needs root"
for tool in mpirun ip tc unshare; do
    command -v $tool >/dev/null || cannot "$tool is missing (apt-get install openmpi-bin iproute2 util-linux)"
done

here=$(cd "$(dirname "$0")" && pwd)
name=cw$$                                    # of everything that is made here; names of links have 15 characters at most
net=10.213.7                                 # of their own: runs side by side may have the same
scratch=$(mktemp -d "${TMPDIR:-/tmp}/camcl-world.XXXXXX")
background=()

clean_up() {
    local pid r ns
    for pid in "${background[@]}"; do kill "$pid" 2>/dev/null || true; done
    for ns in h $(seq 0 $((ranks - 1))); do
        for pid in $(ip netns pids $name.$ns 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
        ip netns del $name.$ns 2>/dev/null || true
        ip link del $name.$ns 2>/dev/null || true
        ip link del $name.$ns.s 2>/dev/null || true
    done
    ip link del $name 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- the network: a switch, and a cable from each rank to it; mpirun stands at the switch

ip link add $name type bridge || cannot "no bridges here"
ip link set $name up
# A host NAME of the network, by its last number.
plug_in() {
    ip netns add "$1" || cannot "no network namespaces here"
    ip link add "$1" type veth peer name eth0 netns "$1"
    ip -n "$1" addr add $net."$2"/24 dev eth0
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
}
plug_in $name.h 254
ip link set $name.h master $name up
# mpirun would wait a quarter of an hour for a host that it cannot reach.
ip netns exec $name.h sysctl -q -w net.ipv4.tcp_retries2=4
# A bucket of 5 ms, and a queue that holds 50 ms.
limit() { tc qdisc replace dev "$1" root tbf rate "$rate" burst "$burst" latency 50ms; }
if [ -n "$rate" ]; then
    bits=$(tc_rate=$rate awk 'BEGIN { r = tolower(ENVIRON["tc_rate"]); f = 1; if (r ~ /kbit/) f = 1e3; if (r ~ /mbit/) f = 1e6; if (r ~ /gbit/) f = 1e9; print int(r * f) }')
    burst=$((bits / 8 / 200 > 16000 ? bits / 8 / 200 : 16000))
fi
relayed=()
for ((r = 0; r < ranks; r++)); do
    ns=$name.$r
    plug_in $ns $((r + 1))
    if [ "$delay" != 0 ] || [ "$loss" != 0 ]; then
        ip link add $ns.s type veth peer name $ns.r
        ip link set $ns.s master $name up
        ip link set $ns.r up
        relayed+=("$ns=$ns.r")
        end=$ns.r
    else
        ip link set $ns master $name
        end=$ns
    fi
    ip link set $ns up
    if [ -n "$rate" ]; then
        limit $end
        ip netns exec $ns tc qdisc replace dev eth0 root tbf rate "$rate" burst "$burst" latency 50ms
    fi
done
if [ ${#relayed[@]} -gt 0 ]; then
    command -v python3 >/dev/null || cannot "python3 is missing"
    for ((r = 0; r < ranks; r++)); do
        # Frames that the kernel would cut up, or add a checksum to, only on a card.
        ip netns exec $name.$r python3 "$here/relay.py" --plain eth0
    done
    python3 "$here/relay.py" --plain $name $(for ((r = 0; r < ranks; r++)); do echo $name.$r.s; done)
    python3 "$here/relay.py" --delay "$delay" --loss "$loss" "${relayed[@]}" &
    background+=($!)
fi

# ---- the ranks

hosts=
for ((r = 0; r < ranks; r++)); do
    echo "$net.$((r + 1)) rank$r" >>"$scratch/hosts"
    hosts=$hosts${hosts:+,}rank$r
done
# Where mpirun would use ssh: HOST WORD ..., to be run by that host's shell. Processes of two hosts do not see each other.
cat >"$scratch/agent" <<TEXT
#!/bin/sh
host=\$1
shift
exec ip netns exec $name.\${host#rank} unshare --uts --pid --fork --kill-child --mount sh -c '
    mount --bind $scratch/hosts /etc/hosts
    mkdir -p $scratch/\$0 && export TMPDIR=$scratch/\$0
    echo \$0 >/proc/sys/kernel/hostname
    eval "\$*"' "\$host" "\$@"
TEXT
chmod +x "$scratch/agent"
if [ -n "$cut" ]; then
    (sleep "${cut#*:}" && echo "namespaces.sh: the cable of rank ${cut%:*} is cut" >&2 && ip link set $name.${cut%:*} down) &
    background+=($!)
fi
pass=()
for variable in $(compgen -e | grep -E '^(CAMCL|OCL|POCL)_'); do pass+=(-x "$variable"); done
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
status=0
# Processes that orted leaves behind, as daemons do, would end with the namespace of processes.
ip netns exec $name.h mpirun --leave-session-attached -n "$ranks" --host "$hosts" --map-by node --bind-to none --mca plm_rsh_agent "$scratch/agent" --mca plm_rsh_no_tree_spawn 1 \
    --mca pml ob1 --mca btl tcp,self --mca btl_tcp_if_include $net.0/24 --mca oob_tcp_if_include $net.0/24 \
    "${mca[@]}" "${pass[@]}" "$@" </dev/null || status=$?
exit $status
