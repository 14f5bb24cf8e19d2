/* A tape is a planned sequence of kernel launches over buffers. Recording fixes kernels, geometry and arguments. Committing the arena
 * gives the tape's buffers memory. Running only enqueues. Every launch says which buffers it reads and writes, and from that the arena
 * knows how long each buffer has to live.
 *
 *     cc_arena_create(device) -> cc_tape_create(arena) -> cc_tape_buffer, cc_tape_launch, ... (any number of tapes)
 *     -> cc_arena_commit(arena) -> cc_tape_run(tape), again and again
 *
 * Tapes of one arena share its memory. So the content of a tape's own buffers is lost as soon as another tape of the arena runs. */
#ifndef CC_DEVICE_TAPE_H
#define CC_DEVICE_TAPE_H

#include "device/kernel.h"

typedef struct cc_arena cc_arena;
typedef struct cc_tape cc_tape;

camcl_status cc_arena_create(camcl_device *device, cc_arena **out, camcl_error *err);
/* Builds the programs of all tapes recorded so far and assigns memory to their buffers, and takes it from devices other than CPUs at once:
 * their drivers may take it only when it is first used, and there would be none in the middle of a run. A build failure is CAMCL_OPENCL
 * with the build log as detail; out of memory is CAMCL_NO_MEMORY, the detail lists the largest buffers with their bytes. Launches whose
 * work-groups the device cannot run (see cc_misfit) are CAMCL_UNSUPPORTED; cc_arena_misfits lists them. */
camcl_status cc_arena_commit(cc_arena *arena, camcl_error *err);
/* The same for a CPU, apart from the commit, since its driver ends the process if the system has no memory: so how much is needed can be
 * said before. The tapes must not have run yet. */
camcl_status cc_arena_touch(cc_arena *arena, camcl_error *err);
bool cc_arena_is_committed(const cc_arena *arena); /* false again once something is recorded */
size_t cc_arena_bytes(const cc_arena *arena);
/* Destroys all tapes, so that others can be recorded in their place. Waits for the device. */
void cc_arena_clear(cc_arena *arena);
/* Destroys its tapes as well. Waits for the device. */
void cc_arena_destroy(cc_arena **arena);

/* A launch whose work-groups the device cannot run: they have more work-items, in all or along a dimension, or more local memory than the
 * device gives to this kernel as it was compiled, or another size than the kernel's source requires. */
typedef struct cc_misfit {
    char label[192], kernel[96]; /* cc_tape_label's, "" for none; "function options" */
    char why[96];                /* "needs 256 work-items, the device has 64" */
    bool known;                  /* cc_device_is_unfit knew the label before this commit */
} cc_misfit;
/* Those of the last cc_arena_commit, one per label and kernel. Borrowed until the next commit; they outlive cc_arena_clear. */
const cc_misfit *cc_arena_misfits(const cc_arena *arena, size_t *count);
/* Whether a launch with this label did not fit when an arena of the device was committed. Whoever records should use another kernel. */
bool cc_device_is_unfit(const camcl_device *device, const char *label);

/* The arena owns the tape; name is copied and used in errors and profiles. */
camcl_status cc_tape_create(cc_arena *arena, const char *name, cc_tape **out, camcl_error *err);
camcl_device *cc_tape_device(const cc_tape *tape);

/* A buffer that lives from its first to its last use on this tape. Its content at the first use is undefined, and NaN if the environment
 * has CAMCL_POISON=1. The tape owns it. */
camcl_status cc_tape_buffer(cc_tape *tape, size_t bytes, const char *name, cc_buffer **out, camcl_error *err);
/* Keeps a tape's buffer alive to the end of the tape, so that its content can be read after the run. */
void cc_tape_keep(cc_tape *tape, cc_buffer *buffer);

/* Arguments of cc_tape_call. */
#define CC_ARGS(...) (const cc_arg[]){ __VA_ARGS__ }, sizeof((const cc_arg[]){ __VA_ARGS__ }) / sizeof(cc_arg)

/* One kernel launch. */
typedef struct cc_launch {
    const char *options; /* build options, "-DTILE=8 -DACT=1"; NULL: none. Programs are built once per (program, options). */
    unsigned dims;       /* 1..3 */
    size_t global[3];    /* work-items; rounded up to multiples of local, so kernels must check their range */
    size_t local[3];     /* all 0: the device layer chooses a size that fits (CPUs: 1 x 1 x 1; GPUs: up to 64 items) */
    double flops, bytes; /* of the launch, for profiles; 0: unknown */
} cc_launch;
/* args: as many as the kernel has parameters, in their order; copied. `kernel` must outlive the tape. The program is built or fetched when
 * the arena is committed. A parameter that the kernel does not use needs a real buffer, too. Errors are those of cc_kernel_check. */
