#include "feed/resident.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "device/stream.h"
#include "feed/places.h"

struct cc_resident {
    cc_places places;
    size_t height, width, channels, per_chunk, chunk_count;
    cc_tensor *chunks;     /* [images of the chunk,H,W,C] u8: the places of images that are kept */
    cc_tensor landing;     /* [places.landing,H,W,C] u8: the places behind them; no buffer where nothing is streamed */
    cc_tensor labels;      /* [count] i32 */
    cc_tensor normalise;   /* [2C] f32: mean, 1/std */
    const uint8_t *pixels; /* borrowed: of all images, where some are streamed */
    cc_stream *stream;     /* NULL: nothing is streamed */
    uint32_t *brought;     /* [places.landing] scratch */
};

static size_t image_bytes(const cc_resident *r) { return r->height * r->width * r->channels; }

/* ---- images that are kept */

/* Images that do not follow one another on the host are gathered in blocks of about this size, because a transfer of one image alone takes
 * much longer than its bytes do. */
enum { BLOCK_BYTES = 1 << 20 };

static camcl_status gather_chunk(cc_resident *r, const uint8_t *pixels, size_t chunk, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    uint8_t *block = NULL;
    const size_t image = image_bytes(r), n = r->chunks[chunk].dim[0], most = cc_max_size(1, BLOCK_BYTES / image);
    const uint32_t *images = r->places.staying + chunk * r->per_chunk;
    CC_TRY(CC_NEW(cc_min_size(n, most) * image, &block, err));
    for (size_t first = 0; first < n; first += most) {
        const size_t part = cc_min_size(most, n - first);
        for (size_t i = 0; i < part; i++)
            memcpy(block + i * image, pixels + images[first + i] * image, image);
        CC_TRY(cc_buffer_write(r->chunks[chunk].buffer, first * image, block, part * image, err));
    }
cleanup:
    free(block);
    return status;
}

static camcl_status copy_pixels(cc_resident *r, camcl_device *device, const cc_resident_spec *spec, camcl_error *err)
{
    /* No operation takes tensors of more elements, whatever the device allows. */
    const size_t limit = cc_min_size(camcl_device_get_info(device)->max_alloc, INT32_MAX), image = image_bytes(r),
                 count = r->places.staying_count;
    r->per_chunk = cc_max_size(1, cc_min_size(count, limit / image));
    r->chunk_count = cc_ceil_div(count, r->per_chunk);
    CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(r->chunk_count, 1), &r->chunks, err));
    for (size_t i = 0; i < r->chunk_count; i++) {
        size_t first = i * r->per_chunk, n = cc_min_size(r->per_chunk, count - first);
        CC_RETURN_IF_FAILED(cc_tensor_create(device, spec->name, CC_U8, CC_DIMS(n, r->height, r->width, r->channels), &r->chunks[i], err));
        if (spec->pixels && r->places.staying) CC_RETURN_IF_FAILED(gather_chunk(r, spec->pixels, i, err));
        if (spec->pixels && !r->places.staying)
            CC_RETURN_IF_FAILED(cc_buffer_write(r->chunks[i].buffer, 0, spec->pixels + first * image, n * image, err));
    }
    return CAMCL_OK;
}

/* ---- images that are streamed */

static camcl_status open_stream(cc_resident *r, camcl_device *device, const cc_resident_spec *spec, camcl_error *err)
{
    const size_t n = r->places.landing;
    if (n == 0) return CAMCL_OK;
    r->pixels = spec->pixels;
    CC_RETURN_IF_FAILED(CC_NEW(n, &r->brought, err));
    CC_RETURN_IF_FAILED(cc_tensor_create(device, "streamed images", CC_U8, CC_DIMS(n, r->height, r->width, r->channels), &r->landing, err));
    return cc_stream_create(device, n * image_bytes(r), "streamed images", &r->stream, err);
}

/* Pixels may lie in a mapped file. Where they are not in memory, the system then reads those of all images at once, instead of one page
 * after another as they are touched. */
static void read_ahead(const cc_resident *r, size_t count)
{
    const size_t image = image_bytes(r), page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixels = r->pixels + r->brought[i] * image;
        const size_t before = (uintptr_t)pixels % page;
        (void)posix_madvise((void *)((uintptr_t)pixels - before), before + image, POSIX_MADV_WILLNEED);
    }
}

camcl_status cc_resident_place(cc_resident *r, size_t n, cc_transform *transforms, camcl_error *err)
{
    const size_t image = image_bytes(r), count = cc_places_assign(&r->places, n, transforms, r->brought);
    void *data;
    if (count > r->places.landing)
        return cc_fail(err, CAMCL_FAILED, "images: %zu of a batch are to be streamed, there is room for %zu (report this as a defect)",
                       count, r->places.landing);
    if (count == 0) return CAMCL_OK;
    read_ahead(r, count);
    CC_RETURN_IF_FAILED(cc_stream_fill(r->stream, &data, err));
    for (size_t i = 0; i < count; i++)
        memcpy((uint8_t *)data + i * image, r->pixels + r->brought[i] * image, image);
    return cc_stream_send(r->stream, count * image, r->landing.buffer, 0, err);
}

