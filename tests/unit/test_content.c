/* Files are recognised by how they begin. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/content.h"
#include "base/memory.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *bytes;
    size_t size;
    cc_content_kind kind;
    const char *name;
} cases[] = {
    { BYTES(""), CC_CONTENT_EMPTY, "an empty file" },
    { BYTES("\0\0\0"), CC_CONTENT_ZEROS, "zeros only" },
    { BYTES("\0\0\1"), CC_CONTENT_UNKNOWN, "a file of an unknown kind" },
    { BYTES("\xFF\xD8\xFF\xE0"), CC_CONTENT_JPEG, "a JPEG picture" },
    { BYTES("\x89PNG\r\n\x1A\n"), CC_CONTENT_PNG, "a PNG picture" },
    { BYTES("\x89PNG\n\x1A\n"), CC_CONTENT_UNKNOWN, "a file of an unknown kind" },
    { BYTES("RIFF\x1A\0\0\0WEBPVP8 "), CC_CONTENT_WEBP, "a WebP picture" },
    { BYTES("RIFF\x24\0\0\0WAVEfmt "), CC_CONTENT_UNKNOWN, "a file of an unknown kind" },
    { BYTES("\0\0\0\x18"
            "ftypheic"),
      CC_CONTENT_PICTURE, "a HEIC picture" },
    { BYTES("\0\0\0\x18"
            "ftypmp42"),
      CC_CONTENT_VIDEO, "a video" },
    { BYTES("BM\x46\0\0\0\0\0\0\0\x36"), CC_CONTENT_PICTURE, "a BMP picture" },
    { BYTES("BMW and Audi"), CC_CONTENT_TEXT, "a text" },
    { BYTES("\x1F\x8B\x08\0"), CC_CONTENT_COMPRESSED, "a gzip file" },
    { BYTES("\x80\4\x95"), CC_CONTENT_PICKLE, "a Python pickle" },
    { BYTES("\x80\1\x95"), CC_CONTENT_UNKNOWN, "a file of an unknown kind" },
    { BYTES("PAR1\x15\4"), CC_CONTENT_TABLE, "a Parquet table" },
    { BYTES("version https://git-lfs.github.com/spec/v1\n"), CC_CONTENT_LFS_POINTER, "a Git LFS pointer" },
    { BYTES("\xEF\xBB\xBF\r\n <!-- saved from --> <!DocType HTML>"), CC_CONTENT_WEB_PAGE, "a web page" },
    { BYTES("<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC>"), CC_CONTENT_WEB_PAGE, "a web page" },
    { BYTES("<?xml version=\"1.0\"?>\n<!-- made by <html> --><SVG"), CC_CONTENT_DRAWING, "an SVG drawing" },
    { BYTES("<?xml version=\"1.0\"?><Error><Code>AccessDenied"), CC_CONTENT_XML, "an XML text" },
    { BYTES("<?xml version=\"1.0\"?><annotation/>"), CC_CONTENT_XML, "an XML text" },
    { BYTES("<?xml version"), CC_CONTENT_XML, "an XML text" },
    { BYTES("<!-- never closed <html>"), CC_CONTENT_TEXT, "a text" },
    { BYTES("written in <html>"), CC_CONTENT_TEXT, "a text" },
    { BYTES("\n {\"message\": \"Not Found\"}"), CC_CONTENT_JSON, "a JSON text" },
    { BYTES("{\0\1\2"), CC_CONTENT_UNKNOWN, "a file of an unknown kind" },
    { BYTES(" \n"), CC_CONTENT_TEXT, "a text" },
};

/* A copy of exactly its size, so that address sanitizer sees reads beyond it. */
static cc_content content_of(const char *bytes, size_t size)
{
    char *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    cc_content content = cc_content_of(copy, size);
    free(copy);
    return content;
}

static void kinds_are_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(cases); i++) {
        cc_content content = content_of(cases[i].bytes, cases[i].size);
        if (content.kind != cases[i].kind || strcmp(content.name, cases[i].name) != 0)
            fail_msg("case %zu, %s: kind %d, %s", i, cases[i].name, (int)content.kind, content.name);
    }
}

static void beginnings_are_read_within_their_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < CC_COUNT(cases); i++)
        for (size_t size = 0; size < cases[i].size; size++)
            assert_non_null(content_of(cases[i].bytes, size).name);
}

static void kinds_are_recognised_behind_the_start(void **state)
{
    char block[300] = "weights.bin";
    (void)state;
    memcpy(block + 257, "ustar", 5);
    assert_int_equal(content_of(block, 262).kind, CC_CONTENT_ARCHIVE);
    assert_int_equal(content_of(block, 261).kind, CC_CONTENT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_recognised),
        cmocka_unit_test(beginnings_are_read_within_their_size),
        cmocka_unit_test(kinds_are_recognised_behind_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
