/* Timings in memory and on disk, and the choice by them: nothing that happens to the file may do harm. */
#include <dirent.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"
#include "device/opencl.h"
#include "model/model.h"
#include "ops/choice/agreement.h"
#include "ops/choice/gemm_sets.h"
#include "ops/choice/race.h"
#include "ops/record.h"
#include "support/devices.h"
#include "support/original.h"
#include "support/scratch.h"

static camcl_error err;

/* A device that nothing needs to be run on. */
static const camcl_device_info some_info = { .platform = "P",
                                             .vendor = "V",
                                             .name = "N",
                                             .driver = "1.0",
                                             .opencl_c = "OpenCL C 1.2",
                                             .type = CAMCL_CPU,
                                             .compute_units = 2,
                                             .global_mem = 1u << 30,
                                             .max_alloc = 1u << 28,
                                             .local_mem = 32768,
                                             .max_work_group = 256 };

static void add(cc_timings *timings, const char *key, const char *choice, double ms)
{
    if (cc_timings_add(timings, key, choice, ms, &err) != CAMCL_OK) fail_msg("%s", err.message);
}

static size_t known(const char *cache, const char *driver)
{
    cc_timings timings = { .count = 0 };
    camcl_device_info info = some_info;
    snprintf(info.driver, sizeof info.driver, "%s", driver);
    cc_timings_load(&timings, &info, cache);
    const size_t count = timings.count;
    cc_timings_free(&timings);
    return count;
}

static const char *only_file(const char *cache)
{
    const char *folder = scratch_path(cache, "tuned"), *path = NULL;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        assert_null(path);
        path = scratch_path(folder, entry->d_name);
    }
    closedir(entries);
    assert_non_null(path);
    return path;
}

static void store_two(const char *cache)
{
    cc_timings timings = { .count = 0 };
    add(&timings, "key one", "tile", 1.5);
    add(&timings, "key one", "gemm", 1e9);
    cc_timings_store(&timings, &some_info, cache);
    cc_timings_free(&timings);
}

static void what_is_stored_is_known_again(void **state)
{
    store_two(*state);
    cc_timings timings = { .count = 0 };
    cc_timings_load(&timings, &some_info, *state);
    assert_int_equal(timings.count, 2);
    assert_true(fabs(cc_timings_find(&timings, "key one", "tile") - 1.5) < 1e-9);
    assert_true(fabs(cc_timings_find(&timings, "key one", "gemm") - 1e9) < 1);
    assert_true(isnan(cc_timings_find(&timings, "key one", "local")));
    assert_true(isnan(cc_timings_find(&timings, "key", "tile")));
    cc_timings_free(&timings);
}

static void storing_keeps_what_others_stored(void **state)
{
    store_two(*state);
    cc_timings timings = { .count = 0 };
    add(&timings, "key two", "tile", 2);
    add(&timings, "key one", "tile", 3); /* newer than the file's */
    cc_timings_store(&timings, &some_info, *state);
    cc_timings_free(&timings);
    cc_timings_load(&timings, &some_info, *state);
    assert_int_equal(timings.count, 3);
    assert_true(fabs(cc_timings_find(&timings, "key one", "tile") - 3) < 1e-9);
    cc_timings_free(&timings);
}

static void another_driver_or_device_knows_nothing(void **state)
{
    store_two(*state);
    assert_int_equal(known(*state, "1.0"), 2);
    assert_int_equal(known(*state, "1.1"), 0);
    /* Even where both have one file name. */
    size_t size;
    const char *path = only_file(*state);
    char *whole = scratch_read(path, &size);
    char *driver = strstr(whole, "| 1.0 |");
    assert_non_null(driver);
    driver[4] = '1';
    scratch_write(path, whole, size);
    assert_int_equal(known(*state, "1.0"), 0);
    free(whole);
}

static void damage_makes_it_forget(void **state)
{
    size_t size;
    store_two(*state);
    const char *path = only_file(*state);
    char *whole = scratch_read(path, &size);
    for (size_t at = 0; at < size; at++) {
        whole[at] = (char)(whole[at] ^ 4);
        scratch_write(path, whole, size);
        if (known(*state, "1.0")) fail_msg("byte %zu was changed and the file taken", at);
        whole[at] = (char)(whole[at] ^ 4);
    }
    for (size_t length = 0; length < size; length++) {
        scratch_write(path, whole, length);
        if (known(*state, "1.0")) fail_msg("the first %zu of %zu bytes were taken", length, size);
    }
    scratch_write(path, whole, size);
    assert_int_equal(known(*state, "1.0"), 2);
    /* The next store makes it whole again. */
    scratch_write(path, "rubbish", 7);
    store_two(*state);
    assert_int_equal(known(*state, "1.0"), 2);
    free(whole);
}

