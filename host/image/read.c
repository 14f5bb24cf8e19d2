/* From files to pictures: which format it is, how large, how it lies, and how small it may be decoded. */
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "image/codec.h"
#include "image/fit.h"
#include "image/orientation.h"
#include "image/picture_file.h"

/* Enough for nearly every header. */
#define BEGINNING ((size_t)1 << 16)

/* What to do with a file that is no picture that can be read. */
static const char *advice_for(cc_content_kind kind)
{
    switch (kind) {
    case CC_CONTENT_EMPTY:
    case CC_CONTENT_ZEROS: return "copy or download it again";
    case CC_CONTENT_TEXT:
    case CC_CONTENT_JSON:
    case CC_CONTENT_XML: return "look into it, it may say why";
    case CC_CONTENT_WEB_PAGE: return "a server sent it in the picture's place: download it again";
    case CC_CONTENT_LFS_POINTER: return "run git lfs pull";
    case CC_CONTENT_MACOS: return "delete it";
    case CC_CONTENT_VIDEO: return "take pictures out of it first";
    case CC_CONTENT_ZIP:
    case CC_CONTENT_RAR:
    case CC_CONTENT_ARCHIVE:
    case CC_CONTENT_COMPRESSED: return "unpack it";
    case CC_CONTENT_PICTURE:
    case CC_CONTENT_DRAWING:
    case CC_CONTENT_DOCUMENT: return "convert it to PNG or JPEG";
    case CC_CONTENT_PICKLE:
    case CC_CONTENT_TABLE: return "save the pictures in it as PNG or JPEG";
    case CC_CONTENT_MODEL: return "name a picture";
    default: return "if it is a picture, convert it to PNG or JPEG";
    }
}

/* The format of the file, by its content. CAMCL_BAD_DATA: it is no picture that can be read; the message says what it is instead.
 * CAMCL_UNSUPPORTED: this build cannot read the format. */
static camcl_status codec_of(const cc_encoded *file, const cc_codec **out, camcl_error *err)
{
    static const cc_codec *const codecs[] = { &cc_jpeg, &cc_png, &cc_webp };
    const cc_content content = cc_content_of(file->data, file->size);
    for (size_t i = 0; i < CC_COUNT(codecs); i++) {
        *out = codecs[i];
        if (content.kind != codecs[i]->content) continue;
        if (!codecs[i]->package) return CAMCL_OK;
        return cc_fail(err, CAMCL_UNSUPPORTED, "%s: this build cannot read %s (install %s and build again)", file->name, codecs[i]->format,
                       codecs[i]->package);
    }
    return cc_fail(err, CAMCL_BAD_DATA, "%s: not a picture that can be read, but %s (%s)", file->name, content.name,
                   advice_for(content.kind));
}

void cc_lay_over_white(const uint8_t *rgba, size_t pixels, uint8_t *rgb)
{
    for (size_t i = 0; i < pixels; i++, rgba += 4, rgb += 3)
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

/* Refuses sizes that cannot be held, before anything is allocated for them. */
static camcl_status check_size(const cc_picture_header *header, const char *name, camcl_error *err)
{
    if (header->width == 0 || header->height == 0)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: corrupt: a picture without pixels (copy or download it again)", name);
    if (header->width <= CAMCL_IMAGE_MOST_PIXELS / header->height) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "%s: a picture of %u x %u pixels, and %zu million can be held (scale it first)", name,
                   (unsigned)header->width, (unsigned)header->height, CAMCL_IMAGE_MOST_PIXELS / 1000000);
}

static camcl_status look(const cc_encoded *file, const cc_codec **codec, cc_picture_header *header, camcl_error *err)
{
    CC_RETURN_IF_FAILED(codec_of(file, codec, err));
    CC_RETURN_IF_FAILED((*codec)->probe(file, header, err));
    return check_size(header, file->name, err);
}

static void turn(cc_picture_header *header)
{
    if (!cc_orientation_of(header->orientation).turned) return;
    uint32_t width = header->width;
    header->width = header->height;
    header->height = width;
}

/* As viewers show it. */
static camcl_status decode_upright(const cc_encoded *file, const cc_codec *codec, unsigned orientation, unsigned shrink, camcl_image *out,
                                   camcl_error *err)
{
    *out = (camcl_image)CAMCL_IMAGE_INIT; /* the codec frees what it has made when it fails */
    CC_RETURN_IF_FAILED(codec->decode(file, shrink, out, err));
    camcl_status status = cc_orient(out, orientation, err);
    if (status != CAMCL_OK) camcl_image_free(out);
    return status;
}

/* Whose picture it was that there was no memory for; other errors say it. */
static camcl_status name_failure(camcl_status status, const char *name, camcl_error *err)
{
    if (status == CAMCL_NO_MEMORY) cc_context(err, "%s", name);
    return status;
}

static camcl_status decode_whole(const cc_encoded *file, camcl_image *out, camcl_error *err)
{
    const cc_codec *codec = NULL;
    cc_picture_header header;
    CC_RETURN_IF_FAILED(look(file, &codec, &header, err));
    return decode_upright(file, codec, header.orientation, 1, out, err);
}

