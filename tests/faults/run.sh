#!/usr/bin/env bash
# Breaks what camcl stands on, and looks at what comes of it.
#
#     tests/faults/run.sh [all | places | kills | full | growth | sample] [option ...]
#
# places: each place that camcl calls memory, OpenCL, files or threads from fails once (hours; --sample N takes N of them)
# kills:  SIGKILL at each call that changes a file of a run, and at 100 random moments
# full:   full disks, limits of file sizes, read-only folders
# growth: memory over 5,000 steps and 200 evaluations
# sample: a few of each, as ctest runs them (about a minute on two cores)
# Options go to the script, which --help explains; each run says by which --seed it can be repeated. Builds build/tests/camcl_faults first,
# in the folder that CAMCL_BUILD names instead of build. What takes long to prepare is kept in build/faults, until the program is built anew.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${CAMCL_BUILD:-build}
scratch=$build/faults
what=${1:-all}
[ $# -eq 0 ] || shift
failed=0

prepare() {
    [ -f "$build/CMakeCache.txt" ] || cmake -S . -B "$build" -DCAMCL_WERROR=ON || exit 1
    cmake --build "$build" --parallel --target camcl_faults test_growth >"$build/faults.log" 2>&1 || {
        cat "$build/faults.log"
        exit 1
    }
    [ "$scratch/base/complete" -nt "$build/tests/camcl_faults" ] || rm -rf "$scratch"
}

script() {
    local name=$1
    shift
    echo "== $name $*"
    python3 "tests/faults/$name.py" --program "$build/tests/camcl_faults" --scratch "$scratch" "$@" || failed=1
}

growth() {
    echo "== growth"
    CAMCL_GROWTH_STEPS=5000 CAMCL_GROWTH_EVALUATIONS=200 "$build/tests/test_growth" || failed=1
}

sample() {
    script places --commands train,eval,predict,cam,report,inspect --sample 24 --seed 1 "$@"
    script kills --calls 3 --random 4 --seed 1 "$@"
    script full --sample 5 --seed 1 "$@"
}

case $what in
places | kills | full) prepare && script "$what" "$@" ;;
growth) prepare && growth ;;
sample) prepare && sample "$@" ;;
ctest)
    scratch=$(mktemp -d) || exit 1
    trap 'rm -rf "$scratch"' EXIT
    sample "$@"
    ;;
all)
    prepare
    script places "$@"
    script kills "$@"
    script full "$@"
    growth
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
exit $failed