/* ---- labels and normalisation */

static camcl_status copy_labels(cc_resident *r, camcl_device *device, const cc_resident_spec *spec, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    int32_t *unknown = NULL;
    CC_TRY(cc_tensor_create(device, "labels", CC_I32, CC_DIMS(r->places.count), &r->labels, err));
    if (spec->labels == NULL) {
        CC_TRY(CC_NEW(r->places.count, &unknown, err));
        for (size_t i = 0; i < r->places.count; i++)
            unknown[i] = -1;
    }
    CC_TRY(cc_buffer_write(r->labels.buffer, 0, spec->labels ? spec->labels : unknown, r->places.count * sizeof(int32_t), err));
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

/* ---- life */

camcl_status cc_resident_create(camcl_device *device, const cc_resident_spec *spec, cc_resident **out, camcl_error *err)
{
    return cc_resident_create_streaming(device, spec, NULL, out, err);
}

camcl_status cc_resident_create_streaming(camcl_device *device, const cc_resident_spec *spec, const cc_streaming *streaming,
                                          cc_resident **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_resident *r = NULL;
    *out = NULL;
    CC_TRY(CC_NEW(1, &r, err));
    r->height = spec->height;
    r->width = spec->width;
    r->channels = spec->channels;
    r->places = cc_places_whole(spec->count);
    if (streaming)
        CC_TRY(cc_places_create(spec->count, streaming->order, streaming->count, streaming->room, streaming->batch, &r->places, err));
    CC_TRY(copy_pixels(r, device, spec, err));
    CC_TRY(open_stream(r, device, spec, err));
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
    const size_t image = image_bytes(r);
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
    cc_stream_destroy(&r->stream);
    for (size_t i = 0; r->chunks && i < r->chunk_count; i++)
        cc_buffer_destroy(&r->chunks[i].buffer);
    cc_buffer_destroy(&r->landing.buffer);
    cc_buffer_destroy(&r->labels.buffer);
    cc_buffer_destroy(&r->normalise.buffer);
    cc_places_free(&r->places);
    free(r->brought);
    free(r->chunks);
    free(r);
    *handle = NULL;
}

size_t cc_resident_channels(const cc_resident *resident) { return resident->channels; }
size_t cc_resident_count(const cc_resident *resident) { return resident->places.count; }
size_t cc_resident_used(const cc_resident *resident) { return resident->places.used; }
size_t cc_resident_kept(const cc_resident *resident) { return resident->places.staying_count; }
bool cc_resident_is_whole(const cc_resident *resident) { return resident->places.slot == NULL; }

/* ---- loading */

/* Records one load for each buffer that holds images; `bytes`: into dst [*,S,S,C] u8, else normalised into f32. */
static camcl_status load(const cc_resident *r, cc_tape *tape, cc_load_desc desc, bool bytes, cc_tensor transforms, cc_tensor dst,
                         camcl_error *err)
{
    desc.h = r->height;
    desc.w = r->width;
    desc.c = r->channels;
    for (size_t i = 0; i < r->chunk_count + (r->stream ? 1 : 0); i++) {
        const bool streamed = i == r->chunk_count;
        const cc_tensor pixels = streamed ? r->landing : r->chunks[i];
        desc.first_image = streamed ? r->places.staying_count : i * r->per_chunk;
        desc.images = pixels.dim[0];
        CC_RETURN_IF_FAILED(bytes ? cc_load_bytes(tape, &desc, pixels, transforms, dst, err)
                                  : cc_load_images(tape, &desc, pixels, transforms, r->normalise, dst, err));
    }
    return CAMCL_OK;
}

camcl_status cc_resident_load(const cc_resident *r, cc_tape *tape, size_t n, size_t size, cc_window window, cc_tensor transforms,
                              cc_tensor dst, size_t dst_row0, camcl_error *err)
{
    return load(r, tape, (cc_load_desc){ .n = n, .size = size, .dst_row0 = dst_row0, .window = window }, false, transforms, dst, err);
}

camcl_status cc_resident_load_augmented(const cc_resident *r, cc_tape *tape, size_t n, size_t size, cc_tensor transforms, size_t operations,
                                        cc_tensor table, cc_tensor dst, size_t dst_row0, camcl_error *err)
{
    const cc_randaugment_desc desc = { n, size, r->channels, operations, dst_row0 };
    cc_tensor bytes;
    CC_RETURN_IF_FAILED(cc_tensor_on_tape(tape, "pictures", CC_U8, CC_DIMS(n, size, size, r->channels), &bytes, err));
    CC_RETURN_IF_FAILED(load(r, tape, (cc_load_desc){ .n = n, .size = size, .window = CC_WINDOW_SHIFTED }, true, transforms, bytes, err));
    return cc_randaugment(tape, &desc, bytes, table, r->normalise, dst, err);
}

camcl_status cc_resident_labels(const cc_resident *r, cc_tape *tape, size_t n, cc_tensor transforms, cc_tensor out, camcl_error *err)
{
    return cc_load_labels(tape, n, r->labels, transforms, out, err);
}
