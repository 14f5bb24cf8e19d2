/* Published data sets in the forms in which people have them: versions, archives, names, places; and what is said when something else is
 * there. Archives are those of tests/fixtures/archives, where make_archives.py says what is in them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "camcl/dataset.h"
#include "dataset/archive.h"
#include "support/scratch.h"

#define ARCHIVES "tests/fixtures/archives/"
#define REAL "../shared/data/"

static camcl_status open_dataset(const char *name, const char *root, camcl_dataset **out, camcl_error *err)
{
    const camcl_dataset_spec spec = { .dataset = name, .root = root };
    return camcl_dataset_open(&spec, out, err);
}

static camcl_dataset *must_open(const char *name, const char *root)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    if (open_dataset(name, root, &dataset, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return dataset;
}

/* Each part must be in the message. */
static void assert_refused(const char *name, const char *root, const char *a, const char *b)
{
    camcl_dataset *dataset = NULL;
    camcl_error err = { 0 };
    assert_int_equal(open_dataset(name, root, &dataset, &err), CAMCL_BAD_DATA);
    assert_null(dataset);
    if (!strstr(err.message, a) || !strstr(err.message, b)) fail_msg("neither '%s' nor '%s' may lack in: %s", a, b, err.message);
}

static void make_folder(const char *root, const char *path) { assert_int_equal(cc_make_folders(scratch_path(root, path), NULL), CAMCL_OK); }

static void write_text(const char *root, const char *path, const char *text)
{
    scratch_write(scratch_path(root, path), text, strlen(text));
}

/* Copies an archive of the fixtures to root/name. */
static void copy_archive(const char *archive, const char *root, const char *name)
{
    size_t size = 0;
    char *data = scratch_read(scratch_path(ARCHIVES, archive), &size);
    assert_non_null(data);
    scratch_write(scratch_path(root, name), data, size);
    free(data);
}

/* ---- CIFAR files made here: those of the archives, one record each ---- */

static const char *const batch_names[] = { "data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch" };

/* What cPickle of Python 2 writes, of records of the binary version: the published Python version. */
static void make_pickle(const uint8_t *records, size_t count, size_t label_bytes, cc_text *out)
{
    static const char head[] = "\x80\2}q\1(U\6labelsq\4]q\5(", fine_head[] = "\x80\2}q\1(U\x0b"
                                                                             "fine_labelsq\4]q\5(";
    static const char data[] = "eU\4dataq\6cnumpy.core.multiarray\n_reconstruct\nq\7cnumpy\nndarray\nq\10K\0\x85U\1b\x87Rq\t(K\1J";
    static const char type[] = "M\0\f\x86"
                               "cnumpy\ndtype\nq\nU\2u1K\0K\1\x87Rq\x0b(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89T";
    const size_t record = label_bytes + 3072, size = count * 3072;
    const uint8_t counts[] = { count & 255, count >> 8 & 255, count >> 16 & 255, 0 };
    const uint8_t sizes[] = { size & 255, size >> 8 & 255, size >> 16 & 255, size >> 24 & 255 };
    if (label_bytes == 1)
        cc_text_add_bytes(out, head, sizeof head - 1);
    else
        cc_text_add_bytes(out, fine_head, sizeof fine_head - 1);
    for (size_t i = 0; i < count; i++) {
        const uint8_t label[] = { 'K', records[i * record + label_bytes - 1] };
        cc_text_add_bytes(out, label, 2);
    }
    cc_text_add_bytes(out, data, sizeof data - 1);
    cc_text_add_bytes(out, counts, 4);
    cc_text_add_bytes(out, type, sizeof type - 1);
    cc_text_add_bytes(out, sizes, 4);
    for (size_t i = 0; i < count; i++)
        cc_text_add_bytes(out, records + i * record + label_bytes, 3072);
    cc_text_add_bytes(out, "tbu.", 4);
    assert_false(out->failed);
}

static void fill_record(int file, uint8_t *record, size_t label_bytes)
{
    memset(record, file, label_bytes);
    for (size_t k = 0; k < 3072; k++)
        record[label_bytes + k] = (uint8_t)(file * 20 + (int)(k / 1024) * 5);
}

