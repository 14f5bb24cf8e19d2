/* Local sizes of launches, against what the device runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/tape_internal.h"

void cc_device_read_group_limits(camcl_device *device)
{
    enum { MOST_DIMENSIONS = 16 };
    size_t along[MOST_DIMENSIONS] = { 0 };
    cc_group_limits *limits = &device->group;
    *limits = (cc_group_limits){ device->info.max_work_group, { 0, 0, 0 }, device->info.local_mem };
    const cl_int code = clGetDeviceInfo(device->id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof along, along, NULL);
    for (unsigned d = 0; d < 3; d++)
        limits->along[d] = code == CL_SUCCESS && along[d] > 0 ? along[d] : limits->items;
}

/* What one kernel runs with: the device's limits, lowered by what the compiler made of the kernel. */
typedef struct kernel_needs {
    size_t most_items;
    size_t required[3]; /* reqd_work_group_size of the source; all 0: none */
    size_t local_bytes;
} kernel_needs;

/* Whether the driver's answers about a kernel are wrong. Mesa's rusticl 22.3 names the size of a sub-group as the most work-items of any
 * kernel, even if its source requires more, and counts local memory twice. */
static bool is_misinformed(const camcl_device *device, cl_kernel kernel, size_t items)
{
    size_t sub_group = 0;
    return strcmp(device->info.platform, "rusticl") == 0 &&
           clGetKernelWorkGroupInfo(kernel, device->id, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, sizeof sub_group, &sub_group, NULL) ==
               CL_SUCCESS &&
           items == sub_group;
}

/* A driver that does not answer leaves the device's limits. */
static kernel_needs ask_kernel(const camcl_device *device, cl_kernel kernel)
{
    kernel_needs needs = { device->group.items, { 0, 0, 0 }, 0 };
    size_t items = 0, required[3] = { 0, 0, 0 };
    cl_ulong bytes = 0;
    if (clGetKernelWorkGroupInfo(kernel, device->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof required, required, NULL) == CL_SUCCESS)
        memcpy(needs.required, required, sizeof required);
    if (clGetKernelWorkGroupInfo(kernel, device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof items, &items, NULL) == CL_SUCCESS && items > 0) {
        if (is_misinformed(device, kernel, items)) return needs;
        needs.most_items = cc_min_size(needs.most_items, items);
    }
    if (clGetKernelWorkGroupInfo(kernel, device->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof bytes, &bytes, NULL) == CL_SUCCESS)
        needs.local_bytes = (size_t)bytes;
    return needs;
}

/* GPUs run a work-group in steps of 32 or 64 items, whether it has as many or not. If dimension 0 is narrow (the 3 channels or 8 columns
 * of a small image), the other dimensions get the rest of the 64 items, as far as powers of two divide them: kernels are sure to check
 * their range in dimension 0 only. */
static void choose(const camcl_device *device, const kernel_needs *needs, const tape_step *step, size_t local[3])
{
    for (unsigned d = 0; d < 3; d++)
        local[d] = needs->required[0] ? needs->required[d] : 1;
    if (needs->required[0] || device->info.type == CAMCL_CPU) return;
    const size_t *along = device->group.along;
    size_t want = 64;
    while (want > 1 && want > needs->most_items)
        want /= 2;
    size_t left = want;
    while (want / 2 >= step->global[0] || (want > 1 && want > along[0]))
        want /= 2;
    local[0] = want;
    left /= want;
    for (unsigned d = 1; d < step->dims; d++)
        for (; left > 1 && step->global[d] / local[d] % 2 == 0 && 2 * local[d] <= along[d]; left /= 2)
            local[d] *= 2;
}

/* Writes what does not fit into `why`; false when all does. */
static bool find_misfit(const camcl_device *device, const kernel_needs *needs, const size_t local[3], char *why, size_t size)
{
    const cc_group_limits *limits = &device->group;
    const size_t *required = needs->required, items = local[0] * local[1] * local[2];
    if (items > needs->most_items) {
        snprintf(why, size, "needs %zu work-items, the device has %zu", items, needs->most_items);
        return true;
    }
    for (unsigned d = 0; d < 3; d++) {
        if (local[d] <= limits->along[d]) continue;
        snprintf(why, size, "needs %zu work-items along dimension %u, the device has %zu", local[d], d, limits->along[d]);
        return true;
    }
    if (needs->local_bytes > limits->local_bytes) {
        snprintf(why, size, "needs %zu bytes of local memory, the device has %zu", needs->local_bytes, limits->local_bytes);
        return true;
    }
    if (required[0] && memcmp(required, local, 3 * sizeof *local) != 0) {
        snprintf(why, size, "is compiled for %zu x %zu x %zu work-items and launched with %zu x %zu x %zu", required[0], required[1],
                 required[2], local[0], local[1], local[2]);
        return true;
    }
    return false;
}

