/* WebP. The only place that knows libwebp. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "image/codec.h"
#include "image/orientation.h"

static bool recognises(const cc_encoded *file)
{
    return file->size >= 12 && memcmp(file->data, "RIFF", 4) == 0 && memcmp(file->data + 8, "WEBP", 4) == 0;
}

#ifdef CAMCL_HAVE_WEBP
#include <webp/decode.h>
#include <webp/demux.h>

static camcl_status fail(const cc_encoded *file, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "%s: truncated or corrupt WebP (copy or download it again)", file->name);
}

static camcl_status probe(const cc_encoded *file, cc_picture_header *out, camcl_error *err)
{
    const WebPData data = { file->data, file->size };
    WebPDemuxer *demuxer = WebPDemux(&data);
    WebPChunkIterator exif;
    if (!demuxer) return fail(file, err);
    *out = (cc_picture_header){ WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH), WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT), 1 };
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &exif)) {
        out->orientation = cc_exif_orientation(exif.chunk.bytes, exif.chunk.size);
        WebPDemuxReleaseChunkIterator(&exif);
    }
    WebPDemuxDelete(demuxer);
    return CAMCL_OK;
}

/* The first picture of an animation, which may cover a part of the canvas only. */
static bool decode_first(const cc_encoded *file, camcl_image *out)
{
    const WebPData data = { file->data, file->size };
    WebPAnimDecoderOptions options;
    uint8_t *canvas = NULL;
    int time = 0;
    if (!WebPAnimDecoderOptionsInit(&options)) return false;
    options.color_mode = MODE_RGBA;
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    bool done = decoder && WebPAnimDecoderGetNext(decoder, &canvas, &time);
    if (done) cc_lay_over_white(canvas, (size_t)out->width * out->height, out->pixels);
    WebPAnimDecoderDelete(decoder);
    return done;
}

static bool decode_opaque(const cc_encoded *file, camcl_image *out)
{
    const size_t row = (size_t)out->width * 3;
    return WebPDecodeRGBInto(file->data, file->size, out->pixels, row * out->height, (int)row) != NULL;
}

static camcl_status decode_transparent(const cc_encoded *file, camcl_image *out, camcl_error *err)
{
    const size_t row = (size_t)out->width * 4;
    uint8_t *pixels = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(row * out->height, &pixels, err));
    bool done = WebPDecodeRGBAInto(file->data, file->size, pixels, row * out->height, (int)row) != NULL;
    if (done) cc_lay_over_white(pixels, (size_t)out->width * out->height, out->pixels);
    free(pixels);
    return done ? CAMCL_OK : fail(file, err);
}

static camcl_status decode(const cc_encoded *file, unsigned shrink, camcl_image *out, camcl_error *err)
{
    WebPBitstreamFeatures about;
    camcl_status status = CAMCL_OK;
    (void)shrink;
    if (WebPGetFeatures(file->data, file->size, &about) != VP8_STATUS_OK) return fail(file, err);
    CC_TRY(cc_image_create_for(file->name, (uint32_t)about.width, (uint32_t)about.height, out, err));
    if (about.has_animation)
        status = decode_first(file, out) ? CAMCL_OK : fail(file, err);
    else if (about.has_alpha)
        status = decode_transparent(file, out, err);
    else
        status = decode_opaque(file, out) ? CAMCL_OK : fail(file, err);
cleanup:
    if (status != CAMCL_OK) camcl_image_free(out);
    return status;
}

#else

static camcl_status missing(const cc_encoded *file, camcl_error *err)
{
    return cc_fail(err, CAMCL_UNSUPPORTED, "%s: this build cannot read WebP (install libwebp-dev and build again)", file->name);
}

static camcl_status probe(const cc_encoded *file, cc_picture_header *out, camcl_error *err)
{
    (void)out;
    return missing(file, err);
}

static camcl_status decode(const cc_encoded *file, unsigned shrink, camcl_image *out, camcl_error *err)
{
    (void)shrink, (void)out;
    return missing(file, err);
}

#endif

const cc_codec cc_webp = { "WebP", recognises, probe, decode, false };
