/* Readers of published data sets: on small files made here, with every way in which files can be wrong, and on real data where it
 * is present. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "camcl/dataset.h"
#include "dataset/archive.h"
#include "support/scratch.h"

enum { plane = 1024, record = 3073 };

/* ---- Files made here ---- */

static uint8_t made_byte(int file, int image, int channel, int pixel)
{
    return (uint8_t)(file * 50 + image * 17 + channel * 90 + pixel * 7);
}

static int made_label(int file, int image) { return (file * 3 + image) % 10; }

/* Batch 1..5 has as many records, the test file (6) has two. */
static int made_records(int file) { return file == 6 ? 2 : file; }

static const char *made_name(int file)
{
    static const char *const names[] = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin" };
    return names[file - 1];
}

static void make_batch(int file, cc_text *out)
{
    for (int i = 0; i < made_records(file); i++) {
        uint8_t bytes[record];
        bytes[0] = (uint8_t)made_label(file, i);
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < plane; p++)
                bytes[1 + c * plane + p] = made_byte(file, i, c, p);
        cc_text_add_bytes(out, bytes, sizeof bytes);
    }
    assert_false(out->failed);
}

static const char made_meta[] = "plane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\nlorry\n\n";

static void write_cifar(const char *folder)
{
    mkdir(folder, 0777);
    for (int file = 1; file <= 6; file++) {
        cc_text bytes = CC_TEXT_INIT;
        make_batch(file, &bytes);
        scratch_write(scratch_path(folder, made_name(file)), bytes.data, bytes.length);
        cc_text_free(&bytes);
    }
    scratch_write(scratch_path(folder, "batches.meta.txt"), made_meta, strlen(made_meta));
}

static void add_tar_member(cc_text *tar, const char *name, const char *data, size_t size)
{
    char header[512] = { 0 }, zeros[512] = { 0 };
    unsigned sum = 0;
    snprintf(header, 100, "%s", name);
    memcpy(header + 100, "0000644", 8);
    memcpy(header + 108, "0000000", 8);
    memcpy(header + 116, "0000000", 8);
    snprintf(header + 124, 12, "%011o", (unsigned)size);
    memcpy(header + 136, "00000000000", 12);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    cc_text_add_bytes(tar, header, sizeof header);
    cc_text_add_bytes(tar, data, size);
    if (size % 512) cc_text_add_bytes(tar, zeros, 512 - size % 512);
}

/* A .gz whose deflate blocks are stored as they are. */
static void make_gzip(const char *data, size_t size, cc_text *out)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)data[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    crc = ~crc;
    cc_text_add_bytes(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    for (size_t at = 0; at < size;) {
        size_t n = size - at < 60000 ? size - at : 60000;
        const uint8_t block[5] = { at + n == size, n & 255, n >> 8 & 255, ~n & 255, ~n >> 8 & 255 };
        cc_text_add_bytes(out, block, sizeof block);
        cc_text_add_bytes(out, data + at, n);
        at += n;
    }
    const uint8_t trailer[8] = { crc & 255, crc >> 8 & 255, crc >> 16 & 255, crc >> 24, size & 255, size >> 8 & 255, size >> 16 & 255, 0 };
    cc_text_add_bytes(out, trailer, sizeof trailer);
    assert_false(out->failed);
}

/* cifar-10-binary.tar.gz as published, of the made batches; `skip` (0: none) is left out. */
static void make_archive(int skip, cc_text *out)
{
    char zeros[1024] = { 0 }, name[64];
    cc_text tar = CC_TEXT_INIT;
    add_tar_member(&tar, "cifar-10-batches-bin/batches.meta.txt", made_meta, strlen(made_meta));
    for (int file = 6; file >= 1; file--) { /* members come in any order */
        if (file == skip) continue;
        cc_text bytes = CC_TEXT_INIT;
        make_batch(file, &bytes);
        snprintf(name, sizeof name, "cifar-10-batches-bin/%s", made_name(file));
        add_tar_member(&tar, name, bytes.data, bytes.length);
        cc_text_free(&bytes);
    }
    cc_text_add_bytes(&tar, zeros, sizeof zeros);
    make_gzip(tar.data, tar.length, out);
    cc_text_free(&tar);
}

static camcl_status open_dataset(const char *name, const char *root, camcl_dataset **out, camcl_error *err)
{
    const camcl_dataset_spec spec = { .dataset = name, .root = root };
    return camcl_dataset_open(&spec, out, err);
}

static void assert_refused(const char *name, const char *root, camcl_status expected, const char *part, const char *other)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    camcl_status status = open_dataset(name, root, &dataset, &err);
    if (status != expected) print_error("%s: %s\n", camcl_status_name(status), err.message);
    assert_int_equal(status, expected);
    assert_null(dataset);
    if (!strstr(err.message, part) || !strstr(err.message, other)) print_error("message: %s\n", err.message);
    assert_non_null(strstr(err.message, part));
    assert_non_null(strstr(err.message, other));
}

