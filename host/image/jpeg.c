/* JPEG. The only place that knows libjpeg. libjpeg's errors come by longjmp; png.c says what follows from that. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "image/codec.h"
#include "image/orientation.h"

#ifdef CAMCL_HAVE_JPEG
#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <string.h>

/* Programs write progressive pictures in about ten scans. Thousands of empty ones are a small file that takes hours. */
#define MOST_SCANS 200

typedef struct session {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const cc_encoded *file;
    camcl_error *err;
    camcl_status status; /* set by a failure outside libjpeg */
    char reason[JMSG_LENGTH_MAX];
    cc_picture_header *header;
    camcl_image *out;
    unsigned shrink;
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

static void leave(session *s, const char *reason)
{
    snprintf(s->reason, sizeof s->reason, "%s", reason);
    longjmp(s->escape, 1);
}

static void on_progress(j_common_ptr jpeg)
{
    session *s = jpeg->client_data;
    if (s->jpeg.input_scan_number > MOST_SCANS) leave(s, "more scans than any program writes");
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

static void read_header(session *s)
{
    struct jpeg_decompress_struct *jpeg = &s->jpeg;
    jpeg_create_decompress(jpeg);
    jpeg->client_data = s;
    jpeg->src = &s->source;
    if (s->header) jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(jpeg, TRUE);
}

static void probe_session(session *s)
{
    read_header(s);
    *s->header = (cc_picture_header){ s->jpeg.image_width, s->jpeg.image_height, 1 };
    for (jpeg_saved_marker_ptr marker = s->jpeg.marker_list; marker; marker = marker->next) {
        if (marker->data_length < 6 || memcmp(marker->data, "Exif\0", 6) != 0) continue;
        s->header->orientation = cc_exif_orientation(marker->data, marker->data_length);
        break;
    }
}

/* A file of several scans may end properly without one for every colour: what is missing would be grey without a warning. */
static bool complete(const struct jpeg_decompress_struct *jpeg)
{
    for (int i = 0; i < jpeg->num_components; i++)
        if (jpeg->comp_info[i].component_needed && !jpeg->comp_info[i].quant_table) return false;
    return true;
}

static void decode_session(session *s)
{
    struct jpeg_decompress_struct *jpeg = &s->jpeg;
    read_header(s);
    bool cmyk = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
    jpeg->out_color_space = cmyk ? JCS_CMYK : jpeg->jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->scale_num = 1;
    jpeg->scale_denom = s->shrink;
    s->progress.progress_monitor = on_progress;
    jpeg->progress = &s->progress;
    jpeg_calc_output_dimensions(jpeg);
    s->status = cc_image_create_for(s->file->name, jpeg->output_width, jpeg->output_height, s->out, s->err);
    if (s->status == CAMCL_OK) s->status = CC_NEW((size_t)jpeg->output_width * 4, &s->row, s->err);
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
    if (!complete(jpeg)) leave(s, "a part of the colours is missing");
    jpeg_finish_decompress(jpeg);
}

/* Returns false if the job was left by longjmp. */
static bool completes(session *s, void (*job)(session *))
{
    if (setjmp(s->escape) != 0) return false;
    job(s);
    return true;
}

static camcl_status fail(const session *s)
{
    const char *name = s->file->name;
    switch (s->errors.msg_code) {
    case JERR_OUT_OF_MEMORY: return cc_fail(s->err, CAMCL_NO_MEMORY, "memory: not enough to decode it (close other programs)");
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
        return cc_fail(s->err, CAMCL_BAD_DATA, "%s: a rare kind of JPEG: %s (save it as PNG or as an ordinary JPEG)", name, s->reason);
    default: return cc_fail(s->err, CAMCL_BAD_DATA, "%s: truncated or corrupt JPEG: %s (copy or download it again)", name, s->reason);
    }
}

static void run(session *s, void (*job)(session *))
{
    s->jpeg.err = jpeg_std_error(&s->errors);
    s->jpeg.client_data = s;
    s->errors.error_exit = on_error;
    s->errors.output_message = print_nothing;
    s->errors.emit_message = on_warning;
    s->source = (struct jpeg_source_mgr){ .next_input_byte = s->file->data,
                                          .bytes_in_buffer = s->file->size,
                                          .init_source = source_nothing,
                                          .fill_input_buffer = source_more,
                                          .skip_input_data = source_skip,
                                          .resync_to_restart = jpeg_resync_to_restart,
                                          .term_source = source_nothing };
    if (!completes(s, job)) s->status = fail(s);
    jpeg_destroy_decompress(&s->jpeg);
    free(s->row);
}

static camcl_status probe(const cc_encoded *file, cc_picture_header *out, camcl_error *err)
{
    session s = { .file = file, .err = err, .header = out };
    run(&s, probe_session);
    return s.status;
}

static camcl_status decode(const cc_encoded *file, unsigned shrink, camcl_image *out, camcl_error *err)
{
    session s = { .file = file, .err = err, .out = out, .shrink = shrink };
    run(&s, decode_session);
    if (s.status != CAMCL_OK) camcl_image_free(out);
    return s.status;
}

const cc_codec cc_jpeg = { .format = "JPEG", .content = CC_CONTENT_JPEG, .probe = probe, .decode = decode, .shrinks = true };

#else

const cc_codec cc_jpeg = { .format = "JPEG", .content = CC_CONTENT_JPEG, .package = "libjpeg-dev" };

#endif
