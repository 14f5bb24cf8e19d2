# shellcheck shell=sh
# Finding OpenCL drivers, with or without .icd files. A POSIX shell and coreutils are all that is needed. run.sh sources this file;
# tests/device/test_kit.sh calls the functions in made-up trees. Every function takes the root of the tree as its first argument;
# '' is this machine's.

# In this order they are looked for. A family is a driver's library; its name ends before ".so".
driver_families='libnvidia-opencl libamdocl64 libigdrcl libintelocl libRusticlOpenCL libpocl'

# family_of LIBRARY: the family's name, from a path or a name with or without a version.
family_of() {
    family=${1##*/}
    echo "${family%%.so*}"
}

# What the loader knows: the lines of `ldconfig -p`, or of the file $KIT_LDCONFIG_LISTING in a test.
linker_listing() {
    if [ -n "${KIT_LDCONFIG_LISTING:-}" ]; then
        cat "$KIT_LDCONFIG_LISTING"
    elif [ -z "$1" ]; then
        for program in ldconfig /sbin/ldconfig /usr/sbin/ldconfig; do
            if command -v "$program" >/dev/null 2>&1; then
                "$program" -p 2>/dev/null
                return 0
            fi
        done
    fi
}

# driver_folders ROOT: folders that may hold drivers, one per line, the likeliest first. $KIT_DRIVERS is the kit's own folder for them.
driver_folders() {
    [ -z "${KIT_DRIVERS:-}" ] || echo "$KIT_DRIVERS"
    # Folders of the drivers' libraries, and of libcuda, beside which NVIDIA's OpenCL library lies.
    linker_listing "$1" | while read -r name rest; do
        case " $driver_families libcuda " in
        *" ${name%%.so*} "*) path=${rest##*=> } && echo "${path%/*}" ;;
        esac
    done
    (
        IFS=:
        # shellcheck disable=SC2086
        set -- ${LD_LIBRARY_PATH:-}
        [ $# = 0 ] || printf '%s\n' "$@"
    )
    for folder in "$1"/usr/lib/x86_64-linux-gnu "$1"/usr/lib64 "$1"/usr/lib "$1"/lib/x86_64-linux-gnu "$1"/lib64 \
        "$1"/usr/lib/x86_64-linux-gnu/nvidia* "$1"/usr/lib/x86_64-linux-gnu/nvidia/* "$1"/usr/lib/nvidia* "$1"/usr/lib64/nvidia* \
        "$1"/usr/local/nvidia/lib64 "$1"/usr/local/nvidia/lib "$1"/usr/lib/wsl/lib "$1"/usr/lib/wsl/drivers/* "$1"/run/opengl-driver/lib \
        "$1"/usr/local/cuda*/lib64 "$1"/usr/local/cuda*/compat "$1"/usr/local/cuda*/targets/*/lib \
        "$1"/opt/rocm*/lib "$1"/opt/rocm*/lib64 "$1"/opt/rocm*/opencl/lib "$1"/opt/amdgpu*/lib/x86_64-linux-gnu "$1"/opt/amdgpu*/lib64 \
        "$1"/usr/lib/x86_64-linux-gnu/intel-opencl "$1"/usr/lib64/intel-opencl "$1"/usr/lib/intel-opencl \
        "$1"/usr/local/lib/intel-opencl "$1"/opt/intel/oneapi/compiler/*/lib "$1"/opt/intel/oneapi/compiler/*/linux/lib/x64 \
        "$1"/opt/intel/opencl*/lib* "$1"/usr/local/lib/x86_64-linux-gnu "$1"/usr/local/lib64 "$1"/usr/local/lib; do
        [ ! -d "$folder" ] || echo "$folder"
    done
}

# Whether a file is a 64-bit ELF object: distributions that keep 32-bit libraries too name them alike.
is_64_bit() { [ "$(od -An -tx1 -N5 "$1" 2>/dev/null | tr -d ' \n')" = 7f454c4602 ]; }

# find_library ROOT FAMILY: the path of the family's library, the one without a long version first. Status 1: there is none.
find_library() {
    driver_folders "$1" | while read -r folder; do
        for path in "$folder/$2.so" "$folder/$2.so".[0-9] "$folder/$2.so".*; do
            if [ -f "$path" ] && is_64_bit "$path"; then
                echo "$path"
                break 2
            fi
        done
    done | head -n 1 | {
        read -r path && echo "$path"
    }
}

# add_driver FOLDER LIBRARY: a driver per family; the first one counts.
add_driver() {
    family=$(family_of "$2")
    [ -e "$1/$family.icd" ] || echo "$2" >"$1/$family.icd"
}

# write_vendors ROOT FOLDER: fills the folder with an .icd file per driver. First come .icd files of the system that name a library that is
# there; then what lies in the usual folders; last, .icd files that leave it to the linker where their library is.
write_vendors() {
    mkdir -p "$2"
    for pass in path search name; do
        if [ $pass = search ]; then
            for family in $driver_families; do
                library=$(find_library "$1" "$family") && add_driver "$2" "$library"
            done
            continue
        fi
        for icd in "$1"/etc/OpenCL/vendors/*.icd "$1"/usr/share/OpenCL/vendors/*.icd "$1"/opt/rocm*/etc/OpenCL/vendors/*.icd; do
            library=
            [ ! -r "$icd" ] || read -r library <"$icd" || [ -n "$library" ] || continue
            case $pass$library in
            path/*) [ ! -e "$1$library" ] || add_driver "$2" "$1$library" ;;
            name/* | path* | name) ;;
            *) add_driver "$2" "$library" ;;
            esac
        done
    done
}

# vendor_folders FOLDER: the folders of the libraries that write_vendors named by path, joined by colons: drivers load their other parts
# from there.
vendor_folders() {
    joined=
    for icd in "$1"/*.icd; do
        read -r library <"$icd" || continue
        case $library in
        /lib/* | /lib64/* | /usr/lib64/lib* | /usr/lib/lib* | /usr/lib/x86_64-linux-gnu/lib*) continue ;;
        /*) ;;
        *) continue ;;
        esac
        case ":$joined:" in
        *":${library%/*}:"*) ;;
        *) joined=$joined${joined:+:}${library%/*} ;;
        esac
    done 2>/dev/null
    echo "$joined"
}

# rusticl_drivers FILE: of Mesa's drivers radeonsi and iris those whose vendor's own OpenCL shows no GPU, joined by a comma: rusticl would
# show the vendor's GPUs a second time. FILE is what `camcl devices --json` prints, a device per line.
rusticl_drivers() {
    amd=radeonsi intel=iris
    while IFS= read -r line; do
        case $line in
        *'"platform": "rusticl"'*) continue ;;
        *'"type": "gpu"'*) ;;
        *) continue ;;
        esac
        case $line in
        *'"vendor": "AMD'* | *'"vendor": "Advanced Micro Devices'*) amd= ;;
        *'"vendor": "Intel'*) intel= ;;
        esac
    done <"$1"
    echo "$amd${amd:+${intel:+,}}$intel"
}

# explain_missing ROOT: what of a GPU is there although no driver, or no device, was found; advice.
explain_missing() {
    if [ -e "$1/proc/driver/nvidia/version" ] || [ -e "$1/dev/nvidiactl" ] || find_library "$1" libcuda >/dev/null; then
        if find_library "$1" libnvidia-opencl >/dev/null; then
            echo "NVIDIA: the driver and its OpenCL library are here, but it shows no device: does nvidia-smi list the GPU?"
        else
            echo "NVIDIA: a driver is here, but not its OpenCL library, libnvidia-opencl.so.1. It has the driver's version. Install it" \
                "(Debian: nvidia-opencl-icd; Ubuntu: libnvidia-compute-VERSION; containers: NVIDIA_DRIVER_CAPABILITIES=compute,utility)," \
                "or put it into the kit's folder drivers/."
        fi
    fi
    [ ! -e "$1/dev/kfd" ] || find_library "$1" libamdocl64 >/dev/null ||
        echo "AMD: the kernel's driver is here, but not ROCm's OpenCL library, libamdocl64.so (package rocm-opencl-runtime)."
    for node in "$1"/dev/dri/renderD*; do
        [ -e "$node" ] || continue
        [ -r "$node" ] && [ -w "$node" ] || echo "$node: not yours to open; join the group that owns it (render or video)."
    done
    echo "drivers.md says how to install each vendor's driver. Drivers may also be put into the kit's folder drivers/."
}
