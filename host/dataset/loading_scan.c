/* What there is to know of pictures before they are decoded. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "dataset/entries.h"
#include "dataset/loading.h"

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

/* Must change when the same files become other pixels or notes than before. */
static const char version[] = "camcl pixels 2"
#ifdef CAMCL_HAVE_PNG
                              " PNG"
#endif
#ifdef CAMCL_HAVE_JPEG
                              " JPEG"
#endif
#ifdef CAMCL_HAVE_WEBP
                              " WebP"
#endif
#ifdef CAMCL_HAVE_EXIF
                              " EXIF"
#endif
    ;

static void look_up(void *context, size_t index)
{
    cc_loading *loading = context;
    cc_loading_picture *picture = &loading->pictures[index];
    struct stat info;
    char kind[64];
    camcl_error why;
    if (stat(picture->picture->path, &info) != 0) {
        (void)cc_fail_errno(&why, "read", picture->picture->path, errno);
        cc_loading_fail(loading, index, &why);
        return;
    }
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        /* Opening a pipe would wait for whoever writes into it. */
        cc_entry_describe(picture->picture->path, kind, sizeof kind);
        (void)cc_fail(&why, CAMCL_BAD_DATA, "%s: %s (a picture is a file)", picture->picture->path, kind);
        cc_loading_fail(loading, index, &why);
        return;
    }
    picture->bytes = (uint64_t)info.st_size;
    picture->seconds = (int64_t)info.st_mtim.tv_sec;
    picture->nanoseconds = (int64_t)info.st_mtim.tv_nsec;
}

static uint64_t hash_pictures(const cc_loading *loading, uint64_t hash)
{
    const camcl_dataset_spec *spec = loading->spec;
    hash = cc_hash(hash, version, sizeof version);
    hash = cc_hash_number(hash, spec->image_size);
    hash = cc_hash_number(hash, spec->image_size ? (uint64_t)spec->fit : 0);
    for (size_t i = 0; i < loading->count; i++) {
        const cc_loading_picture *picture = &loading->pictures[i];
        hash = cc_hash(hash, picture->picture->relative, strlen(picture->picture->relative) + 1);
        hash = cc_hash_number(hash, picture->bytes);
        hash = cc_hash_number(hash, (uint64_t)picture->seconds);
        hash = cc_hash_number(hash, (uint64_t)picture->nanoseconds);
    }
    return hash;
}

camcl_status cc_loading_identify(cc_loading *loading, cc_pixel_key *key, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_loading_run(loading, "picture files", look_up, err));
    /* Two starts of one function make two hashes: what collides after one start does not after the other. */
    key->half[0] = hash_pictures(loading, CC_HASH_START);
    key->half[1] = hash_pictures(loading, ~CC_HASH_START);
    return CAMCL_OK;
}

static void probe(void *context, size_t index)
{
    cc_loading *loading = context;
    cc_loading_picture *picture = &loading->pictures[index];
    camcl_error why;
    if (picture->status != CAMCL_OK) return;
    if (camcl_image_probe(picture->picture->path, &picture->about, &why) != CAMCL_OK) cc_loading_fail(loading, index, &why);
}

/* All pictures keep the size of the first, so another one is refused. */
static camcl_status settle_common_size(cc_loading *loading, camcl_error *err)
{
    const cc_loading_picture *first = NULL;
    for (size_t i = 0; i < loading->count; i++) {
        const cc_loading_picture *next = &loading->pictures[i];
        if (next->status != CAMCL_OK) continue;
        if (!first) first = next;
        if (next->about.width == first->about.width && next->about.height == first->about.height) continue;
        return cc_fail(err, CAMCL_BAD_DATA,
                       "data set %s: %s has %u x %u pixels, %s has %u x %u (give the side of the squares that all are scaled to, for "
                       "example data.image_size=224; data.fit says how)",
                       loading->dataset->info.name, first->picture->path, (unsigned)first->about.width, (unsigned)first->about.height,
                       next->picture->path, (unsigned)next->about.width, (unsigned)next->about.height);
    }
    loading->width = first ? first->about.width : 0;
    loading->height = first ? first->about.height : 0;
    return CAMCL_OK;
}

camcl_status cc_loading_probe(cc_loading *loading, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_loading_run(loading, "picture headers", probe, err));
    loading->width = loading->height = loading->spec->image_size;
    return loading->spec->image_size ? CAMCL_OK : settle_common_size(loading, err);
}
