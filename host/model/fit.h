/* Committing the tapes of a model on a device that cannot run all the kernels chosen for it. */
#ifndef CC_MODEL_FIT_H
#define CC_MODEL_FIT_H

#include "model/model.h"

/* How the tapes of an arena are recorded, and whom to tell about replaced kernels. */
typedef struct cc_recording {
    /* Records all tapes of the arena, which is empty. May be called several times. Each call must first release what the previous call
     * made, because the tapes of that call are destroyed. */
    camcl_status (*record)(void *context, cc_arena *arena, camcl_error *err);
    /* Gets one line per replaced kernel. NULL: nobody is told. */
    camcl_status (*say)(void *context, const char *line, camcl_error *err);
    void *context;
} cc_recording;

/* Destroys the tapes of the arena, records and commits. If work-groups of some launches do not fit the device (cc_arena_misfits), the
 * device remembers them, the tapes are recorded again with other variants, and `say` reports each replacement: "kernels: KEY: VARIANT
 * needs 256 work-items, the device has 64: using OTHER". A variant that a saved plan named is replaced as well; the line then says that
 * results may differ. CAMCL_UNSUPPORTED if there is no other variant for a launch, otherwise as record and cc_arena_commit. */
camcl_status cc_model_commit(cc_model *model, cc_arena *arena, const cc_recording *recording, camcl_error *err);

#endif
