#include "feed/resident.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct cc_resident {
    size_t count, height, width, channels, per_chunk, chunk_count;
    cc_tensor *chunks;   /* [images of the chunk,H,W,C] u8 */
    cc_tensor labels;    /* [count] i32 */
    cc_tensor normalise; /* [2C] f32: mean, 1/std */
};

static camcl_status copy_pixels(cc_resident *r, camcl_device *device, const cc_resident_spec *spec, camcl_error *err)
{
    size_t image = r->height * r->width * r->channels, limit = camcl_device_get_info(device)->max_alloc;
    r->per_chunk = cc_max_size(1, cc_min_size(r->count, limit / image));
    r->chunk_count = cc_ceil_div(r->count, r->per_chunk);
    CC_RETURN_IF_FAILED(CC_NEW(r->chunk_count, &r->chunks, err));
    for (size_t i = 0; i < r->chunk_count; i++) {
        size_t first = i * r->per_chunk, n = cc_min_size(r->per_chunk, r->count - first);
        CC_RETURN_IF_FAILED(cc_tensor_create(device, spec->name, CC_U8, CC_DIMS(n, r->height, r->width, r->channels), &r->chunks[i], err));
        if (spec->pixels) CC_RETURN_IF_FAILED(cc_buffer_write(r->chunks[i].buffer, 0, spec->pixels + first * image, n * image, err));
    }
    return CAMCL_OK;
}

static camcl_status copy_labels(cc_resident *r, camcl_device *device, const cc_resident_spec *spec, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    int32_t *unknown = NULL;
    CC_TRY(cc_tensor_create(device, "labels", CC_I32, CC_DIMS(r->count), &r->labels, err));
    if (spec->labels == NULL) {
        CC_TRY(CC_NEW(r->count, &unknown, err));
        for (size_t i = 0; i < r->count; i++)
            unknown[i] = -1;
    }
    CC_TRY(cc_buffer_write(r->labels.buffer, 0, spec->labels ? spec->labels : unknown, r->count * sizeof(int32_t), err));
cleanup:
    free(unknown);
    return status;
}

static camcl_status copy_normalise(cc_resident *r, camcl_device *device, const cc_resident_spec *spec, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    float *values = NULL;
    CC_TRY(CC_NEW(2 * r->channels, &values, err));
    for (size_t c = 0; c < r->channels; c++) {
        values[c] = spec->mean[c];
        values[r->channels + c] = 1 / spec->std[c];
    }
    CC_TRY(cc_tensor_create(device, "normalisation", CC_F32, CC_DIMS(2 * r->channels), &r->normalise, err));
    CC_TRY(cc_buffer_write(r->normalise.buffer, 0, values, 2 * r->channels * sizeof *values, err));
cleanup:
    free(values);
    return status;
}

camcl_status cc_resident_create(camcl_device *device, const cc_resident_spec *spec, cc_resident **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_resident *r = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &r, err));
    r->count = spec->count;
    r->height = spec->height;
    r->width = spec->width;
    r->channels = spec->channels;
    CC_TRY(copy_pixels(r, device, spec, err));
    CC_TRY(copy_labels(r, device, spec, err));
    CC_TRY(copy_normalise(r, device, spec, err));
    *out = r;
    r = NULL;
cleanup:
    cc_resident_destroy(&r);
    return status;
}

camcl_status cc_resident_write(cc_resident *r, size_t n, const uint8_t *pixels, const int32_t *labels, camcl_error *err)
{
    const size_t image = r->height * r->width * r->channels;
    for (size_t i = 0, first = 0; i < r->chunk_count && first < n; i++, first += r->per_chunk) {
        const size_t part = cc_min_size(r->per_chunk, n - first);
        CC_RETURN_IF_FAILED(cc_buffer_write(r->chunks[i].buffer, 0, pixels + first * image, part * image, err));
    }
    return n ? cc_buffer_write(r->labels.buffer, 0, labels, n * sizeof *labels, err) : CAMCL_OK;
}

void cc_resident_destroy(cc_resident **handle)
{
    cc_resident *r = *handle;
    if (r == NULL) return;
    for (size_t i = 0; r->chunks && i < r->chunk_count; i++)
        cc_buffer_destroy(&r->chunks[i].buffer);
    cc_buffer_destroy(&r->labels.buffer);
    cc_buffer_destroy(&r->normalise.buffer);
    free(r->chunks);
    free(r);
    *handle = NULL;
}

size_t cc_resident_channels(const cc_resident *resident) { return resident->channels; }
size_t cc_resident_count(const cc_resident *resident) { return resident->count; }

camcl_status cc_resident_load(const cc_resident *r, cc_tape *tape, size_t n, size_t size, cc_tensor transforms, cc_tensor dst,
                              size_t dst_row0, camcl_error *err)
{
    for (size_t i = 0; i < r->chunk_count; i++) {
        cc_load_desc desc = { n, r->height, r->width, r->channels, size, dst_row0, i * r->per_chunk, r->chunks[i].dim[0] };
        CC_RETURN_IF_FAILED(cc_load_images(tape, &desc, r->chunks[i], transforms, r->normalise, dst, err));
    }
    return CAMCL_OK;
}

camcl_status cc_resident_labels(const cc_resident *r, cc_tape *tape, size_t n, cc_tensor transforms, cc_tensor out, camcl_error *err)
{
    return cc_load_labels(tape, n, r->labels, transforms, out, err);
}
