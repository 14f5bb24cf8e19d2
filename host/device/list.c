/* Listing and selecting devices. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "device/absent.h"
#include "device/class.h"
#include "device/list.h"
#include "device/part.h"

/* Without control characters, which would reach terminals and files, and without the spaces with which some drivers pad names. */
static void tidy(char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) text[i] = ' ';
    const size_t skip = strspn(text, " ");
    while (n > skip && text[n - 1] == ' ')
        text[--n] = '\0';
    memmove(text, text + skip, n - skip + 1);
}

static bool text_info(cl_device_id id, cl_device_info what, char *out, size_t size)
{
    const bool known = clGetDeviceInfo(id, what, size, out, NULL) == CL_SUCCESS;
    if (!known) snprintf(out, size, "?");
    out[size - 1] = '\0';
    tidy(out);
    return known;
}

#define NUMBER_INFO(type, id, what, out)                                                                                                   \
    do {                                                                                                                                   \
        type value_ = 0;                                                                                                                   \
        if (clGetDeviceInfo((id), (what), sizeof value_, &value_, NULL) == CL_SUCCESS) (out) = value_;                                     \
    } while (0)
/* The same of what a device cannot be used without: without an answer `known` becomes false. */
#define NEEDED_INFO(type, id, what, out)                                                                                                   \
    do {                                                                                                                                   \
        type value_ = 0;                                                                                                                   \
        if (clGetDeviceInfo((id), (what), sizeof value_, &value_, NULL) == CL_SUCCESS)                                                     \
            (out) = value_;                                                                                                                \
        else                                                                                                                               \
            known = false;                                                                                                                 \
    } while (0)

/* Registers by their width: AVX-512 has 32 of 16 floats, AVX 16 of 8, SSE 16 of 4, NEON 32 of 4. A CPU device is the processor that this
 * program runs on. */
static bool find_registers(cl_device_id id, camcl_device_info *info)
{
#if defined(__aarch64__) || defined(__ARM_NEON)
    enum { NARROW_REGISTERS = 32 };
#else
    enum { NARROW_REGISTERS = 16 };
#endif
    bool known = true;
    cl_uint native = 0;
    NEEDED_INFO(cl_uint, id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, native);
    info->vector_width = native >= 16 ? 16 : native >= 8 ? 8 : 4;
    info->vector_registers = native >= 16 ? 32 : native >= 8 ? 16 : NARROW_REGISTERS;
    (void)cc_device_override_registers(getenv("CAMCL_VECTOR"), info); /* a wrong text is an error when the device is opened */
    return known;
}

bool cc_device_override_registers(const char *text, camcl_device_info *info)
{
    unsigned width, registers;
    char rest;
    if (text == NULL || *text == '\0') return true;
    if (sscanf(text, "%2ux%2u%c", &width, &registers, &rest) != 2) return false;
    if ((width != 4 && width != 8 && width != 16) || (registers != 16 && registers != 32)) return false;
    info->vector_width = width;
    info->vector_registers = registers;
    return true;
}

