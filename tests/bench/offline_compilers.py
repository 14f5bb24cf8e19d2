#!/usr/bin/env python3
"""What three vendors' compilers make of the kernels in cl/, without any of their devices: registers, local memory, spills, occupancy.

Usage: offline_compilers.py [--ptxas PROGRAM] [--ocloc PROGRAM] [--clang PROGRAM] [--libclc FOLDER] [--target NAME]... [--jobs N]
                            [--allow-spills] [--short] [FILTER]
       offline_compilers.py --cpu-kernels [--few] [--list-programs PROGRAM] [--clang PROGRAM] [--target NAME]... [--jobs N] [FILTER]

Compiles every kernel file with the macros that the host gives it on a GPU (BUILDS below), and prints one Markdown table per vendor, one row
per kernel and set of macros. A column has one value per target, in the order of the heading, or one value where all of them agree. FILTER
is a regular expression: only kernels, or files, whose names match it somewhere. Targets: sm_75, sm_80, sm_90 (NVIDIA), gfx90a, gfx1030,
gfx1100 (AMD), skl, tgllp, dg2, pvc (Intel); without --target all that the tools at hand allow, the others are skipped with a line that says
what is missing. --vendor NVIDIA, AMD or Intel: its targets. --short: one target of a vendor and one set of macros of a file, unless the
environment has CAMCL_TEST_ALL; the tests of the build use it.

How to get the tools; none of them needs a GPU or a driver:
    clang    Debian: clang-15. Others work as long as they read libclc's modules. For NVIDIA and AMD.
    libclc   Debian: libclc-15; the folder with nvptx64--nvidiacl.bc and amdgcn--amdhsa.bc. Found by itself where libclc-15-dev's entry for
             pkg-config is installed. For NVIDIA and AMD.
    ptxas    python3 -m venv FOLDER; FOLDER/bin/pip install nvidia-cuda-nvcc-cu12; it is in site-packages/nvidia/cuda_nvcc/bin. Or any CUDA
             toolkit. For NVIDIA.
    ocloc    Debian: intel-opencl-icd. Installing it registers an OpenCL platform; `apt-get download` and `dpkg -x` of it, libigc1,
             libigdfcl1, libigdgmm12, libopencl-clang14 and libllvmspirvlib14 into one folder do not. Libraries beside the program (../lib)
             are found. For Intel.

With --cpu-kernels: what clang-15 makes of all kernels for the vector registers of four kinds of CPUs (x86-64-v2: SSE, -v3: AVX2, -v4:
AVX-512, aarch64: NEON); cpu_kernels.py says how. Geometries come from build/tests/list_programs, which needs an OpenCL device of a CPU,
but compiles nothing. --few: the kernels of one network instead of three. A product that spills is an error, and so is another hot part
that is spills for more than a fifth.

It is not what drivers do to the last register: NVIDIA's and AMD's have front ends of their own, and they and Intel's are of other versions.
What spills here, or needs half of a register file, is worth a look nevertheless.

Exit status: 0 all is well; 1 a kernel does not compile, or spills without --allow-spills, or a file in cl/
is in no list here; 2 a usage error; 77 no compiler at all, or with --cpu-kernels nothing to ask for
geometries. Values kept in memory for want of registers, and private arrays that cannot be
kept in registers, count as spills alike.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import namedtuple

import cpu_kernels

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SKIPPED = 77

# A kernel file below cl/ (without .cl), the macros of one program that the host builds of it on GPUs, which of its kernels the host then uses: () all; and
# on whose GPUs it does so: () everybody's.
Build = namedtuple("Build", "file options kernels vendors", defaults=("", (), ()))


def tile_builds():
    """host/ops/conv2d/local_tile.c: large tiles where the built-in choice takes them, small ones everywhere."""
    builds = []
    for vendor, unroll in (("NVIDIA", 2), ("AMD", 1), ("Intel", 1)):
        large = [(128, 128, 8, 8, 8), (128, 64, 8, 8, 8), (128, 32, 8, 4, 16)] if vendor != "Intel" else []
        small = (64, 64, 8 if vendor == "NVIDIA" else 4, 4, 16)
        for tile, vector in [(tile, 4) for tile in large + [small, (64, 32, 4, 4, 16)]] + [(small, 1)]:
            options = "-DROWS=%d -DCOLUMNS=%d -DBLOCK_ROWS=%d -DBLOCK_COLUMNS=%d -DDEPTH=%d -DVECTOR=%d -DUNROLL=%d" % (*tile, vector, unroll)
            builds += [Build(file, options, (), (vendor,)) for file in ("conv2d/local", "conv2d/local_weight", "conv2d/winograd_multiply")]
            builds.append(Build("conv2d/local", options + " -DTURNED=1", (), (vendor,)))
    return builds



# cc_row_shape: floats of a row that is a multiple of 4, or not.
ROWS = ("-DWIDTH=4 -DLANES=64", "-DWIDTH=1 -DLANES=64")
BUILDS = [
    *(Build(file, options) for file in ("batch_norm", "linear", "pool") for options in ROWS),
    *(Build("batch_norm_group", "%s -DACROSS=%d -DDOWN=%d" % (options, across, 256 // across)) for options in ROWS for across in (1, 8, 32)),
    Build("pointwise", ROWS[0]),
    Build("sgd", ROWS[0]),
    Build("softmax", ROWS[1]),
    Build("grad_cam", "-DWIDTH=1 -DLANES=32 -DCHANNELS=32 -DROWS=4"),
    *(Build(file, "-DWIDTH=1 -DLANES=128") for file in ("masked_mse", "counted_mse")),
    *(Build("randaugment", "-DWIDTH=1 -DLANES=128 -DCHANNELS=%d" % channels) for channels in (1, 3)),
    *(Build(file, ROWS[1]) for file in ("soft", "thresholds", "fairness")),
    Build("min_max", "-DWIDTH=1 -DLANES=128"),
    Build("load"),
    Build("resize"),
    Build("warp"),
    Build("affine_warp"),
    Build("conv2d/general"),
    Build("conv2d/gemm"),
    *tile_builds(),
    Build("conv2d/parts"),
    Build("conv2d/winograd_local"),
    Build("conv2d/winograd_pack", "-DWIDTH=1"),
    Build("peak", "-DWIDTH=1 -DACCUMULATORS=6", ("peak_fma",)),
    Build("peak", "-DWIDTH=1 -DACCUMULATORS=12", ("peak_fma",)),
    Build("peak", "-DWIDTH=4", ("peak_copy", "peak_triad")),
]
# Those that multiply and add once more, as Mesa's rusticl gets them for AMD's and Intel's GPUs (cl/multiply_add.clh).
SLOW_FMA = ("batch_norm", "batch_norm_group", "conv2d/general", "conv2d/local", "conv2d/local_weight", "conv2d/winograd_local",
            "conv2d/winograd_multiply", "conv2d/winograd_pack")
BUILDS += [build._replace(options=build.options + " -DCC_SLOW_FMA", vendors=build.vendors or ("AMD", "Intel"))
           for build in BUILDS if build.file in SLOW_FMA and build.vendors != ("NVIDIA",)]
# Variants that support only devices that like long work-items (cc_likes_long_items), and what packs for them. No GPU ever builds them;
# --cpu-kernels asks the program how it builds them (cpu_kernels.py).
CPU_FILES = ("conv2d/narrow", "conv2d/narrow_weight", "conv2d/pack", "conv2d/point", "conv2d/point_weight", "conv2d/tile", "conv2d/tile_weight",
             "conv2d/winograd", "conv2d/winograd_inline", "conv2d/winograd_stride2", "conv2d/winograd_stride2_data",
             "conv2d/winograd_stride2_pack", "conv2d/winograd_stride2_weight", "conv2d/winograd_weight")
# Of a launch that leaves its local size to cc_tape_launch, where the range is large enough. Other sizes are required by the kernels.
DEFAULT_ITEMS = 64

# What the device says of itself (describe_options in host/device/program.c), and what occupancy depends on: NVIDIA's warps, work-groups,
# bytes of shared memory of a multiprocessor, bytes in units of which it is given out, bytes that a work-group takes besides. sub_group: what
# cc_device_find_sub_group finds.
Target = namedtuple("Target", "vendor compute_units local_bytes max_work_group limits sub_group", defaults=(None, None))
TARGETS = {
    "sm_75": Target("NVIDIA", 46, 48 << 10, 1024, (32, 16, 64 << 10, 256, 0)),
    "sm_80": Target("NVIDIA", 108, 48 << 10, 1024, (64, 32, 164 << 10, 128, 1024)),
    "sm_90": Target("NVIDIA", 132, 48 << 10, 1024, (64, 32, 228 << 10, 128, 1024)),
    "gfx90a": Target("AMD", 104, 64 << 10, 256),
    "gfx1030": Target("AMD", 36, 64 << 10, 256),
    "gfx1100": Target("AMD", 48, 64 << 10, 256),
    "skl": Target("Intel", 24, 64 << 10, 256),
    "tgllp": Target("Intel", 96, 64 << 10, 512),
    "dg2": Target("Intel", 512, 64 << 10, 1024),
    "pvc": Target("Intel", 1024, 128 << 10, 1024, sub_group=16),
}
SHORT = ("sm_80", "gfx1030", "tgllp")
# clang may be older than the chip: the code is then made for the nearest one that it knows, as ptxas translates it anyway.
PTX_FOR = {"sm_90": "sm_80"}
COLUMNS = {
    "NVIDIA": ("registers", "shared bytes", "spill bytes", "occupancy"),
    "AMD": ("VGPRs", "SGPRs", "LDS bytes", "scratch bytes", "waves per SIMD"),
    "Intel": ("SIMD", "spill bytes", "private bytes", "SLM bytes"),
}


class CompileError(Exception):
    pass


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("filter", nargs="?", default="", metavar="FILTER")
    ap.add_argument("--ptxas", default="ptxas")
    ap.add_argument("--ocloc", default="ocloc")
    ap.add_argument("--clang", default=shutil.which("clang-15") or "clang")
    ap.add_argument("--libclc", help="the folder with nvptx64--nvidiacl.bc and amdgcn--amdhsa.bc")
    ap.add_argument("--target", action="append", choices=list(TARGETS) + list(cpu_kernels.TARGETS), help="may be given several times")
    ap.add_argument("--vendor", choices=list(COLUMNS))
    ap.add_argument("--short", action="store_true", help="little of everything, for the tests of the build")
    ap.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at a time")
    ap.add_argument("--allow-spills", action="store_true")
    ap.add_argument("--cpu-kernels", action="store_true", help="compile for CPUs instead of GPUs")
    ap.add_argument("--few", action="store_true", help="with --cpu-kernels: of one network only")
    ap.add_argument("--list-programs", default=os.path.join(ROOT, "build", "tests", "list_programs"), metavar="PROGRAM")
    args = ap.parse_args()
    args.short = args.short and not os.environ.get("CAMCL_TEST_ALL")
    args.few = args.few and not os.environ.get("CAMCL_TEST_ALL")
    return args


def run(command, folder, env=None):
    done = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if "error" in line.lower()] or done.stdout.splitlines()
        raise CompileError("%s: %s" % (os.path.basename(command[0]), " | ".join(lines[:4]) or "exit status %d" % done.returncode))
    return done.stdout


def expand(folder, name, seen):
    """As the host does it: a file the first time that it is included, nothing from then on."""
    text = []
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        for line in file:
            found = re.match(r'#include "([^"]+)"', line)
            if not found:
                text.append(line)
            elif found[1] not in seen:
                seen.add(found[1])
                text.append(expand(folder, found[1], seen))
    return "".join(text)


def macros(build, target):
    t = TARGETS[target]
    return ["-DCC_CPU=0", "-DCC_PREFETCH=0", "-DCC_COMPUTE_UNITS=%d" % t.compute_units, "-DCC_LOCAL_BYTES=%d" % t.local_bytes,
            "-DCC_MAX_WORK_GROUP=%d" % t.max_work_group, *(["-DCC_SUB_GROUP=%d" % t.sub_group] if t.sub_group else []),
            *build.options.split()]


KERNEL = re.compile(r"(?:__kernel|\bkernel)\b([^{};]*?)\bvoid\s+(\w+)\s*\(")
REQUIRED = re.compile(r"reqd_work_group_size\s*\(([\d\s()+*/,-]+?)\)\s*\)\s*\)")


def kernels_of(tools, build, target, folder):
    """Name -> required work-group size, or None where the host chooses."""
    text = run([tools["preprocessor"], "-E", "-P", "-x", "c", *macros(build, target), "source.cl"], folder)
    kernels = {}
    for attributes, name in KERNEL.findall(text):
        size = REQUIRED.search(attributes)
        kernels[name] = tuple(int(eval(part)) for part in size[1].split(",")) if size else None   # digits and operators only
    return kernels


def items_of(size):
    return size[0] * size[1] * size[2] if size else DEFAULT_ITEMS


# ---- NVIDIA

def require_sizes(ptx, kernels):
    """Writes required work-group sizes where ptxas looks for them; clang leaves them out."""
    for name, size in kernels.items():
        if size:
            ptx = re.sub(r"(\.entry\s+%s\([^)]*\))" % name, r"\1\n.reqntid %d, %d, %d" % size, ptx)
    return ptx


def occupancy(target, registers, shared, items):
    """Share of a multiprocessor's warps that are there at a time, in per cent."""
    most_warps, most_groups, all_shared, unit, besides = TARGETS[target].limits
    warps = -(-items // 32)
    by_registers = 16384 // (max(-(-registers // 8), 1) * 8 * 32) * 4 // warps   # each of four parts has a quarter of the registers
    each = -(-(shared + besides) // unit) * unit
    groups = min(most_groups, most_warps // warps, by_registers, all_shared // each if each else most_groups)
    return 100 * groups * warps // most_warps


def compile_nvidia(tools, build, target, kernels, folder):
    run([tools["clang"], "-x", "cl", "-cl-std=CL1.2", "-Xclang", "-finclude-default-header", *macros(build, target), "-O3",
         "-target", "nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu", "-Xclang", PTX_FOR.get(target, target),
         "-Xclang", "-mlink-builtin-bitcode", "-Xclang", os.path.join(tools["libclc"], "nvptx64--nvidiacl.bc"),
         "-S", "source.cl", "-o", "kernel.ptx"], folder)
    path = os.path.join(folder, "kernel.ptx")
    with open(path, encoding="utf-8") as file:
        ptx = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(require_sizes(ptx, kernels))
    # Functions that stay apart are reported after the kernels; what they spill counts for the last one.
    rows, name, spilled = {}, None, {}
    for line in run([tools["ptxas"], "-arch=" + target, "-v", "kernel.ptx", "-o", os.devnull], folder).splitlines():
        entry = re.search(r"Compiling entry function '(\w+)'", line)
        frame = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line)
        used = re.search(r"Used (\d+) registers", line)
        if entry:
            name = entry[1]
        elif frame and name:
            spilled[name] = spilled.get(name, 0) + max(int(frame[1]), int(frame[2]) + int(frame[3]))
        elif used and name:
            smem = re.search(r"(\d+) bytes smem", line)
            rows[name] = int(used[1]), int(smem[1]) if smem else 0
    return {name: ((registers, shared, spilled.get(name, 0), "%d %%" % occupancy(target, registers, shared, items_of(kernels[name]))),
                   spilled.get(name, 0) > 0) for name, (registers, shared) in rows.items()}


# ---- AMD

def compile_amd(tools, build, target, kernels, folder):
    run([tools["clang"], "-x", "cl", "-cl-std=CL1.2", "-Xclang", "-finclude-default-header", *macros(build, target), "-O3",
         "-target", "amdgcn-amd-amdhsa", "-mcpu=" + target, "-nogpulib",
         "-Xclang", "-mlink-builtin-bitcode", "-Xclang", os.path.join(tools["libclc"], "amdgcn--amdhsa.bc"),
         "-S", "source.cl", "-o", "kernel.s"], folder)
    with open(os.path.join(folder, "kernel.s"), encoding="utf-8") as file:
        text = file.read()
    waves = dict(re.findall(r"\.amdhsa_kernel (\w+)\n.*?; Occupancy: (\d+)", text, re.DOTALL))
    rows = {}
    for block in re.split(r"\n  - \.", text[text.rindex("amdhsa.kernels:"):])[1:]:
        found = dict(re.findall(r"\.?([a-z_]+): +(\S+)", block))
        name = re.search(r"\n    \.name: +(\w+)", block)[1]
        spills = int(found["vgpr_spill_count"]) + int(found["sgpr_spill_count"])
        scratch = int(found["private_segment_fixed_size"])
        rows[name] = ((int(found["vgpr_count"]), int(found["sgpr_count"]), int(found["group_segment_fixed_size"]), scratch,
                       int(waves[name])), spills + scratch > 0)
    return rows


# ---- Intel

def section(data, wanted):
    """The bytes of a section of a 64-bit ELF file."""
    start, = struct.unpack_from("<Q", data, 0x28)
    count, names = struct.unpack_from("<HH", data, 0x3c)
    headers = [struct.unpack_from("<IIQQQQ", data, start + 64 * i) for i in range(count)]
    for name, _, _, _, offset, size in headers:
        at = headers[names][4] + name
        if data[at:data.index(b"\0", at)] == wanted:
            return data[offset:offset + size]
    raise CompileError("ocloc: its binary has no section " + wanted.decode())


def compile_intel(tools, build, target, kernels, folder):
    env = dict(os.environ)
    beside = glob.glob(os.path.join(os.path.dirname(os.path.realpath(tools["ocloc"])), "..", "lib", "*-linux-gnu"))
    env["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, [*beside, env.get("LD_LIBRARY_PATH")]))
    run([tools["ocloc"], "compile", "-file", "source.cl", "-device", target, "-options",
         " ".join(["-cl-std=CL1.2", *macros(build, target)]), "-output", "kernel", "-output_no_suffix", "--format", "zebin", "-q"],
        folder, env)
    path = os.path.join(folder, "kernel")
    if not os.path.exists(path):
        path += ".bin"
    with open(path, "rb") as file:
        info = section(file.read(), b".ze_info").decode()
    rows = {}
    for block in re.split(r"\n  - name: +", info.split("\nkernels_misc_info:")[0])[1:]:
        name = re.match(r"\w+", block)[0]
        value = lambda key: int((re.search(r"\n      %s: +(\d+)" % key, block) or (0, 0))[1])
        memory = {"private": 0, "spill": 0}
        buffers = re.search(r"\n    per_thread_memory_buffers:\n((?:      .*\n?)+)", block)
        for buffer in re.split(r"\n?      - ", buffers[1] if buffers else "")[1:]:
            fields = dict(re.findall(r"(\w+): +(\S+)", buffer))
            memory["private" if fields["usage"] == "private_space" else "spill"] += int(fields["size"])   # single_space: both in one
        spill, private = memory["spill"], memory["private"]
        rows[name] = ((value("simd_size"), spill, private, value("slm_size")), spill + private > 0)
    return rows


COMPILERS = {"NVIDIA": compile_nvidia, "AMD": compile_amd, "Intel": compile_intel}
NEEDED = {"NVIDIA": ("clang", "libclc", "ptxas"), "AMD": ("clang", "libclc"), "Intel": ("ocloc", "preprocessor")}


def find_tools(args):
    """Name -> path, or None."""
    folder = args.libclc
    if not folder and shutil.which("pkg-config"):
        folder = subprocess.run(["pkg-config", "--variable=libexecdir", "libclc"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                text=True).stdout.strip()
    clang = shutil.which(args.clang)
    tools = {"clang": clang, "ptxas": shutil.which(args.ptxas), "ocloc": shutil.which(args.ocloc),
             "libclc": os.path.abspath(folder) if folder and os.path.exists(os.path.join(folder, "amdgcn--amdhsa.bc")) else None,
             "preprocessor": clang or shutil.which("cc")}
    return {name: os.path.abspath(path) if path else None for name, path in tools.items()}


def usable(args, tools):
    """Targets in their order; says what the others lack."""
    targets, missing = [], {}
    for name, target in TARGETS.items():
        if args.target and name not in args.target or args.vendor not in (None, target.vendor) or args.short and name not in SHORT:
            continue
        lacking = [tool for tool in NEEDED[target.vendor] if not tools[tool]]
        if lacking:
            missing.setdefault((target.vendor, ", ".join(lacking)), []).append(name)
        else:
            targets.append(name)
    for (vendor, lacking), names in missing.items():
        print("skipped: %s (%s): %s not found; see --help" % (vendor, ", ".join(names), lacking))
    return targets


def serves(build, target):
    return not build.vendors or TARGETS[target].vendor in build.vendors


def programs_in(folder):
    """Name as in BUILDS -> path."""
    paths = glob.glob(os.path.join(folder, "**", "*.cl"), recursive=True)
    return {os.path.splitext(os.path.relpath(path, folder))[0]: path for path in paths}


def check_lists(folder):
    listed = {build.file for build in BUILDS} | set(CPU_FILES)
    there = set(programs_in(folder))
    problems = ["cl/%s.cl is in no list of this script: add it to BUILDS or CPU_FILES" % name for name in sorted(there - listed)]
    return problems + ["this script lists cl/%s.cl, which does not exist" % name for name in sorted(listed - there)]


def compile_build(folder, tools, build, target):
    """Kernel -> (work-items, values, whether it spills)."""
    with tempfile.TemporaryDirectory() as scratch:
        with open(os.path.join(scratch, "source.cl"), "w", encoding="utf-8") as file:
            file.write(expand(folder, build.file + ".cl", set()))
        kernels = kernels_of(tools, build, target, scratch)
        if not kernels:
            raise CompileError("no kernel found in the file")
        rows = COMPILERS[TARGETS[target].vendor](tools, build, target, kernels, scratch)
    lost = set(kernels) - set(rows)
    if lost:
        raise CompileError("no report for " + ", ".join(sorted(lost)))
    wanted = build.kernels or tuple(kernels)
    return {name: (items_of(kernels[name]), *rows[name]) for name in wanted}


def joined(values):
    values = [str(value) for value in values]
    return values[0] if len(set(values)) == 1 else " / ".join(values)


def print_table(vendor, targets, builds, results, wanted):
    print("\n%s (%s)\n" % (vendor, " / ".join(targets)))
    print("| kernel | macros | work-items | %s |" % " | ".join(COLUMNS[vendor]))
    print("|---|---|%s" % ("---:|" * (1 + len(COLUMNS[vendor]))))
    for build in builds:
        compiled = [results[build, target] for target in targets if isinstance(results[build, target], dict)]
        for name in compiled[0] if compiled else ():
            if not wanted(build, name):
                continue
            cells = [[result[name][1][i] for result in compiled] for i in range(len(COLUMNS[vendor]))]
            options = " ".join(option[2:] for option in build.options.split())
            print("| %s | %s | %s | %s |" % (name, options, joined(result[name][0] for result in compiled), " | ".join(map(joined, cells))))


def in_parallel(args, jobs, work):
    """Job -> work(*job), or the CompileError that it ended with."""
    def attempt(job):
        try:
            return job, work(*job)
        except CompileError as error:
            return job, error
    with concurrent.futures.ThreadPoolExecutor(max(args.jobs, 1)) as pool:
        return dict(pool.map(attempt, jobs))


def check_cpus(args, folder, failures):
    clang = shutil.which(args.clang)
    if not clang or not os.path.basename(args.clang).startswith("clang"):
        print("skipped: no clang-15 (Debian: clang-15)")
        return SKIPPED
    targets = [target for target in cpu_kernels.TARGETS if not args.target or target in args.target]
    jobs = []
    for target in targets:
        try:
            programs = cpu_kernels.list_programs(args.list_programs, cpu_kernels.TARGETS[target].vector,
                                                 cpu_kernels.FEW if args.few else cpu_kernels.NETWORKS)
        except (OSError, RuntimeError) as error:
            print("skipped: %s" % error)
            return SKIPPED
        for file in sorted(set(CPU_FILES) - {file for file, _ in programs}):
            print("error: no network uses cl/%s.cl on %s" % (file, target))
            failures += 1
        jobs += [(target, file, options) for file, options in sorted(programs) if re.search(args.filter, file)]

    def work(target, file, options):
        with tempfile.TemporaryDirectory() as scratch:
            return cpu_kernels.compile_program(run, clang, target, options, expand(folder, file + ".cl", set()), scratch)

    print("| target | file | macros | function | products | other hot parts | the worst of them | elsewhere |\n|---|---|---|---|---:|---:|---:|---:|")
    for (target, file, options), result in in_parallel(args, jobs, work).items():
        if isinstance(result, CompileError):
            print("error: %s %s for %s: %s" % (file, options, target, result))
            failures += 1
            continue
        for name, spills in result.items():
            if any(spills):
                print("| %s | %s | %s | %s | %d | %d | %.0f %% | %d |"
                      % (target, file, options.replace("-D", ""), name, spills.products, spills.hot, 100 * spills.share, spills.elsewhere))
            if spills.products or spills.share > cpu_kernels.MOST:
                print("error: %s of %s.cl %s spills on %s" % (name, file, options, target))
                failures += 1
    print("%d programs" % len(jobs))
    return 1 if failures else 0


def main():
    args = arguments()
    folder = os.path.join(ROOT, "cl")
    problems = check_lists(folder)
    for problem in problems:
        print("error: " + problem)
    if args.cpu_kernels:
        return check_cpus(args, folder, len(problems))
    tools = find_tools(args)
    targets = usable(args, tools)
    if not targets:
        return SKIPPED if not problems else 1

    pattern = re.compile(args.filter)
    wanted = lambda build, name: bool(pattern.search(build.file) or pattern.search(name))
    names = {}
    for program, path in programs_in(folder).items():
        with open(path, encoding="utf-8") as file:
            names[program] = re.findall(r"\bvoid\s+(\w+)\s*\(", file.read())
    concerns = lambda build: build.file in names and any(wanted(build, name) for name in [build.file, *names[build.file]])
    builds = [build for build in BUILDS if concerns(build)]
    if args.short:
        kind = lambda build: (build.file, build.vendors, "CC_SLOW_FMA" in build.options)
        firsts = {kind(build): build for build in reversed(builds)}
        builds = [build for build in builds if firsts[kind(build)] == build]
    if not builds:
        print("error: no kernel matches %s" % args.filter)
        return 2

    failures = len(problems)
    results = in_parallel(args, [(build, target) for target in targets for build in builds if serves(build, target)],
                          lambda build, target: compile_build(folder, tools, build, target))
    for vendor in COLUMNS:
        chosen = [target for target in targets if TARGETS[target].vendor == vendor]
        if chosen:
            print_table(vendor, chosen, [build for build in builds if serves(build, chosen[0])], results, wanted)
    print()
    for (build, target), result in results.items():
        label = " ".join(filter(None, [build.file + ".cl", build.options]))
        if isinstance(result, CompileError):
            print("error: %s for %s: %s" % (label, target, result))
            failures += 1
            continue
        for name, (_, _, spills) in result.items():
            if spills and wanted(build, name):
                print("%s: %s of %s spills on %s" % ("note" if args.allow_spills else "error", name, label, target))
                failures += not args.allow_spills
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