static void write_binary(const char *root, const char *folder)
{
    make_folder(root, folder);
    for (int file = 1; file <= 6; file++) {
        uint8_t record[3073];
        char name[64];
        snprintf(name, sizeof name, "%s/%s.bin", folder, batch_names[file - 1]);
        fill_record(file, record, 1);
        scratch_write(scratch_path(root, name), record, sizeof record);
    }
}

/* Pixels are larger by `shift` than the binary version's. */
static void write_python(const char *root, const char *folder, int shift)
{
    make_folder(root, folder);
    for (int file = 1; file <= 6; file++) {
        uint8_t record[3073];
        char name[64];
        cc_text pickle = CC_TEXT_INIT;
        snprintf(name, sizeof name, "%s/%s", folder, batch_names[file - 1]);
        fill_record(file, record, 1);
        for (size_t k = 1; k < sizeof record; k++)
            record[k] = (uint8_t)(record[k] + shift);
        make_pickle(record, 1, 1, &pickle);
        scratch_write(scratch_path(root, name), pickle.data, pickle.length);
        cc_text_free(&pickle);
    }
}

static void check_images(const camcl_dataset *dataset, int shift)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    assert_int_equal(info->train_count, 5);
    assert_int_equal(info->test_count, 1);
    for (int file = 1; file <= 6; file++) {
        camcl_dataset_part part = file < 6 ? CAMCL_TRAIN_IMAGES : CAMCL_TEST_IMAGES;
        size_t i = file < 6 ? (size_t)file - 1 : 0;
        assert_int_equal(camcl_dataset_labels(dataset, part)[i], file);
        for (int p = 0; p < 1024; p++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(camcl_dataset_pixels(dataset, part)[(i * 1024 + (size_t)p) * 3 + (size_t)c], file * 20 + c * 5 + shift);
    }
}

/* The pixels say which of several was read. */
static void check_root(const char *root, int shift)
{
    camcl_dataset *dataset = must_open("cifar10", root);
    check_images(dataset, shift);
    camcl_dataset_close(&dataset);
}

/* ---- Tests ---- */

static void python_version_is_read(void **state)
{
    camcl_dataset *dataset = NULL;
    write_python(*state, "cifar-10-batches-py", 0);
    check_root(*state, 0);
    check_root(scratch_path(*state, "cifar-10-batches-py"), 0);
    static const char meta[] = "\x80\2}U\x0blabel_names](U\1aU\1bU\1cU\1dU\1eU\1fU\1gU\1hU\1iU\1jes.";
    scratch_write(scratch_path(*state, "cifar-10-batches-py/batches.meta"), meta, sizeof meta - 1);
    dataset = must_open("cifar10", *state);
    assert_string_equal(camcl_dataset_class_names(dataset)[9], "j");
    camcl_dataset_close(&dataset);
    static const char short_meta[] = "\x80\2}U\x0blabel_names](U\1aes.";
    scratch_write(scratch_path(*state, "cifar-10-batches-py/batches.meta"), short_meta, sizeof short_meta - 1);
    assert_refused("cifar10", *state, "'label_names' has 1 class names where 10 belong", "batches.meta");
}

/* Files that people saved again: other protocols, another order in memory, four dimensions, labels in an array. tests/fixtures/pickle says
 * what the images are. */
static void pickles_saved_again_give_the_same_images(void **state)
{
    static const char *const pickles[] = { "python2",  "numpy2-protocol2", "numpy1-protocol4", "numpy2-protocol5", "fortran4",
                                           "fortran5", "planes",           "labels-array",     "labels-big-endian" };
    for (size_t n = 0; n < CC_COUNT(pickles); n++) {
        char name[64];
        size_t size = 0;
        snprintf(name, sizeof name, "%s.pickle", pickles[n]);
        char *data = scratch_read(scratch_path("tests/fixtures/pickle", name), &size);
        assert_non_null(data);
        for (int file = 0; file < 6; file++)
            scratch_write(scratch_path(*state, batch_names[file]), data, size);
        free(data);
        camcl_dataset *dataset = must_open("cifar10", *state);
        assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 10);
        for (size_t i = 0; i < 10; i++) {
            assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[i], i % 2 ? 9 : 3);
            for (size_t k = 0; k < 3072; k++)
                assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[i * 3072 + k % 1024 * 3 + k / 1024],
                                 (i % 2 * 101 + k * 7 + k / 1024 * 13) % 256);
        }
        camcl_dataset_close(&dataset);
    }
}

