/* Safetensors: what is written reads back, PyTorch's bytes read right, and damage of every kind is named, not crashed on. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "run/safetensors.h"
#include "support/scratch.h"

/* A file's bytes from header text and data; the caller frees. */
static char *build(const char *header, const void *data, size_t bytes, size_t *size)
{
    size_t length = strlen(header);
    *size = 8 + length + bytes;
    char *file = malloc(*size + 1);
    for (int i = 0; i < 8; i++)
        file[i] = (char)((uint64_t)length >> (8 * i));
    memcpy(file + 8, header, length);
    if (bytes > 0) memcpy(file + 8 + length, data, bytes);
    return file;
}

static const float weights[6] = { 0, -1.5f, 3.25f, 1e-38f, -INFINITY, 7 };
static const int64_t tracked = INT64_C(-1234567890123);
static const uint8_t bytes3[3] = { 1, 2, 255 };
static const int32_t words[2] = { INT32_MIN, 77 };

static void write_sample(const char *path)
{
    const cc_st_tensor tensors[] = {
        { "odd", CC_ST_U8, 1, { 3 }, bytes3 },     { "layer1.0.conv1.weight", CC_ST_F32, 4, { 1, 2, 3, 1 }, weights },
        { "empty", CC_ST_F32, 2, { 0, 5 }, NULL }, { "bn1.num_batches_tracked", CC_ST_I64, 0, { 0 }, &tracked },
        { "words", CC_ST_I32, 1, { 2 }, words },
    };
    const cc_st_pair metadata[] = { { "format", "camcl" }, { "class_names", "[\"cat\",\"d\xc3\xa9j\xc3\xa0\"]" }, { "step", "12" } };
    camcl_error err = { 0 };
    if (cc_safetensors_write(path, tensors, 5, metadata, 3, &err) != CAMCL_OK) fail_msg("%s", err.message);
}

