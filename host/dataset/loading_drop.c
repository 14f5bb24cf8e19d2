/* Pictures that cannot be read. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/loading.h"

enum { NAMED = 10 }; /* the first of them in the message, the others in detail */

static const char *reason_of(const cc_loading_picture *picture) { return picture->reason ? picture->reason : picture->picture->path; }

static camcl_status refuse(const cc_loading *loading, size_t failed, size_t first, camcl_error *err)
{
    const cc_loading_picture *named = &loading->pictures[first];
    cc_text counts = CC_TEXT_INIT;
    cc_text_add_count(&counts, failed);
    cc_text_add(&counts, " of ");
    cc_text_add_count(&counts, loading->count);
    const camcl_status status =
        cc_fail(err, named->status == CAMCL_UNSUPPORTED ? CAMCL_UNSUPPORTED : CAMCL_BAD_DATA,
                "data set %s: %s pictures cannot be read%s %s (data.corrupt = skip leaves such pictures out)", loading->dataset->info.name,
                counts.failed ? "some" : counts.data, failed > 1 ? ", the first:" : ":", reason_of(named));
    cc_text_free(&counts);
    size_t said = 1;
    for (size_t i = first + 1; i < loading->count && said < NAMED; i++)
        if (loading->pictures[i].status != CAMCL_OK) cc_detail(err, "%s%s", said++ > 1 ? "\n" : "", reason_of(&loading->pictures[i]));
    if (failed > said) cc_detail(err, "\nand %zu more", failed - said);
    return status;
}

/* A class that had labelled pictures must keep one. */
static camcl_status check_classes(const cc_loading *loading, camcl_error *err)
{
    const uint32_t classes = loading->dataset->info.classes;
    uint32_t *found = NULL, *readable;
    CC_RETURN_IF_FAILED(CC_NEW(2 * (size_t)classes, &found, err));
    readable = found + classes;
    for (size_t i = 0; i < loading->count; i++) {
        const cc_loading_picture *picture = &loading->pictures[i];
        if (picture->picture->pool != CC_POOL_LABELED) continue;
        found[picture->picture->label]++;
        readable[picture->picture->label] += picture->status == CAMCL_OK;
    }
    camcl_status status = CAMCL_OK;
    for (size_t i = 0; i < loading->count && status == CAMCL_OK; i++) {
        const cc_picture *picture = loading->pictures[i].picture;
        if (picture->pool != CC_POOL_LABELED || readable[picture->label] > 0) continue;
        status = cc_fail(err, CAMCL_BAD_DATA, "data set %s: class %s: none of its %u labelled pictures can be read, the first: %s",
                         loading->dataset->info.name, loading->dataset->class_names[picture->label], (unsigned)found[picture->label],
                         reason_of(&loading->pictures[i]));
    }
    free(found);
    return status;
}

camcl_status cc_loading_judge(const cc_loading *loading, camcl_error *err)
{
    size_t failed = 0, first = 0;
    for (size_t i = loading->count; i-- > 0;) {
        const cc_loading_picture *picture = &loading->pictures[i];
        if (picture->status == CAMCL_OK) continue;
        if (picture->status == CAMCL_NO_MEMORY) return cc_fail(err, CAMCL_NO_MEMORY, "%s", reason_of(picture));
        failed++;
        first = i;
    }
    if (failed == 0) return CAMCL_OK;
    camcl_status status;
    if (!loading->spec->skip_corrupt)
        status = refuse(loading, failed, first, err);
    else if (failed < loading->count)
        return check_classes(loading, err);
    else
        status = cc_fail(err, CAMCL_BAD_DATA, "data set %s: none of %zu pictures can be read, the first: %s", loading->dataset->info.name,
                         failed, reason_of(&loading->pictures[0]));
    /* Most likely the list was moved without its pictures. */
    if (failed == loading->count && loading->set->list)
        cc_detail(err, "%spaths in a list are relative to the list's folder", failed > 1 && !loading->spec->skip_corrupt ? "\n" : "");
    return status;
}

bool cc_loading_close_gaps(cc_loading *loading)
{
    const size_t bytes = cc_loading_image_bytes(loading);
    size_t kept = 0, next = 0;
    while (next < loading->count) {
        while (next < loading->count && loading->pictures[next].status != CAMCL_OK)
            next++;
        const size_t first = next;
        while (next < loading->count && loading->pictures[next].status == CAMCL_OK)
            next++;
        if (first != kept && !cc_pixel_store_move(loading->store, kept * bytes, first * bytes, (next - first) * bytes)) return false;
        kept += next - first;
    }
    return true;
}

/* Takes the marked pictures of a part out of the set; `states` are those of the part. */
static void shorten(cc_picture_part *part, const cc_loading_picture *states)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->count; i++) {
        if (states[i].status == CAMCL_OK)
            part->pictures[kept++] = part->pictures[i];
        else
            free(part->pictures[i].path);
    }
    part->count = kept;
}

camcl_status cc_loading_drop(cc_loading *loading, camcl_error *err)
{
    cc_picture_part *parts = loading->set->parts;
    size_t dropped = 0, kept = 0;
    for (size_t i = 0; i < loading->count; i++) {
        const cc_loading_picture *picture = &loading->pictures[i];
        if (picture->status == CAMCL_OK) continue;
        CC_RETURN_IF_FAILED(cc_left_out_add(&loading->set->left_out, CC_CANNOT_BE_READ, 1, picture->picture->path, err));
        if (dropped++ == 0 && picture->reason) CC_RETURN_IF_FAILED(cc_copy_text(picture->reason, &loading->reason, err));
    }
    if (dropped == 0) return CAMCL_OK;
    const size_t train = parts[CAMCL_TRAIN_IMAGES].count;
    shorten(&parts[CAMCL_TRAIN_IMAGES], loading->pictures);
    shorten(&parts[CAMCL_TEST_IMAGES], loading->pictures + train);
    for (size_t i = 0; i < loading->count; i++) {
        if (loading->pictures[i].status == CAMCL_OK)
            loading->pictures[kept++] = loading->pictures[i];
        else
            free(loading->pictures[i].reason);
    }
    loading->count = kept;
    cc_loading_link(loading);
    return CAMCL_OK;
}