static void cifar100_has_fine_labels_in_both_versions(void **state)
{
    uint8_t records[2 * 3074] = { 0 };
    cc_text pickle = CC_TEXT_INIT, meta = CC_TEXT_INIT;
    records[0] = 19; /* coarse */
    records[1] = 99;
    records[2] = 200;
    records[3075] = 7;
    make_folder(*state, "cifar-100-python");
    make_pickle(records, 2, 2, &pickle);
    scratch_write(scratch_path(*state, "cifar-100-python/train"), pickle.data, pickle.length);
    scratch_write(scratch_path(*state, "cifar-100-python/test"), pickle.data, pickle.length);
    static const char head[] = "\x80\2}(U\x12"
                               "coarse_label_names]U\x10"
                               "fine_label_names](";
    cc_text_add_bytes(&meta, head, sizeof head - 1);
    for (int i = 0; i < 100; i++)
        cc_text_add(&meta, "U\3n%02d", i);
    cc_text_add(&meta, "eu.");
    scratch_write(scratch_path(*state, "cifar-100-python/meta"), meta.data, meta.length);
    for (int binary = 0; binary < 2; binary++) {
        if (binary) {
            scratch_write(scratch_path(*state, "train.bin"), records, sizeof records);
            scratch_write(scratch_path(*state, "test.bin"), records, sizeof records);
            cc_text names = CC_TEXT_INIT;
            for (int i = 0; i < 100; i++)
                cc_text_add(&names, "n%02d\n", i);
            scratch_write(scratch_path(*state, "fine_label_names.txt"), names.data, names.length);
            cc_text_free(&names);
        }
        camcl_dataset *dataset = must_open("cifar100", *state);
        assert_int_equal(camcl_dataset_get_info(dataset)->classes, 100);
        assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[0], 99);
        assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES)[1], 7);
        assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TEST_IMAGES)[0], 200);
        assert_string_equal(camcl_dataset_class_names(dataset)[42], "n42");
        camcl_dataset_close(&dataset);
    }
    cc_text_free(&pickle);
    cc_text_free(&meta);
}

static void archives_of_any_kind_are_read(void **state)
{
    static const char *const archives[] = { "binary.tar.gz", "binary.tar.bz2", "binary.tar.xz", "binary.tar.zst",
                                            "binary.zip",    "binary.7z",      "python.tar.gz", "python.zip" };
    (void)state;
    if (!cc_archive_supported()) skip();
    for (size_t i = 0; i < CC_COUNT(archives); i++)
        check_root(scratch_path(ARCHIVES, archives[i]), 0);
    camcl_dataset *dataset = must_open("cifar10", ARCHIVES "python.zip");
    assert_string_equal(camcl_dataset_class_names(dataset)[9], "lorry");
    camcl_dataset_close(&dataset);
}

static void archives_are_found_in_their_folder(void **state)
{
    static const char *const names[][2] = { { "binary.tar.gz", "cifar-10-binary.tar.gz" }, { "binary.tar.gz", "cifar-10-binary.tgz" },
                                            { "binary.tar.xz", "cifar-10-binary.tar.xz" }, { "binary.zip", "cifar-10-binary.zip" },
                                            { "binary.7z", "cifar-10-binary.7z" },         { "python.tar.gz", "cifar-10-python.tar.gz" },
                                            { "python.zip", "cifar-10-batches-py.zip" } };
    if (!cc_archive_supported()) skip();
    for (size_t i = 0; i < CC_COUNT(names); i++) {
        copy_archive(names[i][0], *state, names[i][1]);
        check_root(*state, 0);
        unlink(scratch_path(*state, names[i][1]));
    }
}

/* Extracted files go before archives, the binary version before the Python version, the root before folders in it; what is incomplete goes
 * after everything. */
