/* The data set that needs no download. Each image shows one labelled figure at a random place, size, stretch and angle, on a textured
 * background among clutter; its colours do not depend on its class. Image i of a part is a pure function of (seed, part, i). */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "dataset/dataset.h"
#include "dataset/outline.h"
#include "dataset/texture.h"

/* Constants that set the difficulty. Lengths are in CC_PIXEL-ths of a pixel, proportions in CC_ONE-ths, colours in bytes. Changing one
 * changes the data set, whose checksum tests/unit/test_shapes.c checks. */
enum {
    radius_least = 7 * CC_PIXEL,
    radius_most = 12 * CC_PIXEL,       /* of the labelled figure */
    stretch_least = CC_ONE * 70 / 100, /* shorter axis / longer axis, at the extreme */
    margin = CC_PIXEL * 3 / 4,         /* share of the radius kept inside the picture, / CC_PIXEL */
    background_value_most = 170,
    figure_value_least = 120, /* largest channel of their colours */
    contrast_least = 40,      /* of the figure's brightness over the background's, if one of the tried colours has it */
    contrast_tries = 8,
    fill_spread = 36, /* per channel, between the two colours of a figure's fill */
    bits_most = 2,    /* small figures of any class that are not the label */
    bit_radius_least = CC_PIXEL * 3 / 2,
    bit_radius_most = CC_PIXEL * 3,
    lines_behind_most = 1,
    lines_before_most = 1, /* strokes under and over the figure */
    line_width_most = CC_PIXEL * 7 / 4,
    noise_most = 3 /* amplitude: +-8 per unit, triangular */
};

enum { standard_train = 10000, standard_test = 2000, area = CC_CANVAS * CC_CANVAS, image_bytes = 3 * area };

typedef struct colour {
    int32_t rgb[3];
} colour;

typedef struct sheet {
    cc_rng rng;
    const cc_sines *sines;
    colour background[2];
    uint8_t *pixels; /* [CC_CANVAS, CC_CANVAS, 3] */
    uint16_t coverage[area], mix[area];
} sheet;

/* Draws hue and saturation at random, and value (the largest channel) from low..high. */
static colour random_colour(cc_rng *rng, int32_t low, int32_t high)
{
    int32_t hue = cc_between(rng, 0, 6 * 256 - 1), saturation = cc_between(rng, 40, 230), value = cc_between(rng, low, high);
    int32_t ramp = hue % 256, least = value * (256 - saturation) / 256;
    int32_t falling = value * (256 * 256 - saturation * ramp) / (256 * 256);
    int32_t rising = value * (256 * 256 - saturation * (256 - ramp)) / (256 * 256);
    switch (hue / 256) {
    case 0: return (colour){ { value, rising, least } };
    case 1: return (colour){ { falling, value, least } };
    case 2: return (colour){ { least, value, rising } };
    case 3: return (colour){ { least, falling, value } };
    case 4: return (colour){ { rising, least, value } };
    default: return (colour){ { value, least, falling } };
    }
}

/* 0..255, weights of ITU-R BT.601. */
static int32_t brightness(const colour *from) { return (299 * from->rgb[0] + 587 * from->rgb[1] + 114 * from->rgb[2]) / 1000; }

/* Draws colours and returns the first that is brighter than both background colours by contrast_least, or else the brightest drawn. */
static colour contrasting_colour(sheet *s)
{
    colour best = { { 0, 0, 0 } };
    int32_t first = brightness(&s->background[0]), second = brightness(&s->background[1]), wanted = contrast_least;
    int32_t most = -1;
    wanted += first > second ? first : second;
    for (int i = 0; i < contrast_tries && most < wanted; i++) {
        colour tried = random_colour(&s->rng, figure_value_least, 255);
        if (brightness(&tried) <= most) continue;
        most = brightness(&tried);
        best = tried;
    }
    return best;
}