static void a_folder_that_cannot_be_written_is_no_error(void **state)
{
    const char *file = scratch_path(*state, "file"), *below = scratch_path(file, "cache");
    scratch_write(file, "x", 1);
    store_two(below);
    assert_int_equal(known(below, "1.0"), 0);
    store_two(NULL); /* no cache folder at all */
    assert_int_equal(known(NULL, "1.0"), 0);
}

static void long_names_are_refused(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cc_timings timings = { .count = 0 };
    assert_int_equal(cc_timings_add(&timings, name, "tile", 1, &err), CAMCL_FAILED);
    assert_int_equal(cc_timings_add(&timings, "key", name, 1, &err), CAMCL_FAILED);
    assert_int_equal(timings.count, 0);
}

/* ---- choosing */

static const cc_conv2d_desc desc = { 2, 8, 8, 16, 16, 3, 3, 1, 1, 1 };

/* That device, with nothing timed yet; its timings are to be freed. */
static cc_choice *some_choice(void)
{
    static camcl_device device;
    static cc_choice choice;
    device = (camcl_device){ .info = some_info, .conv = "auto", .tune = "cache", .attached = &choice };
    choice = (cc_choice){ .device = &device, .policy = "auto", .mode = CC_TUNE_CACHE };
    return &choice;
}

static cc_problem forward_of(const cc_conv2d_desc *d)
{
    return (cc_problem){ .op = &cc_conv2d_operation, .direction = CC_FORWARD, .desc.conv2d = *d };
}

static bool knows(const cc_choice *choice, const cc_conv2d_desc *d)
{
    const cc_problem p = forward_of(d);
    return cc_choice_knows(choice, &p);
}

static const cc_variant *fastest(const cc_choice *choice, const cc_conv2d_desc *d)
{
    const cc_problem p = forward_of(d);
    return cc_choice_fastest(choice, &p);
}

/* Gives every variant but "general" a time, `winner` the least. */
static void time_all(cc_choice *choice, const cc_conv2d_desc *d, const char *winner, const char *left_out)
{
    char key[160];
    const cc_problem p = forward_of(d);
    cc_choice_key(&p, key, sizeof key);
    for (size_t i = 0; i < cc_operation_count(p.op); i++) {
        const cc_variant *v = cc_operation_at(p.op, i);
        if (v->direction != CC_FORWARD || (left_out && strcmp(v->name, left_out) == 0)) continue;
        add(&choice->timings, key, v->name, strcmp(v->name, winner) == 0 ? 1 : 2);
    }
}

static const char *chosen(cc_choice *choice, const cc_conv2d_desc *d)
{
    const cc_variant *got = NULL;
    cc_model model = { .device = choice->device };
    assert_int_equal(cc_model_choose(&model, CC_FORWARD, d, &got, &err), CAMCL_OK);
    cc_plan_clear(&model.plan);
    return got->name;
}

static void the_fastest_is_chosen(void **state)
{
    (void)state;
    cc_choice *choice = some_choice();
    const char *builtin = cc_conv2d_choose(&some_info, "auto", CC_FORWARD, &desc)->name;
    assert_string_not_equal(builtin, "gemm");
    assert_string_equal(chosen(choice, &desc), builtin);
    time_all(choice, &desc, "gemm", "tile"); /* not all are timed yet */
    assert_string_equal(chosen(choice, &desc), builtin);
    assert_false(knows(choice, &desc));
    time_all(choice, &desc, "gemm", NULL);
    assert_true(knows(choice, &desc));
    assert_string_equal(chosen(choice, &desc), "gemm");
    choice->mode = CC_TUNE_OFF;
    assert_string_equal(chosen(choice, &desc), builtin);
    choice->mode = CC_TUNE_CACHE;
    snprintf(choice->policy, sizeof choice->policy, "direct");
    assert_string_equal(fastest(choice, &desc)->family, "direct");
    cc_timings_free(&choice->timings);
}

