/* What is timed: one mode's step, or inference, with random images on one device. */
#ifndef CC_TUNE_BENCH_H
#define CC_TUNE_BENCH_H

#include "camcl/bench.h"
#include "infer/session.h"
#include "run/settings.h"

enum { CC_BENCH_WARM_UP = 2 };

typedef struct cc_bench {
    cc_settings settings;
    cc_resident *images;
    cc_model *model;
    cc_arena *arena;
    cc_step *step;
    cc_draws draws;
    uint32_t *sources; /* image i mod IMAGES; enough for any of the batches */
    cc_session *infer;
} cc_bench;

/* own: the device's part of a batch, NULL where it is alone; align: bytes, as all devices that train together need it. Close it also after
 * a failure. */
camcl_status cc_bench_open(cc_bench *b, camcl_device *device, const camcl_config *config, const char *name, const cc_part *own,
                           size_t align, camcl_error *err);
void cc_bench_close(cc_bench *b);
bool cc_bench_is_infer(const char *name);
cc_step_input cc_bench_input(const cc_bench *b);
size_t cc_bench_images(const cc_bench *b, const char *name); /* of a step, on all devices */
/* One step, or inference, of a device that is alone; waits for its end. */
camcl_status cc_bench_run(cc_bench *b, camcl_device *device, camcl_error *err);

#endif
