"""What clang makes of the kernels for CPUs: values that do not fit the vector registers (for offline_compilers.py).

Programs and their macros come from the program itself (tests/bench/list_programs.c), once for each kind of registers: what a step of a
network uses by default, and with device.conv=direct.

How spills are found: in the assembly, where clang marks each of them ("32-byte Spill", "16-byte Folded Reload") and says of each block which
loop it is in. A spill counts if it is of a vector register. Three kinds of places are told apart:
    products   innermost loops that multiply vectors by a number that they load: none may spill
    hot parts  other innermost loops that multiply, and straight functions, such as transforms. Here what the part itself spills counts,
               and at most MOST of its vector instructions may be that: reloads of constants from before the loop cost no more than others
    elsewhere  before and after such loops, and what crosses an edge
Vectors that a loop stores onto the stack without a mark belong to arrays that the compiler could not keep in registers: they count, too.

Built-in functions are no part of clang; FIRST has those that inner loops use. fma is a multiplication and an addition that the compiler
fuses where the processor can. What else is called stays a call.
"""
import os
import re
import subprocess
from collections import Counter, namedtuple

CpuTarget = namedtuple("CpuTarget", "vector triple flags")
TARGETS = {
    "x86-64-v2": CpuTarget("4x16", "x86_64-unknown-linux-gnu", ("-march=x86-64-v2",)),
    "x86-64-v3": CpuTarget("8x16", "x86_64-unknown-linux-gnu", ("-march=x86-64-v3",)),
    "x86-64-v4": CpuTarget("16x32", "x86_64-unknown-linux-gnu", ("-march=x86-64-v4", "-mprefer-vector-width=512")),
    "aarch64": CpuTarget("4x32", "aarch64-unknown-linux-gnu", ()),
}
# Networks whose layers the geometries come from; each with the defaults, and with device.conv=direct.
NETWORKS = (("model.arch=resnet18",), ("model.arch=wrn28-2",), ("model.arch=resnet50", "data.image_size=224", "train.batch_labeled=16", "train.batch_unlabeled=16"))
FEW = NETWORKS[:1]

FIRST = r"""
#define BUILTIN __attribute__((overloadable, always_inline))
#define __kernel
#define vec_type_hint(type) unused
#define reqd_work_group_size(x, y, z) unused
#define ACCESS(n, type, space)                                                                                                     \
    type##n BUILTIN vload##n(size_t i, const space type *p) { return ((const space struct unaligned_##type##n *)(p + n * i))->v; }  \
    void BUILTIN vstore##n(type##n v, size_t i, space type *p) { ((space struct unaligned_##type##n *)(p + n * i))->v = v; }
#define ACCESSES(n, type)                                                                                                          \
    struct __attribute__((packed)) unaligned_##type##n { type##n v; };                                                              \
    ACCESS(n, type, __global) ACCESS(n, type, __private) ACCESS(n, type, __local)
#define VECTORS_OF(n)                                                                                                                \
    ACCESSES(n, float) ACCESSES(n, int) ACCESSES(n, long)                                                                              \
    float##n BUILTIN fma(float##n a, float##n b, float##n c) { return a * b + c; }                                                       \
    float##n BUILTIN mad(float##n a, float##n b, float##n c) { return a * b + c; }                                                       \
    float##n BUILTIN fmin(float##n a, float##n b) { return b < a ? b : a; }                                                            \
    float##n BUILTIN fmax(float##n a, float##n b) { return b > a ? b : a; }                                                            \
    float##n BUILTIN sqrt(float##n a)                                                                                                 \
    {                                                                                                                                 \
        for (int i = 0; i < n; i++) a[i] = __builtin_sqrtf(a[i]);                                                                     \
        return a;                                                                                                                     \
    }                                                                                                                                 \
    float##n BUILTIN shuffle2(float##n a, float##n b, uint##n at)                                                                       \
    {                                                                                                                                 \
        float from[2 * n], to[n];                                                                                                     \
        for (int i = 0; i < n; i++) from[i] = a[i], from[n + i] = b[i];                                                               \
        _Pragma("unroll") for (int i = 0; i < n; i++) to[i] = from[at[i]];                                                             \
        return vload##n(0, to);                                                                                                       \
    }
VECTORS_OF(4)
VECTORS_OF(8)
VECTORS_OF(16)
float BUILTIN fma(float a, float b, float c) { return a * b + c; }
float BUILTIN mad(float a, float b, float c) { return a * b + c; }
float BUILTIN fmin(float a, float b) { return b < a ? b : a; }
float BUILTIN fmax(float a, float b) { return b > a ? b : a; }
extern __constant size_t places[];
size_t BUILTIN get_global_id(uint d) { return places[d]; }
size_t BUILTIN get_global_size(uint d) { return places[3 + d]; }
size_t BUILTIN get_local_id(uint d) { return places[6 + d]; }
size_t BUILTIN get_group_id(uint d) { return places[9 + d]; }
size_t BUILTIN get_num_groups(uint d) { return places[12 + d]; }
int BUILTIN min(int a, int b) { return b < a ? b : a; }
int BUILTIN max(int a, int b) { return b > a ? b : a; }
int BUILTIN clamp(int a, int low, int high) { return min(max(a, low), high); }
float BUILTIN sqrt(float a) { return __builtin_sqrtf(a); }
"""