camcl_status cc_tape_launch(cc_tape *tape, const cc_kernel *kernel, const cc_arg *args, const cc_launch *launch, camcl_error *err);
/* CC_LAUNCH(tape, ema_update, &launch, err, .w = CC_IN(w), .average = CC_INOUT(average), .count = CC_INT(n), ...): a kernel of
 * device/kernel_bindings.h, its arguments by the names of its parameters. */
#define CC_LAUNCH(tape, kernel, launch, err, ...) cc_tape_launch(tape, CC_BIND(kernel, __VA_ARGS__), launch, err)

/* Labels the launches recorded from here on, for profiles and misfits; "" ends a label. Copied. */
camcl_status cc_tape_label(cc_tape *tape, const char *label, camcl_error *err);

/* buffer[0..bytes) = 0, and a device-to-device copy (offsets and size in bytes). */
camcl_status cc_tape_zero(cc_tape *tape, cc_buffer *buffer, camcl_error *err);
camcl_status cc_tape_copy(cc_tape *tape, cc_buffer *from, size_t from_offset, cc_buffer *to, size_t to_offset, size_t bytes,
                          camcl_error *err);

/* A step that enqueues through a library (CLBlast). Every cc_tape_run calls `call` with the OpenCL memory objects of `args`, which are all
 * buffers, in their order; `call` must not wait. The tape frees `context` with free() when it is destroyed; if recording fails, context
 * stays the caller's. */
typedef camcl_status (*cc_tape_callback)(void *context, void *cl_queue, void *const *cl_mems, camcl_error *err);
camcl_status cc_tape_call(cc_tape *tape, const char *name, cc_tape_callback call, void *context, const cc_arg *args, size_t count,
                          camcl_error *err);

/* ---- points of exchange: where devices that train together bring their figures together. Each has a tape of its own; all were recorded
 * with the same points in the same order. Who runs the tapes does what a point asks for (host/exchange). */
typedef enum cc_exchange_kind {
    CC_EXCHANGE_SUM,       /* count floats: their sums over the devices */
    CC_EXCHANGE_SUM_LATER, /* the same, which need not be there before the end of the tape; CC_MOST_LATER on a tape, of no buffer of its own
                            */
    CC_EXCHANGE_MOMENTS, /* [2,count] floats, means and sums of squared deviations of `weight` values on this device: those of all values */
    CC_EXCHANGE_FIRST    /* count floats or integers of 4 bytes: those of the first device */
} cc_exchange_kind;
enum { CC_MOST_LATER = 16 };
typedef struct cc_exchange_point {
    cc_exchange_kind kind;
    cc_buffer *buffer;
    size_t offset, count; /* offset in bytes */
    double weight;        /* of CC_EXCHANGE_MOMENTS */
} cc_exchange_point;
camcl_status cc_tape_exchange(cc_tape *tape, const cc_exchange_point *point, camcl_error *err);
/* The same behind launch `after`, which is recorded already. */
camcl_status cc_tape_exchange_after(cc_tape *tape, size_t after, const cc_exchange_point *point, camcl_error *err);
/* The last launch that writes to the buffer; SIZE_MAX: none does. */
size_t cc_tape_last_write(const cc_tape *tape, const cc_buffer *buffer);
/* Enqueues the steps from *next on, 0 at first, up to a point of exchange, *point, or to the end of the tape, *point = NULL. Does not wait.
 */
camcl_status cc_tape_run_to_exchange(cc_tape *tape, size_t *next, const cc_exchange_point **point, camcl_error *err);

/* Enqueues all steps and does not wait. The tape has no points of exchange. */
camcl_status cc_tape_run(cc_tape *tape, camcl_error *err);

size_t cc_tape_length(const cc_tape *tape); /* launches recorded so far */

/* Runs the tape `runs` times and waits after each launch. The least time of each launch, by the device's clock if it has one, is added to
 * the row of its label, kernel and options. `uses` counts how often the label was set for launches of the row. The caller frees *rows. */
typedef struct cc_profile_row {
    char label[160], name[96];
    size_t uses, launches;
    double seconds, flops, bytes;
} cc_profile_row;
camcl_status cc_tape_profile(cc_tape *tape, unsigned runs, cc_profile_row **rows, size_t *count, camcl_error *err);

#endif
