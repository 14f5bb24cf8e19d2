/* WebP. The only place that knows libwebp. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "image/codec.h"
#include "image/orientation.h"

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

/* A frame that covers the canvas and hides it. */
static bool decode_opaque(const WebPIterator *frame, camcl_image *out)
{
    const size_t row = (size_t)out->width * 3;
    return WebPDecodeRGBInto(frame->fragment.bytes, frame->fragment.size, out->pixels, row * out->height, (int)row) != NULL;
}

/* A frame that lets the canvas, which is white, be seen through or around it. `pixels` is room for it as RGBA. */
static bool decode_over_white(const WebPIterator *frame, uint8_t *pixels, camcl_image *out)
{
    const size_t width = (size_t)frame->width, height = (size_t)frame->height;
    uint8_t *corner = out->pixels + ((size_t)frame->y_offset * out->width + (size_t)frame->x_offset) * 3;
    if (!WebPDecodeRGBAInto(frame->fragment.bytes, frame->fragment.size, pixels, width * height * 4, (int)(width * 4))) return false;
    memset(out->pixels, 255, (size_t)out->width * out->height * 3);
    for (size_t y = 0; y < height; y++)
        cc_lay_over_white(pixels + y * width * 4, width, corner + y * out->width * 3);
    return true;
}

static bool lies_within(const WebPIterator *frame, const camcl_image *canvas)
{
    return frame->x_offset >= 0 && frame->y_offset >= 0 && frame->width > 0 && frame->height > 0 &&
           (size_t)frame->x_offset + (size_t)frame->width <= canvas->width &&
           (size_t)frame->y_offset + (size_t)frame->height <= canvas->height;
}

static camcl_status decode_frame(const cc_encoded *file, const WebPIterator *frame, camcl_image *out, camcl_error *err)
{
    uint8_t *pixels = NULL;
    if (!lies_within(frame, out)) return fail(file, err);
    if (!frame->has_alpha && (uint32_t)frame->width == out->width && (uint32_t)frame->height == out->height)
        return decode_opaque(frame, out) ? CAMCL_OK : fail(file, err);
    CC_RETURN_IF_FAILED(CC_NEW((size_t)frame->width * (size_t)frame->height * 4, &pixels, err));
    bool done = decode_over_white(frame, pixels, out);
    free(pixels);
    return done ? CAMCL_OK : fail(file, err);
}

/* The first frame of an animation, the only one of other pictures. */
static camcl_status decode(const cc_encoded *file, unsigned shrink, camcl_image *out, camcl_error *err)
{
    const WebPData data = { file->data, file->size };
    WebPDemuxer *demuxer = WebPDemux(&data);
    WebPIterator frame;
    (void)shrink;
    if (!demuxer) return fail(file, err);
    camcl_status status = cc_image_create_for(file->name, WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH),
                                              WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT), out, err);
    if (status == CAMCL_OK && WebPDemuxGetFrame(demuxer, 1, &frame)) {
        status = decode_frame(file, &frame, out, err);
        WebPDemuxReleaseIterator(&frame);
    } else if (status == CAMCL_OK) {
        status = fail(file, err);
    }
    WebPDemuxDelete(demuxer);
    if (status != CAMCL_OK) camcl_image_free(out);
    return status;
}

const cc_codec cc_webp = { .format = "WebP", .content = CC_CONTENT_WEBP, .probe = probe, .decode = decode };

#else

const cc_codec cc_webp = { .format = "WebP", .content = CC_CONTENT_WEBP, .package = "libwebp-dev" };

#endif
