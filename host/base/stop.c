#include "camcl/stop.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/memory.h"

/* Only an atomic without a lock may be touched in a signal handler. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "an int is always lock-free");

struct camcl_stop {
    atomic_int requested;
};

camcl_status camcl_stop_create(camcl_stop **out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    CC_RETURN_IF_FAILED(CC_NEW(1, out, err));
    atomic_init(&(*out)->requested, 0);
    return CAMCL_OK;
}

void camcl_stop_destroy(camcl_stop **stop)
{
    if (stop == NULL) return;
    free(*stop);
    *stop = NULL;
}

void camcl_stop_request(camcl_stop *stop) { atomic_store(&stop->requested, 1); }

void camcl_stop_clear(camcl_stop *stop) { atomic_store(&stop->requested, 0); }

bool camcl_stop_requested(const camcl_stop *stop)
{
    /* C11 loads from atomics that are not const only. */
    return stop && atomic_load(&((camcl_stop *)(uintptr_t)stop)->requested) != 0;
}
