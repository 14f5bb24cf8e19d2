#!/bin/sh
# Tests and measures camcl on this machine's OpenCL device: selftest, tests, speeds, PyTorch beside it, tuning, a short training.
# Needs a shell, coreutils and glibc; no installation, no network. tests/device/kit.sh makes the folder that this script runs in.
# shellcheck source-path=SCRIPTDIR
set -u
kit=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=drivers.sh
. "$kit/drivers.sh"
# shellcheck source=results.sh
. "$kit/results.sh"

usage() {
    cat <<'TEXT'
usage: ./run.sh [--time MINUTES] [--limit SECONDS] [--out DIR] [--device SEL] [--python PROGRAM] [--work DIR] [--continue] [--small]
                [ITEM ...]

  --time MINUTES   all items together (14; 840s is seconds); what does not fit is skipped and named in the results
  --limit SECONDS  the longest that one item may take, where its own limit is longer
  --out DIR        folder of the results (default: $OUT, else ./camcl-kit-results)
  --device SEL     a device as `bin/camcl devices` lists them (default: the one marked there)
  --python PROGRAM a Python that has PyTorch (default: python3); without PyTorch the comparison is skipped
  --work DIR       folder of compiled kernels and tuned parameters, kept for the next run (default: work in the kit)
  --continue       go on with the run that is in the folder of --work: what was skipped has its chance, and ITEMs that are named run
                   again; the rest stays on the page as it was
  --small          small networks and batches, for slow devices and to try out the kit itself
  ITEM             only these items, in the kit's order; patterns such as 'step-*' too (--list prints all)

DIR/results.txt is the page to look at and to send, with the other files beside it. Exit status: 0 every item that ran passed;
1 one failed or timed out; 2 wrong arguments; 3 no OpenCL device; 4 the kit's programs do not start here.
OCL_ICD_VENDORS, if set, is used as it is; otherwise drivers are looked for, in the kit's folder drivers/ first.
TEXT
}

die() {
    status=$1 && shift
    echo "run.sh: $*" >&2
    exit "$status"
}

# ---- arguments

total=840
most=9999
out=${OUT:-./camcl-kit-results}
device=${CAMCL_DEVICE:-}
python=python3
work=$kit/work
signal=TERM
small=
continued=
list=
wanted=
while [ $# -gt 0 ]; do
    case $1 in
    --time | --limit | --out | --device | --python | --work) [ $# -ge 2 ] || die 2 "$1: a value is missing" ;;
    esac
    case $1 in
    --time) total=$(seconds_of "$2") || die 2 "--time $2: not a time (14 and 14m are minutes, 840s is seconds)" ;;
    --limit)
        most=$(seconds_of "${2}s") || die 2 "--limit $2: not a number of seconds"
        [ "$most" -ge 5 ] || die 2 "--limit $2: at least 5"
        ;;
    --out) out=$2 ;;
    --device) device=$2 ;;
    --python) python=$2 ;;
    --work) work=$2 ;;
    --small) small=yes ;;
    --continue) continued=yes ;;
    --list) list=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    -*) die 2 "$1: unknown (see --help)" ;;
    *) wanted="$wanted $1" ;;
    esac
    case $1 in
    --time | --limit | --out | --device | --python | --work) shift 2 ;;
    *) shift ;;
    esac
done

# Whether an item was asked for; without names every one is.
is_wanted() {
    [ -n "$wanted" ] || return 0
    set -f
    for pattern in $wanted; do
        # shellcheck disable=SC2254
        case $1 in
        $pattern) set +f && return 0 ;;
        esac
    done
    set +f
    return 1
}

# ---- items

now() { date +%s; }

# run_limited SECONDS SIGNAL FILE COMMAND...: its status, its output in FILE. The signal comes three seconds before SIGKILL. A process that
# even SIGKILL does not end, because it waits in a driver, is left behind: 200.
run_limited() {
    patience=$1 first=$2 file=$3
    shift 3
    rm -f "$file.status"
    began=$(now)
    (
        timeout -s "$first" -k 3 $((patience - 3)) "$@" >"$file" 2>&1 </dev/null &
        echo $! >"$work/running"
        wait $!
        echo $? >"$file.status"
    ) 2>/dev/null &
    until [ -s "$file.status" ]; do
        [ $(($(now) - began)) -le $((patience + 5)) ] || return 200
        sleep 0.2
    done
    status=$(cat "$file.status")
    rm -f "$file.status"
    return "$status"
}