def list_programs(program, vector, networks):
    """Of one kind of registers: (file, options) -> the kernels of it that are used."""
    found = {}
    for network in networks:
        for form in ("device.conv=auto", "device.conv=direct"):
            done = subprocess.run([program, "device.tune=off", form, *network], env=dict(os.environ, CAMCL_VECTOR=vector, CAMCL_DEVICE="cpu"),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise RuntimeError("%s: %s" % (os.path.basename(program), done.stderr.strip()))
            for line in done.stdout.splitlines():
                file, kernel, options = line.split(" ", 2)
                found.setdefault((file, options), set()).add(kernel)
    return found


# Spilled vectors of a function: in its products, the worst part of them in its other hot parts, and all of them anywhere else.
Spills = namedtuple("Spills", "products hot share elsewhere")
VECTOR = re.compile(r"%[xyz]mm\d+|\bq\d+\b|\bv\d+\.")
SPILL = re.compile(r"(?:#|//) (?:16|32|64)-byte (?:Folded )?(?:Spill|Reload)")
STORE_TO_STACK = re.compile(r"\sv?mov[au]p[sd]\s+%[xyz]mm\d+, [^,]*\(%rsp|\sst[pr]\s+q\d+,.*\[sp")
SLOT = re.compile(r"[-\d]*\(%r[a-z]+\)|\[\w+(?:, #-?\d+)?\]|$")
MULTIPLY = re.compile(r"\s(?:v?fn?m(?:add|sub)\w*p[sd]|v?mulp[sd]|fmla|fmls|fmul)\s")
# A number that is loaded for all of a vector, but no constant and nothing from the stack.
SPLAT = re.compile(
    r"\s(?:vbroadcastss\s+(?!\.L|[^(]*\(%r[is]p)[^%]*\(|shufps\s+\$0,|.*\{1to\d+\}.*\(%r(?![is]p)|ld1r\s|fmla\s.*\.s\[)")
CALL = re.compile(r"\s(?:callq?|blr?)\s")
MOST = 0.2
WHOLE_TRANSFORM = 100   # multiplications of a transform that calls for edges
BLOCK = re.compile(r"^(?:\.L(BB\d+_\d+):|(?:#|//) %bb\.\d+:)")
INNER = re.compile(r"This Inner Loop Header")
INSIDE = re.compile(r"in Loop: Header=(BB\d+_\d+)")


def functions(assembly):
    """Name -> lines."""
    found, name = {}, None
    for line in assembly.splitlines():
        start = re.match(r"^([A-Za-z_]\w*):", line)
        if start:
            name = start[1]
            found[name] = []
        elif re.match(r"^\.Lfunc_end\d+", line):
            name = None
        elif name:
            found[name].append(line)
    return found


def parts_of(lines):
    """Innermost loop -> its lines; None -> the rest."""
    blocks, current = [], (None, [])
    for line in lines:
        start = BLOCK.match(line)
        if start or not blocks:
            current = (start[1] if start else None, [])
            blocks.append(current)
        current[1].append(line)
    inner = {label for label, text in blocks if label and any(INNER.search(line) for line in text)}
    parts = {None: []}
    for label, text in blocks:
        inside = [found[1] for found in map(INSIDE.search, text) if found and found[1] in inner]
        parts.setdefault(label if label in inner else inside[0] if inside else None, []).extend(text)
    return parts


def count_spills(lines):
    products = hot = elsewhere = 0
    share = 0.0
    parts = parts_of(lines)
    for loop, text in parts.items():
        vectors = [line for line in text if VECTOR.search(line)]
        spilled = [line for line in vectors if SPILL.search(line)]
        if loop:
            spilled += [line for line in vectors if STORE_TO_STACK.search(line) and not SPILL.search(line)]
        multiplies = sum(1 for line in vectors if MULTIPLY.search(line))
        if loop and multiplies < WHOLE_TRANSFORM and any(CALL.search(line) for line in text):
            multiplies = 0   # what crosses an edge: a loop that calls is not innermost
        if loop and multiplies and any(SPLAT.search(line) for line in text):
            products += len(spilled)
        elif multiplies and (loop or len(parts) == 1):
            # what is only read is a constant of the loop, and would be read from memory anyway
            slots = {SLOT.search(line)[0] for line in spilled if "Reload" not in line}
            lost = sum(1 for line in spilled if SLOT.search(line)[0] in slots)
            hot += lost
            share = max(share, lost / len(vectors))
            elsewhere += len(spilled) - lost
        else:
            elsewhere += len(spilled)
    return Spills(products, hot, share, elsewhere)


def compile_program(run, clang, target, options, text, folder):
    """Function -> Spills. Functions that stay apart from their kernels are functions of their own. text: of the program, includes expanded."""
    t = TARGETS[target]
    with open(os.path.join(folder, "kernel.cl"), "w", encoding="utf-8") as file:
        file.write(FIRST + text)
    run([clang, "-x", "cl", "-cl-std=CL1.2", "-Xclang", "-finclude-default-header", "-Wno-unused", "-DCC_CPU=1", "-DCC_PREFETCH=1",
         "-DCC_COMPUTE_UNITS=8", "-DCC_LOCAL_BYTES=1048576", "-DCC_MAX_WORK_GROUP=4096", *options.split(), "-O3", "-target", t.triple,
         *t.flags, "-fno-math-errno", "-S", "kernel.cl", "-o", "kernel.s"], folder)
    with open(os.path.join(folder, "kernel.s"), encoding="utf-8") as file:
        assembly = file.read()
    return {name: count_spills(lines) for name, lines in functions(assembly).items() if not name.startswith("_Z")}
