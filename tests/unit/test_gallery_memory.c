/* A device without memory for the pictures of an epoch does not end the training: this program's clCreateBuffer stands before the loader's
 * and fails while a test wants it to. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camcl/camcl.h"
#include "support/ok.h"
#include "support/painted.h"
#include "support/scratch.h"

static camcl_error err;
static bool starving;

typedef CL_API_ENTRY cl_mem(CL_API_CALL *create_buffer)(cl_context, cl_mem_flags, size_t, void *, cl_int *);

CL_API_ENTRY cl_mem CL_API_CALL clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code)
{
    /* POSIX allows what C does not: a function's address as a pointer to data. */
    union {
        void *address;
        create_buffer function;
    } loader = { dlsym(dlopen("libOpenCL.so.1", RTLD_NOW), "clCreateBuffer") };
    if (!starving) return loader.function(context, flags, size, host, code);
    if (code) *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    return NULL;
}

typedef struct watcher {
    bool starves;
    size_t excuses;
} watcher;

/* Behind an evaluation the pictures are drawn. */
static bool evaluated(void *context, const camcl_evaluated *e)
{
    const watcher *w = context;
    starving = w->starves && e->training->step < e->training->steps;
    return true;
}

static void message(void *context, const char *line)
{
    watcher *w = context;
    if (strstr(line, "no CAM pictures: ") == NULL) return;
    w->excuses++;
    starving = false;
}

static void train(const char *dir, const char *cams_every, watcher *w)
{
    camcl_dataset *data = painted_data();
    camcl_config *config = painted_config();
    camcl_train_options options;
    camcl_train_result result;
    camcl_train_options_init(&options);
    options.dataset = data;
    options.context = w;
    options.evaluated = evaluated;
    options.message = message;
    OK(camcl_config_set(config, "output.dir", dir, "test", &err));
    OK(camcl_config_set(config, "output.cams_every", cams_every, "test", &err));
    OK(camcl_config_set(config, "optim.ema", "0.9", "test", &err));
    OK(camcl_train(config, &options, &result, &err));
    camcl_config_destroy(&config);
    camcl_dataset_close(&data);
}

/* What is trained after a drawing that failed is what would have been trained anyway: weights and their average have changed places back.
 */
static void training_goes_on_without_pictures(void **state)
{
    watcher undrawn = { false, 0 }, starved = { true, 0 };
    const char *one = scratch_path(*state, "undrawn"), *two = scratch_path(*state, "starved");
    size_t sizes[2];
#ifdef __APPLE__
    skip(); /* a program's functions do not stand before those of a library there */
#endif
    train(one, "0", &undrawn);
    train(two, "1", &starved);
    assert_int_equal(undrawn.excuses, 0);
    assert_int_equal(starved.excuses, 2); /* three epochs, the last of which draws at the end */
    char *last[] = { scratch_read(scratch_path(one, "last.safetensors"), &sizes[0]),
                     scratch_read(scratch_path(two, "last.safetensors"), &sizes[1]) };
    assert_true(last[0] && last[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(last[0], last[1], sizes[0]);
    free(last[0]);
    free(last[1]);
    char *index = scratch_read(scratch_path(two, "cams/index.json"), &sizes[0]);
    assert_non_null(index);
    free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(training_goes_on_without_pictures, scratch_setup,
                                                                        scratch_teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
