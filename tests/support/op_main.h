/* main() of a test program for one operation: every test on every device. Include last, after `static camcl_device *device;` and the
 * array `operation_tests` exist. */
#ifndef CC_TESTS_OP_MAIN_H
#define CC_TESTS_OP_MAIN_H

int main(void)
{
    camcl_device *devices[16];
    const size_t count = test_devices(devices, 16);
    int failed = count == 0;
    for (size_t i = 0; i < count; i++) {
        device = devices[i];
        failed += cmocka_run_group_tests_name(camcl_device_get_info(device)->name, operation_tests, NULL, NULL);
        camcl_device_close(&devices[i]);
    }
    return failed != 0;
}

#endif
