#include "run/data_identity.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define ADVICE "(restore the data that the run began with, or choose another output.dir)"

/* The numbers of the object, and what they count. */
static const struct {
    const char *member, *what;
} pools[] = { { "train", "training" },
              { "unlabeled", "unlabelled" },
              { "validation", "validation" },
              { "held_out", "held-out test" },
              { "test", "test" } };

enum { NAMED_CLASSES = 10 };

camcl_status cc_data_identity(const camcl_dataset *dataset, char **out, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const camcl_fingerprint print = camcl_dataset_fingerprint(dataset);
    const char *const *classes = camcl_dataset_class_names(dataset);
    const uint32_t counts[] = { info->train_count - info->unlabeled_count - info->validation_count, info->unlabeled_count,
                                info->validation_count, info->held_out_count, info->test_count };
    cc_text text = CC_TEXT_INIT;
    *out = NULL;
    /* A JSON number has 53 bits, so the hashes are texts. */
    cc_text_add(&text,
                "{\"names\": \"%016" PRIx64 "\", \"sizes\": \"%016" PRIx64 "\", \"labels\": \"%016" PRIx64 "\", \"images\": ", print.names,
                print.sizes, print.labels);
    cc_text_add_json_string(&text, camcl_dataset_file(dataset, CAMCL_TRAIN_IMAGES, 0) ? "pictures" : "images");
    for (size_t i = 0; i < CC_COUNT(pools); i++)
        cc_text_add(&text, ", \"%s\": %" PRIu32, pools[i].member, counts[i]);
    cc_text_add(&text, ", \"classes\": [");
    for (uint32_t i = 0; i < info->classes; i++) {
        if (i) cc_text_add(&text, ", ");
        cc_text_add_json_string(&text, classes[i]);
    }
    cc_text_add(&text, "]}");
    if (text.failed) {
        cc_text_free(&text);
        return cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for the description of the data (close other programs)");
    }
    *out = text.data;
    return CAMCL_OK;
}

/* ---- what became different */

typedef struct comparison {
    const cc_json *before, *now;
    cc_text lines; /* one difference a line */
    size_t count;
} comparison;

static void add_line(comparison *c, const char *format, ...) CC_PRINTF(2, 3);
static void add_line(comparison *c, const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    cc_text_add(&c->lines, "%s\n", line);
    c->count++;
}

static bool has_class(const cc_json *classes, const char *name)
{
    for (size_t i = 0; classes && i < classes->count; i++) {
        const char *own = cc_json_string(&classes->items[i]);
        if (own && strcmp(own, name) == 0) return true;
    }
    return false;
}

/* The classes of `own` that `other` lacks, in one line. */
static void compare_classes(comparison *c, const cc_json *own, const cc_json *other, const char *which)
{
    cc_text names = CC_TEXT_INIT;
    size_t count = 0;
    for (size_t i = 0; own && i < own->count; i++) {
        const char *name = cc_json_string(&own->items[i]);
        if (name == NULL || has_class(other, name) || ++count > NAMED_CLASSES) continue;
        cc_text_add(&names, "%s", count > 1 ? ", " : "");
        cc_text_add_visible(&names, name, 48);
    }
    if (count > NAMED_CLASSES) cc_text_add(&names, " and %zu more", count - NAMED_CLASSES);
    if (count && !names.failed) add_line(c, "%s %s: %s", count == 1 ? "class" : "classes", which, names.data);
    cc_text_free(&names);
}

static bool differs(const comparison *c, const char *member)
{
    const char *before = cc_json_string(cc_json_get(c->before, member)), *now = cc_json_string(cc_json_get(c->now, member));
    return before == NULL || now == NULL || strcmp(before, now) != 0;
}

/* The hashes are compared only where the numbers agree, because a file more or less changes all of them; other names change the order of
 * the images, and with it the other hashes. */
static void compare(comparison *c)
{
    const cc_json *classes_before = cc_json_get(c->before, "classes"), *classes_now = cc_json_get(c->now, "classes");
    const char *images = cc_json_string(cc_json_get(c->now, "images"));
    const bool files = images && strcmp(images, "pictures") == 0;
    size_t before, now;
    compare_classes(c, classes_before, classes_now, "that the run had and the data lack");
    compare_classes(c, classes_now, classes_before, "that the data have and the run had not");
    for (size_t i = 0; i < CC_COUNT(pools); i++)
        if (cc_json_size(cc_json_get(c->before, pools[i].member), &before) && cc_json_size(cc_json_get(c->now, pools[i].member), &now) &&
            before != now)
            add_line(c, "%zu %s %s before, %zu now", before, pools[i].what, files ? "pictures" : "images", now);
    if (c->count) return;
    if (differs(c, "names")) {
        add_line(c, "files have other names");
        return;
    }
    if (differs(c, "sizes")) add_line(c, files ? "files have other sizes" : "the images differ");
    if (differs(c, "labels")) add_line(c, "labels differ");
}

camcl_status cc_data_identity_check(const char *path, const char *before, const char *now, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_json *old = NULL, *new = NULL;
    comparison c = { .lines = CC_TEXT_INIT };
    if (strcmp(before, now) == 0) return CAMCL_OK;
    status = cc_json_parse(before, strlen(before), &old, err);
    if (status == CAMCL_NO_MEMORY) goto cleanup;
    if (status != CAMCL_OK) {
        status = cc_fail(err, CAMCL_BAD_DATA, "%s: metadata \"data\" does not describe data " ADVICE, path);
        goto cleanup;
    }
    CC_TRY(cc_json_parse(now, strlen(now), &new, err));
    c.before = old;
    c.now = new;
    compare(&c);
    if (c.lines.failed) {
        status = cc_fail(err, CAMCL_NO_MEMORY, "%s: no memory to say how the data differ from the run's (close other programs)", path);
        goto cleanup;
    }
    if (c.count == 0) {
        status = cc_fail(err, CAMCL_BAD_DATA, "%s: the data are not those of the run " ADVICE, path);
        goto cleanup;
    }
    status = cc_fail(err, CAMCL_BAD_DATA, "%s: the data are not those of the run: %.*s%s " ADVICE, path, (int)strcspn(c.lines.data, "\n"),
                     c.lines.data, c.count > 1 ? ", and more" : "");
    if (c.count > 1) cc_detail(err, "%s", c.lines.data);
cleanup:
    cc_text_free(&c.lines);
    cc_json_free(&old);
    cc_json_free(&new);
    return status;
}