static void round_trip(void **state)
{
    const char *path = scratch_path(*state, "a.safetensors");
    cc_safetensors *file = NULL;
    camcl_error err = { 0 };
    write_sample(path);
    if (cc_safetensors_read(path, &file, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_int_equal(cc_safetensors_count(file), 5);
    assert_string_equal(cc_safetensors_metadata(file, "format"), "camcl");
    assert_string_equal(cc_safetensors_metadata(file, "class_names"), "[\"cat\",\"d\xc3\xa9j\xc3\xa0\"]");
    assert_null(cc_safetensors_metadata(file, "nothing"));
    float out[6] = { 0 };
    int64_t count = 0;
    const size_t shape[4] = { 1, 2, 3, 1 }, two = 2, none[2] = { 0, 5 };
    assert_int_equal(cc_safetensors_get_f32(file, "layer1.0.conv1.weight", 4, shape, out, &err), CAMCL_OK);
    assert_memory_equal(out, weights, sizeof weights);
    assert_int_equal(cc_safetensors_get(file, "bn1.num_batches_tracked", CC_ST_I64, 0, NULL, &count, &err), CAMCL_OK);
    assert_true(count == tracked);
    int32_t back[2];
    assert_int_equal(cc_safetensors_get(file, "words", CC_ST_I32, 1, &two, back, &err), CAMCL_OK);
    assert_memory_equal(back, words, sizeof words);
    assert_int_equal(cc_safetensors_get_f32(file, "empty", 2, none, out, &err), CAMCL_OK);
    assert_memory_equal(cc_safetensors_find(file, "odd")->data, bytes3, 3);
    assert_null(cc_safetensors_find(file, "od"));
    cc_safetensors_free(&file);
    assert_null(file);
    cc_safetensors_free(&file);
    cc_safetensors_free(NULL);
}

/* PyTorch maps tensors in place, so each must start at a multiple of its element's size; and the file has no byte too many. */
static void layout(void **state)
{
    const char *path = scratch_path(*state, "a.safetensors");
    size_t size = 0;
    write_sample(path);
    char *data = scratch_read(path, &size);
    uint64_t length = 0;
    memcpy(&length, data, 8);
    assert_int_equal(length % 8, 0);
    assert_int_equal(size, 8 + length + 8 + 24 + 8 + 3);
    assert_int_equal(data[8], '{');
    cc_safetensors *file = NULL;
    assert_int_equal(cc_safetensors_read(path, &file, NULL), CAMCL_OK);
    const char *start = cc_safetensors_at(file, 0)->data;
    assert_string_equal(cc_safetensors_at(file, 0)->name, "bn1.num_batches_tracked");
    for (size_t i = 0; i < cc_safetensors_count(file); i++) {
        const cc_st_tensor *tensor = cc_safetensors_at(file, i);
        assert_int_equal((size_t)((const char *)tensor->data - start) % cc_st_dtype_size(tensor->dtype), 0);
    }
    cc_safetensors_free(&file);
    free(data);

    const cc_st_tensor none = { 0 };
    assert_int_equal(cc_safetensors_write(path, &none, 0, NULL, 0, NULL), CAMCL_OK);
    assert_int_equal(cc_safetensors_read(path, &file, NULL), CAMCL_OK);
    assert_int_equal(cc_safetensors_count(file), 0);
    cc_safetensors_free(&file);
}

/* As safetensors.torch.save writes it (version 0.8.0 of the Python package). */
static const char torch_header[] =
    "{\"__metadata__\":{\"note\":\"d\xc3\xa9j\xc3\xa0 \\\"vu\\\"\",\"format\":\"pt\"},\"count\":{\"dtype\":\"I64\",\"shape\":[],"
    "\"data_offsets\":[0,8]},\"wide\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[8,24]},\"f\":{\"dtype\":\"F32\",\"shape\":[1,3,1],"
    "\"data_offsets\":[24,36]},\"brain\":{\"dtype\":\"BF16\",\"shape\":[2,2],\"data_offsets\":[36,44]},\"half\":{\"dtype\":\"F16\","
    "\"shape\":[10],\"data_offsets\":[44,64]}}    ";
static const unsigned char torch_data[64] = {
    203, 4, 251, 113, 31, 1,  0, 0,   154, 153, 153, 153, 153, 153, 185, 63, 89, 243, 248, 194, 31,  110,
    165, 1, 0,   0,   0,  0,  0, 0,   128, 63,  0,   0,   0,   64,  128, 63, 73, 192, 150, 126, 128, 255,
    0,   0, 0,   128, 0,  60, 0, 193, 255, 123, 0,   4,   1,   0,   85,  53, 0,  124, 0,   126,
};

static void reads_pytorch(void **state)
{
    (void)state;
    size_t size;
    char *data = build(torch_header, torch_data, sizeof torch_data, &size);
    cc_safetensors *file = NULL;
    camcl_error err = { 0 };
    if (cc_safetensors_parse("pt", data, size, &file, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_string_equal(cc_safetensors_metadata(file, "note"), "d\xc3\xa9j\xc3\xa0 \"vu\"");
    const size_t ten = 10, square[2] = { 2, 2 }, two = 2, three[3] = { 1, 3, 1 };
    const float half[10] = { 0, -0.0f, 1, -2.5f, 65504, 6.103515625e-05f, 5.960464477539063e-08f, 0.333251953125f, INFINITY, NAN };
    float out[10];
    assert_int_equal(cc_safetensors_get_f32(file, "half", 1, &ten, out, &err), CAMCL_OK);
    assert_memory_equal(out, half, 9 * sizeof *half); /* as bits: -0 is not 0 */
    assert_true(isnan(out[9]));
    const float brain[4] = { 1, -3.140625f, 0x1.2cp126f, -INFINITY };
    assert_int_equal(cc_safetensors_get_f32(file, "brain", 2, square, out, &err), CAMCL_OK);
    assert_memory_equal(out, brain, sizeof brain);
    assert_int_equal(cc_safetensors_get_f32(file, "wide", 1, &two, out, &err), CAMCL_OK);
    assert_true(out[0] == 0.1f && out[1] == 0);
    assert_int_equal(cc_safetensors_get_f32(file, "f", 3, three, out, &err), CAMCL_OK);
    assert_true(out[0] == 0 && out[1] == 1 && out[2] == 2);
    int64_t count;
    assert_int_equal(cc_safetensors_get(file, "count", CC_ST_I64, 0, NULL, &count, &err), CAMCL_OK);
    assert_true(count == INT64_C(1234567890123));
    cc_safetensors_free(&file);
}

static void wrong_requests(void **state)
{
    const char *path = scratch_path(*state, "a.safetensors");
    cc_safetensors *file = NULL;
    camcl_error err = { 0 };
    float out[6];
    const size_t shape[4] = { 1, 2, 3, 1 }, other[4] = { 1, 2, 1, 3 }, three = 3;
    write_sample(path);
    assert_int_equal(cc_safetensors_read(path, &file, &err), CAMCL_OK);
    assert_int_equal(cc_safetensors_get_f32(file, "layer1.0.conv2.weight", 4, shape, out, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "no tensor 'layer1.0.conv2.weight' (the nearest name is 'layer1.0.conv1.weight')"));
    assert_int_equal(cc_safetensors_get_f32(file, "fc.weight.and.more", 4, shape, out, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "among its 5"));
    assert_int_equal(cc_safetensors_get_f32(file, "layer1.0.conv1.weight", 4, other, out, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "has shape [1,2,3,1], the model needs [1,2,1,3]"));
    assert_int_equal(cc_safetensors_get_f32(file, "layer1.0.conv1.weight", 3, shape, out, &err), CAMCL_BAD_DATA);
    assert_int_equal(cc_safetensors_get_f32(file, "odd", 1, &three, out, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "has dtype U8"));
    assert_int_equal(cc_safetensors_get(file, "layer1.0.conv1.weight", CC_ST_I32, 4, shape, out, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "has dtype F32, not I32"));
    cc_safetensors_free(&file);
    assert_int_equal(cc_safetensors_read(scratch_path(*state, "none"), &file, &err), CAMCL_IO);
    assert_null(file);
}

static void named_damage(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t bytes;
        const char *why;
    } cases[] = {
        { "[]", 0, "its header is no JSON object" },
        { " {}", 0, "its header is no JSON object" },
        { "{\"a\":", 0, "its header: bad JSON at byte 5" },
        { "{} x", 0, "something follows the end" },
        { "{}", 3, "3 bytes follow the last tensor" },
        { "{\"a\":1}", 0, "tensor 'a' has the unknown dtype ''" },
        { "{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype 'F33'" },
        { "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor 'a' has no shape" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "dimension 0 of tensor 'a' is no size" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,0.5],\"data_offsets\":[0,4]}}", 4, "dimension 1 of tensor 'a' is no size" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "9 dimensions" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,2],\"data_offsets\":[0,4]}}", 4, "is no size" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "no valid data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no valid data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "no valid data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, "ends at byte 4 of the data, which have 3" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "has 4 bytes, its shape and dtype need 8" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
          "'a' starts at byte 4 of the data, but the one before ends at 0" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}",
          5, "'b' starts at byte 3 of the data, inside the one that ends at 4" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
          4, "'b' starts at byte 0 of the data, inside the one that ends at 4" },
        { "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
          2, "the member 'a' occurs twice" },
        { "{\"__metadata__\":[]}", 0, "__metadata__ is no object" },
        { "{\"__metadata__\":{\"k\":1}}", 0, "__metadata__ 'k' is no string" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const char zeros[16];
        size_t size;
        cc_safetensors *file = NULL;
        camcl_error err = { 0 };
        char *data = build(cases[i].header, zeros, cases[i].bytes, &size);
        if (cc_safetensors_parse("some/file", data, size, &file, &err) != CAMCL_BAD_DATA) fail_msg("accepted: %s", cases[i].header);
        assert_null(file);
        assert_non_null(strstr(err.message, "'some/file' is no sound safetensors file: "));
        if (strstr(err.message, cases[i].why) == NULL) fail_msg("%s: %s", cases[i].header, err.message);
    }
}

static void header_length_lies(void **state)
{
    (void)state;
    static const uint64_t lengths[] = { 0, 1, 3, 100, UINT64_C(1) << 31, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 7 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t size;
        cc_safetensors *file = NULL;
        char *data = build("{}", "", 0, &size);
        memcpy(data, &lengths[i], 8);
        assert_int_equal(cc_safetensors_parse("x", data, size, &file, NULL), CAMCL_BAD_DATA);
    }
}

/* Offsets that touch, empty tensors between, and any order of the header are sound. */
static void unusual_but_sound(void **state)
{
    (void)state;
    size_t size;
    cc_safetensors *file = NULL;
    camcl_error err = { 0 };
    char *data = build("{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3],\"extra\":0},\"e\":{\"dtype\":\"F32\",\"shape\":[0],"
                       "\"data_offsets\":[1,1]},\"a\":{\"data_offsets\":[0,1],\"shape\":[],\"dtype\":\"BOOL\"},"
                       "\"z\":{\"dtype\":\"F8_E4M3\","
                       "\"shape\":[7,0],\"data_offsets\":[3,3]}}\n",
                       "abc", 3, &size);
    if (cc_safetensors_parse("x", data, size, &file, &err) != CAMCL_OK) fail_msg("%s", err.message);
    assert_int_equal(cc_safetensors_count(file), 4);
    assert_string_equal(cc_safetensors_at(file, 0)->name, "a");
    assert_string_equal(cc_safetensors_at(file, 1)->name, "e");
    assert_string_equal(cc_safetensors_at(file, 3)->name, "z");
    assert_memory_equal(cc_safetensors_find(file, "b")->data, "bc", 2);
    assert_null(cc_safetensors_metadata(file, "format"));
    cc_safetensors_free(&file);
}

static void every_truncation_is_refused(void **state)
{
    const char *path = scratch_path(*state, "a.safetensors");
    size_t size;
    write_sample(path);
    char *whole = scratch_read(path, &size);
    for (size_t length = 0; length <= size; length++) {
        char *cut = malloc(length > 0 ? length : 1); /* exactly so large that the sanitizer sees one byte beyond */
        cc_safetensors *file = NULL;
        memcpy(cut, whole, length);
        assert_int_equal(cc_safetensors_parse("x", cut, length, &file, NULL), length == size ? CAMCL_OK : CAMCL_BAD_DATA);
        cc_safetensors_free(&file);
    }
    char *longer = malloc(size + 1);
    cc_safetensors *file = NULL;
    memcpy(longer, whole, size);
    longer[size] = '\0';
    assert_int_equal(cc_safetensors_parse("x", longer, size + 1, &file, NULL), CAMCL_BAD_DATA);
    free(whole);
}

/* Whatever is accepted must be safe to read to its last byte. */
static void survives_mutations(void **state)
{
    const char *path = scratch_path(*state, "a.safetensors");
    static const char alphabet[] = "{}[]\",:0123456789-.eFIU_\x00\xff ";
    size_t size;
    write_sample(path);
    char *whole = scratch_read(path, &size);
    cc_rng rng = cc_rng_at(2, CC_RNG_BENCH, 0);
    unsigned accepted = 0, refused = 0;
    volatile unsigned sum = 0;
    double start = cc_seconds();
    for (unsigned i = 0; i < 100000 && cc_seconds() - start < 1.5; i++) {
        char *data = malloc(size);
        cc_safetensors *file = NULL;
        memcpy(data, whole, size);
        for (uint32_t n = 1 + cc_rng_below(&rng, 3); n-- > 0;) {
            uint32_t at = cc_rng_below(&rng, (uint32_t)size);
            data[at] = cc_rng_below(&rng, 2) ? alphabet[cc_rng_below(&rng, sizeof alphabet - 1)] : (char)cc_rng_u32(&rng);
        }
        camcl_status status = cc_safetensors_parse("x", data, size, &file, NULL);
        assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA);
        assert_int_equal(file != NULL, status == CAMCL_OK);
        for (size_t t = 0; file != NULL && t < cc_safetensors_count(file); t++) {
            const cc_st_tensor *tensor = cc_safetensors_at(file, t);
            size_t bytes = cc_st_elements(tensor) * cc_st_dtype_size(tensor->dtype);
            for (size_t b = 0; b < bytes; b++)
                sum += ((const unsigned char *)tensor->data)[b];
        }
        *(file != NULL ? &accepted : &refused) += 1;
        cc_safetensors_free(&file);
    }
    assert_true(accepted > 0 && refused > 0);
    free(whole);
}

