#include "dataset/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/parallel.h"

/* Pixels are hashed in blocks on all processors, and then the blocks' hashes, so that their number does not matter. */
#define BLOCK ((size_t)1 << 20)

typedef struct blocks {
    const uint8_t *bytes;
    size_t size;
    uint64_t *hashes;
} blocks;

static void hash_block(void *context, size_t index)
{
    const blocks *b = context;
    const size_t at = index * BLOCK;
    b->hashes[index] = cc_hash_bulk(CC_HASH_START, b->bytes + at, cc_min_size(BLOCK, b->size - at));
}

static camcl_status hash_bytes(uint64_t *hash, const uint8_t *bytes, size_t size, camcl_error *err)
{
    blocks b = { bytes, size, NULL };
    const size_t count = cc_ceil_div(size, BLOCK);
    CC_RETURN_IF_FAILED(CC_NEW(count, &b.hashes, err));
    cc_parallel(count, hash_block, &b);
    for (size_t i = 0; i < count; i++)
        *hash = cc_hash_number(*hash, b.hashes[i]);
    free(b.hashes);
    return CAMCL_OK;
}

static void hash_text(uint64_t *hash, const char *text) { *hash = cc_hash(*hash, text, strlen(text) + 1); }

/* Images that are no files: their number, shape and bytes. */
static camcl_status add_images(camcl_fingerprint *print, const camcl_dataset *dataset, camcl_dataset_part part, camcl_error *err)
{
    const camcl_dataset_info *info = &dataset->info;
    const uint32_t shape[] = { info->height, info->width, info->channels };
    const size_t count = cc_dataset_count(dataset, part);
    print->sizes = cc_hash_number(print->sizes, count);
    for (size_t i = 0; i < CC_COUNT(shape); i++)
        print->sizes = cc_hash_number(print->sizes, shape[i]);
    return hash_bytes(&print->sizes, camcl_dataset_pixels(dataset, part), count * shape[0] * shape[1] * shape[2], err);
}

static void add_files(camcl_fingerprint *print, const cc_dataset_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash_text(&print->names, files[i].relative);
        print->sizes = cc_hash_number(print->sizes, files[i].bytes);
    }
}

camcl_status cc_fingerprint_take(const camcl_dataset *dataset, camcl_fingerprint *out, camcl_error *err)
{
    const camcl_dataset_info *info = &dataset->info;
    camcl_fingerprint print = { CC_HASH_START, CC_HASH_START, CC_HASH_START };
    if (!dataset->parts[CAMCL_TRAIN_IMAGES].files) hash_text(&print.names, info->name);
    for (uint32_t i = 0; i < info->classes; i++)
        hash_text(&print.labels, dataset->class_names[i]);
    print.labels = cc_hash_number(print.labels, info->validation_count);
    for (int part = 0; part < 2; part++) {
        const cc_dataset_images *images = &dataset->parts[part];
        const size_t count = cc_dataset_count(dataset, part);
        if (images->files)
            add_files(&print, images->files, count);
        else
            CC_RETURN_IF_FAILED(add_images(&print, dataset, (camcl_dataset_part)part, err));
        print.labels = cc_hash_number(print.labels, count);
        for (size_t i = 0; i < count; i++)
            print.labels = cc_hash_number(print.labels, (uint64_t)(int64_t)images->labels[i]);
    }
    *out = print;
    return CAMCL_OK;
}
