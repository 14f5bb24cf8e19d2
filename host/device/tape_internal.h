/* Tapes and arenas from the inside. */
#ifndef CC_DEVICE_TAPE_INTERNAL_H
#define CC_DEVICE_TAPE_INTERNAL_H

#include "device/opencl.h"
#include "device/tape.h"

typedef enum step_kind { STEP_KERNEL, STEP_ZERO, STEP_COPY, STEP_CALL, STEP_EXCHANGE } step_kind;

typedef struct tape_step {
    step_kind kind;
    char name[96];            /* "function options", or what a call is named */
    const cc_kernel *binding; /* STEP_KERNEL; borrowed */
    char *options;            /* STEP_KERNEL: as in cc_launch, "" for none */
    cl_kernel kernel;         /* of this step alone, so that its arguments are set only once; NULL before the commit */
    unsigned dims;
    size_t global[3], local[3];
    cc_arg *args;
    size_t arg_count;
    double flops, bytes;
    size_t scope;                        /* which call of cc_tape_label it follows, 0: none */
    size_t from_offset, to_offset, size; /* STEP_COPY, STEP_ZERO */
    cc_tape_callback call;               /* STEP_CALL */
    void *context;
    void **mems;                /* STEP_CALL: the buffers' memory objects */
    cc_exchange_point exchange; /* STEP_EXCHANGE */
} tape_step;

struct cc_tape {
    cc_arena *arena;
    char *name;
    tape_step *steps;
    size_t count, capacity;
    cc_buffer **buffers;
    size_t buffer_count, buffer_capacity;
    char **labels; /* label i belongs to scope i + 1 */
    size_t label_count, label_capacity;
};

typedef struct arena_slab {
    size_t bytes;
    cl_mem mem;
} arena_slab;

struct cc_arena {
    camcl_device *device;
    cc_tape **tapes;
    size_t tape_count, tape_capacity;
    arena_slab *slabs;
    size_t slab_count, slab_capacity;
    cc_misfit *misfits; /* of the last commit */
    size_t misfit_count, misfit_capacity;
    bool committed;
};

/* Frees the tape with its steps and buffers (their memory belongs to the arena). */
void cc_tape_destroy(cc_tape **tape);
/* Creates the kernels that its steps lack, building their programs. What does not fit is added to the arena's misfits and stays without a
 * kernel. */
camcl_status cc_tape_build(cc_tape *tape, camcl_error *err);
/* Sets kernel arguments from the buffers' memory. */
camcl_status cc_tape_bind(cc_tape *tape, camcl_error *err);
/* CAMCL_FAILED before the commit. */
camcl_status cc_tape_check_committed(const cc_tape *tape, camcl_error *err);
/* Enqueues one step; nothing for a point of exchange. */
camcl_status cc_tape_enqueue(cc_tape *tape, size_t step, camcl_error *err);

/* local_size.c: chooses the local size of a step that has a kernel, if it was launched without one, checks it, and rounds the global size
 * up to a multiple of it. A step that does not fit loses its kernel and is added to the arena's misfits. */
camcl_status cc_step_fit(cc_tape *tape, tape_step *step, camcl_error *err);
/* If there are misfits, CAMCL_UNSUPPORTED with the first of them in the message and all in the detail; the device remembers their labels.
 */
camcl_status cc_arena_check_fit(cc_arena *arena, camcl_error *err);

#endif
