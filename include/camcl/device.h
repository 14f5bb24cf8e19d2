/* OpenCL devices: listing, selecting, opening. */
#ifndef CAMCL_DEVICE_H
#define CAMCL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum camcl_device_type { CAMCL_GPU, CAMCL_CPU, CAMCL_ACCELERATOR, CAMCL_OTHER_DEVICE } camcl_device_type;

/* What a device reports about itself. */
typedef struct camcl_device_info {
    char selector[16]; /* "P:D": platform and device number, picks exactly this device; "P:D/I/N" of an opened part of one */
    char platform[128], vendor[128], name[192], driver[128], opencl_c[64];
    camcl_device_type type;
    unsigned compute_units, clock_mhz;
    size_t global_mem, local_mem, max_alloc, max_work_group; /* bytes, bytes, bytes, work-items */
    size_t base_align;                                       /* bytes to which sub-buffers are aligned */
    size_t cache;                                            /* bytes of the last cache before global memory; 0: none, or not known */
    /* Floats of a vector register, and how many such registers there are, as far as kernels for CPUs are shaped by them: 16 and 32, 8 and
     * 16, 4 and 16, or 4 and 32. CAMCL_VECTOR=WIDTHxREGISTERS in the environment replaces what was found, for tests. So does CAMCL_FMA=slow
     * or fast for whether fma() is slow on the device, so that kernels use mad() instead; that is found from platform and driver. */
    unsigned vector_width, vector_registers;
    bool fp16, fp64;
    bool usable;       /* false: listed, never picked */
    char unusable[64]; /* why it is not usable: "has no OpenCL compiler"; "" if it is */
} camcl_device_info;

/* Every device of every platform, in the loader's order. *infos is owned by the caller, freed with free(); no
 * platform at all is CAMCL_OK with *count = 0. */
camcl_status camcl_device_list(camcl_device_info **infos, size_t *count, camcl_error *err);

/* Picks one of `infos` by selector: auto | gpu | cpu | accelerator | P:D | P:D/I/N | part of a device's or platform's name (case does not
 * matter). auto prefers a GPU, then the device with the most compute (units x lanes of a unit x clock); gpu, cpu and accelerator pick the
 * most capable device of that type. P:D/I/N is part I of N equal parts of a device: *index is that of the whole one, and whether its driver
 * can divide it is found when it is opened. Of a list (comma-separated), which camcl_train trains on, the first is picked. CAMCL_NO_DEVICE
 * if a name matches several devices or nothing matches; the detail lists the devices, and platforms that have none. With count 0, the
 * message says why this machine has none. */
camcl_status camcl_device_select(const camcl_device_info *infos, size_t count, const char *selector, size_t *index, camcl_error *err);

typedef struct camcl_device camcl_device;

/* A driver compiles one kernel at a time per process. So kernels that no cache holds are compiled by helper processes, one per
 * processor, if `program` names a program that can serve as helper. Such a program is started with CAMCL_KERNEL_COMPILER_COMMAND as its
 * only argument and must then call camcl_compile_kernels(0, ...). */
#define CAMCL_KERNEL_COMPILER_COMMAND "compile-kernels"
typedef struct camcl_kernel_compiler {
    const char *program; /* a path, or a name that PATH finds; NULL: this process compiles by itself, on one processor */
    void *context;
    /* Called before the first answer of a helper and after each; done = total only in the last call. May be NULL. */
    void (*progress)(void *context, size_t done, size_t total);
} camcl_kernel_compiler;

typedef struct camcl_device_options {
    size_t size;           /* set by camcl_device_options_init */
    const char *select;    /* as above; NULL or "": CAMCL_DEVICE, else auto */
    const char *cache_dir; /* compiled kernels and tuned choices; NULL or "": the user's cache directory / camcl. Created for this user
                            * alone; not used if another user owns it or can write into it */
    const char *conv;      /* auto | direct | winograd | gemm; NULL: auto */
    const char *tune;      /* off: the built-in table of kernels; cache: stored winners, else the table; full: what is not stored is timed
                            * when it is first needed; NULL: cache */
    bool separate_memory;  /* one buffer per tensor, for checking tools */
    camcl_kernel_compiler compiler; /* program must stay valid until the device is closed */
} camcl_device_options;
/* Sets size, and everything else to zero: the defaults. */
static inline void camcl_device_options_init(camcl_device_options *options)
{
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

/* A device, and all models and runs on it, are used by one thread at a time. Devices are independent of each other, also several opened
 * from one piece of hardware: each thread opens its own.
 *
 * CLBlast, which multiplies matrices for conv = gemm and for some linear layers, has one set of parameters per piece of hardware in the
 * whole process. camcl puts in force what each product was planned with whenever it runs, so that runs and models side by side get
 * the bits that they get alone. Once any set but CLBlast's own was used (a stored winner of camcl_tune, or a plan that names one), CLBlast
 * has no way back to its own, and the last set stays in force for the host's own calls of Xgemm in float32, too. What was planned with
 * CLBlast's own parameters is CAMCL_UNSUPPORTED from then on, in this process; what is planned anew by stored timings takes the fastest of
 * the others. A host must not override these parameters itself. */

/* Opens the selected device: context, queue, kernel cache. The caller owns *device. options NULL: all defaults. */
camcl_status camcl_device_open(const camcl_device_options *options, camcl_device **device, camcl_error *err);
/* Opens every device of a list, for camcl_bench_step_together: *devices [*count], and each of them, is the caller's; camcl_device_close_all
 * takes both. CAMCL_BAD_CONFIG where the list names a device twice, or parts of one that overlap. */
camcl_status camcl_device_open_all(const camcl_device_options *options, camcl_device ***devices, size_t *count, camcl_error *err);
/* NULL, or a pointer to NULL, is fine. */
void camcl_device_close_all(camcl_device ***devices, size_t count);
/* Models, sessions and trainers on it are ended before. NULL, or a pointer to NULL, is fine. */
void camcl_device_close(camcl_device **device);
/* Borrowed until the device is closed. */
const camcl_device_info *camcl_device_get_info(const camcl_device *device);
/* Why this device was picked, and why its cache folder is not used if that is so: one line for logs, "Tesla T4 (0:0), the only GPU".
 * Borrowed. */
const char *camcl_device_reason(const camcl_device *device);

/* Called in the helper process: compiles what it is asked for on `socket` until the socket is closed. */
camcl_status camcl_compile_kernels(int socket, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