count_programs() {
    set -- "$work"/cache/camcl/kernels/*.bin
    [ -e "$1" ] || shift
    echo $#
}

# was_compiling STATUS PROGRAMS: whether an item timed out and had added to the PROGRAMS in the cache. Compilers exist that take longer for a
# test's kernels than its limit allows; what they have compiled is kept, so that a second run has less to do.
was_compiling() {
    case $(outcome "$1") in
    'timed out') [ "$(count_programs)" != "$2" ] ;;
    *) return 1 ;;
    esac
}

# item NAME LIMIT PERCENT COMMAND...: runs it for at most LIMIT seconds, to end before PERCENT of the time, and records how it went. $signal
# is what ends it first. What timed out while its kernels were compiled runs once more.
item() {
    name=$1 limit=$2 percent=$3
    shift 3
    is_wanted "$name" || return 0
    if [ -n "$list" ]; then
        echo "$name"
        return 0
    fi
    ! is_recorded "$records" "$name" || return 0
    [ -z "$wanted" ] || percent=100
    [ "$limit" -le "$most" ] || limit=$most
    seconds=$(allowance "$limit" $(($(now) - start)) "$total" "$percent")
    if [ "$seconds" = 0 ]; then
        skip "$name" "no time left: $percent % of $total s have passed"
        return 0
    fi
    # A training begins in a folder of its own.
    [ "$name" != train ] || rm -rf "${work:?}/run"
    echo "run.sh: $name (at most $seconds s)"
    before=$(now)
    programs=$(count_programs) slow=
    run_limited "$seconds" "$signal" "$work/out/$name" "$@"
    status=$?
    if was_compiling $status "$programs"; then
        slow=', some of them for compiling'
        seconds=$(allowance "$limit" $(($(now) - start)) "$total" "$percent")
        if [ "$seconds" != 0 ]; then
            echo "run.sh: $name again, with the kernels that are compiled by now (at most $seconds s)"
            programs=$(count_programs) slow=', the second time'
            run_limited "$seconds" "$signal" "$work/out/$name" "$@"
            status=$?
            ! was_compiling $status "$programs" || slow=', the second time, and some of them for compiling'
        fi
    fi
    took=$(($(now) - before))
    case $status in
    77) record "$records" "$name" skipped "$took" "$(last_line "$work/out/$name")" ;;
    124 | 137 | 200) record "$records" "$name" "$(outcome $status)" "$took" "limit $seconds s$slow; $(last_line "$work/out/$name")" ;;
    *) record "$records" "$name" "$(outcome $status)" "$took" "$(last_line "$work/out/$name")" ;;
    esac
    {
        echo "==== $name: $(outcome $status), status $status, $took s: $*"
        tail -c 300000 "$work/out/$name"
        echo
    } >>"$work/results/log.txt"
    case $name in
    peak | step-* | tuned-* | torch-* | ops-*)
        {
            echo "==== $name"
            tail -c 300000 "$work/out/$name"
        } >>"$work/results/figures.txt"
        ;;
    esac
    keep_results
}

# skip NAME REASON
skip() {
    is_wanted "$1" || return 0
    if [ -n "$list" ]; then
        echo "$1"
    elif ! is_recorded "$records" "$1"; then
        record "$records" "$1" skipped 0 "$2"
    fi
}

# camcl NAME LIMIT PERCENT ARGUMENT...
camcl() {
    name=$1 limit=$2 percent=$3
    shift 3
    item "$name" "$limit" "$percent" env LD_LIBRARY_PATH="${libraries:-}" "$kit/bin/camcl" "$@"
}

# network_keys NAME; network_words NAME: what camcl and pytorch_step.py call it.
network_keys() {
    case $1$small in
    resnet18) echo model.arch=resnet18 train.batch_labeled=32 train.batch_unlabeled=32 ;;
    resnet18-large) echo model.arch=resnet18 train.batch_labeled=256 train.batch_unlabeled=256 ;;
    wrn28-2) echo model.arch=wrn28-2 train.batch_labeled=64 train.batch_unlabeled=64 ;;
    resnet50) echo model.arch=resnet50 model.stem=imagenet data.image_size=224 train.batch_labeled=16 train.batch_unlabeled=16 ;;
    resnet18yes) echo model.arch=resnet18 model.width=8 train.batch_labeled=8 train.batch_unlabeled=8 ;;
    resnet18-largeyes) echo model.arch=resnet18 model.width=8 train.batch_labeled=16 train.batch_unlabeled=16 ;;
    wrn28-2yes) echo model.arch=wrn28-2 train.batch_labeled=4 train.batch_unlabeled=4 ;;
    resnet50yes) echo model.arch=resnet50 model.stem=imagenet data.image_size=64 train.batch_labeled=2 train.batch_unlabeled=2 ;;
    esac
}

network_words() {
    words=
    for pair in $(network_keys "$1"); do
        option=${pair%=*}
        case $option in
        data.image_size) option=size ;;
        train.batch_labeled) option='batch' ;;
        train.batch_unlabeled) option=unlabeled ;;
        *) option=${option#*.} ;;
        esac
        words="$words --$option ${pair#*=}"
    done
    echo "$words"
}

networks='resnet18 wrn28-2 resnet50 resnet18-large'

# The programs of the operation and step tests. First those of kernels that no GPU has run as they are now (configs/devices.md), then the most
# telling; the longest last; what is not named comes between.
tests_first='test_batch_norm test_sgd test_softmax test_targets test_randaugment test_affine_warp test_counted_mse test_load
test_grad_cam test_golden test_round_trip test_objective test_pointwise test_warp test_linear test_conv2d'
tests_last='test_gemm test_gemm_sets test_parity'
test_programs() {
    for name in $tests_first; do
        [ ! -f "$kit/bin/tests/$name" ] || echo "$name"
    done
    for program in "$kit"/bin/tests/test_*; do
        name=${program##*/}
        case " $(echo "$tests_first $tests_last" | tr '\n' ' ') " in
        *" $name "*) ;;
        *) echo "$name" ;;
        esac
    done
    for name in $tests_last; do
        [ ! -f "$kit/bin/tests/$name" ] || echo "$name"
    done
}