static void large_batches_share_timings(void **state)
{
    (void)state;
    cc_choice *choice = some_choice();
    cc_conv2d_desc large = desc, larger = desc, small = desc;
    large.n = 200;
    larger.n = 1000;
    small.n = 127;
    time_all(choice, &large, "gemm", NULL);
    assert_string_equal(chosen(choice, &large), "gemm");
    assert_string_equal(chosen(choice, &larger), "gemm");
    assert_false(knows(choice, &small));
    cc_timings_free(&choice->timings);
}

static void failures_never_win(void **state)
{
    (void)state;
    cc_choice *choice = some_choice();
    time_all(choice, &desc, "gemm", NULL);
    for (size_t i = 0; i < choice->timings.count; i++)
        choice->timings.rows[i].ms = 1e12;
    assert_true(knows(choice, &desc));
    assert_null(fastest(choice, &desc));
    assert_string_equal(chosen(choice, &desc), cc_conv2d_choose(&some_info, "auto", CC_FORWARD, &desc)->name);
    cc_timings_free(&choice->timings);
}

/* Where a device gets all of them wrong, what is slow and right is left. */
static void the_general_one_is_left(void **state)
{
    (void)state;
    cc_choice *choice = some_choice();
    time_all(choice, &desc, "gemm", NULL);
    for (size_t i = 0; i < choice->timings.count; i++)
        choice->timings.rows[i].ms = i % 2 ? CC_CHOICE_WRONG : CC_CHOICE_FAILED;
    assert_string_equal(chosen(choice, &desc), "general");
    time_all(choice, &desc, "gemm", NULL);
    for (size_t i = 0; i < choice->timings.count; i++)
        choice->timings.rows[i].ms = strcmp(choice->timings.rows[i].choice, "tile") == 0 ? 10 : CC_CHOICE_WRONG;
    assert_string_equal(chosen(choice, &desc), "tile");
    cc_timings_free(&choice->timings);
}

/* ---- timing */

static cc_choice *choice_of(camcl_device *device)
{
    cc_choice *choice;
    if (cc_choice_of(device, &choice, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return choice;
}

static void times_every_variant(camcl_device *device, void *context)
{
    (void)context;
    cc_choice *choice = choice_of(device);
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        const cc_direction direction = (cc_direction)i;
        const cc_problem p = { .op = &cc_conv2d_operation, .direction = direction, .desc.conv2d = desc };
        if (cc_race_time(choice, &p, &err) != CAMCL_OK) fail_msg("%s", err.message);
        assert_true(cc_choice_knows(choice, &p));
        const cc_variant *winner = cc_choice_fastest(choice, &p);
        assert_non_null(winner);
        assert_int_equal(winner->direction, direction);
    }
    const size_t count = choice->timings.count;
    for (size_t i = 0; i < count; i++) {
        const cc_timing *t = &choice->timings.rows[i];
        if (!(t->ms > 0 && t->ms < 60e3)) fail_msg("%s = %s: %g ms", t->key, t->choice, t->ms);
    }
    /* A stop leaves the table as it was. */
    camcl_stop *stop = NULL;
    assert_int_equal(camcl_stop_create(&stop, &err), CAMCL_OK);
    camcl_stop_request(stop);
    const cc_conv2d_desc other = { 3, 8, 8, 16, 16, 3, 3, 1, 1, 1 };
    const cc_problem p = forward_of(&other);
    choice->stop = stop;
    assert_int_equal(cc_race_time(choice, &p, &err), CAMCL_STOPPED);
    choice->stop = NULL;
    camcl_stop_destroy(&stop);
    assert_int_equal(choice->timings.count, count);
}

/* Takes the place of the library's function in this program: a driver whose wait takes long. */
static bool waits_are_long;
static size_t waits, fills;
cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem mem, cl_bool blocking, size_t offset, size_t bytes, void *data, cl_uint count,
                           const cl_event *after, cl_event *event)
{
    cl_int (*original)(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint, const cl_event *, cl_event *);
    original_function("clEnqueueReadBuffer", &original, sizeof original);
    waits++;
    if (waits_are_long) nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    return original(queue, mem, blocking, offset, bytes, data, count, after, event);
}
cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem mem, const void *pattern, size_t pattern_bytes, size_t offset, size_t bytes,
                           cl_uint count, const cl_event *after, cl_event *event)
{
    cl_int (*original)(cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, cl_uint, const cl_event *, cl_event *);
    original_function("clEnqueueFillBuffer", &original, sizeof original);
    fills++;
    return original(queue, mem, pattern, pattern_bytes, offset, bytes, count, after, event);
}