static colour nearby(sheet *s, const colour *from, int32_t spread)
{
    colour out;
    for (int c = 0; c < 3; c++) {
        int32_t value = from->rgb[c] + cc_between(&s->rng, -spread, spread);
        out.rgb[c] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
    return out;
}

/* Blends a texture of two colours over the picture, weighted by coverage (NULL: everywhere fully). */
static void paint(sheet *s, const colour *first, const colour *second, const uint16_t *coverage)
{
    uint8_t *to = s->pixels;
    for (int i = 0; i < area; i++, to += 3) {
        int32_t share = coverage ? coverage[i] : CC_FULL;
        if (!share) continue;
        for (int c = 0; c < 3; c++) {
            int32_t value = first->rgb[c] + (second->rgb[c] - first->rgb[c]) * s->mix[i] / 256;
            to[c] = (uint8_t)((to[c] * (CC_FULL - share) + value * share + CC_FULL / 2) / CC_FULL);
        }
    }
}

static void draw_background(sheet *s)
{
    s->background[0] = random_colour(&s->rng, 20, background_value_most);
    s->background[1] = random_colour(&s->rng, 20, background_value_most);
    cc_texture_draw(&s->rng, s->sines, s->mix);
    paint(s, &s->background[0], &s->background[1], NULL);
}

static void draw_line(sheet *s)
{
    const int32_t canvas = CC_CANVAS * CC_PIXEL;
    cc_outline bar = { { { -CC_ONE, -CC_ONE }, { CC_ONE, -CC_ONE }, { CC_ONE, CC_ONE }, { -CC_ONE, CC_ONE } }, 4, 4 };
    int32_t length = cc_between(&s->rng, 5 * CC_PIXEL, 20 * CC_PIXEL), width = cc_between(&s->rng, CC_PIXEL / 2, line_width_most);
    cc_placement place = { .radius = length / 2, .sx = CC_ONE, .sy = width * CC_ONE / length };
    place.x = cc_between(&s->rng, 0, canvas);
    place.y = cc_between(&s->rng, 0, canvas);
    place.angle = cc_between(&s->rng, 0, CC_TURN - 1);
    cc_outline_place(&bar, &place, s->sines);
    cc_outline_cover(&bar, s->coverage);
    colour ink = random_colour(&s->rng, 20, 255);
    paint(s, &ink, &ink, s->coverage);
}

/* Draws a figure of random proportions with `radius`, its centre at least `inset` from the edges, and stores its coverage in the sheet. */
static void place_figure(sheet *s, cc_figure figure, int32_t radius, int32_t inset)
{
    cc_outline outline;
    cc_placement place = { .radius = radius, .sx = CC_ONE, .sy = cc_between(&s->rng, stretch_least, CC_ONE) };
    cc_figure_outline(figure, cc_between(&s->rng, 0, CC_ONE), s->sines, &outline);
    place.x = cc_between(&s->rng, inset, CC_CANVAS * CC_PIXEL - inset);
    place.y = cc_between(&s->rng, inset, CC_CANVAS * CC_PIXEL - inset);
    place.angle = cc_between(&s->rng, 0, CC_TURN - 1);
    cc_outline_place(&outline, &place, s->sines);
    cc_outline_cover(&outline, s->coverage);
}

static void draw_bit(sheet *s)
{
    cc_figure figure = (cc_figure)cc_rng_below(&s->rng, CC_FIGURES);
    place_figure(s, figure, cc_between(&s->rng, bit_radius_least, bit_radius_most), 0);
    colour ink = random_colour(&s->rng, 20, 255);
    paint(s, &ink, &ink, s->coverage);
}

static void draw_object(sheet *s, cc_figure figure, uint8_t *mask)
{
    int32_t radius = cc_between(&s->rng, radius_least, radius_most);
    colour first = contrasting_colour(s), second = nearby(s, &first, fill_spread);
    cc_texture_draw(&s->rng, s->sines, s->mix);
    place_figure(s, figure, radius, radius * margin / CC_PIXEL + CC_PIXEL);
    paint(s, &first, &second, s->coverage);
    for (int i = 0; i < area; i++)
        mask[i] = s->coverage[i] >= CC_FULL / 2 ? 255 : 0;
}

/* Adds noise: per channel the difference of two uniform draws from 0..7, which is triangular. One random byte gives both. */
static void add_noise(sheet *s)
{
    int32_t amplitude = cc_between(&s->rng, 0, noise_most);
    if (amplitude == 0) return;
    for (int i = 0; i < image_bytes; i += 4) {
        uint32_t word = cc_rng_u32(&s->rng);
        for (int k = 0; k < 4; k++, word >>= 8) {
            int32_t value = s->pixels[i + k] + amplitude * ((int32_t)(word & 7) - (int32_t)(word >> 3 & 7));
            s->pixels[i + k] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
}

static void draw_image(sheet *s, cc_figure figure, uint8_t *mask)
{
    draw_background(s);
    for (int32_t n = cc_between(&s->rng, 0, lines_behind_most); n > 0; n--)
        draw_line(s);
    for (int32_t n = cc_between(&s->rng, 0, bits_most); n > 0; n--)
        draw_bit(s);
    draw_object(s, figure, mask);
    for (int32_t n = cc_between(&s->rng, 0, lines_before_most); n > 0; n--)
        draw_line(s);
    add_noise(s);
}

/* Images of one part, drawn in batches of BATCH. */
typedef struct drawing {
    const cc_dataset_images *images;
    const cc_sines *sines;
    cc_rng_stream stream;
    uint64_t seed;
    uint32_t count;
} drawing;

enum { BATCH = 64 };

static void draw_batch(void *context, size_t batch)
{
    const drawing *d = context;
    sheet s = { .sines = d->sines };
    for (uint32_t i = (uint32_t)batch * BATCH; i < d->count && i / BATCH == batch; i++) {
        /* Classes take turns, so that every part is balanced to within one image and the first ten images show all classes. */
        d->images->labels[i] = (int32_t)(i % CC_FIGURES);
        s.rng = cc_rng_at(d->seed, d->stream, i);
        s.pixels = d->images->pixels + (size_t)i * image_bytes;
        draw_image(&s, (cc_figure)d->images->labels[i], d->images->masks + (size_t)i * area);
    }
}

static camcl_status draw_part(camcl_dataset *dataset, camcl_dataset_part part, uint32_t count, uint64_t seed, const cc_sines *sines,
                              camcl_error *err)
{
    drawing d = { &dataset->parts[part], sines, part == CAMCL_TRAIN_IMAGES ? CC_RNG_SHAPES_TRAIN : CC_RNG_SHAPES_TEST, seed, count };
    CC_RETURN_IF_FAILED(cc_dataset_reserve(dataset, part, count, 1, err));
    cc_parallel(cc_ceil_div(count, BATCH), draw_batch, &d);
    return CAMCL_OK;
}

static camcl_status read_shapes(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    cc_sines sines;
    const char *names[CC_FIGURES];
    cc_sines_fill(&sines);
    for (int i = 0; i < CC_FIGURES; i++)
        names[i] = cc_figure_name((cc_figure)i);
    dataset->info.height = dataset->info.width = CC_CANVAS;
    dataset->info.channels = 3;
    CC_RETURN_IF_FAILED(cc_dataset_set_classes(dataset, names, CC_FIGURES, err));
    CC_RETURN_IF_FAILED(
        draw_part(dataset, CAMCL_TRAIN_IMAGES, spec->shapes_train ? spec->shapes_train : standard_train, spec->shapes_seed, &sines, err));
    return draw_part(dataset, CAMCL_TEST_IMAGES, spec->shapes_test ? spec->shapes_test : standard_test, spec->shapes_seed, &sines, err);
}

const cc_dataset_kind cc_dataset_shapes = { .read = read_shapes, .has_statistics = false };
