/* Files that are given as safetensors and are something else are named as what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "run/file_kind.h"
#include "run/safetensors.h"
#include "support/scratch.h"

static camcl_error err;

static const struct kind {
    const char *bytes;
    size_t size;
    const char *said;
} kinds[] = {
#define KIND(bytes, said)                                                                                                                  \
    {                                                                                                                                      \
        bytes, sizeof(bytes) - 1, said                                                                                                     \
    }
    KIND("", "empty"),
    KIND("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 46827520\n", "Git LFS pointer"),
    KIND("PK\3\4\0\0\10\10----resnet/data.pklFB\x12----resnet/data/0", "a PyTorch file,"),
    KIND("PK\3\4\0\0\10\10----script/data/0----script/code/__torch__.py----script/constants.pkl----script/data.pkl", "TorchScript"),
    KIND("PK\3\4\0\0\10\10----metadata.json----config.json----model.weights.h5", "Keras"),
    KIND("PK\3\4-\0\0\0----a.npy----", ".npz"),
    KIND("PK\3\4-\0\0\0----readme.txt", "a ZIP archive"),
    KIND("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.", "a PyTorch file, as before version 1.6"),
    KIND("\x80\4\x95\x10\0\0\0\0\0\0\0}\x94.", "Python pickle"),
    KIND("<!DOCTYPE html>\n<html><body>404</body></html>", "web page"),
    KIND("\n  <html lang=\"en\"><title>Sign in</title></html>", "web page"),
    KIND("\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>",
         "an XML text, not a safetensors file (probably a server's answer"),
    KIND("{\"metadata\": {}, \"weight_map\": {\"conv1.weight\": \"model-00001-of-00002.safetensors\"}}", "index of weights"),
    KIND("{\n  \"architecture\": \"resnet18\"\n}\n", "JSON"),
    KIND("\x08\x08\x12\x07pytorch\x1a\x06"
         "2.15.0:\x01",
         "ONNX"),
    KIND("\x89HDF\r\n\x1a\n\0\0\0\0\0\x08", "HDF5"),
    KIND("GGUF\3\0\0\0\0\0\0\0\0\0\0\0", "GGUF"),
    KIND("\x1c\0\0\0TFL3\x14\0 \0", "TensorFlow Lite"),
    KIND("\x93NUMPY\1\0v\0{'descr': '<f8'", "NumPy array"),
    KIND("\x1f\x8b\x08\0\0\0\0\0\0\3", "gzip"),
    KIND("\x28\xb5\x2f\xfd\4\0\1\0\0\0", "zstd"),
    KIND("\xfd"
         "7zXZ\0\0\4\xe6\xd6\xb4\x46",
         "xz"),
    KIND("BZh91AY&SY\0\0", "bzip2"),
    KIND("7z\xbc\xaf\x27\x1c\0\4\0\0", "7z"),
    KIND("Rar!\x1a\7\1\0", "RAR archive, not a safetensors file (unpack it"),
    KIND("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture, not a safetensors file (give the PyTorch weights"),
    KIND("Not Found", "a text, not a safetensors file (look into it"),
    KIND("\0\0\0\0\0\0\0\0\0\0", "zeros only"),
    KIND("\0\5\x16\7\0\2\0\0Mac OS X", "what macOS keeps about another file"),
#undef KIND
};

static void known_kinds_are_named(void **state)
{
    const char *path = scratch_path(*state, "weights.safetensors");
    for (size_t i = 0; i < CC_COUNT(kinds); i++) {
        cc_safetensors *file = NULL;
        scratch_write(path, kinds[i].bytes, kinds[i].size);
        assert_int_equal(cc_safetensors_read(path, &file, &err), CAMCL_BAD_DATA);
        assert_null(file);
        if (!strstr(err.message, kinds[i].said)) fail_msg("\"%s\" does not say %s", err.message, kinds[i].said);
        assert_memory_equal(err.message, path, strlen(path));
        assert_int_equal(err.message[strlen(err.message) - 1], ')');
    }
}

/* At every length: a known kind or a damaged file, and nothing is read behind its end. */
static void cut_files_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(kinds); i++)
        for (size_t size = 0; size < kinds[i].size; size++) {
            cc_safetensors *file = NULL;
            char *data = malloc(size ? size : 1);
            assert_non_null(data);
            memcpy(data, kinds[i].bytes, size);
            assert_int_equal(cc_safetensors_parse("x", data, size, &file, &err), CAMCL_BAD_DATA);
            assert_null(file);
        }
}

