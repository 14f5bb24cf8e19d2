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

/* Decodes a frame into rows of `stride` bytes, which hold all of it. */
static camcl_status decode_into(const cc_encoded *file, const WebPIterator *frame, WEBP_CSP_MODE mode, uint8_t *rows, size_t stride,
                                size_t size, camcl_error *err)
{
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) return cc_fail(err, CAMCL_FAILED, "libwebp is another version than camcl was built with");
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){ .rgba = rows, .stride = (int)stride, .size = size };
    const VP8StatusCode code = WebPDecode(frame->fragment.bytes, frame->fragment.size, &config);
    WebPFreeDecBuffer(&config.output);
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return cc_fail(err, CAMCL_NO_MEMORY, "%s: no memory to read it (close other programs)", file->name);
    return code == VP8_STATUS_OK ? CAMCL_OK : fail(file, err);
}

/* A frame that lets the canvas, which is white, be seen through or around it. `pixels` is room for it as RGBA. */
static camcl_status decode_over_white(const cc_encoded *file, const WebPIterator *frame, uint8_t *pixels, camcl_image *out,
                                      camcl_error *err)
{
    const size_t width = (size_t)frame->width, height = (size_t)frame->height;
    uint8_t *corner = out->pixels + ((size_t)frame->y_offset * out->width + (size_t)frame->x_offset) * 3;
    CC_RETURN_IF_FAILED(decode_into(file, frame, MODE_RGBA, pixels, width * 4, width * height * 4, err));
    memset(out->pixels, 255, (size_t)out->width * out->height * 3);
    for (size_t y = 0; y < height; y++)
        cc_lay_over_white(pixels + y * width * 4, width, corner + y * out->width * 3);
    return CAMCL_OK;
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
    if (!frame->has_alpha && (uint32_t)frame->width == out->width && (uint32_t)frame->height == out->height) {
        const size_t row = (size_t)out->width * 3;
        return decode_into(file, frame, MODE_RGB, out->pixels, row, row * out->height, err);
    }
    CC_RETURN_IF_FAILED(CC_NEW((size_t)frame->width * (size_t)frame->height * 4, &pixels, err));
    const camcl_status status = decode_over_white(file, frame, pixels, out, err);
    free(pixels);
    return status;
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
