#!/bin/sh
# Makes the folder that tests and measures camcl on a machine with a GPU, where nothing can be installed: docs/new-device.md.
# Usage: tests/device/kit.sh [--build DIR] [--data DIR] [--driver FILE]... [--out DIR]
#   --build DIR    a build of this checkout with its tests (default: build; made if it is not there)
#   --data DIR     CIFAR-10 in its binary layout, data_batch_1.bin ...; the first images of every file go along (default:
#                  data/cifar-10-batches-bin). Without it the training takes the images that camcl draws
#   --driver FILE  a library to put into the kit's folder drivers/, for machines that lack theirs
#   --out DIR      the folder (default: build/camcl-kit); replaced
# Needs cc, binutils and coreutils. The folder holds at most 48 MiB and no links: programs without symbols, the libraries they need
# beyond glibc, the golden files, configurations, and run.sh.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd -P)
build=$top/build
data=$top/data/cifar-10-batches-bin
out=
drivers=
most=$((48 * 1024 * 1024))
# Images of each training file and of the test file.
train_images=200
test_images=400

die() {
    echo "kit.sh: $*" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die "$1: unknown, or its value is missing (see the first lines of this file)"
    case $1 in
    --build) build=$2 ;;
    --data) data=$2 ;;
    --driver) drivers="$drivers $2" ;;
    --out) out=$2 ;;
    *) die "$1: unknown (see the first lines of this file)" ;;
    esac
    shift 2
done
out=${out:-$build/camcl-kit}

if [ ! -x "$build/camcl" ] || [ ! -x "$build/tests/test_golden" ]; then
    cmake -S "$top" -B "$build"
    cmake --build "$build" --parallel
fi
[ ! -e "$out" ] || [ -f "$out/glibc" ] || die "$out: is there and no kit; it is not replaced"
rm -rf "$out"
mkdir -p "$out/bin/tests" "$out/lib/spare" "$out/tests/golden" "$out/configs"
: >"$out/glibc" # so that a kit that is not completed may be replaced

# ---- programs

cp "$build/camcl" "$out/bin/"
# Those of the operations and of the training steps.
for source in "$top"/tests/ops/test_*.c "$top"/tests/ssl/test_*.c; do
    name=$(basename "$source" .c)
    # It reads the sources.
    [ "$name" != test_registry ] || continue
    cp "$build/tests/$name" "$out/bin/tests/" || die "$name: not built (./run test -N builds the tests, and installs what they need)"
