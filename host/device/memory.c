#include "device/memory.h"

#include <stdint.h>

#include "base/memory_left.h"
#include "device/opencl.h"

/* What a driver needs besides the buffers: kernels, queues, the compiler. */
enum { SPARE = 64 << 20 };

camcl_status cc_device_check_memory(const camcl_device *device, size_t bytes, const char *named, camcl_error *err)
{
    const char *what;
    size_t left;
    if (device->info.type != CAMCL_CPU) return CAMCL_OK;
    left = cc_memory_left("", &what);
    if (left == SIZE_MAX || (left > SPARE && bytes <= left - SPARE)) return CAMCL_OK;
    return cc_fail(err, CAMCL_NO_MEMORY,
                   "device memory: %s: %zu MiB more are needed, %zu are left by %s, and the driver needs some (lower train.batch_labeled, "
                   "train.batch_unlabeled, model.width or data.image_size, or raise that limit)",
                   named, bytes >> 20, left >> 20, what);
}