static void one_of_several_is_taken(void **state)
{
    if (cc_archive_supported()) {
        copy_archive("binary.tar.gz", *state, "cifar-10-binary.tar.gz");
        check_root(*state, 0);
    }
    write_python(*state, "cifar-10-batches-py", 1);
    check_root(*state, 1);
    write_python(*state, ".", 2);
    check_root(*state, 2);
    write_binary(*state, "cifar-10-batches-bin");
    check_root(*state, 0);
    unlink(scratch_path(*state, "cifar-10-batches-bin/test_batch.bin"));
    check_root(*state, 2);
}

static void hostile_archives_are_harmless(void **state)
{
    (void)state;
    if (!cc_archive_supported()) skip();
    assert_refused("cifar10", ARCHIVES "outside.tar.gz", "lacks", "data_batch_3.bin");
    assert_refused("cifar10", ARCHIVES "links.tar.gz", "lacks data_batch_1.bin, data_batch_2.bin of the binary version", "links.tar.gz: d");
    assert_refused("cifar10", ARCHIVES "bomb.zst", "expands to more than 512 MiB", "bomb.zst");
    assert_refused("cifar10", ARCHIVES "twice.zip", "holds the files twice, in 'a' and in 'b'", "data.root");
}

static void archives_truncated_at_every_length_are_refused(void **state)
{
    static const char *const archives[] = { "binary.tar.gz", "binary.tar.bz2", "binary.tar.xz", "binary.zip", "binary.7z" };
    if (!cc_archive_supported()) skip();
    for (size_t i = 0; i < CC_COUNT(archives); i++) {
        size_t size = 0;
        char *data = scratch_read(scratch_path(ARCHIVES, archives[i]), &size);
        scratch_write(scratch_path(*state, "a"), data, size);
        for (size_t n = size; n-- > 0;) {
            camcl_dataset *dataset = NULL;
            camcl_error err = { 0 };
            assert_int_equal(truncate(scratch_path(*state, "a"), (off_t)n), 0);
            camcl_status status = open_dataset("cifar10", scratch_path(*state, "a"), &dataset, &err);
            if (status == CAMCL_OK) { /* what is cut off was not content, such as the end of a tar */
                check_images(dataset, 0);
                camcl_dataset_close(&dataset);
                continue;
            }
            assert_int_equal(status, CAMCL_BAD_DATA);
            assert_non_null(strstr(err.message, scratch_path(*state, "a")));
        }
        free(data);
    }
}

static void random_changes_of_archives_do_no_harm(void **state)
{
    static const char *const archives[] = { "binary.tar.gz", "binary.tar.xz", "binary.zip", "binary.7z", "python.zip" };
    const uint64_t seed = 20261128;
    cc_rng rng = cc_rng_at(seed, CC_RNG_BENCH, 0);
    if (!cc_archive_supported()) skip();
    print_message("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < CC_COUNT(archives); i++) {
        size_t size = 0;
        char *data = scratch_read(scratch_path(ARCHIVES, archives[i]), &size);
        for (int round = 0; round < 100; round++) {
            camcl_dataset *dataset = NULL;
            uint32_t at = cc_rng_below(&rng, (uint32_t)size);
            char before = data[at];
            data[at] = (char)cc_rng_below(&rng, 256);
            scratch_write(scratch_path(*state, "a"), data, size);
            camcl_status status = open_dataset("cifar10", scratch_path(*state, "a"), &dataset, NULL);
            assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA);
            camcl_dataset_close(&dataset);
            data[at] = before;
        }
        free(data);
    }
}

/* ---- MNIST ---- */

/* The files of make_archives.py's mnist(); images are larger by `shift`. `pattern` has %s for "train" or "t10k", then for "images" or
 * "labels", then %c for '3' or '1'; it may have those twice. */