torch_items() {
    if [ -z "$list" ] && [ -z "${torch_asked:-}" ]; then
        torch_asked=yes
        no_torch=
        if ! command -v "$python" >/dev/null 2>&1; then
            no_torch="no $python here"
        else
            run_limited 90 TERM "$work/out/torch" "$python" "$kit/pytorch_step.py" --on "$device_type" --check
            status=$?
            [ $status = 0 ] || no_torch=$(last_line "$work/out/torch")
            [ "$(outcome $status)" != 'timed out' ] || no_torch='PyTorch does not start within 90 s'
            [ $status = 0 ] || no_torch=${no_torch:-PyTorch does not start}
        fi
    fi
    if [ -n "${no_torch:-}" ]; then
        skip "torch-$1" "$no_torch"
    else
        # shellcheck disable=SC2046
        item "torch-$1" "$2" "$3" "$python" "$kit/pytorch_step.py" --on "${device_type:-}" --seconds $(($2 - 15)) ${small:+--quick} \
            $(network_words "$1")
    fi
}

# Every item in order, with its own limit in seconds and the share of the whole time by whose end it must have ended. A PyTorch comparison
# comes right after the step that it stands beside. No stored parameters serve the steps before `tune`.
all_items() {
    camcl selftest 240 20 selftest
    for name in $(test_programs); do
        item "$name" 120 42 env LD_LIBRARY_PATH="${libraries:-}" "$kit/bin/tests/$name"
    done
    camcl peak 60 45 bench peak
    for network in $networks; do
        # shellcheck disable=SC2046
        camcl "step-$network" 120 68 bench step device.tune=off ssl.preset=paper-code $(network_keys "$network")
        torch_items "$network" 75 70
    done
    # As Ctrl-C does, this lets it keep what it has timed.
    signal=INT
    for network in resnet18 wrn28-2 resnet50; do
        # shellcheck disable=SC2046
        camcl "tune-$network" 180 84 tune $(network_keys "$network")
    done
    signal=TERM
    for network in $networks; do
        # shellcheck disable=SC2046
        camcl "tuned-$network" 60 90 bench step ssl.preset=paper-code $(network_keys "$network")
    done
    for network in $networks; do
        # shellcheck disable=SC2046
        camcl "ops-$network" 60 95 bench ops $(network_keys "$network")
    done
    camcl train 180 100 train "$kit/configs/kit.ini" output.dir="$work/run" ${small:+model.width=8 train.epochs=2 train.epoch_steps=10}
}

