#include "support/devices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static camcl_device *open_device(const char *selector)
{
    camcl_device *device = NULL;
    camcl_error err = { 0 };
    const char *memory = getenv("CAMCL_TEST_MEMORY");
    camcl_device_options options = { .select = selector, .tune = "off", .separate_memory = memory && strcmp(memory, "separate") == 0 };
    if (camcl_device_open(&options, &device, &err) != CAMCL_OK)
        fail_msg("%s: %s\n%s", selector ? selector : "CAMCL_DEVICE", err.message, err.detail);
    const camcl_device_info *info = camcl_device_get_info(device);
    printf("device %s: %s, %s\n", info->selector, info->platform, info->name);
    fflush(stdout);
    return device;
}

size_t test_devices(camcl_device **out, size_t max)
{
    const char *selected = getenv("CAMCL_DEVICE");
    if (selected && *selected) {
        assert_true(max >= 1);
        out[0] = open_device(NULL);
        return 1;
    }
    camcl_device_info *infos = NULL;
    camcl_error err = { 0 };
    size_t listed = 0, count = 0;
    if (camcl_device_list(&infos, &listed, &err) != CAMCL_OK) fail_msg("%s", err.message);
    for (size_t i = 0; i < listed && count < max; i++) {
        if (infos[i].usable) out[count++] = open_device(infos[i].selector);
    }
    free(infos);
    return count;
}

void for_each_device(void (*test)(camcl_device *device, void *context), void *context)
{
    camcl_device *devices[16];
    size_t count = test_devices(devices, 16);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        test(devices[i], context);
        camcl_device_close(&devices[i]);
    }
}

bool test_few_sizes(void)
{
    const char *sizes = getenv("CAMCL_TEST_SIZES");
    return sizes && strcmp(sizes, "few") == 0;
}

unsigned test_seed(void)
{
    static bool known;
    static unsigned seed;
    if (known) return seed;
    const char *text = getenv("CAMCL_TEST_SEED");
    seed = text ? (unsigned)strtoul(text, NULL, 10) : 0;
    printf("random inputs: CAMCL_TEST_SEED=%u\n", seed);
    fflush(stdout);
    known = true;
    return seed;
}
