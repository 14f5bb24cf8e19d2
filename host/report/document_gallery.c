/* Pictures of all runs: those of one image together, and each picture once. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/base64.h"
#include "report/document.h"
#include "report/json_text.h"

/* A picture of a run, and which of the document's pictures it is. */
typedef struct shown {
    const cc_picture *picture;
    size_t run, id;
} shown;

typedef struct album {
    shown *items; /* by stem, then run, then part */
    size_t count, pictures;
} album;

static int by_stem(const void *a, const void *b)
{
    const shown *x = a, *y = b;
    const int stem = strcmp(x->picture->stem, y->picture->stem);
    if (stem != 0) return stem;
    if (x->run != y->run) return x->run < y->run ? -1 : 1;
    return strcmp(x->picture->part, y->picture->part);
}

static bool same_stem(const shown *a, const shown *b) { return strcmp(a->picture->stem, b->picture->stem) == 0; }

static bool same_picture(const cc_picture *a, const cc_picture *b) { return a->size == b->size && memcmp(a->data, b->data, a->size) == 0; }

/* Equal files of one stem become one picture of the document. */
static camcl_status make_album(const cc_report_run *runs, size_t count, album *out)
{
    size_t total = 0;
    *out = (album){ NULL, 0, 0 };
    for (size_t r = 0; r < count; r++)
        total += runs[r].pictures.count;
    CC_RETURN_IF_FAILED(CC_NEW(total, &out->items, NULL));
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < runs[r].pictures.count; i++)
            out->items[out->count++] = (shown){ &runs[r].pictures.items[i], r, 0 };
    if (total > 0) qsort(out->items, total, sizeof *out->items, by_stem);
    for (size_t i = 0; i < total; i++) {
        const shown *known = NULL;
        for (size_t j = i; j > 0 && known == NULL && same_stem(&out->items[j - 1], &out->items[i]); j--)
            if (same_picture(out->items[j - 1].picture, out->items[i].picture)) known = &out->items[j - 1];
        out->items[i].id = known ? known->id : out->pictures++;
    }
    return CAMCL_OK;
}

static void add_pictures(cc_text *out, const album *a)
{
    size_t next = 0;
    cc_json_begin(out, "pictures", '[');
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].id != next) continue;
        const cc_picture *p = a->items[i].picture;
        next++;
        cc_json_begin(out, NULL, '{');
        cc_json_begin(out, "png", '"');
        cc_text_add_base64(out, p->data, p->size);
        cc_json_end(out, '"');
        cc_json_add_count(out, "width", p->width);
        cc_json_add_count(out, "height", p->height);
        cc_json_end(out, '}');
    }
    cc_json_end(out, ']');
}

/* ---- one image */

/* Pictures items[0..count) of one stem. */
typedef struct entry {
    const cc_report_run *runs;
    const shown *items;
    size_t count;
} entry;

static const shown *find(const entry *e, size_t run, const char *part)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->items[i].run == run && strcmp(e->items[i].picture->part, part) == 0) return &e->items[i];
    return NULL;
}

/* What the run shows of the stem: pictures of the same image have the same number. */
static size_t image_of(const entry *e, size_t run)
{
    const shown *image = find(e, run, "image");
    return image ? image->id : SIZE_MAX;
}

/* Whether a part belongs to the image, not to a run's network. */
static bool is_of_image(const char *part) { return strcmp(part, "image") == 0 || strcmp(part, "input") == 0 || strcmp(part, "mask") == 0; }

static void add_parts(cc_text *out, const entry *e, size_t run, bool of_image)
{
    cc_json_begin(out, "parts", '[');
    for (size_t i = 0; i < e->count; i++) {
        if (e->items[i].run != run || is_of_image(e->items[i].picture->part) != of_image) continue;
        cc_json_begin(out, NULL, '{');
        cc_json_add_string(out, "part", e->items[i].picture->part);
        cc_json_add_count(out, "picture", e->items[i].id);
        cc_json_end(out, '}');
    }
    cc_json_end(out, ']');
}

/* The image that run `first` shows, with all runs that show the same. */
static void add_image(cc_text *out, const entry *e, size_t first, size_t count)
{
    const char *stem = e->items[0].picture->stem;
    const cc_caption *caption = cc_pictures_caption(&e->runs[first].pictures, stem);
    cc_json_begin(out, NULL, '{');
    cc_json_add_string(out, "file", stem);
    cc_json_add_number(out, "index", caption ? caption->index : NAN);
    cc_json_add_string(out, "class", caption ? caption->class_name : NULL);
    add_parts(out, e, first, true);
    cc_json_begin(out, "runs", '[');
    for (size_t r = first; r < count; r++) {
        size_t i = 0;
        while (i < e->count && e->items[i].run != r)
            i++;
        if (i == e->count || image_of(e, r) != image_of(e, first)) continue;
        caption = cc_pictures_caption(&e->runs[r].pictures, stem);
        cc_json_begin(out, NULL, '{');
        cc_json_add_count(out, "run", r);
        cc_json_begin(out, "why", '[');
        if (cc_pictures_is_spread(&e->runs[r].pictures, stem)) cc_json_add_string(out, NULL, "spread");
        if (cc_pictures_is_mistake(&e->runs[r].pictures, stem)) cc_json_add_string(out, NULL, "mistake");
        cc_json_end(out, ']');
        cc_json_add_string(out, "predicted", caption ? caption->predicted : NULL);
        cc_json_add_number(out, "confidence", caption ? caption->confidence : NAN);
        cc_json_add_string(out, "explained", caption ? caption->explained : NULL);
        cc_json_add_number(out, "distance", caption ? caption->distance : NAN);
        add_parts(out, e, r, false);
        cc_json_end(out, '}');
    }
    cc_json_end(out, ']');
    cc_json_end(out, '}');
}

/* Runs on other data have files of the same name that show something else: each image is an entry of its own. */
static void add_stem(cc_text *out, const entry *e, size_t count)
{
    for (size_t i = 0; i < e->count; i++) {
        const size_t run = e->items[i].run;
        bool earlier = false;
        for (size_t j = 0; j < i && !earlier; j++)
            earlier = e->items[j].run == run || image_of(e, e->items[j].run) == image_of(e, run);
        if (!earlier) add_image(out, e, run, count);
    }
}

void cc_report_add_gallery(cc_text *out, const cc_report_run *runs, size_t count)
{
    album a;
    size_t left_out = 0;
    if (make_album(runs, count, &a) != CAMCL_OK) {
        out->failed = true;
        return;
    }
    add_pictures(out, &a);
    cc_json_begin(out, "gallery", '[');
    for (size_t i = 0, n; i < a.count; i += n) {
        n = 1;
        while (i + n < a.count && same_stem(&a.items[i], &a.items[i + n]))
            n++;
        add_stem(out, &(entry){ runs, a.items + i, n }, count);
    }
    cc_json_end(out, ']');
    for (size_t r = 0; r < count; r++)
        left_out += runs[r].pictures.left_out;
    cc_json_add_count(out, "pictures_left_out", left_out);
    free(a.items);
}
