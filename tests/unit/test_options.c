/* Option structs of callers that are older or newer than the library, and requests to stop. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/options.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/stop.h"

/* The same struct as it was first, as the library has it, and as a later version will have it. */
typedef struct first_options {
    size_t size;
    int a;
} first_options;
typedef struct options {
    size_t size;
    int a, b;
    void *c;
} options;
typedef struct later_options {
    size_t size;
    int a, b;
    void *c;
    int d;
} later_options;

static camcl_error err;

static camcl_status take(const void *given, options *own)
{
    memset(own, 0xff, sizeof *own);
    return CC_TAKE_OPTIONS(options, b, given, own, &err);
}

static void of_the_same_version(void **state)
{
    options own, given = { sizeof given, 1, 2, &own };
    (void)state;
    assert_int_equal(take(&given, &own), CAMCL_OK);
    assert_true(own.size == sizeof own && own.a == 1 && own.b == 2 && own.c == &own);
}

static void missing_ones_are_zeros(void **state)
{
    options own;
    (void)state;
    assert_int_equal(take(NULL, &own), CAMCL_OK);
    assert_true(own.size == sizeof own && own.a == 0 && own.b == 0 && own.c == NULL);
}

/* What lies behind the caller's struct is not the library's. */
static void of_an_older_caller(void **state)
{
    struct {
        first_options given;
        unsigned char behind[64];
    } memory;
    options own;
    (void)state;
    memset(&memory, 0xff, sizeof memory);
    memory.given = (first_options){ offsetof(first_options, a) + sizeof(int), 1 };
    assert_int_equal(take(&memory.given, &own), CAMCL_OK);
    assert_true(own.size == sizeof own && own.a == 1 && own.b == 0 && own.c == NULL);
}

/* Size 0 stands for the members of the first version, here up to b. */
static void without_a_size(void **state)
{
    options own, given = { 0, 1, 2, &own };
    (void)state;
    assert_int_equal(take(&given, &own), CAMCL_OK);
    assert_true(own.size == sizeof own && own.a == 1 && own.b == 2 && own.c == NULL);
}

static void of_a_newer_caller(void **state)
{
    options own;
    later_options given;
    (void)state;
    memset(&given, 0, sizeof given);
    given.size = sizeof given;
    given.a = 1;
    assert_int_equal(take(&given, &own), CAMCL_OK);
    assert_true(own.size == sizeof own && own.a == 1);
    given.d = 1;
    assert_int_equal(take(&given, &own), CAMCL_UNSUPPORTED);
    assert_non_null(strstr(err.message, "options: it sets members"));
}

static void sizes_that_cannot_be(void **state)
{
    static const size_t sizes[] = { 1, sizeof(size_t) - 1, (size_t)1 << 20, SIZE_MAX };
    options own, given = { 0, 1, 2, NULL };
    (void)state;
    for (size_t i = 0; i < CC_COUNT(sizes); i++) {
        given.size = sizes[i];
        assert_int_equal(take(&given, &own), CAMCL_BAD_CONFIG);
        assert_non_null(strstr(err.message, "initialise it with options_init"));
    }
}

/* A program whose struct ends behind image_size, and what lies behind it in its memory. */
static void an_older_program_draws_images(void **state)
{
    camcl_dataset *dataset = NULL;
    camcl_dataset_spec spec;
    (void)state;
    memset(&spec, 0xff, sizeof spec);
    spec.size = offsetof(camcl_dataset_spec, image_size) + sizeof spec.image_size;
    spec.dataset = "shapes";
    spec.root = NULL;
    spec.shapes_train = spec.shapes_test = 20;
    spec.shapes_seed = 0;
    assert_int_equal(camcl_dataset_open(&spec, &dataset, &err), CAMCL_OK);
    assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 20);
    camcl_dataset_close(&dataset);
}

/* Before a device is looked for. */
static void words_of_a_device(void **state)
{
    camcl_device *device = NULL;
    camcl_device_options given;
    (void)state;
    camcl_device_options_init(&given);
    assert_int_equal(given.size, sizeof given);
    given.conv = "fast";
    assert_int_equal(camcl_device_open(&given, &device, &err), CAMCL_BAD_CONFIG);
    assert_non_null(strstr(err.message, "conv = fast: no such word (choose one of auto | direct | winograd | gemm)"));
    given.conv = NULL;
    given.tune = "";
    assert_int_equal(camcl_device_open(&given, &device, &err), CAMCL_BAD_CONFIG);
    assert_non_null(strstr(err.message, "tune = : no such word"));
    assert_null(device);
}

static camcl_stop *handled;

static void on_signal(int number)
{
    (void)number;
    camcl_stop_request(handled);
}

static void stops_are_requested_and_taken_back(void **state)
{
    (void)state;
    assert_false(camcl_stop_requested(NULL));
    assert_int_equal(camcl_stop_create(NULL, &err), CAMCL_BAD_CONFIG);
    assert_non_null(strstr(err.message, "camcl_stop_create: out is NULL"));
    assert_int_equal(camcl_stop_create(&handled, &err), CAMCL_OK);
    assert_false(camcl_stop_requested(handled));
    camcl_stop_request(handled);
    camcl_stop_request(handled);
    assert_true(camcl_stop_requested(handled));
    camcl_stop_clear(handled);
    assert_false(camcl_stop_requested(handled));
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
    assert_true(camcl_stop_requested(handled));
    camcl_stop_destroy(&handled);
    assert_null(handled);
    camcl_stop_destroy(&handled);
    camcl_stop_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_same_version),
        cmocka_unit_test(missing_ones_are_zeros),
        cmocka_unit_test(of_an_older_caller),
        cmocka_unit_test(without_a_size),
        cmocka_unit_test(of_a_newer_caller),
        cmocka_unit_test(sizes_that_cannot_be),
        cmocka_unit_test(an_older_program_draws_images),
        cmocka_unit_test(words_of_a_device),
        cmocka_unit_test(stops_are_requested_and_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