static void failed_write_keeps_the_old(void **state)
{
    const char *path = scratch_path(*state, "a.safetensors");
    size_t before, after;
    write_sample(path);
    char *old = scratch_read(path, &before);
    float *large = calloc(50000, sizeof *large);
    const cc_st_tensor tensor = { "large", CC_ST_F32, 1, { 50000 }, large };
    camcl_error err = { 0 };
    scratch_limit_files(65536);
    camcl_status status = cc_safetensors_write(path, &tensor, 1, NULL, 0, &err);
    scratch_unlimit_files();
    assert_int_equal(status, CAMCL_IO);
    assert_non_null(strstr(err.message, path));
    char *now = scratch_read(path, &after);
    assert_int_equal(before, after);
    assert_memory_equal(old, now, before);
    assert_int_equal(scratch_entries(*state), 1);
    free(old);
    free(now);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(layout, scratch_setup, scratch_teardown),
        cmocka_unit_test(reads_pytorch),
        cmocka_unit_test_setup_teardown(wrong_requests, scratch_setup, scratch_teardown),
        cmocka_unit_test(named_damage),
        cmocka_unit_test(header_length_lies),
        cmocka_unit_test(unusual_but_sound),
        cmocka_unit_test_setup_teardown(every_truncation_is_refused, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(survives_mutations, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(failed_write_keeps_the_old, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