static void check_made(const char *root)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    camcl_status status = open_dataset("cifar10", root, &dataset, &err);
    if (status != CAMCL_OK) print_error("%s\n", err.message);
    assert_int_equal(status, CAMCL_OK);
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_string_equal(info->name, "cifar10");
    assert_int_equal(info->height, 32);
    assert_int_equal(info->width, 32);
    assert_int_equal(info->channels, 3);
    assert_int_equal(info->classes, 10);
    assert_int_equal(info->train_count, 15);
    assert_int_equal(info->test_count, 2);
    assert_string_equal(camcl_dataset_class_names(dataset)[0], "plane");
    assert_string_equal(camcl_dataset_class_names(dataset)[9], "lorry");
    assert_null(camcl_dataset_masks(dataset, CAMCL_TRAIN_IMAGES));
    assert_null(camcl_dataset_file(dataset, CAMCL_TRAIN_IMAGES, 0));
    assert_string_equal(camcl_dataset_summary(dataset), "");
    /* Runs keep it, so it must not change: from whatever place, on whatever machine. */
    const camcl_fingerprint print = camcl_dataset_fingerprint(dataset);
    assert_true(print.names == UINT64_C(0x10b279e53c84ec09) && print.sizes == UINT64_C(0xdf965855b21c790d) &&
                print.labels == UINT64_C(0xf894808b3a845b0e));
    size_t next = 0;
    for (int file = 1; file <= 6; file++) {
        camcl_dataset_part part = file < 6 ? CAMCL_TRAIN_IMAGES : CAMCL_TEST_IMAGES;
        if (file == 6) next = 0;
        for (int i = 0; i < made_records(file); i++, next++) {
            const uint8_t *pixels = camcl_dataset_pixels(dataset, part) + next * 3 * plane;
            assert_int_equal(camcl_dataset_labels(dataset, part)[next], made_label(file, i));
            for (int p = 0; p < plane; p++)
                for (int c = 0; c < 3; c++)
                    assert_int_equal(pixels[3 * p + c], made_byte(file, i, c, p));
        }
    }
    camcl_dataset_close(&dataset);
    assert_null(dataset);
}

/* ---- CIFAR-10 ---- */

static void cifar10_is_read_from_folder_and_parent(void **state)
{
    const char *folder = scratch_path(*state, "cifar-10-batches-bin");
    write_cifar(folder);
    check_made(folder);
    check_made(*state);
}

static void cifar10_is_read_from_the_archive(void **state)
{
    const char *path = scratch_path(*state, "cifar-10-binary.tar.gz");
    cc_text archive = CC_TEXT_INIT;
    make_archive(0, &archive);
    scratch_write(path, archive.data, archive.length);
    cc_text_free(&archive);
    if (!cc_archive_supported()) {
        assert_refused("cifar10", path, CAMCL_UNSUPPORTED, "libarchive", "unpack");
        return;
    }
    check_made(path);
    check_made(*state);
    assert_int_equal(scratch_entries(*state), 1); /* nothing was unpacked to disk */
}

