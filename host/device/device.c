/* Opening and closing a device. */
#include "device/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/words.h"
#include "device/class.h"
#include "device/list.h"
#include "device/part.h"

/* `wanted`, or camcl in the user's cache folder. *out is NULL if neither is known. */
static camcl_status find_cache(const char *wanted, char **out, camcl_error *err)
{
    return wanted && *wanted ? cc_copy_text(wanted, out, err) : cc_cache_folder(out, err);
}

/* A cache that others can change is not used. One that cannot be written is read, but makes every start compile what it lacks. The line on
 * the device says so. */
static void check_cache(camcl_device *device)
{
    char why[640];
    const size_t length = strlen(device->reason);
    if (device->cache_dir == NULL) return;
    if (cc_cache_is_trusted(device->cache_dir, why, sizeof why)) {
        if (cc_cache_is_writable(device->cache_dir)) return;
        snprintf(device->reason + length, sizeof device->reason - length,
                 "; nothing is cached: %s cannot be written, so every start compiles kernels (set device.cache_dir to a folder that can be "
                 "written)",
                 device->cache_dir);
        return;
    }
    snprintf(device->reason + length, sizeof device->reason - length, "; nothing is cached: %s", why);
    free(device->cache_dir);
    device->cache_dir = NULL;
}

/* given NULL: the default. */
static camcl_status check_word(const char *option, const char *given, const char *words, camcl_error *err)
{
    if (given == NULL || cc_words_have(words, given)) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_CONFIG, "camcl_device_options: %s = %s: no such word (choose one of %s)", option, given, words);
}

camcl_status camcl_device_open(const camcl_device_options *given, camcl_device **out, camcl_error *err)
{
    CC_CHECK_GIVEN_AS(out, "device", err);
    camcl_status status = CAMCL_OK;
    camcl_device_info *infos = NULL;
    cl_device_id *ids = NULL;
    camcl_device *device = NULL;
    size_t count = 0, index = 0;
    camcl_device_options options;
    char first[CC_SELECTOR_SIZE], whole[CC_SELECTOR_SIZE];
    unsigned part, parts;
    *out = NULL;
    CC_TRY(CC_TAKE_OPTIONS(camcl_device_options, compiler, given, &options, err));
    CC_TRY(check_word("conv", options.conv, "auto | direct | winograd | gemm", err));
    CC_TRY(check_word("tune", options.tune, "off | cache | full", err));
    const char *select = options.select, *poison = getenv("CAMCL_POISON");
    if (select == NULL || *select == '\0') select = getenv("CAMCL_DEVICE");
    if (select == NULL || *select == '\0') select = "auto";
    CC_TRY(cc_device_enumerate(&infos, &ids, &count, err));
    CC_TRY(camcl_device_select(infos, count, select, &index, err));
    CC_TRY(cc_selector_at(select, 0, first, err));
    if (!cc_device_override_registers(getenv("CAMCL_VECTOR"), &infos[index])) {
        status = cc_fail(err, CAMCL_BAD_CONFIG,
                         "CAMCL_VECTOR = %s: not the width of vector registers and their number (4x16, 4x32, 8x16 or 16x32)",
                         getenv("CAMCL_VECTOR"));
        goto cleanup;
    }
    CC_TRY(CC_NEW(1, &device, err));
    device->slow_fma = cc_device_has_slow_fma(&infos[index]);
    if (!cc_device_override_fma(getenv("CAMCL_FMA"), &device->slow_fma)) {
        status = cc_fail(err, CAMCL_BAD_CONFIG, "CAMCL_FMA = %s: no such word (choose slow or fast)", getenv("CAMCL_FMA"));
        goto cleanup;
    }
    device->info = infos[index];
    device->id = ids[index];
    if (cc_selector_part(first, whole, &part, &parts)) {
        CC_TRY(cc_device_divide(ids[index], part, parts, &device->info, &device->part, err));
        device->id = device->part;
        infos[index] = device->info;
    }
    device->separate = options.separate_memory;
    device->compiler = options.compiler;
    device->poison = poison && strcmp(poison, "1") == 0;
    device->sub_group = cc_device_find_sub_group(device->id);
    device->most_groups = device->info.type == CAMCL_CPU ? INT_MAX : CC_MOST_GROUPS;
    cc_device_read_group_limits(device);
    snprintf(device->conv, sizeof device->conv, "%s", options.conv ? options.conv : "auto");
    snprintf(device->tune, sizeof device->tune, "%s", options.tune ? options.tune : "cache");
    cc_device_explain(infos, count, first, index, device->reason, sizeof device->reason);
    CC_TRY(find_cache(options.cache_dir, &device->cache_dir, err));
    check_cache(device);
    cc_program_read_refusal(device);
    cl_int code;
    device->context = clCreateContext(NULL, 1, &device->id, NULL, NULL, &code);
    CC_CL_CODE(code, "clCreateContext");
    device->queue = clCreateCommandQueue(device->context, device->id, 0, &code);
    CC_CL_CODE(code, "clCreateCommandQueue");
    *out = device;
    device = NULL;
cleanup:
    camcl_device_close(&device);
    free(infos);
    free(ids);
    return status;
}

void camcl_device_close(camcl_device **handle)
{
    camcl_device *device = handle ? *handle : NULL;
    if (device == NULL) return;
    if (device->queue) clFinish(device->queue);
    if (device->attached) device->destroy_attached(device->attached);
    cc_device_free_staging(device);
    for (size_t i = 0; i < device->unfit_count; i++)
        free(device->unfit[i]);
    for (size_t i = 0; i < device->program_count; i++) {
        clReleaseProgram(device->programs[i].program);
        free(device->programs[i].name);
        free(device->programs[i].options);
    }
    if (device->queue) clReleaseCommandQueue(device->queue);
    if (device->context) clReleaseContext(device->context);
    if (device->part) clReleaseDevice(device->part);
    free(device->unfit);
    free(device->programs);
    free(device->arenas);
    free(device->cache_dir);
    free(device);
    *handle = NULL;
}

const camcl_device_info *camcl_device_get_info(const camcl_device *device) { return &device->info; }
const char *camcl_device_reason(const camcl_device *device) { return device->reason; }
const char *cc_device_conv(const camcl_device *device) { return device->conv; }
const char *cc_device_tune(const camcl_device *device) { return device->tune; }
const char *cc_device_cache_dir(const camcl_device *device) { return device->cache_dir; }
void *cc_device_attached(const camcl_device *device) { return device->attached; }

void cc_device_attach(camcl_device *device, void *object, void (*destroy)(void *object))
{
    device->attached = object;
    device->destroy_attached = destroy;
}

size_t cc_device_bytes(const camcl_device *device) { return device->bytes; }
size_t cc_device_peak_bytes(const camcl_device *device) { return device->peak; }
void cc_device_reset_peak(camcl_device *device) { device->peak = device->bytes; }

void *cc_device_queue(const camcl_device *device) { return device->queue; }

camcl_status cc_device_finish(camcl_device *device, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    CC_CL(clFinish(device->queue));
cleanup:
    return status;
}