static void write_mnist(const char *root, const char *folder, const char *pattern, int shift)
{
    make_folder(root, folder);
    for (int part = 1; part <= 2; part++)
        for (int images = 0; images < 2; images++) {
            uint8_t bytes[16 + 2 * 784] = { 0, 0, 8, images ? 3 : 1, 0, 0, 0, 2 };
            const char *name = part == 1 ? "train" : "t10k", *kind = images ? "images" : "labels";
            const char digit = images ? '3' : '1';
            char file[64], path[256];
            if (images) {
                bytes[11] = bytes[15] = 28;
                memset(bytes + 16, 10 * part + shift, 784);
                memset(bytes + 16 + 784, 10 * part + 1 + shift, 784);
            } else {
                bytes[8] = (uint8_t)part;
                bytes[9] = (uint8_t)(part + 1);
            }
            snprintf(file, sizeof file, "%s-%s%sidx%c-ubyte", name, kind, strchr(pattern, '.') ? "." : "-", digit);
            if (strchr(pattern, '/')) {
                snprintf(path, sizeof path, "%s/%s", folder, file);
                make_folder(root, path);
                snprintf(path, sizeof path, "%s/%s/%s", folder, file, file);
            } else {
                snprintf(path, sizeof path, "%s/%s", folder, file);
            }
            scratch_write(scratch_path(root, path), bytes, images ? sizeof bytes : 10);
        }
}

static void check_mnist(const char *name, const char *root, int shift)
{
    camcl_dataset *dataset = must_open(name, root);
    assert_int_equal(camcl_dataset_get_info(dataset)->train_count, 2);
    assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TRAIN_IMAGES)[0], 10 + shift);
    assert_int_equal(camcl_dataset_pixels(dataset, CAMCL_TEST_IMAGES)[2 * 784 - 1], 21 + shift);
    assert_int_equal(camcl_dataset_labels(dataset, CAMCL_TEST_IMAGES)[1], 3);
    camcl_dataset_close(&dataset);
}

static void mnist_is_found_by_its_usual_names(void **state)
{
    const char *root = *state;
    write_mnist(root, "a", "-", 0);
    write_mnist(root, "b", ".", 1);
    write_mnist(root, "c", "-/", 2);
    write_mnist(root, "d/MNIST/raw", "-", 3);
    write_mnist(root, "d/FashionMNIST/raw", "-", 4);
    write_mnist(root, "e/mnist", "-", 5);
    write_mnist(root, "e/fashion", "./", 6);
    check_mnist("mnist", scratch_path(root, "a"), 0);
    check_mnist("mnist", scratch_path(root, "b"), 1);
    check_mnist("fashion-mnist", scratch_path(root, "c"), 2);
    check_mnist("mnist", scratch_path(root, "d"), 3);
    check_mnist("mnist", scratch_path(root, "d/MNIST"), 3);
    check_mnist("fashion-mnist", scratch_path(root, "d"), 4);
    check_mnist("fashion-mnist", scratch_path(root, "d/FashionMNIST"), 4);
    check_mnist("mnist", scratch_path(root, "e"), 5);
    check_mnist("fashion-mnist", scratch_path(root, "e"), 6);
    if (!cc_archive_supported()) return;
    check_mnist("mnist", ARCHIVES "kaggle.zip", 0);
    check_mnist("mnist", ARCHIVES "torchvision.zip", 0);
    check_mnist("fashion-mnist", ARCHIVES "torchvision.zip", 100);
}

static void mnist_and_fashion_mnist_are_told_apart(void **state)
{
    static const uint8_t mnist[] = { 0, 0, 8, 1, 0, 0, 0, 10, 5, 0, 4, 1, 9, 2, 1, 3, 1, 4 };
    static const uint8_t fashion[] = { 0, 0, 8, 1, 0, 0, 0, 10, 9, 0, 0, 3, 0, 2, 7, 2, 5, 5 };
    static uint8_t images[16 + 10 * 784] = { 0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28 };
    camcl_dataset *dataset = NULL;
    write_mnist(*state, ".", "-", 0);
    scratch_write(scratch_path(*state, "train-images-idx3-ubyte"), images, sizeof images);
    scratch_write(scratch_path(*state, "train-labels-idx1-ubyte"), mnist, sizeof mnist);
    assert_refused("fashion-mnist", *state, "these are the labels of data set mnist, not of fashion-mnist", "train-labels-idx1-ubyte");
    dataset = must_open("mnist", *state);
    camcl_dataset_close(&dataset);
    scratch_write(scratch_path(*state, "train-labels-idx1-ubyte"), fashion, sizeof fashion);
    assert_refused("mnist", *state, "these are the labels of data set fashion-mnist", "train-labels-idx1-ubyte");
    dataset = must_open("fashion-mnist", *state);
    camcl_dataset_close(&dataset);
}

