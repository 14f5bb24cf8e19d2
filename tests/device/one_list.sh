#!/bin/sh
# One training over unlike implementations of OpenCL: PoCL beside Intel's runtime beside rusticl, as far as they are there, each with its
# share of every batch, in one process.
#
# usage: one_list.sh BUILD_FOLDER FOLDER      (FOLDER: see implementations.sh)
#
# Ten pinned steps over the list against the same steps on its first device (tests/ssl/test_exchange.c): supervised and gradcam over all of
# them, and over the first two in every mode (CAMCL_TEST_SIZES=few: in some), since llvmpipe takes a minute for each. Then short trainings on
# drawn pictures: with shares by measured speed; twice with given ones, which give the same bits; and resumed.
#
# Exit status: 77: fewer than two implementations are there.
set -u
here=$(cd "$(dirname "$0")" && pwd -P)
[ $# = 2 ] || exit 2
build=$1
folder=$2
names=
list=
shares=
count=0
for name in pocl intel rusticl; do
    if ! sh "$here/implementations.sh" "$folder" | grep -qx "$name"; then
        sh "$here/implementations.sh" "$folder" | grep "^$name:"
        continue
    fi
    names=$names${names:+,}$name
    list=$list${list:+,}$count:0
    shares=$shares${shares:+,}$((4 - count))
    count=$((count + 1))
done
if [ $count -lt 2 ]; then
    echo "skipped: only one implementation of OpenCL is here (./run test --all installs others)"
    exit 77
fi
scratch=$(mktemp -d "${TMPDIR:-/tmp}/camcl-list.XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT

beside() { sh "$here/implementations.sh" "$folder" "$names" env CAMCL_DEVICE="$list" "$@"; }
die() {
    echo "error: $*"
    exit 1
}
# train NAME [KEY=VALUE ...]
train() {
    name=$1
    shift
    beside "$build/camcl" train data.dataset=shapes data.labeled=100 data.unlabeled=200 data.validation=100 data.image_size=16 model.width=4 \
        ssl.mode=pseudo-label train.epochs=2 train.epoch_steps=2 train.batch_labeled=12 train.batch_unlabeled=12 device.conv=direct device.tune=off \
        "output.dir=$scratch/$name" "$@" >"$scratch/$name.log" 2>&1 || {
        cat "$scratch/$name.log"
        die "$name"
    }
}

[ $count = 2 ] || beside env CAMCL_TEST_SIZES=few "$build/tests/test_exchange" 5 || die "ten steps over $names"
beside env CAMCL_DEVICE=0:0,1:0 "$build/tests/test_exchange" || die "ten steps over the first two of $names"
train auto
grep "^device " "$scratch/auto.log"
grep "^shares by measured speed: " "$scratch/auto.log" || die "the speeds are not said"
[ "$(grep -c "^device [1-9] of $count: " "$scratch/auto.log")" = $count ] || die "not all of $names took part"
train first "device.share=$shares"
train second "device.share=$shares"
grep "^device [1-9] of" "$scratch/second.log"
cmp "$scratch/first/last.safetensors" "$scratch/second/last.safetensors" || die "the same list and shares gave other bits"
train half "device.share=$shares" train.epochs=1
train half --resume train.epochs=2
grep "^epoch 2/2" "$scratch/half.log" >/dev/null || die "resuming did not train"
grep "^test:" "$scratch/first.log"
echo "one list over $names: right"
