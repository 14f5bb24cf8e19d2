#!/bin/sh
# OpenCL implementations that need no GPU, one at a time or side by side: PoCL, Intel's runtime for processors, rusticl on llvmpipe, Oclgrind.
#
# usage: implementations.sh FOLDER NAME COMMAND [ARGUMENT ...]
#        implementations.sh FOLDER
#
# Runs the command with only this implementation in sight, its caches of compiled kernels below FOLDER. NAME: pocl, intel, rusticl,
# oclgrind; or several of the first three with commas, pocl,intel,rusticl: platforms 0, 1, 2 in this order. Where FOLDER/venv is a Python
# environment with intel-opencl-rt, Intel's runtime is taken from there. Under Oclgrind, the simulator, the command runs with data races and
# accesses outside buffers looked for, and fails if it reports anything. Without a NAME: one line for each, "NAME" or "NAME: what is missing".
#
# Exit status: the command's; 77 the implementation is not there; 2 wrong arguments.
# shellcheck source-path=SCRIPTDIR
set -u
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=drivers.sh
. "$here/drivers.sh"

names='pocl intel rusticl oclgrind'

# library_of NAME: the path of its driver.
library_of() {
    case $1 in
    pocl) find_library '' libpocl ;;
    rusticl) find_library '' libRusticlOpenCL ;;
    intel)
        if [ -f "$base/venv/lib/libintelocl.so" ]; then
            echo "$base/venv/lib/libintelocl.so"
        else
            find_library '' libintelocl
        fi
        ;;
    esac
}

# missing NAME: says what is missing; fails where nothing is.
missing() {
    case $1 in
    oclgrind) command -v oclgrind >/dev/null 2>&1 && return 1 ;;
    *) library_of "$1" >/dev/null && return 1 ;;
    esac
    case $1 in
    pocl) echo "PoCL (Debian: pocl-opencl-icd)" ;;
    intel) echo "Intel's runtime for processors (PyPI: intel-opencl-rt, intel-cmplr-lib-rt)" ;;
    rusticl) echo "Mesa's rusticl (Debian: mesa-opencl-icd)" ;;
    oclgrind) echo "Oclgrind (Debian: oclgrind)" ;;
    esac
}

[ $# -ge 1 ] || exit 2
mkdir -p "$1" || exit 2
base=$(cd "$1" && pwd -P)
if [ $# = 1 ]; then
    for name in $names; do
        if why=$(missing "$name"); then echo "$name: missing: $why"; else echo "$name"; fi
    done
    exit 0
fi
name=$2
shift 2
[ $# -gt 0 ] || exit 2
# An empty folder for Oclgrind, which is no driver that a loader loads.
mkdir -p "$base/$name/vendors" "$base/$name/cache"
place=0
for one in $(echo "$name" | tr ',' ' '); do
    case " $names " in
    *" $one "*) [ "$one" != oclgrind ] || [ "$name" = oclgrind ] || exit 2 ;;
    *) exit 2 ;;
    esac
    if why=$(missing "$one"); then
        echo "missing: $why"
        exit 77
    fi
    # Loaders take the files in the order of their names, or of the folder.
    [ "$one" = oclgrind ] || library_of "$one" >"$base/$name/vendors/$place-$one.icd"
    place=$((place + 1))
done
OCL_ICD_VENDORS=$base/$name/vendors
XDG_CACHE_HOME=$base/$name/cache
POCL_CACHE_DIR=$base/$name/cache/pocl
RUSTICL_ENABLE=llvmpipe
unset CAMCL_DEVICE
export OCL_ICD_VENDORS XDG_CACHE_HOME POCL_CACHE_DIR RUSTICL_ENABLE
[ "$name" = oclgrind ] || exec "$@"

rm -f "$base/oclgrind/reports.log"
export CAMCL_TEST_MEMORY=separate
# Not --uninitialized: Oclgrind 21.10 does not know an instruction that clang's optimiser adds (freeze), and of unoptimised kernels it
# reports constants as uninitialised.
oclgrind --data-races --log "$base/oclgrind/reports.log" "$@" || exit
[ ! -s "$base/oclgrind/reports.log" ] || {
    echo "Oclgrind reports:"
    head -n 40 "$base/oclgrind/reports.log"
    exit 1
}
