/* The table of data sets, and what is done with each after its reader has run. */
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "base/options.h"
#include "dataset/dataset.h"
#include "dataset/fingerprint.h"
#include "dataset/statistics.h"

#define ROW(symbol, label, side, depth, count)                                                                                             \
    { { .name = (label), .height = (side), .width = (side), .channels = (depth), .classes = (count) }, &cc_dataset_##symbol },
static const struct {
    camcl_dataset_info known; /* classes 0: only the files tell */
    const cc_dataset_kind *kind;
} rows[] = { CC_DATASETS(ROW) };
#undef ROW

const camcl_dataset_info *cc_dataset_known(const char *name)
{
    for (size_t i = 0; i < CC_COUNT(rows); i++)
        if (rows[i].known.classes && strcmp(rows[i].known.name, name) == 0) return &rows[i].known;
    return NULL;
}

camcl_status camcl_dataset_open(const camcl_dataset_spec *spec, camcl_dataset **out, camcl_error *err)
{
    CC_CHECK_GIVEN(out, err);
    camcl_status status = CAMCL_OK;
    camcl_dataset *dataset = NULL;
    size_t which = 0;
    *out = NULL;
    camcl_dataset_spec filled;
    if (spec == NULL) return cc_fail(err, CAMCL_BAD_CONFIG, "data set: no specification (say which one)");
    CC_RETURN_IF_FAILED(CC_TAKE_OPTIONS(camcl_dataset_spec, stop, spec, &filled, err));
    if (!filled.root || !*filled.root) filled.root = "data";
    while (which < CC_COUNT(rows) && (!filled.dataset || strcmp(filled.dataset, rows[which].known.name) != 0))
        which++;
    if (which == CC_COUNT(rows))
        return cc_fail(err, CAMCL_BAD_CONFIG, "data set %s: unknown (choose one of %s)", filled.dataset ? filled.dataset : "(none)",
                       CC_CATALOGUE_WORDS(CC_DATASETS));
    CC_TRY(CC_NEW(1, &dataset, err));
    dataset->info.name = rows[which].known.name;
    CC_TRY(rows[which].kind->read(dataset, &filled, err));
    if (dataset->info.train_count == 0) {
        status = cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s holds no training images", dataset->info.name, filled.root);
        goto cleanup;
    }
    if (!rows[which].kind->has_statistics) cc_dataset_take_statistics(dataset);
    CC_TRY(cc_fingerprint_take(dataset, &dataset->fingerprint, err));
    *out = dataset;
    dataset = NULL;
cleanup:
    camcl_dataset_close(&dataset);
    return status;
}
