#!/bin/sh
# The shell parts of the kit: finding drivers in made-up trees, the time budget, decimal figures, the page of results, and run.sh with a
# stand-in for camcl. Only a shell and the coreutils are within reach. Usage: tests/device/test_kit.sh; exit status 1: a check failed.
# shellcheck source-path=SCRIPTDIR
set -u
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=drivers.sh
. "$here/drivers.sh"
# shellcheck source=results.sh
. "$here/results.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# What the kit promises to do without is out of reach.
mkdir "$scratch/bin"
for program in cat chmod cp cut date dirname env head ls mkdir mktemp mv nproc od printf rm sh sleep sort tail timeout tr uname uniq; do
    ln -s "$(command -v $program)" "$scratch/bin/$program"
done
PATH=$scratch/bin
unset LD_LIBRARY_PATH OCL_ICD_VENDORS OUT CAMCL_DEVICE RUSTICL_ENABLE

# same WHAT GOT EXPECTED
same() {
    [ "$2" = "$3" ] && return
    printf 'FAILED %s\n  got:      %s\n  expected: %s\n' "$1" "$2" "$3"
    failures=$((failures + 1))
}

# holds WHAT TEXT PART
holds() {
    case $2 in
    *"$3"*) return ;;
    esac
    printf 'FAILED %s: no "%s" in\n%s\n' "$1" "$3" "$2"
    failures=$((failures + 1))
}

# ---- drivers

