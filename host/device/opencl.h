/* What the files of host/device share: the OpenCL objects behind the opaque handles. Other layers do not include this file. Where they call
 * a library that takes OpenCL objects (ops/gemm.c), the callback of cc_tape_call gets these as plain pointers. */
#ifndef CC_DEVICE_OPENCL_H
#define CC_DEVICE_OPENCL_H

#include <CL/cl.h>
#include <limits.h>

#include "base/diag.h"
#include "camcl/device.h"
#include "device/cache.h"

typedef struct cc_arena cc_arena;   /* tape.h */
typedef struct cc_tape cc_tape;     /* tape.h */
typedef struct cc_buffer cc_buffer; /* device.h */

typedef struct cc_program {
    char *name, *options; /* what it was built from */
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

/* NVIDIA launches no more work-groups than this in dimension 1 and in dimension 2. OpenCL has no query for that limit, so launches on all
 * GPUs keep to it. */
#define CC_MOST_GROUPS 65535

struct camcl_device {
    camcl_device_info info;
    char reason[1024], conv[16], tune[16];
    bool separate, poison, modules_refused; /* modules_refused: see program.c */
    bool slow_fma;                          /* cc_device_has_slow_fma's */
    size_t sub_group;                       /* cc_device_find_sub_group's */
    size_t most_groups;                     /* of a launch in each of dimensions 1 and 2; tests lower it */
    cc_group_limits group;                  /* tests lower them */
    cl_device_id id, part;                  /* part: the same, where it was made of a larger device; else NULL */
    cl_context context;
    cl_command_queue queue; /* in order */
    char *cache_dir;        /* NULL: nothing is cached */
    void *attached;         /* cc_device_attach */
    void (*destroy_attached)(void *object);
    camcl_kernel_compiler compiler;
    cc_program *programs;
    size_t program_count, program_capacity;
    cc_arena **arenas; /* all that exist: their tapes say which programs will be needed */
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
    bool view;          /* a part of a persistent buffer, which counts the bytes */
    size_t first, last; /* launches that use it; first > last: unused */
    bool keep;
    size_t slab; /* which of the arena's */
};

const char *cc_cl_name(cl_int code);
/* What a failed call means: CAMCL_NO_MEMORY for failed allocations, else CAMCL_OPENCL; and what to do, for the end of a message. Only
 * arguments that cannot be are a defect of the program. */
camcl_status cc_cl_status(cl_int code);
const char *cc_cl_advice(cl_int code);
/* Fills *err for an OpenCL error: the message has its symbolic name, the detail has call, file and line. Returns CAMCL_NO_MEMORY for failed
 * allocations, else CAMCL_OPENCL. */
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
/* The built program for (name, options), taken from memory, from the binary cache, or built from source. Borrowed. */
camcl_status cc_program_get(camcl_device *device, const char *name, const char *options, cl_program *out, camcl_error *err);
/* Whether the two names are built as one program. */
bool cc_program_is_same(const camcl_device *device, const char *a, const char *b);
/* Whether cc_program_get can do without a compiler. A program that is in the cache is built here, so that its file is read only once. */
bool cc_program_find(camcl_device *device, const char *name, const char *options);
/* Whether the driver compiles a kernel at its first launch instead of when its program is built. */
bool cc_device_compiles_at_launch(const camcl_device *device);

/* buffer.c: creates a buffer and counts its bytes. When memory is exhausted, the error says how much was wanted for what. */
camcl_status cc_device_allocate(camcl_device *device, size_t bytes, const char *what, cl_mem *out, camcl_error *err);
void cc_device_release(camcl_device *device, size_t bytes, cl_mem *mem);
/* Enqueues zeros for the whole words of a buffer. */
cl_int cc_device_fill(camcl_device *device, cl_mem mem, size_t bytes);
/* What it means that memory for `what` could not be created or used for the first time: CAMCL_NO_MEMORY if the code says so, or says that
 * resources ran out, which is some drivers' word for it; else what cc_cl_fail says. */
camcl_status cc_device_fail_memory(const camcl_device *device, size_t bytes, const char *what, cl_int code, camcl_error *err);
/* Frees all staging blocks. The queue must be idle, and all read-backs destroyed. */
void cc_device_free_staging(camcl_device *device);

/* local_size.c: fills device->group from what the device reports. */
void cc_device_read_group_limits(camcl_device *device);

#endif