if [ -n "$list" ]; then
    all_items
    exit 0
fi
if [ -n "$wanted" ] && [ -z "$(list=yes && all_items)" ]; then
    die 2 "no such item:$wanted (--list prints all)"
fi

# ---- results

page_of_figures() {
    [ ! -r "$work/out/peak" ] || {
        echo "Peak"
        tail -n 3 "$work/out/peak"
        echo
    }
    echo "Whole steps, images per second (figures.txt has milliseconds and memory). tuned: after camcl tune. ratio: the faster of camcl's"
    echo "two over PyTorch's fastest variant; above 1 camcl is faster."
    for network in $networks; do
        if [ -r "$work/out/step-$network" ] || [ -r "$work/out/tuned-$network" ] || [ -r "$work/out/torch-$network" ]; then
            echo
            echo "$network: $(network_keys "$network")"
            step_table "$work/out/step-$network" "$work/out/tuned-$network" "$work/out/torch-$network"
        fi
    done
    for network in $networks; do
        [ -r "$work/out/ops-$network" ] || continue
        echo
        echo "Slowest operations, $network (all of them: figures.txt)"
        head -n 12 "$work/out/ops-$network" | tail -n +2
    done
    [ ! -r "$work/out/train" ] || {
        echo
        echo "Training"
        tail -n 8 "$work/out/train"
    }
}

# The last lines of the first ten that did not pass.
page_of_failures() {
    shown=0
    while IFS='|' read -r name result _ _; do
        case $result in
        failed | hung | 'timed out')
            shown=$((shown + 1))
            [ $shown -le 10 ] || continue
            echo
            echo "---- $name: $result; its last lines (all: log.txt):"
            tail -n 12 "$work/out/$name" | cut -c 1-200
            ;;
        esac
    done <"$records"
}

page() {
    echo "camcl on a device: results of $(date -u '+%Y-%m-%d %H:%M UTC')"
    echo
    cat "$work/head"
    echo "time      $(($(now) - start)) s of $total s${small:+, small networks}${wanted:+, only:$wanted}${continued:+, continued}; items:" \
        "$(count "$records" passed) passed, $(count "$records" failed) failed, $(count "$records" 'timed out') timed out," \
        "$(count "$records" hung) hung, $(count "$records" skipped) skipped${finished:-; not finished}"
    echo
    record_table "$records"
    echo
    page_of_figures
    page_of_failures
}

# Writes the page anew, so that it is there whatever happens next, and what the last item left.
keep_results() {
    (page) >"$work/results/results.txt"
    for tuned in "$work"/cache/camcl/tuned/*; do
        [ ! -f "$tuned" ] || cat "$tuned"
    done >"$work/results/tuned.txt"
    for file in report.html metrics.csv; do
        [ ! -f "$work/run/$file" ] || cp "$work/run/$file" "$work/results/$file"
    done
    cp "$work"/results/* "$out/"
}

# ---- preparing

mkdir -p "$work" 2>/dev/null && [ -w "$work" ] || work=$(mktemp -d) || die 2 "no folder to work in (see --work)"
mkdir -p "$out" || die 2 "$out: cannot be made (see --out)"
work=$(cd "$work" && pwd -P)
out=$(cd "$out" && pwd -P)
records=$work/records
rm -rf "$work/vendors" "$work/spare" "$work/tmp"
if [ -n "$continued" ] && [ -f "$records" ]; then
    while IFS='|' read -r name result rest; do
        case $result/$name in
        skipped/* | */devices) ;;
        *) { [ -n "$wanted" ] && is_wanted "$name"; } || echo "$name|$result|$rest" ;;
        esac
    done <"$records" >"$records.kept"
    mv "$records.kept" "$records"
else
    rm -rf "$work/out" "$work/results" "$work/run"
    : >"$records"
fi
mkdir -p "$work/out" "$work/results" "$work/tmp" "$work/spare"
for file in results.txt log.txt figures.txt machine.txt tuned.txt report.html metrics.csv; do
    rm -f "$out/$file"
