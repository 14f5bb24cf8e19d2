/* Every variant of the registry by the checks behind selftest, with inputs that CAMCL_TEST_SEED chooses, on every device: as what the
 * device is, and posing as the other kind, since kernels for CPUs and for GPUs are shaped otherwise and some variants are for one kind
 * only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/check.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "support/devices.h"
#include "support/shares.h"

enum { MOST = 200 };

static camcl_device *device;

/* Makes a CPU a GPU to the host, anything else a CPU with vectors of 8. */
static void pose(camcl_device_info *info)
{
    if (cc_likes_long_items(info)) {
        info->type = CAMCL_GPU;
        return;
    }
    info->type = CAMCL_CPU;
    strcpy(info->name, "posing as a processor");
    if (getenv("CAMCL_VECTOR") == NULL) info->vector_width = 8, info->vector_registers = 16;
}

static bool wants_all(void) { return getenv("CAMCL_TEST_ALL") != NULL && !test_few_sizes(); }
/* The simulator interprets kernels: two small cases take long enough, and CLBlast's are not ours to look at. */
static bool interprets(void) { return strstr(camcl_device_get_info(device)->platform, "Oclgrind") != NULL; }

/* Mesa 22.3 warns that it takes kernels' arguments for uniform where they are not, and makes wrong code of kernels for processors. The host
 * uses none of them on llvmpipe. */
static bool compiles_own_kernels_only(const camcl_device_info *info)
{
    return strcmp(info->platform, "rusticl") == 0 && strncmp(info->driver, "22.", 3) == 0;
}

static bool is_left_out(const cc_variant *v) { return interprets() && (strcmp(v->name, "gemm") == 0 || strcmp(v->name, "clblast") == 0); }

static void note(void *context, const char *name, double share)
{
    const cc_variant *v = context;
    char what[96];
    snprintf(what, sizeof what, "%s | %s | %s | %s", v->op->name, cc_direction_name(v->direction), v->name, name);
    note_share(what, share, 1.0);
}

static bool is_right(cc_variant *v, size_t *ran)
{
    camcl_error err = { 0 };
    cc_check c = { .device = device, .variant = v, .seed = test_seed(), .compared = note, .context = v, .err = &err, .ok = true };
    c.every = interprets() ? 3 : wants_all() ? 1 : 5;
    c.most = interprets() ? 2 : 0;
    cc_check_find(v->op->name)(&c);
    *ran += c.shapes;
    if (c.ok && c.status == CAMCL_OK) return true;
    printf("  %s, %s, %s: %s\n%s", v->op->name, cc_direction_name(v->direction), v->name, c.status == CAMCL_OK ? c.what : err.message,
           c.status == CAMCL_OK ? "" : err.detail);
    fflush(stdout);
    return false;
}

/* Adds to ran[] the cases of each variant, or of those that have not run yet; returns how many variants are wrong. */
static size_t check_all(size_t *ran, bool again)
{
    size_t wrong = 0;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        cc_variant v = *cc_registry_at(i);
        if (is_left_out(&v)) continue;
        if (again || ran[i] == 0) wrong += !is_right(&v, &ran[i]);
    }
    return wrong;
}

static void every_variant_is_right(void **state)
{
    (void)state;
    camcl_device_info *info = (camcl_device_info *)camcl_device_get_info(device);
    const camcl_device_info was = *info;
    size_t ran[MOST] = { 0 };
    assert_true(cc_registry_count() <= MOST);
    size_t wrong = check_all(ran, false);
    if (compiles_own_kernels_only(info)) {
        printf("kernels for processors are not tested: Mesa %s compiles them wrongly\n", info->driver);
        assert_int_equal(wrong, 0);
        return;
    }
    pose(info);
    printf("posing as a %s\n", info->type == CAMCL_GPU ? "GPU" : "processor");
    wrong += check_all(ran, wants_all() && !interprets());
    *info = was;
    for (size_t i = 0; i < cc_registry_count(); i++) {
        const cc_variant *v = cc_registry_at(i);
        if (ran[i] > 0 || is_left_out(v)) continue;
        wrong++;
        printf("  %s, %s, %s: no case of its check is for it\n", v->op->name, cc_direction_name(v->direction), v->name);
    }
    assert_int_equal(wrong, 0);
}

static const struct CMUnitTest operation_tests[] = {
    cmocka_unit_test(every_variant_is_right),
};
#include "support/op_main.h"