/* A compiler that gets a kernel wrong: what it should write stays as it was. */
static const char *left_out;               /* a kernel's name */
static const cc_choice *products_left_out; /* CLBlast's kernels while the second set of parameters is in use */
cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset, const size_t *global,
                              const size_t *local, cl_uint count, const cl_event *after, cl_event *event)
{
    cl_int (*original)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint, const cl_event *,
                       cl_event *);
    char name[128] = "";
    original_function("clEnqueueNDRangeKernel", &original, sizeof original);
    if (left_out || products_left_out) (void)clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
    if ((left_out && strcmp(name, left_out) == 0) ||
        (products_left_out && products_left_out->gemm_set == 1 && strncmp(name, "Xgemm", 5) == 0))
        return clEnqueueMarkerWithWaitList(queue, count, after, event);
    return original(queue, kernel, dims, offset, global, local, count, after, event);
}

static bool lists(const cc_choice *choice, const cc_problem *p, const char *name)
{
    const cc_variant *variants[CC_CHOICE_VARIANTS];
    const size_t count = cc_choice_list(choice, p, variants);
    for (size_t i = 0; i < count; i++)
        if (strcmp(variants[i]->name, name) == 0) return true;
    return false;
}

/* The variants whose kernel it is are named and not chosen, whatever place they have among the others. */
static void wrong_kernels_are_found_on(camcl_device *device, void *context)
{
    static const struct {
        const char *kernel, *first, *wrong;
    } cases[] = { { "conv2d_tile", "tile", "tile" },
                  { "conv2d_winograd", "winograd12", "winograd12, winograd24, winograd48" },
                  { "conv2d_winograd_inline", "winograd_inline", "winograd_inline" },
                  { "conv2d_local", "local", "local" },
                  { "none", "gemm", "" } };
    (void)context;
    cc_choice *choice = choice_of(device);
    const cc_problem p = forward_of(&desc);
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        char wrong[256];
        if (!lists(choice, &p, cases[i].first)) continue;
        cc_timings_free(&choice->timings);
        left_out = cases[i].kernel;
        const camcl_status status = cc_race_time(choice, &p, &err);
        left_out = NULL;
        if (status != CAMCL_OK) fail_msg("%s", err.message);
        cc_choice_wrong(choice, &p, wrong, sizeof wrong);
        assert_string_equal(wrong, cases[i].wrong);
        const cc_variant *winner = cc_choice_fastest(choice, &p);
        assert_non_null(winner);
        assert_null(strstr(wrong, winner->name));
    }
    cc_timings_free(&choice->timings);
}

static void wrong_kernels_are_found(void **state)
{
    (void)state;
    for_each_device(wrong_kernels_are_found_on, NULL);
}

static void agreement_has_a_bound_on(camcl_device *device, void *context)
{
    (void)context;
    cc_buffer *buffer;
    cc_agreement a;
    float numbers[64];
    bool agrees;
    for (size_t i = 0; i < CC_COUNT(numbers); i++)
        numbers[i] = i % 2 ? 2.0f : -2.0f;
    assert_int_equal(cc_buffer_create(device, sizeof numbers, "numbers", &buffer, &err), CAMCL_OK);
    assert_int_equal(cc_agreement_begin(&a, CC_COUNT(numbers), 0, &err), CAMCL_OK);
    static const struct {
        float off;
        bool agrees;
    } cases[] = { { 0, true },        { 0.019f, true }, { -0.019f, true },  { 0.021f, false },
                  { -0.021f, false }, { NAN, false },   { INFINITY, false } };
    for (size_t place = 0; place < CC_COUNT(numbers); place += CC_COUNT(numbers) - 1) {
        for (size_t i = 0; i < CC_COUNT(cases); i++) {
            const float before = numbers[place];
            numbers[place] += cases[i].off;
            assert_int_equal(cc_agreement_poison(&a, buffer, &err), CAMCL_OK);
            assert_int_equal(cc_agreement_compare(&a, buffer, &agrees, &err), CAMCL_OK);
            assert_false(agrees); /* even if it is the first result */
            assert_int_equal(cc_buffer_write(buffer, 0, numbers, sizeof numbers, &err), CAMCL_OK);
            assert_int_equal(cc_agreement_compare(&a, buffer, &agrees, &err), CAMCL_OK);
            assert_int_equal(agrees, cases[i].agrees);
            numbers[place] = before;
        }
    }
    cc_agreement_end(&a);
    cc_buffer_destroy(&buffer);
}

