/* Files that are to be read as pictures: what is none is named for what it is, headers are looked at without the rest, files come and go.
 */
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

#include "camcl/image.h"
#include "support/golden.h"
#include "support/scratch.h"

#define BYTES(text) text, sizeof(text) - 1
#define BOM "\xEF\xBB\xBF"

static const struct {
    const char *data;
    size_t size;
    const char *what, *advice;
} others[] = {
    { BYTES(""), "an empty file", "download it again" },
    { BYTES("GIF89a\1\0\1\0\x80\0\0"), "a GIF picture", "convert it to PNG or JPEG" },
    { BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0"), "a BMP picture", "convert it" },
    { BYTES("II*\0\x08\0\0\0"), "a TIFF picture", "convert it" },
    { BYTES("MM\0*\0\0\0\x08"), "a TIFF picture", "convert it" },
    { BYTES("II+\0\x08\0\0\0"), "a BigTIFF picture", "convert it" },
    { BYTES("\0\0\0\x18"
            "ftypheic\0\0\0\0mif1heic"),
      "a HEIC picture", "convert it" },
    { BYTES("\0\0\0\x18"
            "ftypmif1\0\0\0\0mif1heic"),
      "a HEIC or AVIF picture", "convert it" },
    { BYTES("\0\0\0\x1C"
            "ftypavif\0\0\0\0avifmif1"),
      "an AVIF picture", "convert it" },
    { BYTES("\0\0\0\x18"
            "ftypmp42\0\0\0\0isommp42"),
      "a video", "take pictures out of it" },
    { BYTES("\0\0\0\x0C"
            "JXL \r\n\x87\n"),
      "a JPEG XL picture", "convert it" },
    { BYTES("\0\0\0\x0C"
            "jP  \r\n\x87\n"),
      "a JPEG 2000 picture", "convert it" },
    { BYTES("8BPS\0\1"), "a Photoshop file", "convert it" },
    { BYTES("\0\0\1\0\1\0\x10\x10"), "an icon", "convert it" },
    { BYTES("P6\n2 2\n255\n"), "a PNM picture", "convert it" },
    { BYTES("%PDF-1.7\n"), "a PDF document", "convert it" },
    { BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>"), "an SVG drawing", "convert it" },
    { BYTES("<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<!DOCTYPE svg>\n<svg/>"), "an SVG drawing", "convert it" },
    { BYTES("<!DOCTYPE html>\n<html><body><svg/></body></html>"), "a web page", "download it again" },
    { BYTES(BOM "\n\n  <HTML lang=en>404 not found"), "a web page", "download it again" },
    { BYTES("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 1\n"), "a Git LFS pointer", "git lfs pull" },
    { BYTES("\0\5\x16\7\0\2\0\0Mac OS X"), "what macOS keeps about another file", "delete it" },
    { BYTES("PK\3\4\x14\0"), "a ZIP archive", "unpack it" },
    { BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "zeros only", "download it again" },
    { BYTES("{\"error\": \"quota exceeded\"}\n"), "a JSON text", "look into it" },
    { BYTES("\x89PNG\n\x1A\n with line ends changed"), "a file of an unknown kind", "convert it" },
    { BYTES("RIFF\x24\0\0\0WAVEfmt "), "a file of an unknown kind", "convert it" },
};

static void assert_read_fails(const char *path, camcl_status expected, const char *part, const char *other_part)
{
    for (int way = 0; way < 3; way++) {
        camcl_image image = { 5, 5, 5, NULL };
        camcl_image_about about = { "?", 5, 5 };
        camcl_error err = { 0 };
        camcl_status status = way == 0   ? camcl_image_read(path, &image, &err)
                              : way == 1 ? camcl_image_read_fit(path, 8, CAMCL_FIT_PAD, &image, &err)
                                         : camcl_image_probe(path, &about, &err);
        if (status != expected || !strstr(err.message, part) || !strstr(err.message, other_part) || !strstr(err.message, path))
            fail_msg("%s: %s", camcl_status_name(status), err.message);
        if (way == 2)
            assert_true(about.format == NULL && about.width == 0 && about.height == 0);
        else
            assert_true(image.pixels == NULL && image.width == 0);
    }
}

static void other_kinds_are_named(void **state)
{
    const char *path = scratch_path(*state, "picture.jpg");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char what[80];
        snprintf(what, sizeof what, ", but %s", others[i].what);
        scratch_write(path, others[i].data, others[i].size);
        assert_read_fails(path, CAMCL_BAD_DATA, what, others[i].advice);
    }
}

static void missing_and_unreadable_files(void **state)
{
    const char *path = scratch_path(*state, "picture.png");
    assert_read_fails(path, CAMCL_IO, "No such file", "check the path");
    assert_read_fails(scratch_path(*state, "no/such/folder.png"), CAMCL_IO, "No such file", "check the path");
    assert_read_fails(*state, CAMCL_IO, "directory", "name a file");
    scratch_write(path, "GIF89a", 6);
    assert_read_fails(scratch_path(*state, "picture.png/inside"), CAMCL_IO, "directory", "is a file, not a folder");
    if (geteuid() == 0) return; /* root may read everything */
    assert_int_equal(chmod(path, 0), 0);
    assert_read_fails(path, CAMCL_IO, "denied", "check the permissions");
}

static void probe_of(const char *path, const char *format, uint32_t width, uint32_t height)
{
    camcl_image_about about;
    camcl_error err = { 0 };
    camcl_status status = camcl_image_probe(path, &about, &err);
    if (status == CAMCL_UNSUPPORTED) return;
    if (status != CAMCL_OK) fail_msg("%s", err.message);
    assert_string_equal(about.format, format);
    assert_int_equal(about.width, width);
    assert_int_equal(about.height, height);
}

static void headers_are_read_alone(void **state)
{
    static const char *const names[][2] = {
        { "420.jpg", "JPEG" }, { "rgb.png", "PNG" }, { "lossy.webp", "WebP" }, { "animated_lossless.webp", "WebP" }
    };
    const char *path = scratch_path(*state, "picture");
    cc_safetensors *golden = golden_open("tests/golden/pictures.safetensors");
    for (int i = 0; i < 4; i++) {
        char key[64];
        snprintf(key, sizeof key, "file.%s", names[i][0]);
        const cc_st_tensor *file = golden_tensor(golden, key);
        scratch_write(path, file->data, file->shape[0]);
        probe_of(path, names[i][1], 23, 17);
        /* Of a JPEG no more than the header is needed. */
        scratch_write(path, file->data, file->shape[0] - 20);
        if (i == 0) probe_of(path, "JPEG", 23, 17);
    }
    cc_safetensors_free(&golden);
}

/* However small it would be decoded. */
static void claims_of_huge_sizes_are_refused(void **state)
{
    const char *path = scratch_path(*state, "huge.jpg");
    cc_safetensors *golden = golden_open("tests/golden/pictures.safetensors");
    const cc_st_tensor *file = golden_tensor(golden, "file.420.jpg");
    uint8_t *copy = golden_data(golden, "file.420.jpg");
    size_t at = 0;
    while (copy[at] != 0xFF || copy[at + 1] != 0xC0)
        at++;
    memset(copy + at + 5, 0x70, 4);
    scratch_write(path, copy, file->shape[0]);
    camcl_image image;
    if (camcl_image_decode(file->data, file->shape[0], "420.jpg", &image, NULL) == CAMCL_OK)
        assert_read_fails(path, CAMCL_BAD_DATA, "28784 x 28784 pixels, and 134 million can be held", "scale it first");
    camcl_image_free(&image);
    free(copy);
    cc_safetensors_free(&golden);
}

/* Leaves wild values where the next call's variables will be. */
static void dirty_stack(void)
{
    volatile unsigned char bytes[1 << 15];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 0xAA;
}

/* Damage that a look at the header passes over and the decoder refuses before it has made anything: nothing is there to be freed. */
static void damage_before_the_first_pixel(void **state)
{
    const char *path = scratch_path(*state, "damaged.png");
    cc_safetensors *golden = golden_open("tests/golden/pictures.safetensors");
    const cc_st_tensor *file = golden_tensor(golden, "file.rgb.png");
    uint8_t *copy = malloc(file->shape[0]);
    assert_non_null(copy);
    memcpy(copy, file->data, file->shape[0]);
    copy[29] ^= 1; /* the header's checksum */
    scratch_write(path, copy, file->shape[0]);
    for (uint32_t side = 0; side <= 8; side += 8) {
        camcl_image image;
        dirty_stack();
        const camcl_status status = camcl_image_read_fit(path, side, CAMCL_FIT_CROP, &image, NULL);
        assert_true(status == CAMCL_BAD_DATA || status == CAMCL_UNSUPPORTED);
        assert_null(image.pixels);
    }
    free(copy);
    cc_safetensors_free(&golden);
}

/* A header behind more than what is read at first: a JPEG with comments of 120 KiB. */
static void long_headers_are_read_on(void **state)
{
    const char *path = scratch_path(*state, "long.jpg");
    cc_safetensors *golden = golden_open("tests/golden/pictures.safetensors");
    const cc_st_tensor *file = golden_tensor(golden, "file.420.jpg");
    enum { comment = 60000, comments = 2 };
    const size_t size = file->shape[0] + comments * (comment + 2);
    uint8_t *long_file = calloc(size, 1), *at = long_file;
    assert_non_null(long_file);
    memcpy(at, file->data, 2);
    at += 2;
    for (int i = 0; i < comments; i++, at += comment + 2)
        memcpy(at, (uint8_t[]){ 0xFF, 0xFE, comment >> 8, comment & 255 }, 4);
    memcpy(at, (const uint8_t *)file->data + 2, file->shape[0] - 2);
    scratch_write(path, long_file, size);
    probe_of(path, "JPEG", 23, 17);
    camcl_image image;
    camcl_status status = camcl_image_read(path, &image, NULL);
    assert_true(status == CAMCL_OK || status == CAMCL_UNSUPPORTED);
    camcl_image_free(&image);
    free(long_file);
    cc_safetensors_free(&golden);
}

/* A pipe has no size, cannot be read twice, and may end without being a picture. */
static void pipes_are_read_once(void **state)
{
    int ends[2];
    char path[32];
    camcl_image image, square;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    if (access(path, R_OK) != 0) skip();
    cc_safetensors *golden = golden_open("tests/golden/pictures.safetensors");
    const cc_st_tensor *file = golden_tensor(golden, "file.420.jpg");
    assert_int_equal(write(ends[1], file->data, file->shape[0]), file->shape[0]);
    close(ends[1]);
    camcl_status status = camcl_image_read_fit(path, 10, CAMCL_FIT_CROP, &square, NULL);
    assert_true(status == CAMCL_OK || status == CAMCL_UNSUPPORTED);
    if (status == CAMCL_OK) {
        camcl_image expected;
        assert_int_equal(camcl_image_decode(file->data, file->shape[0], "420.jpg", &image, NULL), CAMCL_OK);
        assert_int_equal(camcl_image_fit(&image, 10, CAMCL_FIT_CROP, &expected, NULL), CAMCL_OK);
        assert_memory_equal(square.pixels, expected.pixels, 10 * 10 * 3);
        camcl_image_free(&image);
        camcl_image_free(&expected);
    }
    camcl_image_free(&square);
    close(ends[0]);
    cc_safetensors_free(&golden);
}

/* What never ends is no picture, and is not read to the end. */
static void endless_devices_are_refused(void **state)
{
    (void)state;
    if (access("/dev/zero", R_OK) != 0) skip();
    assert_read_fails("/dev/zero", CAMCL_BAD_DATA, "zeros only", "");
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(other_kinds_are_named),         IN_SCRATCH(missing_and_unreadable_files),
        IN_SCRATCH(headers_are_read_alone),        IN_SCRATCH(claims_of_huge_sizes_are_refused),
        IN_SCRATCH(damage_before_the_first_pixel), IN_SCRATCH(long_headers_are_read_on),
        cmocka_unit_test(pipes_are_read_once),     cmocka_unit_test(endless_devices_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