static void tar_archives_are_named(void **state)
{
    char block[512] = "resnet18.safetensors";
    (void)state;
    memcpy(block + 257, "ustar", 5);
    assert_int_equal(cc_file_kind_check("x", block, sizeof block, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "tar archive"));
}

/* A sound file is no other kind of file, even if the length of its header looks like the magic number of one. */
static void sound_files_are_read(void **state)
{
    (void)state;
    cc_safetensors *file = NULL;
    const size_t length = 0x8b1f; /* gzip */
    char *data = malloc(8 + length);
    assert_non_null(data);
    memset(data, ' ', 8 + length);
    memcpy(data, "\x1f\x8b\0\0\0\0\0\0{}", 10);
    if (cc_safetensors_parse("x", data, 8 + length, &file, &err) != CAMCL_OK) fail_msg("%s", err.message);
    cc_safetensors_free(&file);
    assert_int_equal(cc_file_kind_check("x", "\1\2\3 nothing known", 16, &err), CAMCL_OK);
}

/* Nor is one that was cut, which is to be fetched again and not to be unpacked. */
static void cut_safetensors_are_damaged(void **state)
{
    static const char gzip[] = "\x1f\x8b\0\0\0\0\0\0{\"a\":", icon[] = "\0\0\1\0\0\0\0\0{\"a\":";
    (void)state;
    for (int i = 0; i < 2; i++) {
        cc_safetensors *file = NULL;
        char *data = malloc(sizeof gzip - 1);
        assert_non_null(data);
        memcpy(data, i == 0 ? gzip : icon, sizeof gzip - 1);
        assert_int_equal(cc_safetensors_parse("x", data, sizeof gzip - 1, &file, &err), CAMCL_BAD_DATA);
        assert_non_null(strstr(err.message, i == 0 ? "would have 35615 bytes" : "would have 65536 bytes"));
    }
}

static void pytorch_files_come_with_a_command(void **state)
{
    (void)state;
    static const char zip[] = "PK\3\4\0\0\10\10----x/data.pkl", script[] = "PK\3\4\0\0\10\10----x/constants.pkl";
    const struct {
        const char *path, *ends;
    } paths[] = { { "a/b.c/resnet.pth", " 'a/b.c/resnet.pth' 'a/b.c/resnet.safetensors'\n" },
                  { "a/b.c/resnet", " 'a/b.c/resnet' 'a/b.c/resnet.safetensors'\n" },
                  { "it's.pt", " 'it'\\''s.pt' 'it'\\''s.safetensors'\n" },
                  { "x.safetensors", " 'x.safetensors' 'x-converted.safetensors'\n" },
                  { ".pth", " '.pth' '.pth.safetensors'\n" } };
    for (size_t i = 0; i < CC_COUNT(paths); i++) {
        assert_int_equal(cc_file_kind_check(paths[i].path, zip, sizeof zip - 1, &err), CAMCL_BAD_DATA);
        assert_memory_equal(err.detail, "python3 -c \"", 12);
        if (!strstr(err.detail, paths[i].ends)) fail_msg("%s: %s", paths[i].path, err.detail);
        assert_non_null(strstr(err.detail, "torch.load("));
    }
    assert_int_equal(cc_file_kind_check("x.pt", script, sizeof script - 1, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.detail, "torch.jit.load("));
}

static void folders_are_named(void **state)
{
    cc_safetensors *file = NULL;
    assert_int_equal(cc_safetensors_read(*state, &file, &err), CAMCL_IO);
    assert_non_null(strstr(err.message, "not a folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_kinds_are_named, scratch_setup, scratch_teardown),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(tar_archives_are_named),
        cmocka_unit_test(sound_files_are_read),
        cmocka_unit_test(cut_safetensors_are_damaged),
        cmocka_unit_test(pytorch_files_come_with_a_command),
        cmocka_unit_test_setup_teardown(folders_are_named, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
