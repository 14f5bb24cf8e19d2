/* Timings as a text file: a header that says what they are valid for, "key = choice = milliseconds" lines, a checksum. */
#include "ops/choice/timings.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_folder.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/hash.h"
#include "base/text.h"
#include "device/cache.h"
#include "device/embedded.h"

static const char magic[] = "camcl timings 1\n", last_line[] = "checksum ";

/* Magic, device, and the kernels' version: what the file must start with. */
static void describe(cc_text *text, const camcl_device_info *info)
{
    uint64_t sources = CC_HASH_START;
    for (const cc_embedded_file *file = cc_embedded_files; file->name; file++) {
        sources = cc_hash(sources, file->name, strlen(file->name) + 1);
        sources = cc_hash(sources, file->text, strlen(file->text) + 1);
    }
    cc_text_add(text, "%sdevice %s | %s | %s | %s | %u units, vectors %ux%u\ncamcl %s, kernels %016llx\n", magic, info->platform,
                info->vendor, info->name, info->driver, info->compute_units, info->vector_width, info->vector_registers, CAMCL_VERSION,
                (unsigned long long)sources);
}

static char *file_path(const camcl_device_info *info, const char *cache_dir)
{
    char name[64], *path = NULL;
    uint64_t h = cc_hash(CC_HASH_START, info->platform, strlen(info->platform) + 1);
    h = cc_hash(h, info->vendor, strlen(info->vendor) + 1);
    h = cc_hash(h, info->name, strlen(info->name) + 1);
    h = cc_hash(h, info->driver, strlen(info->driver) + 1);
    h = cc_hash(h, &info->compute_units, sizeof info->compute_units);
    h = cc_hash(h, &info->vector_width, sizeof info->vector_width);
    h = cc_hash(h, &info->vector_registers, sizeof info->vector_registers);
    snprintf(name, sizeof name, CC_CACHE_TIMINGS "/%016llx.txt", (unsigned long long)h);
    return cache_dir && cc_path_join(cache_dir, name, &path, NULL) == CAMCL_OK ? path : NULL;
}

/* ---- the table */

void cc_timings_free(cc_timings *timings)
{
    free(timings->rows);
    memset(timings, 0, sizeof *timings);
}

static cc_timing *find(const cc_timings *timings, const char *key, const char *choice)
{
    for (size_t i = 0; i < timings->count; i++)
        if (strcmp(timings->rows[i].key, key) == 0 && strcmp(timings->rows[i].choice, choice) == 0) return &timings->rows[i];
    return NULL;
}

double cc_timings_find(const cc_timings *timings, const char *key, const char *choice)
{
    const cc_timing *timing = find(timings, key, choice);
    return timing ? timing->ms : NAN;
}

camcl_status cc_timings_add(cc_timings *timings, const char *key, const char *choice, double ms, camcl_error *err)
{
    cc_timing fresh, *timing = find(timings, key, choice);
    if (strlen(key) >= sizeof fresh.key || strlen(choice) >= sizeof fresh.choice)
        return cc_fail(err, CAMCL_FAILED, "timing: %s = %s: the name is too long (report this as a defect)", key, choice);
    if (timing == NULL) {
        CC_RETURN_IF_FAILED(cc_grow((void **)&timings->rows, &timings->capacity, timings->count + 1, sizeof fresh, err));
        timing = &timings->rows[timings->count++];
    }
    snprintf(timing->key, sizeof timing->key, "%s", key);
    snprintf(timing->choice, sizeof timing->choice, "%s", choice);
    timing->ms = ms;
    return CAMCL_OK;
}

/* ---- the file */

/* Whole numbers of nanoseconds, so that no locale's decimal point gets in. */
static bool read_line(const char *line, size_t length, cc_timing *out)
{
    char text[sizeof out->key + sizeof out->choice + 64], *first, *second, *end;
    if (length >= sizeof text) return false;
    memcpy(text, line, length);
    text[length] = '\0';
    first = strstr(text, " = ");
    second = first ? strstr(first + 3, " = ") : NULL;
    if (second == NULL || (size_t)(first - text) >= sizeof out->key || (size_t)(second - first - 3) >= sizeof out->choice) return false;
    *first = *second = '\0';
    const unsigned long long ns = strtoull(second + 3, &end, 10);
    if (end == second + 3 || *end) return false;
    snprintf(out->key, sizeof out->key, "%.127s", text);
    snprintf(out->choice, sizeof out->choice, "%.127s", first + 3);
    out->ms = (double)ns * 1e-6;
    return true;
}

/* The part between header and checksum, or NULL when anything is wrong with the file. */
static const char *check(const char *data, size_t size, const cc_text *header, size_t *length)
{
    char expected[sizeof last_line + 24];
    const size_t tail = sizeof last_line - 1 + 16 + 1;
    if (strlen(data) != size || size < header->length + tail || memcmp(data, header->data, header->length) != 0) return NULL;
    snprintf(expected, sizeof expected, "%s%016llx\n", last_line, (unsigned long long)cc_hash(CC_HASH_START, data, size - tail));
    if (memcmp(data + size - tail, expected, tail) != 0) return NULL;
    *length = size - tail - header->length;
    return data + header->length;
}

void cc_timings_load(cc_timings *timings, const camcl_device_info *info, const char *cache_dir)
{
    cc_text header = CC_TEXT_INIT;
    char *path = file_path(info, cache_dir), *data = NULL;
    size_t size = 0, left = 0;
    describe(&header, info);
    const char *line =
        !header.failed && path && cc_file_read(path, &data, &size, NULL) == CAMCL_OK ? check(data, size, &header, &left) : NULL;
    while (line && left > 0) {
        cc_timing timing;
        const char *end = memchr(line, '\n', left);
        const size_t length = end ? (size_t)(end - line) : left;
        if (read_line(line, length, &timing) && find(timings, timing.key, timing.choice) == NULL &&
            cc_timings_add(timings, timing.key, timing.choice, timing.ms, NULL) != CAMCL_OK)
            break;
        left -= cc_min_size(left, length + 1);
        line += length + 1;
    }
    free(data);
    free(path);
    cc_text_free(&header);
}

void cc_timings_store(cc_timings *timings, const camcl_device_info *info, const char *cache_dir)
{
    cc_text text = CC_TEXT_INIT;
    char *path = file_path(info, cache_dir), *folder = NULL;
    cc_timings_load(timings, info, cache_dir);
    describe(&text, info);
    for (size_t i = 0; i < timings->count; i++) {
        const cc_timing *t = &timings->rows[i];
        const double ns = t->ms * 1e6;
        cc_text_add(&text, "%s = %s = %llu\n", t->key, t->choice, ns < 1e18 ? (unsigned long long)ns : 1000000000000000000u);
    }
    if (!text.failed) cc_text_add(&text, "%s%016llx\n", last_line, (unsigned long long)cc_hash(CC_HASH_START, text.data, text.length));
    if (!text.failed && path && cc_cache_make_folder(cache_dir, CC_CACHE_TIMINGS, &folder)) (void)cc_file_write_text(path, text.data, NULL);
    free(folder);
    free(path);
    cc_text_free(&text);
}