/* A device that does not answer what kernels and their cache are chosen by is not usable: its driver has lost it. */
static void describe(cl_platform_id platform, cl_device_id id, unsigned p, unsigned d, camcl_device_info *info)
{
    bool known;
    memset(info, 0, sizeof *info);
    snprintf(info->selector, sizeof info->selector, "%u:%u", p, d);
    known = clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform, info->platform, NULL) == CL_SUCCESS;
    if (!known) snprintf(info->platform, sizeof info->platform, "?");
    info->platform[sizeof info->platform - 1] = '\0';
    tidy(info->platform);
    (void)text_info(id, CL_DEVICE_VENDOR, info->vendor, sizeof info->vendor);
    known = text_info(id, CL_DEVICE_NAME, info->name, sizeof info->name) && known;
    known = text_info(id, CL_DRIVER_VERSION, info->driver, sizeof info->driver) && known;
    known = text_info(id, CL_DEVICE_OPENCL_C_VERSION, info->opencl_c, sizeof info->opencl_c) && known;
    cl_device_type type = 0;
    NEEDED_INFO(cl_device_type, id, CL_DEVICE_TYPE, type);
    info->type = type & CL_DEVICE_TYPE_GPU           ? CAMCL_GPU
                 : type & CL_DEVICE_TYPE_CPU         ? CAMCL_CPU
                 : type & CL_DEVICE_TYPE_ACCELERATOR ? CAMCL_ACCELERATOR
                                                     : CAMCL_OTHER_DEVICE;
    NEEDED_INFO(cl_uint, id, CL_DEVICE_MAX_COMPUTE_UNITS, info->compute_units);
    NUMBER_INFO(cl_uint, id, CL_DEVICE_MAX_CLOCK_FREQUENCY, info->clock_mhz);
    cl_ulong bytes = 0;
    NEEDED_INFO(cl_ulong, id, CL_DEVICE_GLOBAL_MEM_SIZE, bytes);
    info->global_mem = (size_t)bytes;
    NEEDED_INFO(cl_ulong, id, CL_DEVICE_LOCAL_MEM_SIZE, bytes);
    info->local_mem = (size_t)bytes;
    NEEDED_INFO(cl_ulong, id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, bytes);
    info->max_alloc = (size_t)bytes;
    bytes = 0;
    NUMBER_INFO(cl_ulong, id, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, bytes);
    info->cache = (size_t)bytes;
    NEEDED_INFO(size_t, id, CL_DEVICE_MAX_WORK_GROUP_SIZE, info->max_work_group);
    cl_uint bits = 0;
    NUMBER_INFO(cl_uint, id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, bits);
    info->base_align = bits / 8 > 64 ? bits / 8 : 64;
    known = find_registers(id, info) && known;
    char extensions[8192] = "";
    (void)text_info(id, CL_DEVICE_EXTENSIONS, extensions, sizeof extensions);
    info->fp16 = strstr(extensions, "cl_khr_fp16") != NULL;
    info->fp64 = strstr(extensions, "cl_khr_fp64") != NULL;
    cl_bool compiler = CL_FALSE, little = CL_FALSE, available = CL_FALSE;
    NUMBER_INFO(cl_bool, id, CL_DEVICE_COMPILER_AVAILABLE, compiler);
    NUMBER_INFO(cl_bool, id, CL_DEVICE_ENDIAN_LITTLE, little);
    NUMBER_INFO(cl_bool, id, CL_DEVICE_AVAILABLE, available);
    const char *const unusable = !known       ? "does not say what it is; its driver may have lost it"
                                 : !available ? "is not available, says its driver"
                                 : !compiler  ? "has no OpenCL compiler"
                                 : !little    ? "is big-endian, and data here are little-endian"
                                              : "";
    info->usable = *unusable == '\0';
    snprintf(info->unusable, sizeof info->unusable, "%s", unusable);
}

size_t cc_device_find_sub_group(cl_device_id id)
{
    enum { CL_DEVICE_SUB_GROUP_SIZES_INTEL_ = 0x4108 }; /* of cl_intel_required_subgroup_size, whose header may be missing */
    char extensions[8192] = "";
    size_t sizes[16] = { 0 }, bytes = 0, least = SIZE_MAX;
    (void)text_info(id, CL_DEVICE_EXTENSIONS, extensions, sizeof extensions);
    if (strstr(extensions, "cl_intel_required_subgroup_size") == NULL) return 0;
    if (clGetDeviceInfo(id, CL_DEVICE_SUB_GROUP_SIZES_INTEL_, sizeof sizes, sizes, &bytes) != CL_SUCCESS) return 0;
    for (size_t i = 0; i < bytes / sizeof *sizes; i++)
        least = cc_min_size(least, sizes[i]);
    return least == 16 ? least : 0;
}

camcl_status cc_device_enumerate(camcl_device_info **infos, cl_device_id **ids, size_t *count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_device_info *list = NULL;
    cl_device_id *handles = NULL;
    cl_platform_id *platforms = NULL;
    size_t n = 0, list_capacity = 0, handle_capacity = 0;
    cl_uint platform_count = 0;
    /* The loader reports "no platform" as an error. Here it is an empty list. */
    if (clGetPlatformIDs(0, NULL, &platform_count) != CL_SUCCESS) platform_count = 0;
    CC_TRY(CC_NEW(platform_count, &platforms, err));
    if (platform_count) CC_CL(clGetPlatformIDs(platform_count, platforms, NULL));
    for (cl_uint p = 0; p < platform_count; p++) {
        cl_uint device_count = 0;
        /* CL_DEVICE_NOT_FOUND: a platform without devices (a driver whose hardware is absent). */
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 0, NULL, &device_count) != CL_SUCCESS) continue;
        CC_TRY(cc_grow((void **)&list, &list_capacity, n + device_count, sizeof *list, err));
        CC_TRY(cc_grow((void **)&handles, &handle_capacity, n + device_count, sizeof *handles, err));
        if (device_count == 0 || clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, device_count, handles + n, NULL) != CL_SUCCESS) continue;
        for (cl_uint d = 0; d < device_count; d++, n++)
            describe(platforms[p], handles[n], p, d, &list[n]);
    }
    *infos = list;
    list = NULL;
    *count = n;
    if (ids) {
        *ids = handles;
        handles = NULL;
    }