done
start=$(now)
# Copies may have lost it.
chmod +x "$kit"/bin/camcl "$kit"/bin/tests/* 2>/dev/null

# Libraries: the kit's own, then the system's, then the kit's for what the system lacks: drivers may need a newer libstdc++ than the kit's.
starts() { env LD_LIBRARY_PATH="$1" "$kit/bin/camcl" --version >"$work/out/start" 2>&1; }
added=yes
while [ -n "$added" ]; do
    added=
    missing=$(env LD_LIBRARY_PATH="$kit/lib:$work/spare" LD_TRACE_LOADED_OBJECTS=1 "$kit/bin/camcl" 2>&1)
    for spare in "$kit"/lib/spare/*; do
        case $missing in
        *"${spare##*/} => not found"*) cp "$spare" "$work/spare" && added=yes ;;
        esac
    done
done
libraries=$kit/lib:$work/spare
starts "$libraries" || {
    libraries=$kit/lib:$kit/lib/spare
    starts "$libraries" || {
        cat "$work/out/start" >&2
        die 4 "the kit's programs do not start here; they need glibc $(cat "$kit/glibc") or newer on $(cat "$kit/machine")"
    }
}

[ ! -d "$kit/drivers" ] || export KIT_DRIVERS="$kit/drivers"
if [ -z "${OCL_ICD_VENDORS:-}" ]; then
    write_vendors '' "$work/vendors"
    OCL_ICD_VENDORS=$work/vendors
    # Mesa's driver shows no device unless it is told which.
    [ ! -e "$work/vendors/libRusticlOpenCL.icd" ] || [ -n "${RUSTICL_ENABLE:-}" ] || choose_rusticl=yes
fi
driver_parts=$(vendor_folders "$OCL_ICD_VENDORS")
libraries=$libraries${driver_parts:+:$driver_parts}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export OCL_ICD_VENDORS RUSTICL_ENABLE="${RUSTICL_ENABLE:-}"
export XDG_CACHE_HOME="$work/cache" POCL_CACHE_DIR="$work/cache/pocl" CUDA_CACHE_PATH="$work/cache/cuda" TMPDIR="$work/tmp"
export TORCHINDUCTOR_CACHE_DIR="$work/cache/inductor" TRITON_CACHE_DIR="$work/cache/triton"
export CAMCL_PROGRAM="$kit/bin/camcl"
[ -z "$small" ] || export CAMCL_TEST_SIZES=few
mkdir -p "$work/cache/pocl" "$work/cache/cuda"
# PoCL learns memory and cores from hwloc, which reads /sys, and aborts where there is none (a plain chroot): say them here.
if [ ! -d /sys/devices/system ] && [ -z "${HWLOC_SYNTHETIC:-}" ]; then
    memory=4194304
    while read -r key amount _; do
        [ "$key" != MemTotal: ] || memory=$amount
    done </proc/meminfo
    HWLOC_SYNTHETIC="pack:1 numa:1(memory=$((memory / 1024))MB) core:$(nproc --all) pu:1"
    export HWLOC_SYNTHETIC
fi
# Tests open tests/golden, a training data/.
cd "$kit" || exit 2

