#!/usr/bin/env bash
# What reading the sources finds, and what running them under tools finds that are too slow for every change.
#
#     tests/static/run.sh [FILE ...]    clang-tidy 14 on these files of host/, or on those that differ from the main branch, or with --all
#                                       on all of them; cppcheck on all of host/
#     tests/static/run.sh --quick       the same, with clang-tidy's checks of single statements, which take a minute on one core
#     tests/static/run.sh --threads     threads that share memory, under the thread sanitizer
#     tests/static/run.sh --memcheck    a short training under valgrind
#
# .clang-tidy and tests/static/cppcheck.txt say what is looked for, and why the rest is not. CAMCL_REQUIRE_TOOLS=1 makes a missing tool an
# error. Exit status 77: nothing could be run.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
failed=0 ran=0

# have PROGRAM PACKAGE
have() {
    command -v "$1" >/dev/null && return
    echo "no $1: left out (apt-get install $2)"
    [ "${CAMCL_REQUIRE_TOOLS:-}" != 1 ] || failed=1
    return 1
}

processors() { getconf _NPROCESSORS_ONLN; }

# Gives clang-tidy and cppcheck the headers that the build makes, and the commands.
commands() {
    mkdir -p build-static
    { cmake -S . -B build-static -DCMAKE_EXPORT_COMPILE_COMMANDS=ON && cmake --build build-static --target kernel_headers; } \
        >build-static/build.log 2>&1 || {
        tail -n 20 build-static/build.log
        exit 1
    }
}

# tidy CHECKS FILE ...: the checks may find nothing but what tidy.txt has. One process for each file, since the analyzer's check of
# va_list finds what is not there from the second on.
tidy() {
    local checks=$1
    shift
    printf '%s\0' "$@" | xargs -0 -n 1 -P "$(processors)" clang-tidy-14 -p build-static --quiet --checks="$checks" \
        >build-static/tidy.log 2>build-static/tidy-errors.log
    grep -q 'warning: ' build-static/tidy.log || [ ! -s build-static/tidy.log ] || failed=1
    sed "s|^$PWD/||" build-static/tidy.log | awk '
        FNR == NR { if ($0 !~ /^#/ && NF > 1) accepted[$1 " " $2] = 1; next }
        /(warning|error): .*\[[^] ]*\]$/ {
            split($0, place, ":")
            check = $0
            sub(/.*\[/, "", check)
            sub(/\]$/, "", check)
            if (!((place[1] " " check) in accepted) && !seen[$0]++) { print; bad = 1 }
        }
        END { exit bad }' tests/static/tidy.txt - || failed=1
    ran=1
}

check_with_cppcheck() {
    mkdir -p build-static/cppcheck
    local file libraries=()
    for file in PNG JPEG WEBP EXIF ARCHIVE CURL NETTLE; do
        libraries+=("-DCAMCL_HAVE_$file")
    done
    cppcheck -j "$(processors)" --quiet --std=c11 --library=posix --enable=warning,style,performance,portability --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppressions-list=tests/static/cppcheck.txt --inline-suppr \
        --cppcheck-build-dir=build-static/cppcheck -D_POSIX_C_SOURCE=200809L '-DCAMCL_VERSION="0"' "${libraries[@]}" \
        -Iinclude -Ihost -Ihost/cli -Ibuild-static/bindings host || failed=1
    ran=1
}

# The thread sanitizer knows nothing of what a driver's threads do with memory, so that these tests are those that need none.
check_threads() {
    mkdir -p build-threads
    { cmake -S . -B build-threads -DCAMCL_THREAD_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug &&
        cmake --build build-threads --parallel "$(processors)" --target $threaded; } >build-threads/build.log 2>&1 || {
        tail -n 40 build-threads/build.log
        exit 1
    }
    local program
    for program in $threaded; do
        echo "-- $program"
        TSAN_OPTIONS="halt_on_error=0:exitcode=66:suppressions=$PWD/tests/static/threads.supp" "build-threads/tests/$program" \
            >build-threads/$program.log 2>&1 || {
            tail -n 60 "build-threads/$program.log"
            failed=1
        }
    done
    ran=1
}
threaded='test_parallel test_pixel_store test_load_pictures test_picture_folder test_image_formats'

# Two steps of a small network, which PoCL compiles under valgrind, too: half an hour. Kernels are looked at as well.
check_memory() {
    have valgrind valgrind || return
    mkdir -p build-memcheck
    { cmake -S . -B build-memcheck -DCMAKE_BUILD_TYPE=None '-DCMAKE_C_FLAGS=-O1 -g' -DCAMCL_TESTS=OFF &&
        cmake --build build-memcheck --parallel "$(processors)" --target camcl; } >build-memcheck/build.log 2>&1 || {
        tail -n 40 build-memcheck/build.log
        exit 1
    }
    local scratch
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/camcl-memcheck-XXXXXX") || exit 1
    # A processor without AVX-512 is what valgrind shows, so that what was compiled for the real one must not be found.
    XDG_CACHE_HOME=$scratch/cache POCL_CACHE_DIR=$scratch/pocl valgrind --quiet --error-exitcode=9 --num-callers=30 --leak-check=full \
        --show-leak-kinds=definite --errors-for-leak-kinds=definite --suppressions=tests/static/memcheck.supp \
        build-memcheck/camcl train data.dataset=shapes data.labeled=20 data.unlabeled=20 data.validation=10 model.arch=resnet18 \
        model.width=4 ssl.mode=gradcam train.epochs=1 train.epoch_steps=2 train.batch_labeled=4 train.batch_unlabeled=4 \
        device.cache_dir= output.dir="$scratch/run" --quiet || failed=1
    rm -rf "$scratch"
    ran=1
}

case ${1:-} in
--threads) check_threads ;;
--memcheck) check_memory ;;
*)
    commands
    files=()
    checks=
    case ${1:-} in
    # What this build leaves out for want of a library cannot be read either.
    --quick | --all) mapfile -t files < <(sed -n "s|^ *\"file\": \"$PWD/\(host/.*\.c\)\",*$|\1|p" build-static/compile_commands.json | sort -u) ;;
    '') mapfile -t files < <(git diff --name-only --diff-filter=d main -- 'host/*.c' 2>/dev/null) ;;
    *) files=("$@") ;;
    esac
    [ "${1:-}" != --quick ] || checks='-clang-analyzer-*'
    if [ ${#files[@]} -gt 0 ] && have clang-tidy-14 clang-tidy-14; then tidy "$checks" "${files[@]}"; fi
    if have cppcheck cppcheck; then check_with_cppcheck; fi
    ;;
esac
[ $failed = 0 ] || exit 1
[ $ran = 1 ] || exit 77
echo "nothing found"