/* ---- What is said when something else is there ---- */

static void what_is_missing_and_what_is_there_is_said(void **state)
{
    const char *root = *state;
    char name[32];
    assert_refused("cifar10", root, "holds no CIFAR-10: neither data_batch_1.bin", "cifar-10-python.tar.gz");
    assert_refused("cifar10", root, "nothing else is there", "cs.toronto.edu");
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "%02d\x1b.txt", i);
        write_text(root, name, "x");
    }
    assert_refused("cifar10", root, "found: 00\\x1b.txt, 01\\x1b.txt", "and 12 more");
    write_binary(root, "cifar-10-batches-bin");
    unlink(scratch_path(root, "cifar-10-batches-bin/data_batch_2.bin"));
    unlink(scratch_path(root, "cifar-10-batches-bin/test_batch.bin"));
    assert_refused(
        "cifar10", root,
        "cifar-10-batches-bin lacks data_batch_2.bin, test_batch.bin of the binary version; found: data_batch_1.bin, data_batch_3.bin",
        "fetch it again");
    assert_refused("cifar10", scratch_path(root, "cifar-10-batches-bin/data_batch_1.bin"), "is one of its files",
                   "the folder that it is in");
    assert_refused("cifar10", "/dev/null", "/dev/null", "neither a folder nor a plain file");
    if (cc_archive_supported())
        assert_refused("cifar10", ARCHIVES "incomplete.tar.gz", "lacks data_batch_3.bin of the binary version", "readme.html");
}

static void other_forms_are_named(void **state)
{
    static const char *const cases[][4] = {
        { "mnist", "mnist_train.csv", "mnist_train.csv, a table of pixels as Kaggle has it", "train-images-idx3-ubyte" },
        { "mnist", "training.pt", "a tensor that torchvision made", "raw/" },
        { "mnist", "mnist.npz", "NumPy arrays as Keras has them", "idx files" },
        { "mnist", "train-00000-of-00001.parquet", "a Parquet table as Hugging Face has it", "idx files" },
        { "mnist", "FashionMNIST", "data set fashion-mnist", "data.dataset = fashion-mnist" },
        { "fashion-mnist", "mnist", "data set mnist", "data.dataset = mnist" },
        { "cifar10", "data_batch_1.mat", "the MATLAB version", "the binary and the Python version" },
        { "cifar10", "cifar-100-python", "data set cifar100", "data.dataset = cifar100" },
        { "cifar10", "train.bin", "data set cifar100 in the binary version", "data.dataset = cifar100" },
        { "cifar10", "trainLabels.csv", "Kaggle's competition", "data.dataset = list" },
        { "cifar100", "data_batch_1", "data set cifar10 in the Python version", "data.dataset = cifar10" },
        { "cifar100", "cifar-10-binary.tar.gz", "data set cifar10", "data.dataset = cifar10" },
    };
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        write_text(*state, cases[i][1], "x");
        assert_refused(cases[i][0], *state, cases[i][2], cases[i][3]);
        unlink(scratch_path(*state, cases[i][1]));
    }
    if (!cc_archive_supported()) return;
    assert_refused("mnist", ARCHIVES "keras.zip", "x_train.npy, NumPy arrays as Keras has them", "idx files");
    assert_refused("cifar100", ARCHIVES "binary.tar.gz", "data set cifar10", "data.dataset = cifar10");
    write_text(*state, "mnist_train.csv", "label,1x1\n");
    assert_refused("mnist", scratch_path(*state, "mnist_train.csv"), "mnist_train.csv is a table of pixels", "idx files");
    write_text(*state, "picture", "\x89PNG\r\n\x1A\n");
    assert_refused("mnist", scratch_path(*state, "picture"), "is a PNG picture", "data.root");
    write_text(*state, "notes", "these are notes");
    assert_refused("mnist", scratch_path(*state, "notes"), "notes: no archive of a known kind", "fetch it again");
    write_text(*state, "data.rar", "Rar!\x1a\7\1");
    assert_refused("mnist", scratch_path(*state, "data.rar"), "is a RAR archive, which camcl does not read", "unpack it");
}