# library PATH [BITS]: an ELF object's first bytes.
library() {
    mkdir -p "${1%/*}"
    case ${2:-64} in
    64) printf '\177ELF\002' >"$1" ;;
    32) printf '\177ELF\001' >"$1" ;;
    esac
}
vendors() {
    write_vendors "$1" "$1/vendors"
    for icd in "$1"/vendors/*.icd; do
        [ ! -f "$icd" ] || cat "$icd"
    done
}
: >"$scratch/no-listing"
KIT_LDCONFIG_LISTING=$scratch/no-listing

root="$scratch/nothing here"
mkdir -p "$root"
same 'a tree without drivers' "$(vendors "$root")" ''
same 'its folders' "$(vendor_folders "$root/vendors")" ''

root=$scratch/nvidia
library "$root/usr/local/nvidia/lib64/libnvidia-opencl.so.1"
same "NVIDIA's library without an .icd file" "$(vendors "$root")" "$root/usr/local/nvidia/lib64/libnvidia-opencl.so.1"
same 'the folder with its other parts' "$(vendor_folders "$root/vendors")" "$root/usr/local/nvidia/lib64"

root=$scratch/unlinked
library "$root/usr/lib/x86_64-linux-gnu/libnvidia-opencl.so.580.159.04"
same 'a library without the short name' "$(vendors "$root")" "$root/usr/lib/x86_64-linux-gnu/libnvidia-opencl.so.580.159.04"

root=$scratch/amd
library "$root/opt/rocm-6.1.0/lib/libamdocl64.so"
same "AMD's library" "$(vendors "$root")" "$root/opt/rocm-6.1.0/lib/libamdocl64.so"

root=$scratch/intel
library "$root/usr/lib/x86_64-linux-gnu/intel-opencl/libigdrcl.so"
library "$root/opt/intel/oneapi/compiler/2026.0/lib/libintelocl.so"
same "Intel's libraries" "$(vendors "$root")" "$root/usr/lib/x86_64-linux-gnu/intel-opencl/libigdrcl.so
$root/opt/intel/oneapi/compiler/2026.0/lib/libintelocl.so"

root=$scratch/both
library "$root/usr/lib/libnvidia-opencl.so.1" 32
same 'a 32-bit library alone' "$(vendors "$root")" ''
library "$root/usr/lib64/nvidia/libnvidia-opencl.so.1"
same 'and the 64-bit one beside it' "$(vendors "$root")" "$root/usr/lib64/nvidia/libnvidia-opencl.so.1"

root=$scratch/listed
library "$root/odd/place/libnvidia-opencl.so.1"
printf '\tlibnvidia-opencl.so.1 (libc6,x86-64) => %s/odd/place/libnvidia-opencl.so.1\n' "$root" >"$scratch/listing"
KIT_LDCONFIG_LISTING=$scratch/listing
same 'a library that ldconfig lists' "$(vendors "$root")" "$root/odd/place/libnvidia-opencl.so.1"
KIT_LDCONFIG_LISTING=$scratch/no-listing

root=$scratch/path
library "$root/elsewhere/libamdocl64.so"
LD_LIBRARY_PATH=$scratch/none:$root/elsewhere
same 'a library on LD_LIBRARY_PATH' "$(vendors "$root")" "$root/elsewhere/libamdocl64.so"
unset LD_LIBRARY_PATH

root=$scratch/brought
library "$root/kit/libnvidia-opencl.so.580.1"
library "$root/usr/lib64/libnvidia-opencl.so.1"
KIT_DRIVERS=$root/kit
same "the kit's own comes first" "$(vendors "$root")" "$root/kit/libnvidia-opencl.so.580.1"
unset KIT_DRIVERS

# The system's .icd files: a path that is there wins, one that is not is left out, a known name gets its path, a strange name stays.
root=$scratch/icd
mkdir -p "$root/etc/OpenCL/vendors"
library "$root/opt/rocm-5.0/lib/libamdocl64.so"
library "$root/opt/rocm-6.0/lib/libamdocl64.so"
echo /opt/rocm-6.0/lib/libamdocl64.so >"$root/etc/OpenCL/vendors/amd.icd"
echo /gone/libigdrcl.so >"$root/etc/OpenCL/vendors/intel.icd"
echo libnvidia-opencl.so.1 >"$root/etc/OpenCL/vendors/nvidia.icd"
printf 'libstrange.so.7' >"$root/etc/OpenCL/vendors/strange.icd"
library "$root/usr/local/cuda-13/lib64/libnvidia-opencl.so.1"
same 'the .icd files of the system' "$(vendors "$root")" "$root/opt/rocm-6.0/lib/libamdocl64.so
$root/usr/local/cuda-13/lib64/libnvidia-opencl.so.1
libstrange.so.7"

root=$scratch/half
library "$root/usr/local/nvidia/lib64/libcuda.so.1"
holds 'a driver without OpenCL is explained' "$(explain_missing "$root")" 'not its OpenCL library, libnvidia-opencl.so.1'
library "$root/usr/local/nvidia/lib64/libnvidia-opencl.so.1"
holds 'a driver without a device is explained' "$(explain_missing "$root")" 'does nvidia-smi list the GPU?'
mkdir -p "$scratch/kfd/dev"
: >"$scratch/kfd/dev/kfd"
holds "AMD's missing library is named" "$(explain_missing "$scratch/kfd")" 'libamdocl64.so'

# What rusticl is told: of each vendor without a GPU of its own.
cat >"$scratch/none" <<'TEXT'
[{"selector": "0:0", "platform": "Portable Computing Language", "vendor": "AuthenticAMD", "name": "cpu", "type": "cpu"}]
TEXT
cat >"$scratch/some" <<'TEXT'
 {"selector": "0:0", "platform": "Intel(R) OpenCL Graphics", "vendor": "Intel(R) Corporation", "name": "UHD 770", "type": "gpu"},
 {"selector": "1:0", "platform": "rusticl", "vendor": "AMD", "name": "AMD Radeon RX 6800", "type": "gpu"}]
TEXT
amd_gpu='"platform": "AMD Accelerated Parallel Processing", "vendor": "Advanced Micro Devices, Inc.", "name": "gfx1030", "type": "gpu"'
{ cat "$scratch/some" && echo "{$amd_gpu}"; } >"$scratch/all"
same "no vendor's GPU" "$(rusticl_drivers "$scratch/none")" radeonsi,iris
same "Intel's GPU, and rusticl's own" "$(rusticl_drivers "$scratch/some")" radeonsi
same "both vendors' GPUs" "$(rusticl_drivers "$scratch/all")" ''

# ---- budget

same '14 minutes' "$(seconds_of 14)" 840
same '9m' "$(seconds_of 9m)" 540
same '570s' "$(seconds_of 570s)" 570
for wrong in '' m s -3 1.5 08 ten 99999 '3 0'; do
    seconds_of "$wrong" >/dev/null && same "seconds_of '$wrong'" accepted refused
done
same 'plenty left: the limit' "$(allowance 120 10 840 42)" 120
same 'what is left of the share' "$(allowance 120 300 840 42)" 52
same 'exactly the limit' "$(allowance 100 0 200 50)" 100
same 'five seconds are worth a start' "$(allowance 120 95 100 100)" 5
same 'four are not' "$(allowance 120 96 100 100)" 0
same 'the share is over' "$(allowance 120 500 840 42)" 0

# ---- figures

same 'hundredths of 12.3' "$(hundredths 12.3)" 1230
same 'hundredths of 0.057' "$(hundredths 0.057)" 5
same 'hundredths of 7' "$(hundredths 7)" 700
for wrong in '' - nan 1e5 1.2.3 .5 12x; do
    hundredths "$wrong" >/dev/null && same "hundredths '$wrong'" accepted refused
done
same 'a ratio' "$(ratio 250.0 100.0)" 2.50
same 'a small ratio' "$(ratio 8.9 100)" 0.08
same 'over nothing' "$(ratio 3 0.0)" -
same 'without a figure' "$(ratio - 5)" -

# ---- the page's tables

cat >"$scratch/step" <<'TEXT'
NVIDIA H100 (0:0, NVIDIA CUDA): the only GPU
step               ms/step     images/s     peak bytes
supervised             2.0      16000.0      123456789
pseudo-label           4.0      16000.5      123456789
gradcam                8.0       8000.0      123456789
TEXT
echo 'supervised 1.0 32000.0 1' >"$scratch/tuned"
cat >"$scratch/torch" <<'TEXT'
# PyTorch 2.11 on NVIDIA H100
torch supervised fp32 nchw eager 4.00 8000.0 1
torch supervised fp32 nhwc eager 3.20 10000.0 1
torch supervised tf32 nhwc compile 1.60 20000.0 1
torch gradcam fp32 nchw eager 8.00 8000.0 1
torch gradcam fp32 nhwc
TEXT
same "camcl's speed" "$(step_speed "$scratch/step" gradcam)" 8000.0
same 'a mode that is not there' "$(step_speed "$scratch/step" infer)" ''
same "PyTorch's fastest variant" "$(torch_best "$scratch/torch" supervised fp32)" '10000.0 nhwc,eager'
same 'a line cut short does not count' "$(torch_best "$scratch/torch" gradcam fp32)" '8000.0 nchw,eager'
table=$(step_table "$scratch/step" "$scratch/tuned" "$scratch/torch" | tr -s ' ')
holds 'the faster of two over PyTorch' "$table" ' supervised 16000.0 32000.0 10000.0 3.20 20000.0 1.60 nhwc,eager; nhwc,compile'
holds 'without tuned and TF32' "$table" ' gradcam 8000.0 - 8000.0 1.00 - - nchw,eager; -'
holds 'without all' "$table" ' infer - - - - - - -; -'
holds 'no files at all' "$(step_table "$scratch/a" "$scratch/b" "$scratch/c" | tr -s ' ')" ' supervised - - - - - - -; -'

printf 'one\n[  PASSED  ] 3 test(s).\r\n\n' >"$scratch/output"
same 'the last line' "$(last_line "$scratch/output")" '[  PASSED  ] 3 test(s).'
same 'of an empty file' "$(last_line "$scratch/no-listing")" ''
same 'outcomes' "$(outcome 0) $(outcome 1) $(outcome 124) $(outcome 137) $(outcome 200)" 'passed failed timed out timed out hung'

# ---- run.sh itself

# A kit whose camcl is a script: one test fails, one never ends and ignores SIGTERM.
kit=$scratch/kit
mkdir -p "$kit/bin/tests" "$kit/lib/spare" "$kit/configs"
cp "$here/run.sh" "$here/drivers.sh" "$here/results.sh" "$kit/"
echo 'camcl 0, a stand-in' >"$kit/version"
echo 2.36 >"$kit/glibc"
echo machine >"$kit/machine"
cat >"$kit/bin/camcl" <<'TEXT'
#!/bin/sh
case "$1 ${2:-}" in
'--version ') [ -z "${TOO_OLD:-}" ] || { echo "version GLIBC_2.36 not found" && exit 1; } ;;
'devices ') [ -z "${NO_DEVICE:-}" ] || exit 3; echo '  selector  type  name'; echo '* 0:1       gpu   Toy 9000' ;;
'devices --json')
    case ${RUSTICL_ENABLE:-} in *radeonsi*) echo ' {"selector": "2:0", "platform": "rusticl", "vendor": "AMD", "name": "Toy R", "type": "gpu"},' ;; esac
    case ${RUSTICL_ENABLE:-} in *iris*) echo ' {"selector": "2:1", "platform": "rusticl", "vendor": "Intel", "name": "Toy I", "type": "gpu"},' ;; esac
    [ -z "${INTEL:-}" ] || echo ' {"selector": "1:0", "platform": "Intel(R) OpenCL Graphics", "vendor": "Intel(R)", "name": "Toy I", "type": "gpu"},'
    echo ' {"selector": "0:1", "platform": "Toys", "name": "Toy 9000", "driver": "7.1", "type": "gpu",' \
    '"compute_units": 4, "global_mem": 1073741824}' ;;
selftest*) echo 'all 12 checks passed' ;;
'bench step') printf 'step ms images/s bytes\nsupervised 1.0 3210.0 99\n' ;;
esac
TEXT
printf '#!/bin/sh\necho wrong sum\nexit 1\n' >"$kit/bin/tests/test_gemm"
printf "#!/bin/sh\ntrap '' TERM\necho started\nwhile :; do sleep 1; done\n" >"$kit/bin/tests/test_golden"
chmod +x "$kit"/bin/camcl "$kit"/bin/tests/*
OCL_ICD_VENDORS=$scratch/no-vendors
export OCL_ICD_VENDORS
run_kit() {
    sh "$kit/run.sh" --python no-such-python --out "$scratch/results" "$@" >"$scratch/said" 2>&1
    status=$?
}

run_kit --time 60s --limit 5 selftest 'test_*' '*-resnet18'
page=$(tr -s ' ' <"$scratch/results/results.txt")
same 'its status when an item failed' $status 1
holds 'the device' "$page" 'device 0:1: Toy 9000, Toys, driver 7.1, 4 units, 1024 MiB'
holds 'what passed' "$page" 'selftest passed'
holds 'what failed' "$page" 'test_gemm failed'
holds 'what never ends' "$page" 'test_golden timed out'
holds 'its limit and last words' "$page" 'limit 5 s; started'
holds 'what came after it' "$page" 'step-resnet18 passed'
holds 'what was left out' "$page" 'torch-resnet18 skipped 0 no no-such-python here'
holds 'the sums' "$page" ' 1 failed, 1 timed out, 0 hung, 1 skipped.'
holds 'figures' "$page" ' supervised 3210.0 3210.0 - - - - -; -'
holds "a failed item's last lines" "$page" '---- test_gemm: failed; its last lines (all: log.txt):
wrong sum'
holds 'the raw output' "$(cat "$scratch/results/log.txt")" '==== selftest: passed'
files=0
for file in "$scratch"/results/*; do
    [ -f "$file" ] && files=$((files + 1))
done
[ $files -le 8 ] || same 'files' $files 'at most 8'

# A second run goes on: what ran is kept, what is named runs again.
run_kit --time 60s --continue test_gemm peak
page=$(tr -s ' ' <"$scratch/results/results.txt")
holds 'what had failed before' "$page" 'test_gemm failed'
holds 'what is new' "$page" 'peak passed'
same 'each item once' "$(record_table "$kit/work/records" | tail -n +2 | cut -d' ' -f1 | sort | uniq -d)" ''
case $(cat "$scratch/said") in *'run.sh: test_golden'*) same 'what timed out' 'run again' 'kept' ;; esac
holds 'and on the page' "$page" 'test_golden timed out'
holds 'what is named runs again' "$(cat "$scratch/said")" 'run.sh: test_gemm'

# What not even SIGKILL ends is left behind: here `timeout` itself never returns for one program.
mv "$scratch/bin/timeout" "$scratch/timeout"
printf '#!/bin/sh\ncase "$*" in *test_golden*) exec sleep 30 ;; esac\nexec %s "$@"\n' "$scratch/timeout" >"$scratch/bin/timeout"
chmod +x "$scratch/bin/timeout"
run_kit --time 60s --limit 5 test_golden test_gemm
page=$(tr -s ' ' <"$scratch/results/results.txt")
holds 'what cannot be killed' "$page" 'test_golden hung'
holds 'what came after that' "$page" 'test_gemm failed'

run_kit selftest 'step-*'
same 'its status when all passed' $status 0
page=$(cat "$scratch/results/results.txt")
same 'only what was asked for' "$(record_table "$kit/work/records" | tail -n +2 | cut -d' ' -f1 | tr '\n' ' ')" \
    'devices selftest step-resnet18 step-wrn28-2 step-resnet50 step-resnet18-large '
run_kit no-such-item
same 'an item that there is not' $status 2
run_kit --time soon
same 'a wrong time' $status 2
# Ctrl-C, and a machine that is taken back: what is running ends, the page is there.
mv "$scratch/timeout" "$scratch/bin/timeout"
sh "$kit/run.sh" --out "$scratch/results" selftest test_golden >"$scratch/said" 2>&1 &
kit_id=$!
waits=0
until [ -s "$kit/work/out/test_golden" ] || [ $waits = 300 ]; do
    sleep 0.2
    waits=$((waits + 1))
done
kill -TERM $kit_id
wait $kit_id
same 'stopped' $? 1
holds 'what is there then' "$(tr -s ' ' <"$scratch/results/results.txt")" 'selftest passed'

# Tests with slow compilers: what the first run compiled is kept, so that one ends the second time; the other one has too much to compile.
cat >"$kit/bin/tests/test_slow" <<'TEXT'
#!/bin/sh
mkdir -p "$XDG_CACHE_HOME/camcl/kernels"
[ ! -f "$XDG_CACHE_HOME/camcl/kernels/1.bin" ] || exit 0
echo compiled >"$XDG_CACHE_HOME/camcl/kernels/1.bin"
exec sleep 60
TEXT
cat >"$kit/bin/tests/test_slower" <<'TEXT'
#!/bin/sh
mkdir -p "$XDG_CACHE_HOME/camcl/kernels"
echo compiled >"$XDG_CACHE_HOME/camcl/kernels/$$.bin"
exec sleep 60
TEXT
chmod +x "$kit"/bin/tests/*
run_kit --time 60s --limit 5 test_slow test_slower
page=$(tr -s ' ' <"$scratch/results/results.txt")
holds 'what only compiled slowly' "$page" 'test_slow passed'
holds 'what did so twice' "$page" 'test_slower timed out'
holds 'what it did' "$page" 'limit 5 s, the second time, and some of them for compiling'
rm "$kit/bin/tests/test_slow" "$kit/bin/tests/test_slower"

# rusticl beside Intel's own OpenCL: its AMD GPU is there, the Intel one is left out, and the page says so.
library "$scratch/drivers/libRusticlOpenCL.so.1"
unset OCL_ICD_VENDORS
LD_LIBRARY_PATH=$scratch/drivers INTEL=yes
export LD_LIBRARY_PATH INTEL KIT_LDCONFIG_LISTING
run_kit selftest
holds 'what is left out' "$(cat "$scratch/results/results.txt")" 'left out  Toy I (rusticl)'
case $(cat "$scratch/results/results.txt") in *'Toy R (rusticl)'*) same "rusticl's other GPU" 'left out' kept ;; esac
holds 'what is not' "$(cat "$scratch/results/machine.txt")" '"platform": "rusticl", "vendor": "AMD", "name": "Toy R"'
unset LD_LIBRARY_PATH INTEL
OCL_ICD_VENDORS=$scratch/no-vendors

TOO_OLD=yes
export TOO_OLD
run_kit
same 'programs that do not start' $status 4
holds 'the reason' "$(cat "$scratch/said")" 'they need glibc 2.36'
unset TOO_OLD
NO_DEVICE=yes
export NO_DEVICE
run_kit --time 60s
same 'no device' $status 3
holds 'it is explained' "$(cat "$scratch/results/results.txt")" 'no OpenCL device'

[ $failures = 0 ] || exit 1
echo 'kit: all checks passed'