static void built_in_class_names_stand_in(void **state)
{
    camcl_dataset *dataset = NULL;
    write_cifar(*state);
    unlink(scratch_path(*state, "batches.meta.txt"));
    assert_int_equal(open_dataset("cifar10", *state, &dataset, NULL), CAMCL_OK);
    assert_string_equal(camcl_dataset_class_names(dataset)[0], "airplane");
    assert_string_equal(camcl_dataset_class_names(dataset)[9], "truck");
    camcl_dataset_close(&dataset);
    scratch_write(scratch_path(*state, "batches.meta.txt"), "one\ntwo\n", 8);
    assert_refused("cifar10", *state, CAMCL_BAD_DATA, "batches.meta.txt", "2 classes where 10");
}

static void missing_files_are_named(void **state)
{
    assert_refused("cifar10", scratch_path(*state, "nowhere"), CAMCL_BAD_DATA, "nowhere", "no such file or folder");
    assert_refused("cifar10", *state, CAMCL_BAD_DATA, "data_batch_1.bin", "cifar-10-binary.tar.gz");
    write_cifar(*state);
    unlink(scratch_path(*state, "data_batch_3.bin"));
    unlink(scratch_path(*state, "test_batch.bin"));
    assert_refused("cifar10", *state, CAMCL_BAD_DATA, "lacks data_batch_3.bin, test_batch.bin", "cs.toronto.edu");
    assert_refused("no-such-set", *state, CAMCL_BAD_CONFIG, "no-such-set", "cifar10");
}

static void wrong_sizes_and_labels_are_named(void **state)
{
    const char *path = scratch_path(*state, "data_batch_4.bin");
    cc_text bytes = CC_TEXT_INIT;
    write_cifar(*state);
    make_batch(4, &bytes);
    scratch_write(path, bytes.data, bytes.length - 1);
    assert_refused("cifar10", *state, CAMCL_BAD_DATA, "data_batch_4.bin", "12291 bytes are not a whole number of 3073-byte records");
    scratch_write(path, "", 0);
    assert_refused("cifar10", *state, CAMCL_BAD_DATA, "data_batch_4.bin", "0 bytes");
    bytes.data[2 * record] = 10;
    scratch_write(path, bytes.data, bytes.length);
    assert_refused("cifar10", *state, CAMCL_BAD_DATA, "data_batch_4.bin: record 2 has label 10", "0..9");
    cc_text_free(&bytes);
}

static void bad_archives_are_refused(void **state)
{
    if (!cc_archive_supported()) skip();
    const char *path = scratch_path(*state, "cifar-10-binary.tar.gz");
    cc_text archive = CC_TEXT_INIT;
    make_archive(0, &archive);
    for (size_t part = 1; part <= 4; part++) {
        scratch_write(path, archive.data, archive.length * part / 5);
        assert_refused("cifar10", path, CAMCL_BAD_DATA, path, "archive");
    }
    archive.data[archive.length / 2] ^= 1; /* one bit of a pixel: only the checksum knows */
    scratch_write(path, archive.data, archive.length);
    assert_refused("cifar10", path, CAMCL_BAD_DATA, path, "checksum");
    cc_text_free(&archive);
    scratch_write(path, "this is no archive", 18);
    assert_refused("cifar10", path, CAMCL_BAD_DATA, path, "archive");
    make_archive(2, &archive);
    scratch_write(path, archive.data, archive.length);
    assert_refused("cifar10", path, CAMCL_BAD_DATA, path, "lacks data_batch_2.bin");
    cc_text_free(&archive);
}

/* ---- CIFAR-100, MNIST ---- */

static void cifar100_takes_fine_labels(void **state)
{
    enum { record100 = 3074 };
    uint8_t bytes[2 * record100] = { 0 };
    camcl_dataset *dataset = NULL;
    bytes[0] = 19; /* coarse */
    bytes[1] = 99;
    bytes[2] = 200;
    bytes[record100 + 1] = 7;
    scratch_write(scratch_path(*state, "train.bin"), bytes, sizeof bytes);
    scratch_write(scratch_path(*state, "test.bin"), bytes, record100);
    assert_int_equal(open_dataset("cifar100", *state, &dataset, NULL), CAMCL_OK);
    assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 2);
    assert_int_equal(camcl_dataset_get_info(dataset)->classes, 100);
    assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[0], 99);
    assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[1], 7);
    assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[0], 200);
    assert_string_equal(camcl_dataset_class_names(dataset)[99], "worm");
    camcl_dataset_close(&dataset);
    bytes[1] = 100;
    scratch_write(scratch_path(*state, "test.bin"), bytes, record100);
    assert_refused("cifar100", *state, CAMCL_BAD_DATA, "test.bin: record 0 has label 100", "0..99");
}

