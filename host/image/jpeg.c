/* JPEG. The only place that knows libjpeg. libjpeg's errors come by longjmp; image_png.c says what follows from that. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "image/codec.h"

bool cc_is_jpeg(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    return size >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF;
}

#ifdef CAMCL_HAVE_JPEG
#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>

typedef struct session {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    jmp_buf escape;
    const char *name;
    camcl_error *err;
    camcl_status status; /* set by a failure outside libjpeg */
    char reason[JMSG_LENGTH_MAX];
    camcl_image *out;
    uint8_t *row; /* CMYK: [width, 4] */
} session;

static void on_error(j_common_ptr jpeg)
{
    session *s = jpeg->client_data;
    jpeg->err->format_message(jpeg, s->reason);
    longjmp(s->escape, 1);
}

static void print_nothing(j_common_ptr jpeg) { (void)jpeg; }

/* libjpeg fills damaged parts with grey and only warns. A half-grey picture must not pass for a good one, so warnings about damage are
 * errors here. Stray bytes between segments and odd version numbers are common and harmless, so their warnings are ignored. */
static void on_warning(j_common_ptr jpeg, int level)
{
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC:
    case JWRN_ARITH_BAD_CODE: on_error(jpeg); break;
    default: break;
    }
}

static void source_nothing(j_decompress_ptr jpeg) { (void)jpeg; }

/* The whole file is in memory from the start, so libjpeg asks for more only if the file is truncated. */
static boolean source_more(j_decompress_ptr jpeg)
{
    ERREXIT(jpeg, JERR_INPUT_EOF);
    return FALSE;
}

static void source_skip(j_decompress_ptr jpeg, long n)
{
    if (n <= 0) return;
    if ((size_t)n > jpeg->src->bytes_in_buffer) ERREXIT(jpeg, JERR_INPUT_EOF);
    jpeg->src->next_input_byte += n;
    jpeg->src->bytes_in_buffer -= (size_t)n;
}

/* Adobe's programs store CMYK inverted and mark the file accordingly. */
static void convert_cmyk(const uint8_t *from, uint32_t pixels, bool inverted, uint8_t *to)
{
    for (uint32_t i = 0; i < pixels; i++, from += 4, to += 3)
        for (int c = 0; c < 3; c++) {
            unsigned ink = inverted ? from[c] : 255u - from[c], black = inverted ? from[3] : 255u - from[3];
            to[c] = (uint8_t)((ink * black + 127) / 255);
        }
}

static void decode(session *s)
{
    struct jpeg_decompress_struct *jpeg = &s->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->client_data = s;
    jpeg->src = &s->source;
    jpeg_read_header(jpeg, TRUE);
    bool cmyk = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = cmyk ? JCS_CMYK : jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    s->status = cc_image_create_for(s->name, jpeg->image_width, jpeg->image_height, s->out, s->err);
    if (s->status == CAMCL_OK) s->status = CC_NEW((size_t)jpeg->image_width * 4, &s->row, s->err);
    if (s->status != CAMCL_OK) return;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to = s->out->pixels + (size_t)jpeg->output_scanline * s->out->width * 3;
        JSAMPROW row = jpeg->out_color_space == JCS_RGB ? to : s->row;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (cmyk)
            convert_cmyk(s->row, s->out->width, jpeg->saw_Adobe_marker, to);
        else if (row == s->row)
            for (uint32_t x = 0; x < s->out->width; x++, to += 3)
                to[0] = to[1] = to[2] = s->row[x];
    }
    jpeg_finish_decompress(jpeg);
}

/* Returns false if libjpeg left by longjmp. */
static bool decode_completes(session *s)
{
    if (setjmp(s->escape) != 0) return false;
    decode(s);
    return true;
}

camcl_status cc_jpeg_decode(const void *data, size_t size, const char *name, camcl_image *out, camcl_error *err)
{
    session s = { .name = name, .err = err, .out = out };
    s.jpeg.err = jpeg_std_error(&s.errors);
    s.jpeg.client_data = &s;
    s.errors.error_exit = on_error;
    s.errors.output_message = print_nothing;
    s.errors.emit_message = on_warning;
    s.source = (struct jpeg_source_mgr){ .next_input_byte = data,
                                         .bytes_in_buffer = size,
                                         .init_source = source_nothing,
                                         .fill_input_buffer = source_more,
                                         .skip_input_data = source_skip,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = source_nothing };
    if (!decode_completes(&s)) s.status = cc_fail(err, CAMCL_BAD_DATA, "%s: truncated or corrupt JPEG: %s", name, s.reason);
    jpeg_destroy_decompress(&s.jpeg);
    free(s.row);
    if (s.status != CAMCL_OK) camcl_image_free(out);
    return s.status;
}

#else

camcl_status cc_jpeg_decode(const void *data, size_t size, const char *name, camcl_image *out, camcl_error *err)
{
    (void)data, (void)size, (void)out;
    return cc_fail(err, CAMCL_UNSUPPORTED, "%s: this build cannot read JPEG (install libjpeg-dev and build again)", name);
}

#endif
