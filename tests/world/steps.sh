#!/usr/bin/env bash
# Times training steps of one, two and four ranks over links of several rates: tests/world/steps.sh CAMCL [SECONDS [RANKS:MBIT ...]]
# >steps.csv. As root, on a machine that does nothing else; SECONDS (default 8) for each of the points; 0 Mbit/s: the link is not limited.
# tests/world/model.py reads what it writes.
#
# A small network with much to send for its work, 16 images for each rank, one thread for each. Of as many steps as the time allows the
# median counts, by rank 0's metrics.csv; the first row, in which connections are opened, is left out.
set -euo pipefail
camcl=$(realpath "$1")
seconds=${2:-8}
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/camcl-steps.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export POCL_MAX_PTHREAD_COUNT=1
images=16

# point RANKS MBIT: 0: the link is not limited.
point() {
    local rate=()
    [ "$2" = 0 ] || rate=(--rate "$2mbit")
    timeout -k 10 "$seconds" "$here/namespaces.sh" -n "$1" "${rate[@]}" -- "$camcl" train data.dataset=shapes data.labeled=640 \
        data.unlabeled=0 data.validation=0 ssl.mode=supervised ssl.beta=0 model.arch=resnet18 model.width=16 data.image_size=32 \
        train.batch_labeled=$((images * $1)) train.epochs=1000 train.epoch_steps=2 output.save_every=1000 device.tune=off \
        "output.dir=$scratch/$1-$2" >"$scratch/log" 2>&1 || true
    # Images per second of all ranks together, by the name of the column.
    awk -F, -v n="$1" -v rate="$2" -v images=$((images * $1)) '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "images_per_s") column = i }
        NR > 2 && column && $column > 0 { ms[++count] = 1000 * images / $column }
        END {
            if (count < 3) exit 1
            for (i = 2; i <= count; i++) for (j = i; j > 1 && ms[j] < ms[j - 1]; j--) { t = ms[j]; ms[j] = ms[j - 1]; ms[j - 1] = t }
            printf "%d,%d,%.1f,%d\n", n, rate, ms[int((count + 1) / 2)], count
        }' "$scratch/$1-$2/metrics.csv" || { tail -n 5 "$scratch/log" >&2 && exit 1; }
}

echo "ranks,mbit,ms_per_step,rows"
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- 1:0 {2,4}:{0,1000,400,200,100,50}
for one in "$@"; do point "${one%:*}" "${one#*:}"; done
