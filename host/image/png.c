/* PNG. The only place that knows libpng. libpng reports errors by longjmp, after which changed local variables of the function that
 * called setjmp are indeterminate. So everything that is needed after an error lives in a struct that belongs to that function's caller. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arguments.h"
#include "base/memory.h"
#include "image/codec.h"
#include "image/orientation.h"

#ifdef CAMCL_HAVE_PNG
#include <png.h>
#include <setjmp.h>

typedef struct session {
    const cc_encoded *file;
    camcl_error *err;
    camcl_status status; /* set by a failure outside libpng */
    bool no_memory;      /* libpng asked for memory in vain */
    char reason[160];
    png_structp png;
    png_infop info;
    const uint8_t *data; /* reading: what is left */
    size_t left;
    bool transparent; /* reading: in parts */
    uint8_t *rows;    /* transparent: RGBA, one row, or all of them where the picture is interlaced */
    uint8_t *encoded; /* writing */
    size_t encoded_size, encoded_capacity;
    camcl_image *out;
    const camcl_image *image;
} session;

static void on_error(png_structp png, png_const_charp message)
{
    session *s = png_get_error_ptr(png);
    snprintf(s->reason, sizeof s->reason, "%s", message);
    png_longjmp(png, 1);
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    session *s = png_get_mem_ptr(png);
    void *memory = malloc(size);
    if (memory == NULL) s->no_memory = true;
    return memory;
}

static void release(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

static void on_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    session *s = png_get_io_ptr(png);
    if (n > s->left) png_error(png, "the file ends too early");
    memcpy(to, s->data, n);
    s->data += n;
    s->left -= n;
}

/* Asks libpng to convert every pixel format to 8-bit RGB, or RGBA where a part is transparent. */
static void set_transformations(session *s)
{
    s->transparent = (png_get_color_type(s->png, s->info) & PNG_COLOR_MASK_ALPHA) || png_get_valid(s->png, s->info, PNG_INFO_tRNS);
    png_set_expand(s->png);
    png_set_scale_16(s->png);
    png_set_gray_to_rgb(s->png);
    png_set_interlace_handling(s->png);
    png_read_update_info(s->png, s->info);
}

static void read_rows(session *s, bool interlaced)
{
    const uint32_t width = s->out->width, height = s->out->height;
    for (int pass = interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1; pass > 0; pass--)
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *to = s->out->pixels + (size_t)y * width * 3;
            uint8_t *row = !s->transparent ? to : s->rows + (interlaced ? (size_t)y * width * 4 : 0);
            png_read_row(s->png, row, NULL);
            if (s->transparent && pass == 1) cc_lay_over_white(row, width, to);
        }
    png_read_end(s->png, NULL);
}

