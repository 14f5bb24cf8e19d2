/* Timing the variants of one problem against each other. */
#ifndef CC_OPS_CHOICE_RACE_H
#define CC_OPS_CHOICE_RACE_H

#include "ops/choice/table.h"

/* Times cc_choice_list's variants, on random numbers, and adds the results to the device's timings all at once. Variants that are hopeless
 * with few images are not run with all of them. A variant that fails counts as never ending; so does one whose result with few images
 * is another than the general variant's (cc_choice_wrong names it), which is run only where variants disagree. CAMCL_STOPPED when
 * choice->stop asks for it. */
camcl_status cc_race_time(cc_choice *choice, const cc_problem *problem, camcl_error *err);

/* Records what cc_race_time will run first, so that its kernels can be compiled together with others (cc_device_compile_ahead). The arena
 * is not to be committed. */
camcl_status cc_race_record(cc_arena *arena, const cc_choice *choice, const cc_problem *problem, camcl_error *err);

/* For gemm_sets.c, too. A device buffer of `count` floats, random or zero. */
camcl_status cc_race_buffer(camcl_device *device, size_t count, bool filled, cc_buffer **out, camcl_error *err);
/* Runs the tape, several times where that is short, and lowers *least to its time in seconds. `written`: a buffer that it writes. */
camcl_status cc_race_run_tape(cc_tape *tape, const cc_buffer *written, double *least, camcl_error *err);

#endif