static void agreement_has_a_bound(void **state)
{
    (void)state;
    for_each_device(agreement_has_a_bound_on, NULL);
}

/* What takes a few microseconds is not timed as the millisecond of a wait. */
static void waits_are_shared_on(camcl_device *device, void *context)
{
    (void)context;
    cc_arena *arena;
    cc_tape *tape;
    cc_buffer *buffer;
    assert_int_equal(cc_buffer_create(device, 64, "short", &buffer, &err), CAMCL_OK);
    assert_int_equal(cc_arena_create(device, &arena, &err), CAMCL_OK);
    assert_int_equal(cc_tape_create(arena, "short", &tape, &err), CAMCL_OK);
    assert_int_equal(cc_tape_zero(tape, buffer, &err), CAMCL_OK);
    assert_int_equal(cc_arena_commit(arena, &err), CAMCL_OK);
    /* Several times: this process may have to pause in the middle. */
    bool shared = false;
    for (int attempt = 0; attempt < 10 && !shared; attempt++) {
        double seconds = DBL_MAX;
        waits = fills = 0;
        waits_are_long = true;
        assert_int_equal(cc_race_run_tape(tape, buffer, &seconds, &err), CAMCL_OK);
        waits_are_long = false;
        printf("%zu runs, %zu waits, %.0f us\n", fills, waits, 1e6 * seconds);
        assert_true(waits >= 3 && seconds > 0);
        shared = fills > 2 * waits && seconds < 0.0005;
    }
    assert_true(shared);
    cc_arena_destroy(&arena);
    cc_buffer_destroy(&buffer);
}

static void waits_are_shared(void **state)
{
    (void)state;
    for_each_device(waits_are_shared_on, NULL);
}

static void timing_covers_all(void **state)
{
    (void)state;
    for_each_device(times_every_variant, NULL);
}

static void keys_are_read_back(void **state)
{
    (void)state;
    cc_problem p;
    char key[160];
    const cc_conv2d_desc conv = { 32, 30, 31, 16, 24, 3, 5, 2, 1, 1 };
    const cc_linear_desc linear = { 96, 512, 10 };
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        cc_op_key(&cc_conv2d_operation, (cc_direction)i, &conv, key, sizeof key);
        assert_true(cc_problem_read(key, &p));
        assert_int_equal(p.direction, i);
        assert_ptr_equal(p.op, &cc_conv2d_operation);
        assert_memory_equal(&p.desc.conv2d, &conv, sizeof conv);
        cc_op_key(&cc_linear_operation, (cc_direction)i, &linear, key, sizeof key);
        assert_true(cc_problem_read(key, &p));
        assert_int_equal(p.direction, i);
        assert_ptr_equal(p.op, &cc_linear_operation);
        assert_memory_equal(&p.desc.linear, &linear, sizeof linear);
    }
    const cc_conv2d_affine_desc affine = { conv, CC_NO_ACTIVATION };
    cc_op_key(&cc_conv2d_affine_operation, CC_FORWARD, &affine, key, sizeof key);
    assert_string_equal(key, "conv2d_affine forward n32 h30 w31 c16 k24 r3 s5 stride2 pad1");
    assert_true(cc_problem_read(key, &p));
    assert_ptr_equal(p.op, &cc_conv2d_affine_operation);
    assert_memory_equal(&p.desc.conv2d_affine.conv, &conv, sizeof conv);
    assert_true(cc_problem_read("linear forward n1 in2 out3 = direct", &p)); /* a label of a profile */
    static const char *const none[] = { "clblast Xgemm",
                                        "linear forward n0 in2 out3",
                                        "linear forward",
                                        "linear",
                                        "linear backward n1 in2 out3",
                                        "conv2d_affine backward-data n32 h30 w31 c16 k24 r3 s5 stride2 pad1",
                                        "conv2d sideways n32 h30 w31 c16 k24 r3 s5 stride2 pad1",
                                        "conv2d forward n32 h1 w1 c16 k24 r3 s5 stride2 pad0",
                                        "conv2 forward n32 h30 w31 c16 k24 r3 s5 stride2 pad1",
                                        "softmax forward n1",
                                        "" };
    for (size_t i = 0; i < CC_COUNT(none); i++)
        if (cc_problem_read(none[i], &p)) fail_msg("\"%s\" was taken for a problem", none[i]);
}