camcl_status camcl_image_decode(const void *data, size_t size, const char *name, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(data, err);
    CC_CHECK_GIVEN(name, err);
    CC_CHECK_GIVEN(out, err);
    const cc_encoded file = { data, size, name };
    *out = (camcl_image)CAMCL_IMAGE_INIT;
    return name_failure(decode_whole(&file, out, err), name, err);
}

/* The largest of 8, 4, 2 and 1 by which a picture may shrink and still be twice as large as it is scaled to. */
static unsigned shrink_of(const cc_picture_header *header, const cc_fit_plan *plan)
{
    unsigned shrink = 8;
    while (shrink > 1 && (cc_ceil_div(header->width, shrink) < plan->x.to * 2 || cc_ceil_div(header->height, shrink) < plan->y.to * 2))
        shrink /= 2;
    return shrink;
}

/* The last pixel of a side that was not a multiple of `shrink` stands for less than the others: the axis ends within it. */
static void shrink_axis(cc_axis *axis, unsigned shrink, uint32_t pixels, bool from_end)
{
    axis->extent /= shrink;
    axis->origin = from_end ? pixels - axis->extent : 0;
}

static camcl_status decode_fit(const cc_encoded *file, uint32_t side, camcl_fit fit, camcl_image *out, camcl_error *err)
{
    const cc_codec *codec = NULL;
    cc_picture_header header;
    camcl_image image;
    CC_RETURN_IF_FAILED(look(file, &codec, &header, err));
    turn(&header);
    cc_fit_plan plan = cc_fit_plan_of(header.width, header.height, side, fit);
    unsigned shrink = codec->shrinks ? shrink_of(&header, &plan) : 1;
    CC_RETURN_IF_FAILED(decode_upright(file, codec, header.orientation, shrink, &image, err));
    cc_orientation how = cc_orientation_of(header.orientation);
    shrink_axis(&plan.x, shrink, image.width, how.from_right);
    shrink_axis(&plan.y, shrink, image.height, how.from_bottom);
    camcl_status status = cc_fit_run(&image, &plan, out, err);
    camcl_image_free(&image);
    return status;
}

/* The file's beginning, which must be that of a picture. */
static camcl_status open_picture(const char *path, cc_picture_file *file, camcl_error *err)
{
    const cc_codec *codec = NULL;
    CC_RETURN_IF_FAILED(cc_picture_file_open(path, file, err));
    camcl_status status = cc_picture_file_read(file, BEGINNING, err);
    if (status == CAMCL_OK) status = codec_of(&(cc_encoded){ (const uint8_t *)file->data, file->size, path }, &codec, err);
    if (status != CAMCL_OK) cc_picture_file_close(file);
    return name_failure(status, path, err);
}

camcl_status camcl_image_read(const char *path, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(path, err);
    CC_CHECK_GIVEN(out, err);
    return camcl_image_read_fit(path, 0, CAMCL_FIT_STRETCH, out, err);
}

camcl_status camcl_image_read_fit(const char *path, uint32_t side, camcl_fit fit, camcl_image *out, camcl_error *err)
{
    CC_CHECK_GIVEN(path, err);
    CC_CHECK_GIVEN(out, err);
    cc_picture_file file;
    *out = (camcl_image)CAMCL_IMAGE_INIT;
    CC_RETURN_IF_FAILED(open_picture(path, &file, err));
    camcl_status status = cc_picture_file_read(&file, SIZE_MAX, err);
    if (status == CAMCL_OK) {
        const cc_encoded whole = { (const uint8_t *)file.data, file.size, path };
        status = side == 0 ? decode_whole(&whole, out, err) : decode_fit(&whole, side, fit, out, err);
    }
    cc_picture_file_close(&file);
    return name_failure(status, path, err);
}

static camcl_status probe(cc_picture_file *file, camcl_image_about *out, camcl_error *err)
{
    const cc_encoded seen = { (const uint8_t *)file->data, file->size, file->path };
    const cc_codec *codec = NULL;
    cc_picture_header header;
    CC_RETURN_IF_FAILED(look(&seen, &codec, &header, err));
    turn(&header);
    *out = (camcl_image_about){ codec->format, header.width, header.height };
    return CAMCL_OK;
}

camcl_status camcl_image_probe(const char *path, camcl_image_about *out, camcl_error *err)
{
    CC_CHECK_GIVEN(path, err);
    CC_CHECK_GIVEN(out, err);
    cc_picture_file file;
    *out = (camcl_image_about){ NULL, 0, 0 };
    CC_RETURN_IF_FAILED(open_picture(path, &file, err));
    camcl_status status = probe(&file, out, err);
    if (status != CAMCL_OK && !file.whole) {
        status = cc_picture_file_read(&file, SIZE_MAX, err);
        if (status == CAMCL_OK) status = probe(&file, out, err);
    }
    cc_picture_file_close(&file);
    return name_failure(status, path, err);
}