static void write_idx(const char *path, int dimensions, unsigned count, const char *payload, size_t size, int packed)
{
    cc_text bytes = CC_TEXT_INIT, gzip = CC_TEXT_INIT;
    const uint8_t head[16] = { 0, 0, 8, (uint8_t)dimensions, 0, 0, 0, (uint8_t)count, 0, 0, 0, 28, 0, 0, 0, 28 };
    cc_text_add_bytes(&bytes, head, 4 + 4 * (size_t)dimensions);
    cc_text_add_bytes(&bytes, payload, size);
    if (packed) make_gzip(bytes.data, bytes.length, &gzip);
    const cc_text *file = packed ? &gzip : &bytes;
    scratch_write(path, file->data, file->length);
    cc_text_free(&bytes);
    cc_text_free(&gzip);
}

static void mnist_is_read_plain_and_packed(void **state)
{
    char pixels[3 * 784], labels[] = { 9, 0, 4 };
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (char)(i * 13);
    const int packed = cc_archive_supported();
    write_idx(scratch_path(*state, packed ? "train-images-idx3-ubyte.gz" : "train-images-idx3-ubyte"), 3, 3, pixels, sizeof pixels, packed);
    write_idx(scratch_path(*state, "train-labels-idx1-ubyte"), 1, 3, labels, 3, 0);
    write_idx(scratch_path(*state, "t10k-images-idx3-ubyte"), 3, 1, pixels + 784, 784, 0);
    write_idx(scratch_path(*state, "t10k-labels-idx1-ubyte"), 1, 1, labels, 1, 0);
    for (int fashion = 0; fashion < 2; fashion++) {
        camcl_dataset *dataset = NULL;
        camcl_error err = { 0 };
        assert_int_equal(open_dataset(fashion ? "fashion-mnist" : "mnist", *state, &dataset, &err), CAMCL_OK);
        const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
        assert_int_equal(info->train_count, 3);
        assert_int_equal(info->channels, 1);
        assert_int_equal(info->width, 28);
        assert_memory_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES), pixels, sizeof pixels);
        assert_memory_equal(camcl_dataset_pixels(dataset, CAMCL_TEST_IMAGES), pixels + 784, 784);
        assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[2], 4);
        assert_string_equal(camcl_dataset_class_names(dataset)[9], fashion ? "Ankle boot" : "9");
        camcl_dataset_close(&dataset);
    }
    labels[0] = 10;
    write_idx(scratch_path(*state, "t10k-labels-idx1-ubyte"), 1, 1, labels, 1, 0);
    assert_refused("mnist", *state, CAMCL_BAD_DATA, "t10k-labels-idx1-ubyte", "label 10");
    write_idx(scratch_path(*state, "t10k-labels-idx1-ubyte"), 1, 2, labels + 1, 2, 0);
    assert_refused("mnist", *state, CAMCL_BAD_DATA, "t10k-labels-idx1-ubyte", "2 labels for the 1 images");
    write_idx(scratch_path(*state, "t10k-images-idx3-ubyte"), 3, 1, pixels, 783, 0);
    assert_refused("mnist", *state, CAMCL_BAD_DATA, "t10k-images-idx3-ubyte", "783 bytes after the header where 784");
    write_idx(scratch_path(*state, "t10k-images-idx3-ubyte"), 1, 1, labels, 1, 0);
    assert_refused("mnist", *state, CAMCL_BAD_DATA, "t10k-images-idx3-ubyte", "no idx file");
}

/* ---- Real data ---- */

#define REAL "../shared/data/"