static void downloads_that_went_wrong_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 30730000\n",
          "a Git LFS pointer, not the file itself (run `git lfs pull`" },
        { "<!DOCTYPE html>\n<html>", "a web page, not the file itself (the download went wrong" },
        { "\xEF\xBB\xBF \n<HTML><body>", "a web page" },
        { "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", "an XML text, not the file itself (the download went wrong" },
    };
    write_binary(*state, ".");
    write_mnist(*state, "m", "-", 0);
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        write_text(*state, "data_batch_3.bin", cases[i][0]);
        assert_refused("cifar10", *state, "data_batch_3.bin: ", cases[i][1]);
        write_text(*state, "m/t10k-images-idx3-ubyte", cases[i][0]);
        assert_refused("mnist", scratch_path(*state, "m"), "t10k-images-idx3-ubyte: ", cases[i][1]);
        write_text(*state, "cifar-10-python.tar.gz", cases[i][0]);
        assert_refused("cifar10", scratch_path(*state, "cifar-10-python.tar.gz"), "cifar-10-python.tar.gz: ", cases[i][1]);
    }
    scratch_write(scratch_path(*state, "m/t10k-images-idx3-ubyte"), "PK\3\4", 5);
    assert_refused("mnist", scratch_path(*state, "m"), "no idx file of bytes with 3 dimensions", "a ZIP archive");
}

static void the_sister_data_set_is_named_by_its_content(void **state)
{
    uint8_t records[2 * 3074] = { 0 };
    cc_text pickle = CC_TEXT_INIT, fine = CC_TEXT_INIT;
    write_binary(*state, ".");
    scratch_write(scratch_path(*state, "data_batch_4.bin"), records, sizeof records);
    assert_refused("cifar10", *state, "data_batch_4.bin: this is data set cifar100, not cifar10", "3074-byte records");
    scratch_write(scratch_path(*state, "data_batch_4.bin"), records, 3000);
    assert_refused("cifar10", *state, "3000 bytes are not a whole number of 3073-byte records", "the published file has 30730000 bytes");
    write_python(*state, "p", 0);
    make_pickle(records, 2, 2, &fine);
    scratch_write(scratch_path(*state, "p/data_batch_2"), fine.data, fine.length);
    assert_refused("cifar10", scratch_path(*state, "p"), "data_batch_2: this is data set cifar100, not cifar10", "data.dataset");
    make_pickle(records, 2, 1, &pickle);
    scratch_write(scratch_path(*state, "train"), pickle.data, pickle.length);
    scratch_write(scratch_path(*state, "test"), fine.data, fine.length);
    assert_refused("cifar100", *state, "train: this is data set cifar10, not cifar100", "data.dataset");
    cc_text_free(&pickle);
    records[3073] = 10;
    make_pickle(records, 2, 1, &pickle);
    scratch_write(scratch_path(*state, "p/data_batch_2"), pickle.data, pickle.length);
    assert_refused("cifar10", scratch_path(*state, "p"), "data_batch_2: record 1 has label 10, beyond 0..9", "corrupt");
    cc_text_free(&pickle);
    cc_text_free(&fine);
}

/* ---- Random changes ---- */

