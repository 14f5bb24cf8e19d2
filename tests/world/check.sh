#!/usr/bin/env bash
# What ranks do on machines that are far from each other, slow, lossy, or gone: tests/world/check.sh BUILD_FOLDER. By hand, as root; two minutes.
set -uo pipefail
program=$(cd "${1:-build}" && pwd)/tests/test_world || exit 2
cd "$(dirname "$0")" || exit 2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/camcl-check.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
failed=0

# run LIMIT ARGUMENT ...: namespaces.sh with these, for at most LIMIT seconds; leaves $status, $seconds and $scratch/log.
run() {
    local limit=$1 begin=$SECONDS
    shift
    timeout "$limit" ./namespaces.sh "$@" >"$scratch/log" 2>&1
    status=$?
    seconds=$((SECONDS - begin))
    if [ $status = 77 ]; then
        cat "$scratch/log"
        exit 77
    fi
}

complain() {
    echo "FAILED: $*"
    cat "$scratch/log"
    failed=1
}

# works NAME ARGUMENT ...: all exchanges give the right bits.
works() {
    local name=$1
    shift
    run 120 "$@" -- "$program" rank sums pending moments broadcast texts any rounds
    if [ $status = 0 ]; then echo "$name: right, $seconds s"; else complain "$name: exit $status"; fi
}

# ends NAME SCENARIO TEXT ARGUMENT ...: it ends with an error that says TEXT, long before the time limit, on every rank.
ends() {
    local name=$1 scenario=$2 text=$3 rank
    shift 3
    rm -f "$scratch"/*.status
    CAMCL_WORLD_PATIENCE=4 run 90 "$@" -- sh -c "$program rank $scenario; status=\$?; echo \$status >$scratch/\$OMPI_COMM_WORLD_RANK.status; exit \$status"
    if [ $status = 0 ] || [ $status = 124 ]; then complain "$name: exit $status after $seconds s"; fi
    grep -q "$text" "$scratch/log" || complain "$name: nobody said \"$text\""
    for rank in 0 2; do
        # A shell that mpirun has killed leaves no status, one of a rank that waits for ever neither, but then mpirun waits, too.
        [ "$(cat "$scratch/$rank.status" 2>/dev/null)" != 0 ] || complain "$name: rank $rank believes that all went well"
    done
    echo "$name: over after $seconds s"
}

works "three machines" -n 3
works "10 ms late, one packet in a hundred lost" -n 2 --delay 10 --loss 1
works "links of 100 Mbit/s" -n 4 --rate 100mbit
ends "a cut cable" for_ever "rank 1 (host rank1): nothing heard for 4 s during a sum" -n 3 --cut 1:15
# The rank behind the cut has noticed, too.
[ -s "$scratch/1.status" ] || complain "the rank whose cable was cut has not ended by itself"
ends "a rank that is killed" killed "signal 9\|Exit code: *137" -n 3
ends "a rank that hangs" stops "rank 1 (host rank1): nothing heard for 4 s during a sum" -n 3
ends "a rank that gives up" gives_up "rank 1 (host rank1): runs/x: no space left on the disk" -n 3
exit $failed
