/* The devices that a test runs on. */
#ifndef CC_TESTS_DEVICES_H
#define CC_TESTS_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "camcl/device.h"

/* Opens what CAMCL_DEVICE selects, or every usable device when it is unset, prints one line each and returns how many there are; a
 * device that does not open fails the running test (so that a broken one is not skipped silently). CAMCL_TEST_MEMORY=separate gives every
 * tensor a buffer of its own, for simulators that look for overruns. The caller closes them. */
size_t test_devices(camcl_device **out, size_t max);

/* Runs test(device, context) on each of them, opening and closing it; at least one device is required. For use inside a cmocka test. */
void for_each_device(void (*test)(camcl_device *device, void *context), void *context);

/* Whether CAMCL_TEST_SIZES is "few": tests of many sizes run a selection of them, in which every variant still has one that its tiles do
 * not divide. For builds that are slow, with sanitizers. */
bool test_few_sizes(void);

/* CAMCL_TEST_SEED, or 0: random inputs of tests of operations depend on it. Printed the first time that it is asked for. */
unsigned test_seed(void);

#endif
