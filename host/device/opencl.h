/* What the files of host/device share: OpenCL objects behind the opaque handles. Not included from other layers, except ops/gemm.c's
 * need for none of it: callbacks get plain pointers. */
#ifndef CC_DEVICE_OPENCL_H
#define CC_DEVICE_OPENCL_H

#include <CL/cl.h>
#include <limits.h>

#include "base/diag.h"
#include "device/cache.h"
#include "device/tape.h"
#include "device/timings.h"

typedef struct cc_program {
    char *name, *options; /* key */
    cl_program program;
} cc_program;

/* A block of host memory that an asynchronous transfer reads or fills. The device owns it and uses it again for later transfers. */
typedef struct cc_staging {
    camcl_device *device;
    void *data;
    size_t bytes;
    cl_event done; /* of the transfer; NULL: there is none, or it was seen to be done */
    bool held;     /* by a read-back, until that is destroyed */
} cc_staging;

/* What a work-group has at most: work-items in all and along each dimension, bytes of local memory. */
typedef struct cc_group_limits {
    size_t items, along[3], local_bytes;
} cc_group_limits;

/* NVIDIA launches no more work-groups than this in dimensions 1 and 2, where OpenCL names no limit. Kept to on all GPUs. */
#define CC_MOST_GROUPS 65535

struct camcl_device {
    camcl_device_info info;
    char reason[1024], conv[16];
    bool separate, poison, modules_refused; /* modules_refused: see program.c */
    size_t sub_group;                       /* work-items of a thread that kernels full of registers ask for; 0: as the compiler likes */
    size_t most_groups;                     /* of a launch in each of dimensions 1 and 2; tests lower it */
    cc_group_limits group;                  /* tests lower them */
    cl_device_id id;
    cl_context context;
    cl_command_queue queue; /* in order */
    size_t gemm_set;        /* cc_device_gemm */
    char *cache_dir;        /* NULL: nothing is cached */
    cc_tune_mode tune;
    cc_timing *timings;
    size_t timing_count, timing_capacity;
    const volatile sig_atomic_t *stop;
    camcl_kernel_compiler compiler;
    cc_program *programs;
    size_t program_count, program_capacity;
    cc_arena **arenas; /* those that exist, to know what will be launched */
    size_t arena_count, arena_capacity;
    cc_staging **staging;
    size_t staging_count, staging_capacity, staging_allocations; /* allocations: of blocks, so far */
    char **unfit;                                                /* labels of launches whose work-groups the device cannot run */
    size_t unfit_count, unfit_capacity;
    size_t bytes, peak;
};

struct cc_buffer {
    camcl_device *device;
    char *name;
    size_t bytes;
    cl_mem mem;         /* NULL until memory is assigned */
    cc_tape *tape;      /* NULL: persistent */
    bool view;          /* part of another: counts no bytes */
    size_t first, last; /* launches that use it; first > last: unused */
    bool keep;
    size_t slab, offset; /* where in the arena */
};

const char *cc_cl_name(cl_int code);
/* CAMCL_OPENCL (CAMCL_NO_MEMORY for allocation failures), message with the symbolic name, detail with call, file and line. */
camcl_status cc_cl_fail(camcl_error *err, cl_int code, const char *call, const char *file, int line);
#define CC_CL(call)                                                                                                                        \
    do {                                                                                                                                   \
        cl_int code_ = (call);                                                                                                             \
        if (code_ != CL_SUCCESS) {                                                                                                         \
            status = cc_cl_fail(err, code_, #call, __FILE__, __LINE__);                                                                    \
            goto cleanup;                                                                                                                  \
        }                                                                                                                                  \
    } while (0)
#define CC_CL_CODE(code, call)                                                                                                             \
    do {                                                                                                                                   \
        if ((code) != CL_SUCCESS) {                                                                                                        \
            status = cc_cl_fail(err, (code), (call), __FILE__, __LINE__);                                                                  \
            goto cleanup;                                                                                                                  \
        }                                                                                                                                  \
    } while (0)

/* Sets device->modules_refused if an earlier process noted a refusal in the cache folder. */
void cc_program_read_refusal(camcl_device *device);
/* The built program for (name, options), from memory, the binary cache, or source. Borrowed. */
camcl_status cc_program_get(camcl_device *device, const char *name, const char *options, cl_program *out, camcl_error *err);
/* Whether the two names are built as one program. */
bool cc_program_is_same(const camcl_device *device, const char *a, const char *b);
/* Whether cc_program_get needs no compiler for it; what the cache has is built at once, so that it is read but once. */
bool cc_program_find(camcl_device *device, const char *name, const char *options);
/* Whether kernels are compiled when they are launched first, not when their program is built. */
bool cc_device_compiles_at_launch(const camcl_device *device);

/* timings.c: adds what the cache folder has; what is known stays. Silent on failure. */
void cc_timings_load(camcl_device *device);

/* memory.c: counts, and a clCreateBuffer that reports exhaustion in terms of what was wanted. */
camcl_status cc_device_allocate(camcl_device *device, size_t bytes, const char *what, cl_mem *out, camcl_error *err);
void cc_device_release(camcl_device *device, size_t bytes, cl_mem *mem);
/* Once the queue is idle and no read-back is left. */
void cc_device_free_staging(camcl_device *device);

/* local_size.c: fills device->group from what the device reports. */
void cc_device_read_group_limits(camcl_device *device);

#endif
