#include "device/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- lists */

camcl_status cc_selector_at(const char *list, size_t index, char out[CC_SELECTOR_SIZE], camcl_error *err)
{
    const char *item = list;
    for (size_t i = 0; i < index; i++)
        item = strchr(item, ',') + 1;
    item += strspn(item, " \t");
    size_t length = strcspn(item, ",");
    while (length && (item[length - 1] == ' ' || item[length - 1] == '\t'))
        length--;
    if (length == 0)
        return cc_fail(err, CAMCL_BAD_CONFIG, "device.select = %s: device %zu of the list is empty (name one, or leave the comma out)",
                       list, index + 1);
    if (length >= CC_SELECTOR_SIZE)
        return cc_fail(err, CAMCL_BAD_CONFIG, "device.select: device %zu of the list has a name of %zu characters (the most is %d)",
                       index + 1, length, CC_SELECTOR_SIZE - 1);
    memcpy(out, item, length);
    out[length] = '\0';
    return CAMCL_OK;
}

/* ---- parts */

bool cc_selector_part(const char *selector, char device[CC_SELECTOR_SIZE], unsigned *part, unsigned *parts)
{
    unsigned p, d, i, n;
    int end = 0;
    *part = 0;
    *parts = 1;
    snprintf(device, CC_SELECTOR_SIZE, "%s", selector);
    /* A sign, which %u would take, is no number of a part. */
    if (strspn(selector, "0123456789:/") != strlen(selector)) return false;
    if (sscanf(selector, "%3u:%3u/%3u/%3u%n", &p, &d, &i, &n, &end) != 4 || selector[end] != '\0') return false;
    *part = i;
    *parts = n;
    snprintf(device, CC_SELECTOR_SIZE, "%u:%u", p, d);
    return true;
}

bool cc_selectors_overlap(const char *a, const char *b)
{
    char device_a[CC_SELECTOR_SIZE], device_b[CC_SELECTOR_SIZE];
    unsigned i, n, j, m;
    cc_selector_part(a, device_a, &i, &n);
    cc_selector_part(b, device_b, &j, &m);
    /* [i/n, (i+1)/n) and [j/m, (j+1)/m) */
    return strcmp(device_a, device_b) == 0 && i * m < (j + 1) * n && j * n < (i + 1) * m;
}

static camcl_status fail(camcl_error *err, const camcl_device_info *info, unsigned part, unsigned parts, const char *why)
{
    return cc_fail(err, CAMCL_NO_DEVICE, "device.select = %s/%u/%u: %s", info->selector, part, parts, why);
}

/* Parts of units/parts compute units each; the first ones have one more where that leaves a rest. */
static camcl_status create_parts(cl_device_id whole, unsigned units, unsigned parts, cl_device_id *ids, cl_int *code, camcl_error *err)
{
    cl_device_partition_property *counts = NULL;
    cl_uint made = 0;
    CC_RETURN_IF_FAILED(CC_NEW((size_t)parts + 3, &counts, err));
    counts[0] = CL_DEVICE_PARTITION_BY_COUNTS;
    for (unsigned i = 0; i < parts; i++)
        counts[1 + i] = units / parts + (i < units % parts);
    const cl_device_partition_property equally[] = { CL_DEVICE_PARTITION_EQUALLY, units / parts, 0 };
    *code = clCreateSubDevices(whole, counts, parts, ids, &made);
    if (*code != CL_SUCCESS && units % parts == 0) *code = clCreateSubDevices(whole, equally, parts, ids, &made);
    if (*code == CL_SUCCESS && made < parts) *code = CL_DEVICE_PARTITION_FAILED;
    free(counts);
    return CAMCL_OK;
}

camcl_status cc_device_divide(cl_device_id whole, unsigned part, unsigned parts, camcl_device_info *info, cl_device_id *out,
                              camcl_error *err)
{
    cl_device_id *ids = NULL;
    cl_int code = CL_SUCCESS;
    char why[160];
    *out = NULL;
    if (parts == 0 || part >= parts) return fail(err, info, part, parts, "there is no such part (the parts of N are 0/N to N-1/N)");
    if (parts > info->compute_units) {
        snprintf(why, sizeof why, "the device has %u compute units, so there are not %u parts of it (ask for fewer)", info->compute_units,
                 parts);
        return fail(err, info, part, parts, why);
    }
    CC_RETURN_IF_FAILED(CC_NEW(parts, &ids, err));
    camcl_status status = create_parts(whole, info->compute_units, parts, ids, &code, err);
    if (status == CAMCL_OK && code != CL_SUCCESS) {
        snprintf(why, sizeof why, "the driver cannot divide this device: %s (use it whole; CPUs can usually be divided)", cc_cl_name(code));
        status = fail(err, info, part, parts, why);
    }
    for (unsigned i = 0; status == CAMCL_OK && i < parts; i++)
        if (i != part) clReleaseDevice(ids[i]);
    if (status == CAMCL_OK) {
        const size_t length = strlen(info->selector);
        *out = ids[part];
        info->compute_units = info->compute_units / parts + (part < info->compute_units % parts);
        snprintf(info->selector + length, sizeof info->selector - length, "/%u/%u", part, parts);
    }
    free(ids);
    return status;
}