/* ---- linear layers and CLBlast's parameters */

static void times_linear_layers(camcl_device *device, void *context)
{
    (void)context;
    cc_choice *choice = choice_of(device);
    for (int i = CC_FORWARD; i <= CC_BACKWARD_WEIGHT; i++) {
        const cc_problem p = { .op = &cc_linear_operation, .direction = (cc_direction)i, .desc.linear = { 33, 130, 17 } };
        assert_false(cc_choice_knows(choice, &p));
        if (cc_race_time(choice, &p, &err) != CAMCL_OK) fail_msg("%s", err.message);
        const cc_variant *winner = cc_choice_fastest(choice, &p);
        assert_non_null(winner);
        assert_string_equal(winner->op->name, "linear");
        assert_int_equal(winner->direction, i);
    }
}

static void linear_layers_are_timed(void **state)
{
    (void)state;
    for_each_device(times_linear_layers, NULL);
}

/* CLBlast's own parameters do not come back after this. */
static void parameters_are_compared_on(camcl_device *device, void *context)
{
    const cc_gemm_desc product = { .m = 64, .n = 64, .k = 64 };
    (void)context;
    cc_choice *choice = choice_of(device);
    products_left_out = choice;
    const camcl_status status = cc_gemm_sets_time(choice, &product, 1, &err);
    products_left_out = NULL;
    if (status != CAMCL_OK) fail_msg("%s", err.message);
    assert_true(cc_gemm_sets_known(choice));
    assert_true(choice->timings.count > 2);
    for (size_t i = 0; i < choice->timings.count; i++) {
        const cc_timing *t = &choice->timings.rows[i];
        if ((t->ms >= CC_CHOICE_FAILED) != (strcmp(t->choice, cc_gemm_set_name(1)) == 0)) fail_msg("%s: %g ms", t->choice, t->ms);
    }
    assert_int_not_equal(cc_gemm_sets_choose(choice), 1);
    cc_timings_free(&choice->timings);
}

static void parameters_are_compared(void **state)
{
    (void)state;
    for_each_device(parameters_are_compared_on, NULL);
}

static void the_fastest_parameters_are_found(void **state)
{
    (void)state;
    cc_choice *choice = some_choice();
    assert_false(cc_gemm_sets_known(choice));
    assert_int_equal(cc_gemm_sets_fastest(choice), 0);
    assert_string_equal(cc_gemm_set_name(0), "default");
    for (size_t i = 0; cc_gemm_set_name(i); i++)
        add(&choice->timings, CC_GEMM_SETS_KEY, cc_gemm_set_name(i), i == 2 ? 9.4 : 10);
    assert_true(cc_gemm_sets_known(choice));
    assert_int_equal(cc_gemm_sets_fastest(choice), 2);
    add(&choice->timings, CC_GEMM_SETS_KEY, cc_gemm_set_name(2), 9.6); /* not worth a change */
    assert_int_equal(cc_gemm_sets_fastest(choice), 0);
    cc_timings_free(&choice->timings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_stored_is_known_again, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(storing_keeps_what_others_stored, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(another_driver_or_device_knows_nothing, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(damage_makes_it_forget, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_is_no_error, scratch_setup, scratch_teardown),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(the_fastest_is_chosen),
        cmocka_unit_test(large_batches_share_timings),
        cmocka_unit_test(failures_never_win),
        cmocka_unit_test(the_general_one_is_left),
        cmocka_unit_test(keys_are_read_back),
        cmocka_unit_test(waits_are_shared),
        cmocka_unit_test(timing_covers_all),
        cmocka_unit_test(wrong_kernels_are_found),
        cmocka_unit_test(agreement_has_a_bound),
        cmocka_unit_test(linear_layers_are_timed),
        cmocka_unit_test(the_fastest_parameters_are_found),
        cmocka_unit_test(parameters_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