/* Sums in double, unlike the library's whole numbers. */
static void compare_statistics(const camcl_dataset *dataset)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const uint8_t *pixels = camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES);
    const double count = (double)info->train_count * info->height * info->width;
    for (uint32_t c = 0; c < 3; c++) {
        double sum = 0, squares = 0;
        for (size_t i = c; i < (size_t)count * 3; i += 3)
            sum += pixels[i] / 255.0;
        for (size_t i = c; i < (size_t)count * 3; i += 3)
            squares += pow(pixels[i] / 255.0 - sum / count, 2);
        assert_true(fabs(sum / count - info->mean[c]) < 1e-7);
        assert_true(fabs(sqrt(squares / count) - info->std[c]) < 1e-7);
    }
}

/* The small set is the first images of each class of the whole one, batch by batch. */
static void compare_with_whole(const camcl_dataset *small, const camcl_dataset *whole, camcl_dataset_part part, size_t per_class)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(whole), *small_info = camcl_dataset_get_info(small);
    const int32_t *labels = camcl_dataset_labels(whole, part), *small_labels = camcl_dataset_labels(small, part);
    const uint8_t *pixels = camcl_dataset_pixels(whole, part), *small_pixels = camcl_dataset_pixels(small, part);
    size_t seen[10] = { 0 }, at = 0;
    const size_t total = part == CAMCL_TRAIN_IMAGES ? info->train_count : info->test_count;
    for (size_t i = 0; i < total; i++) {
        if (i % 10000 == 0) memset(seen, 0, sizeof seen);
        if (seen[labels[i]]++ >= per_class) continue;
        assert_int_equal(small_labels[at], labels[i]);
        assert_memory_equal(small_pixels + at * 3 * plane, pixels + i * 3 * plane, 3 * plane);
        at++;
    }
    assert_int_equal(at, part == CAMCL_TRAIN_IMAGES ? small_info->train_count : small_info->test_count);
}

static void real_cifar10(void **state)
{
    static const int32_t first_labels[] = { 6, 9, 9, 4, 1 };
    camcl_dataset *small = NULL, *whole = NULL;
    camcl_error err = { 0 };
    (void)state;
    if (!cc_file_exists(REAL "cifar10-mini") || !cc_file_exists(REAL "cifar-10-binary.tar.gz")) {
        print_message("skipped: no %scifar10-mini and cifar-10-binary.tar.gz\n", REAL);
        skip();
    }
    assert_int_equal(open_dataset("cifar10", REAL "cifar10-mini", &small, &err), CAMCL_OK);
    assert_int_equal(camcl_dataset_get_info(small)->train_count, 2000);
    assert_int_equal(camcl_dataset_get_info(small)->test_count, 1000);
    assert_string_equal(camcl_dataset_class_names(small)[1], "automobile");
    if (cc_archive_supported()) {
        assert_int_equal(open_dataset("cifar10", REAL, &whole, &err), CAMCL_OK);
        assert_int_equal(camcl_dataset_get_info(whole)->train_count, 50000);
        assert_int_equal(camcl_dataset_get_info(whole)->test_count, 10000);
        assert_memory_equal(camcl_dataset_labels(whole, CAMCL_TRAIN_IMAGES), first_labels, sizeof first_labels);
        compare_statistics(whole);
        compare_with_whole(small, whole, CAMCL_TRAIN_IMAGES, 40);
        compare_with_whole(small, whole, CAMCL_TEST_IMAGES, 100);
    }
    camcl_dataset_close(&small);
    camcl_dataset_close(&whole);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(cifar10_is_read_from_folder_and_parent),
        IN_SCRATCH(cifar10_is_read_from_the_archive),
        IN_SCRATCH(built_in_class_names_stand_in),
        IN_SCRATCH(missing_files_are_named),
        IN_SCRATCH(wrong_sizes_and_labels_are_named),
        IN_SCRATCH(bad_archives_are_refused),
        IN_SCRATCH(cifar100_takes_fine_labels),
        IN_SCRATCH(mnist_is_read_plain_and_packed),
        cmocka_unit_test(real_cifar10),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