# value KEY LINE: a text or number of one line of JSON.
value() {
    rest=${2#*\""$1"\": }
    [ "$rest" != "$2" ] || return 1
    case $rest in
    \"*) rest=${rest#\"} && echo "${rest%%\"*}" ;;
    *) echo "${rest%%[,\}]*}" ;;
    esac
}

# rusticl is told of the vendors' GPUs that are not there already, and the others are named.
left_out=
if [ -n "${choose_rusticl:-}" ]; then
    run_limited 60 TERM "$work/out/devices-json" env LD_LIBRARY_PATH="$libraries" "$kit/bin/camcl" devices --json
    RUSTICL_ENABLE=$(rusticl_drivers "$work/out/devices-json")
    if [ "$RUSTICL_ENABLE" != radeonsi,iris ]; then
        run_limited 60 TERM "$work/out/devices-json" env LD_LIBRARY_PATH="$libraries" RUSTICL_ENABLE=radeonsi,iris \
            "$kit/bin/camcl" devices --json
        while IFS= read -r line; do
            case $(value platform "$line")/$(value vendor "$line") in
            rusticl/Intel*) driver=iris ;;
            rusticl/*) driver=radeonsi ;;
            *) continue ;;
            esac
            case ,$RUSTICL_ENABLE, in
            *",$driver,"*) ;;
            *) left_out="${left_out}left out  $(value name "$line") (rusticl): its vendor's own OpenCL shows a GPU;\
 RUSTICL_ENABLE=radeonsi,iris shows all
" ;;
            esac
        done <"$work/out/devices-json"
    fi
fi

run_limited 60 TERM "$work/out/devices" env LD_LIBRARY_PATH="$libraries" "$kit/bin/camcl" devices
found=$?
run_limited 60 TERM "$work/out/devices-json" env LD_LIBRARY_PATH="$libraries" "$kit/bin/camcl" devices --json

# The selector that the table marks, unless one is given.
while read -r mark selector _; do
    [ "$mark" != '*' ] || [ -n "$device" ] || device=$selector
done <"$work/out/devices"
device_line=
device_type=
while IFS= read -r line; do
    case $line in
    *'"selector": "'"$device"'"'*)
        device_line="$(value name "$line"), $(value platform "$line"), driver $(value driver "$line")"
        device_line="$device_line, $(value compute_units "$line") units, $(($(value global_mem "$line") / 1048576)) MiB"
        device_type=$(value type "$line")
        ;;
    esac
done <"$work/out/devices-json"
export CAMCL_DEVICE="$device"

describe_machine() {
    uname -srm
    cat /etc/os-release 2>/dev/null
    getconf GNU_LIBC_VERSION 2>/dev/null
    head -n 28 /proc/cpuinfo 2>/dev/null
    head -n 3 /proc/meminfo 2>/dev/null
    nproc --all
    cat /proc/driver/nvidia/version /sys/module/amdgpu/version 2>/dev/null
    ls -l /dev/nvidia* /dev/dri /dev/kfd 2>/dev/null
    for icd in "$OCL_ICD_VENDORS"/*.icd; do
        [ ! -r "$icd" ] || echo "$icd: $(cat "$icd")"
    done
    echo "libraries: $libraries"
    linker_listing '' | while read -r name rest; do
        case $name in
        libnvidia* | libcuda* | libamd* | libigd* | libze_* | libOpenCL* | libpocl* | libRusticl*) echo "$name $rest" ;;
        esac
    done
    cat "$work/out/devices" "$work/out/devices-json"
    ! command -v nvidia-smi >/dev/null 2>&1 || timeout 20 nvidia-smi
    ! command -v nvidia-smi >/dev/null 2>&1 || timeout 20 nvidia-smi -q -d CLOCK,POWER,MEMORY
    ! command -v rocminfo >/dev/null 2>&1 || timeout 20 rocminfo
}
describe_machine >"$work/results/machine.txt" 2>&1

processor=
while IFS=: read -r key text; do
    case $key in 'model name'*) processor=${text# } && break ;; esac
done </proc/cpuinfo
{
    echo "kit       $(cat "$kit/version")"
    echo "machine   $processor, $(nproc --all) processors, $(uname -sr), $(getconf GNU_LIBC_VERSION 2>/dev/null)"
    echo "device    ${device:-none}: ${device_line:-not found}"
    printf %s "$left_out"
    for icd in "$OCL_ICD_VENDORS"/*.icd; do
        [ ! -r "$icd" ] || echo "driver    $(cat "$icd")"
    done
    cat /proc/driver/nvidia/version 2>/dev/null
} >"$work/head"

cat "$work/out/devices"
if [ $found != 0 ] || [ -z "$device_type" ]; then
    reason="no OpenCL device"
    [ $found != 0 ] || reason="device $device: not in the list, of which the first column is to be given"
    {
        echo "$reason"
        explain_missing ''
    } >"$work/out/no-device"
    record "$records" devices failed 0 "$reason"
    finished=' '
    keep_results
    cat "$work/out/no-device" >>"$out/results.txt"
    cat "$work/out/no-device" >&2
    exit 3
fi
record "$records" devices passed $(($(now) - start)) "$device: $device_line"

stop() {
    read -r running <"$work/running" && kill "$running" 2>/dev/null
    keep_results
    echo "run.sh: stopped; what was found so far is $out/results.txt" >&2
    exit 1
}
trap stop INT TERM HUP
all_items
finished=.
keep_results
rm -rf "$work/tmp"
echo
cat "$out/results.txt"
echo "run.sh: these lines are $out/results.txt; the files beside it belong to it"
[ "$(count "$records" failed)$(count "$records" 'timed out')$(count "$records" hung)" = 000 ]
