/* Opening the devices of a list. */
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/words.h"
#include "device/device.h"
#include "device/part.h"

static camcl_status check_apart(const char *list, camcl_device *const *devices, size_t last, camcl_error *err)
{
    const camcl_device_info *info = camcl_device_get_info(devices[last]);
    for (size_t i = 0; i < last; i++) {
        const char *earlier = camcl_device_get_info(devices[i])->selector;
        const bool in_part = strcmp(earlier, info->selector) != 0;
        if (!cc_selectors_overlap(earlier, info->selector)) continue;
        return cc_fail(err, CAMCL_BAD_CONFIG, "device.select = %s: %s (%s) is listed twice%s%s (list every device once, or parts of it)",
                       list, info->name, info->selector, in_part ? ", in part by " : "", in_part ? earlier : "");
    }
    return CAMCL_OK;
}

camcl_status camcl_device_open_all(const camcl_device_options *given, camcl_device ***out, size_t *count, camcl_error *err)
{
    CC_CHECK_GIVEN_AS(out, "devices", err);
    CC_CHECK_GIVEN(count, err);
    camcl_status status = CAMCL_OK;
    camcl_device_options options;
    camcl_device **devices = NULL;
    char selector[CC_SELECTOR_SIZE];
    *out = NULL;
    *count = 0;
    CC_RETURN_IF_FAILED(CC_TAKE_OPTIONS(camcl_device_options, compiler, given, &options, err));
    const char *list = options.select, *named = getenv("CAMCL_DEVICE");
    if (list == NULL || *list == '\0') list = named && *named ? named : "auto";
    const size_t listed = cc_list_count(list);
    CC_TRY(CC_NEW(listed, &devices, err));
    options.select = selector;
    for (size_t i = 0; i < listed; i++) {
        CC_TRY(cc_selector_at(list, i, selector, err));
        CC_TRY(camcl_device_open(&options, &devices[i], err));
        CC_TRY(check_apart(list, devices, i, err));
    }
    *out = devices;
    *count = listed;
    return CAMCL_OK;
cleanup:
    camcl_device_close_all(&devices, listed);
    return status;
}

void camcl_device_close_all(camcl_device ***devices, size_t count)
{
    if (devices == NULL || *devices == NULL) return;
    for (size_t i = 0; i < count; i++)
        camcl_device_close(&(*devices)[i]);
    free(*devices);
    *devices = NULL;
}