static camcl_status add_misfit(cc_tape *tape, const tape_step *step, const char *why, camcl_error *err)
{
    cc_arena *arena = tape->arena;
    const char *label = step->scope ? tape->labels[step->scope - 1] : "";
    for (size_t i = 0; i < arena->misfit_count; i++)
        if (strcmp(arena->misfits[i].label, label) == 0 && strcmp(arena->misfits[i].kernel, step->name) == 0) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_grow((void **)&arena->misfits, &arena->misfit_capacity, arena->misfit_count + 1, sizeof *arena->misfits, err));
    cc_misfit *misfit = &arena->misfits[arena->misfit_count++];
    snprintf(misfit->label, sizeof misfit->label, "%s", label);
    snprintf(misfit->kernel, sizeof misfit->kernel, "%s", step->name);
    snprintf(misfit->why, sizeof misfit->why, "%s", why);
    misfit->known = cc_device_is_unfit(arena->device, label);
    return CAMCL_OK;
}

camcl_status cc_step_fit(cc_tape *tape, tape_step *step, camcl_error *err)
{
    const camcl_device *device = tape->arena->device;
    const kernel_needs needs = ask_kernel(device, step->kernel);
    size_t local[3];
    char why[sizeof((cc_misfit *)0)->why];
    memcpy(local, step->local, sizeof local);
    if (local[0] == 0) choose(device, &needs, step, local);
    if (find_misfit(device, &needs, local, why, sizeof why)) {
        /* Without its kernel the step is looked at again when the arena is committed next. */
        clReleaseKernel(step->kernel);
        step->kernel = NULL;
        return add_misfit(tape, step, why, err);
    }
    memcpy(step->local, local, sizeof local);
    for (unsigned d = 0; d < step->dims; d++)
        step->global[d] = cc_round_up(step->global[d], local[d]);
    return CAMCL_OK;
}

/* ---- what did not fit */

const cc_misfit *cc_arena_misfits(const cc_arena *arena, size_t *count)
{
    *count = arena->misfit_count;
    return arena->misfits;
}

bool cc_device_is_unfit(const camcl_device *device, const char *label)
{
    for (size_t i = 0; i < device->unfit_count; i++)
        if (strcmp(device->unfit[i], label) == 0) return true;
    return false;
}

static camcl_status mark_unfit(camcl_device *device, const char *label, camcl_error *err)
{
    char *copy;
    if (*label == '\0' || cc_device_is_unfit(device, label)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_grow((void **)&device->unfit, &device->unfit_capacity, device->unfit_count + 1, sizeof copy, err));
    CC_RETURN_IF_FAILED(cc_copy_text(label, &copy, err));
    device->unfit[device->unfit_count++] = copy;
    return CAMCL_OK;
}

camcl_status cc_arena_check_fit(cc_arena *arena, camcl_error *err)
{
    char others[48] = "";
    if (arena->misfit_count == 0) return CAMCL_OK;
    for (size_t i = 0; i < arena->misfit_count; i++)
        CC_RETURN_IF_FAILED(mark_unfit(arena->device, arena->misfits[i].label, err));
    const cc_misfit *first = &arena->misfits[0];
    if (arena->misfit_count > 1) snprintf(others, sizeof others, " (and %zu more)", arena->misfit_count - 1);
    cc_fail(err, CAMCL_UNSUPPORTED, "kernels: %s %s%s (choose another device.conv or another device)",
            *first->label ? first->label : first->kernel, first->why, others);
    for (size_t i = 0; i < arena->misfit_count; i++)
        cc_detail(err, "%s: %s %s\n", arena->misfits[i].label, arena->misfits[i].kernel, arena->misfits[i].why);
    return CAMCL_UNSUPPORTED;
}
