/* A file is a sequence of TFRecords: the length of the data as 8 bytes, a checksum of them, the data, and a checksum of these, numbers with
 * the lowest byte first. The data are an Event: event.proto and summary.proto of TensorBoard, whose field numbers stand below. */
#include "run/event_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/protobuf.h"

#define NAME "events.out.tfevents."

enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5, EVENT_SESSION_LOG = 7 };
enum { SESSION_STATUS = 1, SESSION_STATUS_START = 1 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLOURS = 3, IMAGE_ENCODED = 4, IMAGE_COLOURS_RGB = 3 };

struct cc_event_file {
    char *path;
    int file;
};

/* ---- names */

#define LATEST 1000000000000LL /* s since 1970; a name with a later time was not given by a clock */

/* The time in the name of an event file, by which readers order them; 0 for other names. */
static long long time_of(const char *name)
{
    const long long time = strncmp(name, NAME, strlen(NAME)) == 0 ? strtoll(name + strlen(NAME), NULL, 10) : 0;
    return time < LATEST ? time : 0;
}

static long long latest(const char *folder)
{
    long long last = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        const long long written = time_of(entry->d_name);
        if (written > last) last = written;
    }
    closedir(entries);
    return last;
}

bool cc_event_files_exist(const char *folder) { return latest(folder) > 0; }

/* Later than every other file of the folder, even if the clock was set back or the run went on within the same second. */
static camcl_status choose_path(const char *folder, char **path, camcl_error *err)
{
    char name[64];
    const long long now = (long long)time(NULL), last = latest(folder);
    snprintf(name, sizeof name, NAME "%010lld.camcl", now > last ? now : last + 1);
    return cc_path_join(folder, name, path, err);
}

/* ---- records */

/* CRC-32C (Castagnoli), rotated and shifted by a constant as TFRecord has it. */
static uint32_t checksum(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void add_number(cc_text *record, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        cc_text_add_bytes(record, &(unsigned char){ (unsigned char)(value >> 8 * i) }, 1);
}

static camcl_status append(cc_event_file *f, const cc_text *record, camcl_error *err)
{
    size_t done = 0;
    while (done < record->length) {
        const ssize_t put = write(f->file, record->data + done, record->length - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return cc_fail_errno(err, "write", f->path, errno);
        done += (size_t)put;
    }
    return fsync(f->file) == 0 || errno == EINVAL ? CAMCL_OK : cc_fail_errno(err, "write", f->path, errno);
}

static void start_event(cc_text *event, uint64_t step)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    cc_protobuf_double(event, EVENT_WALL_TIME, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
    if (step) cc_protobuf_integer(event, EVENT_STEP, step);
}

/* Frees the event. */
static camcl_status write_event(cc_event_file *f, cc_text *event, camcl_error *err)
{
    cc_text record = CC_TEXT_INIT;
    add_number(&record, event->length, 8);
    if (!record.failed) add_number(&record, checksum(record.data, 8), 4);
    cc_text_add_bytes(&record, event->data, event->length);
    add_number(&record, checksum(event->data, event->length), 4);
    const bool failed = event->failed || record.failed;
    camcl_status status =
        failed ? cc_fail(err, CAMCL_NO_MEMORY, "cannot write '%s': no memory (close other programs)", f->path) : append(f, &record, err);
    cc_text_free(&record);
    cc_text_free(event);
    return status;
}

/* ---- files */

static camcl_status write_start(cc_event_file *f, uint64_t first_step, camcl_error *err)
{
    cc_text event = CC_TEXT_INIT, session = CC_TEXT_INIT;
    start_event(&event, 0);
    /* From this version on, readers forget steps at the start of a session, and not whenever a step is smaller than the one before. */
    cc_protobuf_string(&event, EVENT_FILE_VERSION, "brain.Event:2");
    CC_RETURN_IF_FAILED(write_event(f, &event, err));
    if (first_step == 0) return CAMCL_OK;
    start_event(&event, first_step);
    cc_protobuf_integer(&session, SESSION_STATUS, SESSION_STATUS_START);
    cc_protobuf_message(&event, EVENT_SESSION_LOG, &session);
    return write_event(f, &event, err);
}

camcl_status cc_event_file_create(const char *folder, uint64_t first_step, cc_event_file **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_event_file *f = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &f, err));
    f->file = -1;
    CC_TRY(choose_path(folder, &f->path, err));
    f->file = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (f->file < 0) CC_TRY(cc_fail_errno(err, "write", f->path, errno));
    CC_TRY(write_start(f, first_step, err));
    *out = f;
    f = NULL;
cleanup:
    cc_event_file_close(&f);
    return status;
}

void cc_event_file_close(cc_event_file **file)
{
    cc_event_file *f = *file;
    if (f == NULL) return;
    if (f->file >= 0) close(f->file);
    free(f->path);
    free(f);
    *file = NULL;
}

/* ---- values */

void cc_event_add_scalar(cc_text *summary, const char *tag, double value)
{
    cc_text one = CC_TEXT_INIT;
    cc_protobuf_string(&one, VALUE_TAG, tag);
    cc_protobuf_float(&one, VALUE_SIMPLE, (float)value);
    cc_protobuf_message(summary, SUMMARY_VALUE, &one);
}

void cc_event_add_image(cc_text *summary, const char *tag, const void *png, size_t size, uint32_t width, uint32_t height)
{
    cc_text one = CC_TEXT_INIT, image = CC_TEXT_INIT;
    cc_protobuf_integer(&image, IMAGE_HEIGHT, height);
    cc_protobuf_integer(&image, IMAGE_WIDTH, width);
    cc_protobuf_integer(&image, IMAGE_COLOURS, IMAGE_COLOURS_RGB);
    cc_protobuf_bytes(&image, IMAGE_ENCODED, png, size);
    cc_protobuf_string(&one, VALUE_TAG, tag);
    cc_protobuf_message(&one, VALUE_IMAGE, &image);
    cc_protobuf_message(summary, SUMMARY_VALUE, &one);
}

camcl_status cc_event_file_write(cc_event_file *file, uint64_t step, cc_text *summary, camcl_error *err)
{
    cc_text event = CC_TEXT_INIT;
    if (summary->length == 0 && !summary->failed) return CAMCL_OK;
    start_event(&event, step);
    cc_protobuf_message(&event, EVENT_SUMMARY, summary);
    return write_event(file, &event, err);
}
