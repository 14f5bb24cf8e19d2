/* The timed choice: which variant of a convolution or linear layer is fastest on this device, and with which parameters CLBlast is. */
#ifndef CC_MODEL_TUNE_H
#define CC_MODEL_TUNE_H

#include "model/model.h"

/* What timings are stored under: the plan's key, except that convolutions' batches beyond 128 images share one timing. */
void cc_tune_key(const cc_problem *problem, char *text, size_t size);
/* What serves it without any timing: the built-in default if its work-groups fit the device, else the last variant worth timing in the
 * registry's order. */
const cc_variant *cc_tune_builtin(const camcl_device *device, const cc_problem *problem);
/* Whether every variant worth timing (device.conv allows it, the device and shape support it, it is not known not to fit; "general" only
 * where there is no other) has a stored timing. */
bool cc_tune_knows(const camcl_device *device, const cc_problem *problem);
/* Then the fastest of them; NULL where one is not known, or all failed. */
const cc_variant *cc_tune_find(const camcl_device *device, const cc_problem *problem);
/* Times those variants, on random numbers, and adds the results to the device's timings all at once. Variants that are hopeless with few
 * images are not run with all of them. A variant that fails counts as never ending. CAMCL_STOPPED when the device's stop flag
 * asks for it. */
camcl_status cc_tune_time(camcl_device *device, const cc_problem *problem, camcl_error *err);

/* Records what it will run first, so that its kernels can be compiled together with others (cc_device_compile_ahead). The arena is not to
 * be committed. */
camcl_status cc_tune_record(cc_arena *arena, camcl_device *device, const cc_problem *problem, camcl_error *err);

/* tune_gemm.c: CLBlast's parameters, by the sum of the times of these products. Stored and planned as CC_TUNE_GEMM_KEY = name of the
 * set. */
#define CC_TUNE_GEMM_KEY "clblast Xgemm"
bool cc_tune_knows_gemm(const camcl_device *device);
/* Index of the fastest set; 0, the default, where not all were timed or it is within 5 %. */
size_t cc_tune_find_gemm(const camcl_device *device);
/* The same among what this process can still use: where CLBlast's own parameters are gone (cc_gemm_has_default), the fastest of the
 * others, or 0 where nothing is known of them. */
size_t cc_tune_choose_gemm(const camcl_device *device);
/* Afterwards cc_tune_choose_gemm's set is in use. CAMCL_UNSUPPORTED where the default was never timed and is gone. */
camcl_status cc_tune_time_gemm(camcl_device *device, const cc_gemm_desc *products, size_t count, camcl_error *err);

/* What the two share. A device buffer of `count` floats, random or zero. */
camcl_status cc_tune_buffer(camcl_device *device, size_t count, bool filled, cc_buffer **out, camcl_error *err);
/* Runs the tape, several times where that is short, and lowers *least to its time in seconds. `written`: a buffer that it writes. */
camcl_status cc_tune_run_tape(cc_tape *tape, const cc_buffer *written, double *least, camcl_error *err);
camcl_status cc_tune_check_stop(const camcl_device *device, camcl_error *err);

#endif