cleanup:
    free(list);
    free(handles);
    free(platforms);
    return status;
}

camcl_status camcl_device_list(camcl_device_info **infos, size_t *count, camcl_error *err)
{
    CC_CHECK_GIVEN(infos, err);
    CC_CHECK_GIVEN(count, err);
    *infos = NULL;
    *count = 0;
    return cc_device_enumerate(infos, NULL, count, err);
}

/* ---- selecting */

static const char *type_name(camcl_device_type type)
{
    static const char *const names[] = { "gpu", "cpu", "accelerator", "other" };
    return names[type];
}

/* Multiply-adds that one compute unit of a GPU does at once. Drivers count different things as a unit: Intel's an execution unit of 8
 * lanes, NVIDIA's a multiprocessor of 128, so that an integrated GPU would seem to outdo the card beside it. */
static unsigned lanes_of_unit(const camcl_device_info *info)
{
    if (info->type != CAMCL_GPU) return 1;
    switch (cc_device_get_class(info)) {
    case CC_CLASS_NVIDIA: return 128;
    case CC_CLASS_INTEL: return 8;
    default: return 64;
    }
}

static double compute(const camcl_device_info *info)
{
    return (double)info->compute_units * lanes_of_unit(info) * (info->clock_mhz ? info->clock_mhz : 1);
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n) return true;
    }
    return false;
}

static bool equal_no_case(const char *a, const char *b) { return strlen(a) == strlen(b) && contains(a, b); }

static void list_devices(camcl_error *err, const camcl_device_info *infos, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cc_detail(err, "%-5s %-11s %s (%s)%s%s%s\n", infos[i].selector, type_name(infos[i].type), infos[i].name, infos[i].platform,
                  infos[i].usable ? "" : " [not usable: it ", infos[i].unusable, infos[i].usable ? "" : "]");
    cc_device_explain_empty_platforms(err);
}

/* The index of the most capable usable device of one type, or of any type if type < 0; `count` if there is none. */
static size_t most_capable(const camcl_device_info *infos, size_t count, int type)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (!infos[i].usable || (type >= 0 && (int)infos[i].type != type)) continue;
        if (best == count || compute(&infos[i]) > compute(&infos[best])) best = i;
    }
    return best;
}

static camcl_status fail_unusable(const camcl_device_info *infos, size_t count, const char *selector, size_t index, camcl_error *err)
{
    cc_fail(err, CAMCL_NO_DEVICE, "device.select = %s: %s cannot be used: it %s (pick another one that camcl devices lists)", selector,
            infos[index].name, infos[index].unusable);
    list_devices(err, infos, count);
    return CAMCL_NO_DEVICE;
}

static camcl_status select_by_name(const camcl_device_info *infos, size_t count, const char *selector, size_t *index, camcl_error *err)
{
    size_t matches = 0, last = 0;
    for (size_t i = 0; i < count; i++) {
        if (!contains(infos[i].name, selector) && !contains(infos[i].platform, selector)) continue;
        matches++;
        last = i;
    }
    if (matches == 1 && !infos[last].usable) return fail_unusable(infos, count, selector, last, err);
    if (matches == 1) {
        *index = last;
        return CAMCL_OK;
    }
    cc_fail(err, CAMCL_NO_DEVICE, "device.select = %s: %s (%s)", selector, matches ? "matches several devices" : "matches no device",
            "pick one by its number, which camcl devices lists, or auto, gpu, cpu, accelerator");
    list_devices(err, infos, count);
    return CAMCL_NO_DEVICE;
}

