#!/usr/bin/env bash
# Builds the fuzz targets in build-fuzz and runs them one after another, each for so many seconds, or so many inputs.
#
#     tests/fuzz/run.sh [SECONDSs | INPUTS] [TARGET ...]
#
# "2s" when nothing is said, and all targets: fuzz_<name>.c beside this file, with or without "fuzz_". What a run learns stays in
# build-fuzz/corpus/TARGET for the next one; an input that fails is build-fuzz/finds/TARGET/crash-... (leak-, oom-, timeout-), and
# build-fuzz/tests/fuzz/TARGET FILE runs it again. Any crash, leak, undefined behaviour, input that takes longer than 25 seconds or use of
# more than the memory that is allowed fails. Exit status 77: no clang with libFuzzer.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=build-fuzz
how=${1:-2s}
[ $# -eq 0 ] || shift

# MiB that a target may use, address sanitizer's share included. Archives and pictures may be large when they are unpacked.
memory_of() {
    case $1 in
    fuzz_archive | fuzz_cifar_* | fuzz_idx | fuzz_list | fuzz_png | fuzz_jpeg | fuzz_webp) echo 2560 ;;
    *) echo 512 ;;
    esac
}

# A clang that links libFuzzer's runtime, which Debian has in libclang-rt-VERSION-dev.
find_clang() {
    local name
    mkdir -p "$build"
    printf 'int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size) { return data && size ? 0 : 0; }\n' >"$build/probe.c"
    for name in ${CC:-} clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19; do
        if command -v "$name" >/dev/null && "$name" -fsanitize=fuzzer,address "$build/probe.c" -o "$build/probe" 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    return 1
}

if ! clang=$(find_clang); then
    echo "no clang with libFuzzer: nothing was fuzzed (apt-get install clang-14 libclang-rt-14-dev)"
    exit 77
fi
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in tests/fuzz/fuzz_*.c; do
        targets+=("$(basename "$file" .c)")
    done
fi
for i in "${!targets[@]}"; do
    targets[i]=fuzz_${targets[i]#fuzz_}
done
if ! { CC=$clang cmake -S . -B "$build" -DCAMCL_FUZZ=ON &&
    cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" --target "${targets[@]}"; } >"$build/build.log" 2>&1; then
    tail -n 40 "$build/build.log"
    exit 1
fi
python3 tests/fuzz/make_seeds.py "$build/seeds" || echo "no seeds (they need python3): the targets begin with nothing"

limit=-runs=$how
case $how in *s) limit=-max_total_time=${how%s} ;; esac
# Most targets write small files, which take no time in memory.
scratch=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/camcl-fuzz-run-XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch ASAN_OPTIONS=allocator_may_return_null=1:quarantine_size_mb=16:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
failed=0
for target in "${targets[@]}"; do
    mkdir -p "$build/corpus/$target" "$build/finds/$target" "$build/seeds/$target"
    log=$build/finds/$target.log
    if "$build/tests/fuzz/$target" "$limit" -rss_limit_mb="$(memory_of "$target")" -timeout=25 -print_final_stats=1 \
        -artifact_prefix="$build/finds/$target/" "$build/corpus/$target" "$build/seeds/$target" >"$log" 2>&1; then
        printf '%-20s %9s inputs, at most %5s MiB\n' "$target" "$(awk '/number_of_executed_units/ { print $2 }' "$log")" \
            "$(awk '/peak_rss_mb/ { print $2 }' "$log")"
    else
        printf '%-20s FAILED, see %s\n' "$target" "$log"
        grep -vE '^#[0-9]+[[:space:]]|NEW_FUNC|^INFO' "$log" | head -n 60
        failed=1
    fi
done
exit $failed