done
strip "$out/bin/camcl" "$out"/bin/tests/*

# ---- libraries

# glibc and the vDSO are the machine's. What the programs name themselves is the kit's; what only those need serves where it is missing.
needed() { objdump -p "$@" | awk '$1 == "NEEDED" { print $2 }' | sort -u; }
is_glibc() {
    case $1 in
    ld-linux* | linux-vdso* | libc.so.* | libm.so.* | libpthread.so.* | libdl.so.* | librt.so.* | libresolv.so.* | libutil.so.*) ;;
    *) return 1 ;;
    esac
}
direct=$(needed "$out/bin/camcl" "$out"/bin/tests/*)
for program in "$out/bin/camcl" "$out"/bin/tests/*; do
    ldd "$program"
done | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | sort -u >"$out/ldd"
while read -r name path; do
    ! is_glibc "$name" || continue
    folder=$out/lib/spare
    for own in $direct; do
        [ "$own" != "$name" ] || folder=$out/lib
    done
    cp -L "$path" "$folder/$name"
    strip --strip-unneeded "$folder/$name"
done <"$out/ldd"
rm "$out/ldd"
for library in libOpenCL.so.1 libclblast.so.1 libcmocka.so.0; do
    [ -f "$out/lib/$library" ] || die "$library: no program needs it, which cannot be"
done

# libarchive brings libxml2, that brings ICU, and ICU 30 MB of tables that only XML in rare encodings asks for. The smallest table set that
# ICU accepts takes their place (ICU's own stubdata: an empty table of contents).
for tables in "$out"/lib/spare/libicudata.so.*; do
    [ -f "$tables" ] || continue
    symbol=$(nm -D --defined-only "$tables" | awk '$3 ~ /^icudt[0-9]+_dat$/ { print $3 }')
    [ -n "$symbol" ] || die "$tables: its table has no name known here"
    cat >"$out/stub.c" <<TEXT
#include <stdint.h>
const struct {
    uint16_t header_size;
    uint8_t magic[2];
    uint16_t info_size, reserved;
    uint8_t big_endian, charset, char_size, reserved2, format[4], versions[8], padding[8];
    uint32_t count, unused;
} $symbol = { 32, { 0xda, 0x27 }, 20, 0, 0, 0, 2, 0, { 'T', 'o', 'C', 'P' }, { 1 }, { 0 }, 0, 0 };
TEXT
    "${CC:-cc}" -std=c11 -shared -fPIC -s -Wl,-soname,"$(basename "$tables")" -o "$tables" "$out/stub.c"
    rm "$out/stub.c"
done

# ---- what programs read

cp "$top"/tests/golden/*.safetensors "$out/tests/golden/"
cp "$top"/configs/*.ini "$out/configs/"
dataset='dataset = shapes'
if [ -f "$data/test_batch.bin" ]; then
    mkdir -p "$out/data"
    record=3073
    for file in "$data"/data_batch_?.bin "$data/test_batch.bin"; do
        images=$train_images
        [ "$file" != "$data/test_batch.bin" ] || images=$test_images
        head -c $((images * record)) "$file" >"$out/data/$(basename "$file")"
    done
    dataset=$(printf 'dataset = cifar10\nroot = data')
fi
cat >"$out/configs/kit.ini" <<TEXT
; The kit's short training: it shows that a loss falls on this device, not how well camcl learns.
[data]
$dataset
labeled = 200
unlabeled = all
validation = 100

[model]
arch = resnet18
width = 32

[ssl]
mode = gradcam
threshold = 0.5
reduction = batch

[train]
epochs = 8
epoch_steps = 50
batch_labeled = 32
batch_unlabeled = 32

[optim]
lr = 0.05
warmup = 50
TEXT

# ---- the kit's own

for file in run.sh drivers.sh results.sh pytorch_step.py; do
    cp "$top/tests/device/$file" "$out/"
done
chmod +x "$out/run.sh" "$out/pytorch_step.py"
cp "$top/docs/new-device.md" "$out/README.md"
cp "$top/docs/drivers.md" "$out/"
cp "$top/LICENSE" "$out/"
if [ -n "$drivers" ]; then
    mkdir "$out/drivers"
    for file in $drivers; do
        cp -L "$file" "$out/drivers/"
    done
fi
commit=$(git -C "$top" rev-parse --short HEAD 2>/dev/null || echo unknown)
[ -z "$(git -C "$top" status --porcelain 2>/dev/null)" ] || commit="$commit with changes"
echo "$("$build/camcl" --version | head -n 1), commit $commit, built on $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" >"$out/version"
uname -m >"$out/machine"
# The newest glibc symbol that any file asks for.
objdump -T "$out"/bin/camcl "$out"/bin/tests/* "$out"/lib/*.so* "$out"/lib/spare/*.so* 2>/dev/null | grep -o 'GLIBC_2\.[0-9.]*' |
    cut -d_ -f2 | sort -uV | tail -n 1 >"$out/glibc"

size=$(find "$out" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
[ "$size" -le $most ] || die "$out: $size bytes, more than $most"
[ -z "$(find "$out" -type l)" ] || die "$out: holds links, which do not travel"
echo "kit.sh: $out, $((size / 1048576)) MiB, for $(cat "$out/machine") with glibc $(cat "$out/glibc") or newer"