static void random_changes_of_files_do_no_harm(void **state)
{
    static const char *const files[] = { "data_batch_2.bin", "p/data_batch_2", "m/train-images-idx3-ubyte", "m/t10k-labels-idx1-ubyte" };
    static const char *const names[] = { "cifar10", "cifar10", "mnist", "mnist" }, *const folders[] = { ".", "p", "m", "m" };
    const uint64_t seed = 20261129;
    cc_rng rng = cc_rng_at(seed, CC_RNG_BENCH, 0);
    print_message("seed %llu\n", (unsigned long long)seed);
    write_binary(*state, ".");
    write_python(*state, "p", 0);
    write_mnist(*state, "m", "-", 0);
    for (size_t i = 0; i < CC_COUNT(files); i++) {
        size_t size = 0;
        char *data = scratch_read(scratch_path(*state, files[i]), &size);
        for (int round = 0; round < 100; round++) {
            camcl_dataset *dataset = NULL;
            /* Headers are at the start, and half of the changes. */
            uint32_t at = cc_rng_below(&rng, round % 2 && size > 200 ? 200 : (uint32_t)size), cut = cc_rng_below(&rng, 8);
            char before = data[at];
            data[at] = (char)cc_rng_below(&rng, 256);
            scratch_write(scratch_path(*state, files[i]), data, cut ? size : at);
            camcl_status status = open_dataset(names[i], scratch_path(*state, folders[i]), &dataset, NULL);
            assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA);
            camcl_dataset_close(&dataset);
            data[at] = before;
        }
        scratch_write(scratch_path(*state, files[i]), data, size);
        free(data);
    }
}

/* ---- Real data ---- */

static void real_versions_are_equal(void **state)
{
    if (!cc_file_exists(REAL "cifar10-mini/data_batch_1.bin")) {
        print_message("skipped: no %scifar10-mini\n", REAL);
        skip();
    }
    for (int file = 0; file < 6; file++) {
        char name[32];
        size_t size = 0;
        cc_text pickle = CC_TEXT_INIT;
        snprintf(name, sizeof name, "%s.bin", batch_names[file]);
        char *data = scratch_read(scratch_path(REAL "cifar10-mini", name), &size);
        assert_non_null(data);
        make_pickle((uint8_t *)data, size / 3073, 1, &pickle);
        scratch_write(scratch_path(*state, batch_names[file]), pickle.data, pickle.length);
        cc_text_free(&pickle);
        free(data);
    }
    camcl_dataset *binary = must_open("cifar10", REAL "cifar10-mini"), *python = must_open("cifar10", *state);
    for (int part = 0; part < 2; part++) {
        const camcl_dataset_info *info = camcl_dataset_get_info(binary), *other = camcl_dataset_get_info(python);
        size_t count = part == CAMCL_TRAIN_IMAGES ? info->train_count : info->test_count;
        assert_int_equal(count, part == CAMCL_TRAIN_IMAGES ? other->train_count : other->test_count);
        assert_memory_equal(camcl_dataset_labels(binary, (camcl_dataset_part)part), camcl_dataset_labels(python, (camcl_dataset_part)part),
                            count * sizeof(int32_t));
        assert_memory_equal(camcl_dataset_pixels(binary, (camcl_dataset_part)part), camcl_dataset_pixels(python, (camcl_dataset_part)part),
                            count * 3072);
    }
    for (uint32_t i = 0; i < 10; i++)
        assert_string_equal(camcl_dataset_class_names(binary)[i], camcl_dataset_class_names(python)[i]);
    camcl_dataset_close(&binary);
    camcl_dataset_close(&python);
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(python_version_is_read),
        IN_SCRATCH(pickles_saved_again_give_the_same_images),
        IN_SCRATCH(cifar100_has_fine_labels_in_both_versions),
        IN_SCRATCH(archives_of_any_kind_are_read),
        IN_SCRATCH(archives_are_found_in_their_folder),
        IN_SCRATCH(one_of_several_is_taken),
        IN_SCRATCH(hostile_archives_are_harmless),
        IN_SCRATCH(archives_truncated_at_every_length_are_refused),
        IN_SCRATCH(random_changes_of_archives_do_no_harm),
        IN_SCRATCH(mnist_is_found_by_its_usual_names),
        IN_SCRATCH(mnist_and_fashion_mnist_are_told_apart),
        IN_SCRATCH(what_is_missing_and_what_is_there_is_said),
        IN_SCRATCH(other_forms_are_named),
        IN_SCRATCH(downloads_that_went_wrong_are_named),
        IN_SCRATCH(the_sister_data_set_is_named_by_its_content),
        IN_SCRATCH(random_changes_of_files_do_no_harm),
        IN_SCRATCH(real_versions_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
