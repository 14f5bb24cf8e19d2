/* camcl export from outside: it needs no device, says what is wrong, and overwrites nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "run/safetensors.h"
#include "support/program.h"
#include "support/scratch.h"

#define CHECKPOINT "tests/fixtures/v0.1/checkpoints/gradcam.safetensors"

static size_t size_of(const char *path)
{
    size_t size = 0;
    char *data = scratch_read(path, &size);
    if (data == NULL) fail_msg("%s is missing", path);
    free(data);
    return size;
}

static void a_model_is_written(void **state)
{
    const char *folder = *state, *path = scratch_path(folder, "net.onnx");
    char expected[600];
    snprintf(expected, sizeof expected, "%s\n", path);
    setenv("OCL_ICD_VENDORS", "/nowhere", 1);
    char *said = program_prints(folder, "export " CHECKPOINT " -o '%s'", path);
    unsetenv("OCL_ICD_VENDORS");
    assert_string_equal(said, expected);
    free(said);
    const size_t size = size_of(path);
    assert_true(size > size_of(CHECKPOINT) / 2);
    said = program_prints(folder, "export --output='%s' " CHECKPOINT, path); /* again: its own file is replaced */
    free(said);
    assert_int_equal(size_of(path), size);
}

/* "-o /dev/stdout >FILE" and the like: what the name leads to gets the model, and the name stays what it is. */
static void an_open_file_is_written_into(void **state)
{
    const char *folder = *state, *path = scratch_path(folder, "net.onnx"), *other = scratch_path(folder, "other.onnx");
    size_t size_a, size_b;
    free(program_prints(folder, "export " CHECKPOINT " -o '%s'", path));
    free(program_prints(folder, "export " CHECKPOINT " -o /dev/fd/2 2>'%s'", other));
    char *a = scratch_read(path, &size_a), *b = scratch_read(other, &size_b);
    assert_non_null(b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    free(a);
    free(b);
    /* The same of a file that is written piece by piece. */
    free(program_prints(folder, "predict " CHECKPOINT " tests/fixtures/v0.1/pictures --pseudo /dev/fd/3 ssl.threshold=0 3>'%s'",
                        scratch_path(folder, "pseudo.csv")));
    a = scratch_read(scratch_path(folder, "pseudo.csv"), &size_a);
    assert_non_null(a);
    assert_non_null(strstr(a, "path,label,probability\n"));
    free(a);
}

/* The checkpoint with its float32 tensors as float64, which holds the same numbers. */
static void write_doubles(const char *path)
{
    enum { MOST = 256 };
    static const char *const keys[] = { "format",   "version", "arch", "stem", "width",      "classes", "class_names",
                                        "channels", "dataset", "fit",  "mean", "image_size", "std",     "step" };
    camcl_error err;
    cc_safetensors *file;
    cc_st_tensor tensors[MOST];
    cc_st_pair pairs[CC_COUNT(keys)];
    double *values[MOST] = { NULL };
    size_t count = 0, pair_count = 0;
    assert_int_equal(cc_safetensors_read(CHECKPOINT, &file, &err), CAMCL_OK);
    for (; count < cc_safetensors_count(file); count++) {
        assert_true(count < MOST);
        tensors[count] = *cc_safetensors_at(file, count);
        if (tensors[count].dtype != CC_ST_F32) continue;
        const size_t numbers = cc_st_elements(&tensors[count]);
        values[count] = calloc(numbers, sizeof(double));
        assert_non_null(values[count]);
        for (size_t i = 0; i < numbers; i++) {
            float value;
            memcpy(&value, (const char *)tensors[count].data + i * sizeof value, sizeof value);
            values[count][i] = (double)value;
        }
        tensors[count].dtype = CC_ST_F64;
        tensors[count].data = values[count];
    }
    for (size_t i = 0; i < CC_COUNT(keys); i++) {
        const char *value = cc_safetensors_metadata(file, keys[i]);
        if (value) pairs[pair_count++] = (cc_st_pair){ keys[i], value };
    }
    assert_int_equal(cc_safetensors_write(path, tensors, count, pairs, pair_count, &err), CAMCL_OK);
    for (size_t i = 0; i < count; i++)
        free(values[i]);
    cc_safetensors_free(&file);
}

/* Other tools keep weights in other types; the model's are float32. */
static void weights_of_another_type_are_converted(void **state)
{
    const char *folder = *state;
    size_t size_a, size_b;
    write_doubles(scratch_path(folder, "doubles.safetensors"));
    free(program_prints(folder, "export " CHECKPOINT " -o '%s/a.onnx'", folder));
    free(program_prints(folder, "export '%s/doubles.safetensors' -o '%s/b.onnx'", folder, folder));
    char *a = scratch_read(scratch_path(folder, "a.onnx"), &size_a), *b = scratch_read(scratch_path(folder, "b.onnx"), &size_b);
    assert_true(a && b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(a, b, size_a);
    free(a);
    free(b);
}

static void wrong_use_is_named(void **state)
{
    const char *folder = *state, *config = "tests/fixtures/v0.1/configs/quickstart.ini";
    scratch_write(scratch_path(folder, "notes.txt"), "mine", 4);
    program_fails(folder, 2, "export: the file to write is missing|-o FILE.onnx", "export " CHECKPOINT);
    program_fails(folder, 2, "export: CHECKPOINT is missing", "export -o '%s/a.onnx'", folder);
    program_fails(folder, 2, "unexpected argument more", "export " CHECKPOINT " more -o '%s/a.onnx'", folder);
    program_fails(folder, 2, "--outptu|--output", "export " CHECKPOINT " --outptu '%s/a.onnx'", folder);
    program_fails(folder, 1, "nowhere.safetensors", "export nowhere.safetensors -o '%s/a.onnx'", folder);
    program_fails(folder, 1, "quickstart.ini", "export %s -o '%s/a.onnx'", config, folder);
    program_fails(folder, 1, "notes.txt|is no ONNX model of camcl", "export " CHECKPOINT " -o '%s/notes.txt'", folder);
    program_fails(folder, 1, "a folder", "export " CHECKPOINT " -o '%s'", folder);
    assert_int_equal(size_of(scratch_path(folder, "notes.txt")), 4);
    assert_int_equal(scratch_entries(folder), 3); /* notes.txt, and what was captured */
}

int main(void)
{
    if (!program_is_named()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_model_is_written, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(an_open_file_is_written_into, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(weights_of_another_type_are_converted, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(wrong_use_is_named, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