static void decode(session *s)
{
    png_set_read_fn(s->png, s, read_bytes);
    png_set_user_limits(s->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(s->png, 8u << 20);
    png_set_crc_action(s->png, PNG_CRC_ERROR_QUIT, PNG_CRC_WARN_DISCARD);
    /* Texts and profiles are not needed, and some files hold gigabytes of them, compressed. */
    png_set_keep_unknown_chunks(s->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(s->png, s->info);
    uint32_t width = png_get_image_width(s->png, s->info), height = png_get_image_height(s->png, s->info);
    bool interlaced = png_get_interlace_type(s->png, s->info) != PNG_INTERLACE_NONE;
    s->status = cc_image_create_for(s->file->name, width, height, s->out, s->err);
    if (s->status != CAMCL_OK) return;
    set_transformations(s);
    if (png_get_rowbytes(s->png, s->info) != (size_t)width * (s->transparent ? 4 : 3)) png_error(s->png, "unexpected row size");
    if (s->transparent) s->status = CC_NEW((size_t)width * 4 * (interlaced ? height : 1), &s->rows, s->err);
    if (s->status == CAMCL_OK) read_rows(s, interlaced);
}

/* Runs a job. Returns false if libpng left it by longjmp. */
static bool completes(session *s, void (*job)(session *))
{
    if (setjmp(png_jmpbuf(s->png)) != 0) return false;
    job(s);
    return true;
}

static camcl_status decode_file(const cc_encoded *file, unsigned shrink, camcl_image *out, camcl_error *err)
{
    (void)shrink;
    session s = { .file = file, .err = err, .data = file->data, .left = file->size, .out = out };
    s.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning, &s, allocate, release);
    if (s.png) s.info = png_create_info_struct(s.png);
    if (!s.info) {
        s.status =
            cc_fail(err, CAMCL_NO_MEMORY, "libpng does not start: %s (close other programs)", *s.reason ? s.reason : "out of memory");
    } else if (!completes(&s, decode)) {
        s.status = s.no_memory
                       ? cc_fail(err, CAMCL_NO_MEMORY, "%s: no memory to read it (close other programs)", file->name)
                       : cc_fail(err, CAMCL_BAD_DATA, "%s: truncated or corrupt PNG: %s (copy or download it again)", file->name, s.reason);
    }
    png_destroy_read_struct(&s.png, &s.info, NULL);
    free(s.rows);
    if (s.status != CAMCL_OK) camcl_image_free(out);
    return s.status;
}

/* Walks the chunks: each is its size, its type, its data and a checksum. EXIF data may stand behind the picture data. */
static camcl_status probe(const cc_encoded *file, cc_picture_header *out, camcl_error *err)
{
    *out = (cc_picture_header){ 0, 0, 1 };
    for (size_t at = 8; file->size - at >= 12;) {
        const uint8_t *chunk = file->data + at, *data = chunk + 8;
        size_t size = png_get_uint_32(chunk);
        if (size > file->size - at - 12) break;
        if (memcmp(chunk + 4, "IHDR", 4) == 0 && size == 13) {
            out->width = png_get_uint_32(data);
            out->height = png_get_uint_32(data + 4);
        } else if (memcmp(chunk + 4, "eXIf", 4) == 0) {
            out->orientation = cc_exif_orientation(data, size);
        } else if (memcmp(chunk + 4, "IEND", 4) == 0) {
            return CAMCL_OK;
        }
        at += size + 12;
    }
    return cc_fail(err, CAMCL_BAD_DATA, "%s: truncated PNG: the file ends before its last part (copy or download it again)", file->name);
}

static void write_bytes(png_structp png, png_bytep from, size_t n)
{
    session *s = png_get_io_ptr(png);
    s->status = cc_grow((void **)&s->encoded, &s->encoded_capacity, s->encoded_size + n, 1, s->err);
    if (s->status != CAMCL_OK) png_error(png, "out of memory");
    memcpy(s->encoded + s->encoded_size, from, n);
    s->encoded_size += n;
}

static void flush_nothing(png_structp png) { (void)png; }

static void encode(session *s)
{
    const camcl_image *image = s->image;
    png_set_write_fn(s->png, s, write_bytes, flush_nothing);
    png_set_IHDR(s->png, s->info, image->width, image->height, 8, image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(s->png, s->info);
    for (uint32_t y = 0; y < image->height; y++)
        png_write_row(s->png, image->pixels + (size_t)y * image->width * image->channels);
    png_write_end(s->png, s->info);
}

camcl_status camcl_image_encode_png(const camcl_image *image, uint8_t **data, size_t *size, camcl_error *err)
{
    CC_CHECK_GIVEN(image, err);
    CC_CHECK_GIVEN(data, err);
    CC_CHECK_GIVEN(size, err);
    session s = { .err = err, .image = image };
    *data = NULL;
    *size = 0;
    s.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    if (s.png) s.info = png_create_info_struct(s.png);
    if (!s.info) {
        s.status =
            cc_fail(err, CAMCL_NO_MEMORY, "PNG: libpng does not start: %s (close other programs)", *s.reason ? s.reason : "out of memory");
    } else if (!completes(&s, encode) && s.status == CAMCL_OK) {
        s.status =
            cc_fail(err, CAMCL_FAILED, "PNG: cannot encode %u x %u pixels: %s", (unsigned)image->width, (unsigned)image->height, s.reason);
    }
    png_destroy_write_struct(&s.png, &s.info);
    if (s.status != CAMCL_OK) {
        free(s.encoded);
        return s.status;
    }
    *data = s.encoded;
    *size = s.encoded_size;
    return CAMCL_OK;
}

const cc_codec cc_png = { .format = "PNG", .content = CC_CONTENT_PNG, .probe = probe, .decode = decode_file };

#else

const cc_codec cc_png = { .format = "PNG", .content = CC_CONTENT_PNG, .package = "libpng-dev" };

camcl_status camcl_image_encode_png(const camcl_image *image, uint8_t **data, size_t *size, camcl_error *err)
{
    CC_CHECK_GIVEN(image, err);
    CC_CHECK_GIVEN(data, err);
    CC_CHECK_GIVEN(size, err);
    (void)image;
    *data = NULL;
    *size = 0;
    return cc_fail(err, CAMCL_UNSUPPORTED, "PNG: this build cannot write it (install libpng-dev and build again)");
}

#endif
