/* Fetching a published data set. */
#include "camcl/fetch.h"

#include <string.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/options.h"
#include "base/text.h"
#include "dataset/checksum.h"
#include "dataset/download.h"
#include "dataset/fetch_file.h"

const char *camcl_fetch_name(size_t index) { return index < cc_published_count ? cc_published_sets[index].dataset : NULL; }

static const cc_published *find_set(const char *name)
{
    for (size_t i = 0; name && i < cc_published_count; i++)
        if (strcmp(cc_published_sets[i].dataset, name) == 0) return &cc_published_sets[i];
    return NULL;
}

static camcl_status check_spec(const camcl_fetch_spec *spec, const cc_published *set, camcl_error *err)
{
    if (set == NULL)
        return cc_fail(err, CAMCL_BAD_CONFIG, "data fetch: %s: no such data set (see camcl_fetch_name)",
                       spec->dataset ? spec->dataset : "none named");
    const char *lacking = !cc_can_download() ? "libcurl" : !cc_can_checksum() ? "nettle" : NULL;
    if (lacking == NULL) return CAMCL_OK;
    return cc_fail(err, CAMCL_UNSUPPORTED, "data fetch: this build has no %s (build camcl with it, or fetch %s/%s yourself)", lacking,
                   set->addresses[0], set->files[0].name);
}

camcl_status camcl_fetch(const camcl_fetch_spec *given, camcl_error *err)
{
    camcl_fetch_spec own;
    const camcl_fetch_spec *spec = &own;
    CC_CHECK_GIVEN_AS(given, "spec", err);
    CC_RETURN_IF_FAILED(CC_TAKE_OPTIONS(camcl_fetch_spec, stop, given, &own, err));
    const cc_published *set = find_set(spec->dataset);
    cc_text folder = CC_TEXT_INIT;
    camcl_status status = check_spec(spec, set, err);
    if (status != CAMCL_OK) return status;
    const char *top = spec->folder && *spec->folder ? spec->folder : "data";
    cc_text_add(&folder, "%s%s%s%s", top, top[strlen(top) - 1] == '/' ? "" : "/", set->folder, *set->folder ? "/" : "");
    CC_TRY(folder.failed ? cc_fail(err, CAMCL_NO_MEMORY, "data fetch: out of memory (close other programs)") : CAMCL_OK);
    CC_TRY(cc_make_folders(folder.data, err));
    for (const cc_published_file *file = set->files; file->name; file++)
        CC_TRY(cc_fetch_file(spec, set, file, folder.data, err));
cleanup:
    cc_text_free(&folder);
    return status;
}
