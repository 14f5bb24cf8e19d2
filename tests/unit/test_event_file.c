/* TensorBoard's event files: their bytes, their order, and what is left of a run that went on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/protobuf.h"
#include "run/event_file.h"
#include "support/events.h"
#include "support/ok.h"
#include "support/scratch.h"

static camcl_error err;

/* ---- protocol buffers */

static void assert_bytes(cc_text *message, const char *expected, size_t size)
{
    assert_false(message->failed);
    assert_int_equal(message->length, size);
    assert_memory_equal(message->data, expected, size);
    cc_text_free(message);
}

#define BYTES(text) (text), sizeof(text) - 1

/* The first three are the examples of the encoding's own documentation. */
static void fields_are_encoded_as_documented(void **state)
{
    (void)state;
    cc_text m = CC_TEXT_INIT, inner = CC_TEXT_INIT;
    cc_protobuf_integer(&m, 1, 150);
    assert_bytes(&m, BYTES("\x08\x96\x01"));
    cc_protobuf_string(&m, 2, "testing");
    assert_bytes(&m, BYTES("\x12\x07testing"));
    cc_protobuf_integer(&inner, 1, 150);
    cc_protobuf_message(&m, 3, &inner);
    assert_null(inner.data);
    assert_bytes(&m, BYTES("\x1a\x03\x08\x96\x01"));
    cc_protobuf_integer(&m, 1, (uint64_t)-2);
    assert_bytes(&m, BYTES("\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
    cc_protobuf_integer(&m, 20, 0);
    assert_bytes(&m, BYTES("\xa0\x01\x00"));
    cc_protobuf_float(&m, 2, 1.5f);
    assert_bytes(&m, BYTES("\x15\x00\x00\xc0\x3f"));
    cc_protobuf_double(&m, 1, -2);
    assert_bytes(&m, BYTES("\x09\x00\x00\x00\x00\x00\x00\x00\xc0"));
    cc_protobuf_message(&m, 5, &inner); /* an empty one */
    assert_bytes(&m, BYTES("\x2a\x00"));
    inner.failed = true;
    cc_protobuf_message(&m, 5, &inner);
    assert_true(m.failed);
    cc_text_free(&m);
}

/* ---- files */

static void say(cc_event_file *file, uint64_t step, double value)
{
    cc_text summary = CC_TEXT_INIT;
    cc_event_add_scalar(&summary, "train/loss", value);
    OK(cc_event_file_write(file, step, &summary, &err));
    assert_null(summary.data);
}

/* The first event file of the folder in the order of names; the path is the caller's to free. */
static char *first_file(const char *folder)
{
    struct dirent **entries = NULL;
    char *first = NULL;
    const int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (first == NULL && strstr(entries[i]->d_name, "tfevents"))
            OK(cc_copy_text(scratch_path(folder, entries[i]->d_name), &first, &err));
        free(entries[i]);
    }
    free(entries);
    assert_non_null(first);
    return first;
}

/* Every event file in the world begins with these twelve bytes: a record of 24 bytes, wall time and version, and the sum of that number. */
static void the_file_begins_as_all_do(void **state)
{
    static const char start[] = "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\x09";
    cc_event_file *file;
    size_t size;
    assert_false(cc_event_files_exist(*state));
    OK(cc_event_file_create(*state, 0, &file, &err));
    assert_true(cc_event_files_exist(*state));
    char *path = first_file(*state), *data = scratch_read(path, &size);
    assert_int_equal(size, 40);
    assert_memory_equal(data, start, sizeof start - 1);
    assert_memory_equal(data + 12 + 9,
                        "\x1a\x0d"
                        "brain.Event:2",
                        15);
    free(data);
    cc_text nothing = CC_TEXT_INIT;
    OK(cc_event_file_write(file, 3, &nothing, &err));
    data = scratch_read(path, &size);
    assert_int_equal(size, 40);
    free(data);
    free(path);
    cc_event_file_close(&file);
    assert_null(file);
    cc_event_file_close(&file);
}

static void values_come_back(void **state)
{
    static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\x02\0\0\x01\x02 and so on";
    cc_event_file *file;
    cc_text summary = CC_TEXT_INIT;
    OK(cc_event_file_create(*state, 0, &file, &err));
    say(file, 1, 0.1);
    cc_event_add_scalar(&summary, "val/top1", 1e30);
    cc_event_add_image(&summary, "cams/00001", png, sizeof png, 258, 258);
    OK(cc_event_file_write(file, 5000000000u, &summary, &err));
    cc_event_file_close(&file);
    event_points points = events_read(*state);
    assert_int_equal(points.records, 3);
    assert_int_equal(points.count, 3);
    assert_true(events_find(&points, "train/loss", 1)->value == 0.1f);
    assert_true(events_find(&points, "val/top1", 5000000000u)->value == 1e30f);
    assert_int_equal(events_find(&points, "cams/00001", 5000000000u)->image_bytes, sizeof png);
    events_free(&points);
}

/* Three processes within one second, of which the first was killed while it wrote: the later ones are read later, and say from where on. */
static void a_later_file_takes_steps_back(void **state)
{
    cc_event_file *file;
    size_t size;
    OK(cc_event_file_create(*state, 0, &file, &err));
    for (uint64_t step = 10; step <= 40; step += 10)
        say(file, step, (double)step);
    cc_event_file_close(&file);
    char *path = first_file(*state), *data = scratch_read(path, &size);
    scratch_write(path, data, size - 3);
    free(data);
    free(path);
    for (uint64_t i = 1; i <= 2; i++) {
        OK(cc_event_file_create(*state, 21, &file, &err));
        say(file, 30, 1000.0 * (double)i);
        cc_event_file_close(&file);
    }
    event_points points = events_read(*state);
    assert_int_equal(points.files, 3);
    assert_int_equal(points.forgotten, 2); /* step 30, twice; 40 was cut off */
    assert_int_equal(points.count, 3);
    assert_true(events_find(&points, "train/loss", 20)->value == 20);
    assert_true(events_find(&points, "train/loss", 30)->value == 2000);
    assert_null(events_find(&points, "train/loss", 40));
    events_free(&points);
}

/* A clock that was set back does not bring a file before the others. */
static void the_clock_may_go_back(void **state)
{
    const char *later = scratch_path(*state, "events.out.tfevents.9000000000.elsewhere");
    cc_event_file *file;
    scratch_write(later, "", 0);
    OK(cc_event_file_create(*state, 0, &file, &err));
    cc_event_file_close(&file);
    char *path = first_file(*state);
    assert_string_equal(path, later);
    free(path);
}

static void what_cannot_be_written_is_said(void **state)
{
    cc_event_file *file;
    cc_text summary = CC_TEXT_INIT;
    assert_int_equal(cc_event_file_create(scratch_path(*state, "nowhere"), 0, &file, &err), CAMCL_IO);
    assert_null(file);
    OK(cc_event_file_create(*state, 0, &file, &err));
    for (int i = 0; i < 100; i++)
        cc_event_add_scalar(&summary, "train/loss", i);
    scratch_limit_files(64);
    const camcl_status status = cc_event_file_write(file, 1, &summary, &err);
    scratch_unlimit_files();
    assert_int_equal(status, CAMCL_IO);
    assert_non_null(strstr(err.message, "tfevents"));
    cc_event_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_encoded_as_documented),
        cmocka_unit_test_setup_teardown(the_file_begins_as_all_do, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(values_come_back, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_later_file_takes_steps_back, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(the_clock_may_go_back, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