static camcl_status select_one(const camcl_device_info *infos, size_t count, const char *selector, size_t *index, camcl_error *err)
{
    bool automatic = equal_no_case(selector, "auto");
    for (int type = CAMCL_GPU; type <= CAMCL_ACCELERATOR; type++) {
        if (!equal_no_case(selector, type_name((camcl_device_type)type)) && !(automatic && type == CAMCL_GPU)) continue;
        *index = most_capable(infos, count, type);
        if (*index < count) return CAMCL_OK;
        if (automatic) break;
        cc_fail(err, CAMCL_NO_DEVICE, "device.select = %s: there is no such device (pick one that camcl devices lists)", selector);
        list_devices(err, infos, count);
        return CAMCL_NO_DEVICE;
    }
    if (automatic) {
        *index = most_capable(infos, count, -1);
        if (*index < count) return CAMCL_OK;
        cc_fail(err, CAMCL_NO_DEVICE,
                "device.select = auto: no device can be used (install your GPU's OpenCL driver, or PoCL for the CPU: the package "
                "pocl-opencl-icd)");
        list_devices(err, infos, count);
        return CAMCL_NO_DEVICE;
    }
    unsigned p, d;
    int end = 0;
    if (sscanf(selector, "%u:%u%n", &p, &d, &end) == 2 && selector[end] == '\0') {
        for (size_t i = 0; i < count; i++)
            if (strcmp(infos[i].selector, selector) == 0) {
                if (!infos[i].usable) return fail_unusable(infos, count, selector, i, err);
                *index = i;
                return CAMCL_OK;
            }
        cc_fail(err, CAMCL_NO_DEVICE, "device.select = %s: there is no such device (pick one that camcl devices lists)", selector);
        list_devices(err, infos, count);
        return CAMCL_NO_DEVICE;
    }
    return select_by_name(infos, count, selector, index, err);
}

camcl_status camcl_device_select(const camcl_device_info *infos, size_t count, const char *selector, size_t *index, camcl_error *err)
{
    CC_CHECK_GIVEN(selector, err);
    CC_CHECK_GIVEN(index, err);
    if (count == 0) return cc_device_fail_absent(err);
    char first[CC_SELECTOR_SIZE], device[CC_SELECTOR_SIZE];
    unsigned part, parts;
    CC_RETURN_IF_FAILED(cc_selector_at(selector, 0, first, err));
    cc_selector_part(first, device, &part, &parts);
    return select_one(infos, count, device, index, err);
}

/* Whether it does so few multiply-adds at once that a processor may do more: GPUs inside of processors that are there for the screen. */
static bool is_small_gpu(const camcl_device_info *info)
{
    enum { FEW = 256 };
    return info->type == CAMCL_GPU && info->compute_units * lanes_of_unit(info) <= FEW;
}

void cc_device_explain(const camcl_device_info *infos, size_t count, const char *selector, size_t index, char *text, size_t size)
{
    const camcl_device_info *it = &infos[index];
    size_t same = 0, usable = 0, processor = count;
    for (size_t i = 0; i < count; i++) {
        usable += infos[i].usable;
        if (infos[i].usable && infos[i].type == CAMCL_CPU) processor = i;
        same += infos[i].usable && infos[i].type == it->type;
    }
    char why[192];
    if (!equal_no_case(selector, "auto"))
        snprintf(why, sizeof why, "selected by \"%.64s\"", selector);
    else if (usable == 1)
        snprintf(why, sizeof why, "the only device");
    else if (it->type == CAMCL_GPU && same == 1)
        snprintf(why, sizeof why, "the only GPU");
    else if (it->type == CAMCL_GPU)
        snprintf(why, sizeof why, "the GPU with the most compute (%u units x %u MHz)", it->compute_units, it->clock_mhz);
    else
        snprintf(why, sizeof why, "no usable GPU; the most compute of %zu devices (%u units x %u MHz)", usable, it->compute_units,
                 it->clock_mhz);
    char advice[128] = "";
    if (equal_no_case(selector, "auto") && is_small_gpu(it) && processor < count)
        snprintf(advice, sizeof advice, "; it is small, and the processor, %s, may be faster: camcl bench peak device.select=%s",
                 infos[processor].selector, infos[processor].selector);
    snprintf(text, size, "%s (%s, %s): %s%s", it->name, it->selector, it->platform, why, advice);
}
