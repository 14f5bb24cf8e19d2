#include "dataset/outline.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

/* sin(pi/2 x) on 0..1 as x (c0 - x^2 (c1 - x^2 (c2 - x^2 (c3 - x^2 c4)))), coefficients in units of 2^-30, close to the Taylor series.
 * The error is below 4e-7, far below 1 / CC_ONE. */
static int32_t quarter_sine(int32_t step)
{
    const int64_t c0 = 1686629713, c1 = 693598668, c2 = 85570174, c3 = 5027098, c4 = 168051;
    int64_t x = ((int64_t)step << 30) / (CC_TURN / 4), square = (x * x) >> 30;
    int64_t sum = c3 - ((square * c4) >> 30);
    sum = c2 - ((square * sum) >> 30);
    sum = c1 - ((square * sum) >> 30);
    sum = c0 - ((square * sum) >> 30);
    return (int32_t)((((x * sum) >> 30) * CC_ONE + (1 << 29)) >> 30);
}

void cc_sines_fill(cc_sines *sines)
{
    const int quarter = CC_TURN / 4;
    for (int i = 0; i < CC_TURN; i++) {
        int within = i % (2 * quarter), step = within <= quarter ? within : 2 * quarter - within;
        int32_t value = quarter_sine(step);
        sines->values[i] = (int16_t)(i < 2 * quarter ? value : -value);
    }
}

int32_t cc_sin(const cc_sines *sines, int32_t angle) { return sines->values[(uint32_t)angle % CC_TURN]; }

int32_t cc_cos(const cc_sines *sines, int32_t angle) { return cc_sin(sines, angle + CC_TURN / 4); }

const char *cc_figure_name(cc_figure figure)
{
    static const char *const names[CC_FIGURES] = { "disc", "ring",  "triangle", "square", "hexagon",
                                                   "star", "cross", "crescent", "arrow",  "heart" };
    return names[figure];
}

static void add(cc_outline *out, int32_t x, int32_t y)
{
    assert(out->count < CC_OUTLINE_POINTS);
    out->points[out->count++] = (cc_point){ x, y };
}

/* value * by / CC_ONE */
static int32_t scaled(int32_t value, int32_t by) { return value * by / CC_ONE; }

/* Interpolates between low and high, both in thousandths of a unit. */
static int32_t vary(int32_t low, int32_t high, int32_t variant) { return (low * CC_ONE + (high - low) * variant) / 1000; }

static void add_regular(cc_outline *out, int corners, int32_t radius, const cc_sines *sines)
{
    for (int i = 0; i < corners; i++) {
        int32_t angle = i * CC_TURN / corners;
        add(out, scaled(radius, cc_sin(sines, angle)), -scaled(radius, cc_cos(sines, angle)));
    }
}

static void add_star(cc_outline *out, int32_t waist, const cc_sines *sines)
{
    const int32_t radius = 1200 * CC_ONE / 1000;
    for (int i = 0; i < 10; i++) {
        int32_t angle = i * CC_TURN / 10, r = i % 2 ? scaled(radius, waist) : radius;
        add(out, scaled(r, cc_sin(sines, angle)), -scaled(r, cc_cos(sines, angle)));
    }
}

/* Adds a figure that is symmetric left to right, given by its right half from top to bottom in thousandths of a unit. */
static void add_mirrored(cc_outline *out, const cc_point *half, int count)
{
    for (int i = 0; i < count; i++)
        add(out, half[i].x * CC_ONE / 1000, half[i].y * CC_ONE / 1000);
    for (int i = count - 1; i >= 0; i--)
        if (half[i].x != 0) add(out, -half[i].x * CC_ONE / 1000, half[i].y * CC_ONE / 1000);
}

static void add_cross(cc_outline *out, int32_t arm)
{
    const int32_t far = 1030 * CC_ONE / 1000;
    const int32_t quadrant[3][2] = { { arm, far }, { arm, arm }, { far, arm } };
    for (int turn = 0; turn < 4; turn++)
        for (int i = 0; i < 3; i++) {
            int32_t x = quadrant[i][0], y = -quadrant[i][1];
            /* Quarter turns, clockwise in a picture whose y points down. */
            for (int t = 0; t < turn; t++) {
                int32_t old = x;
                x = -y;
                y = old;
            }
            add(out, x, y);
        }
}

/* A disc's rim from tip to tip, and back along half an ellipse that bulges the same way. */
static void add_crescent(cc_outline *out, int32_t waist, const cc_sines *sines)
{
    const int steps = 24;
    const int32_t tip = 140 * CC_TURN / 1024, radius = 1150 * CC_ONE / 1000, shift = 350 * CC_ONE / 1000;
    const int32_t tip_x = scaled(radius, cc_cos(sines, tip)), tip_y = scaled(radius, cc_sin(sines, tip));
    for (int i = 0; i <= steps; i++) {
        int32_t angle = tip + (CC_TURN - 2 * tip) * i / steps;
        add(out, scaled(radius, cc_cos(sines, angle)) + shift, scaled(radius, cc_sin(sines, angle)));
    }
    for (int i = 1; i < steps; i++) {
        int32_t angle = 3 * CC_TURN / 4 - CC_TURN / 2 * i / steps;
        add(out, tip_x + scaled(waist, cc_cos(sines, angle)) + shift, scaled(tip_y, cc_sin(sines, angle)));
    }
}

/* x = 16 sin^3 t, y = -(13 cos t - 5 cos 2t - 2 cos 3t - cos 4t) */
static void add_heart(cc_outline *out, int32_t size, const cc_sines *sines)
{
    const int steps = 48;
    for (int i = 0; i < steps; i++) {
        int32_t t = i * CC_TURN / steps, s = cc_sin(sines, t);
        int32_t x = 16 * scaled(scaled(s, s), s);
        int32_t y = 13 * cc_cos(sines, t) - 5 * cc_cos(sines, 2 * t) - 2 * cc_cos(sines, 3 * t) - cc_cos(sines, 4 * t);
        add(out, scaled(x / 16, size), -scaled((y + 2 * CC_ONE) / 16, size));
    }
}

static void add_arrow(cc_outline *out, int32_t shaft)
{
    const cc_point half[] = { { 0, -1250 }, { 920, -150 }, { shaft * 1000 / CC_ONE, -150 }, { shaft * 1000 / CC_ONE, 1150 } };
    add_mirrored(out, half, (int)CC_COUNT(half));
}

void cc_figure_outline(cc_figure figure, int32_t variant, const cc_sines *sines, cc_outline *out)
{
    out->count = 0;
    switch (figure) {
    case CC_DISC: add_regular(out, 40, 820 * CC_ONE / 1000, sines); break;
    case CC_RING: add_regular(out, 40, 980 * CC_ONE / 1000, sines); break;
    case CC_TRIANGLE: add_regular(out, 3, 1200 * CC_ONE / 1000, sines); break;
    case CC_SQUARE: add_regular(out, 4, 1050 * CC_ONE / 1000, sines); break;
    case CC_HEXAGON: add_regular(out, 6, 930 * CC_ONE / 1000, sines); break;
    case CC_STAR: add_star(out, vary(400, 500, variant), sines); break;
    case CC_CROSS: add_cross(out, vary(240, 380, variant)); break;
    case CC_CRESCENT: add_crescent(out, vary(750, 1050, variant), sines); break;
    case CC_ARROW: add_arrow(out, vary(260, 380, variant)); break;
    case CC_HEART: add_heart(out, vary(980, 1080, variant), sines); break;
    case CC_FIGURES: assert(0);
    }
    out->second = out->count;
    if (figure == CC_RING) add_regular(out, 32, vary(450, 650, variant), sines);
}

void cc_outline_place(cc_outline *outline, const cc_placement *placement, const cc_sines *sines)
{
    int32_t s = cc_sin(sines, placement->angle), c = cc_cos(sines, placement->angle);
    for (int i = 0; i < outline->count; i++) {
        cc_point *p = &outline->points[i];
        int64_t x = scaled(p->x, placement->sx), y = scaled(p->y, placement->sy);
        int64_t across = (x * c - y * s) / CC_ONE, down = (x * s + y * c) / CC_ONE;
        p->x = placement->x + (int32_t)(across * placement->radius / CC_ONE);
        p->y = placement->y + (int32_t)(down * placement->radius / CC_ONE);
    }
}

enum { samples = 8, rows = CC_CANVAS * samples, row_height = CC_PIXEL / samples, most_crossings = 16 };

typedef struct crossings {
    int32_t x[rows][most_crossings];
    uint8_t count[rows];
} crossings;

/* Records where the edge crosses the rows' centre lines. The end with the larger y is left out, so that a point that two edges share
 * counts once. */
static void cross_edge(crossings *all, cc_point a, cc_point b)
{
    if (a.y == b.y) return;
    if (a.y > b.y) {
        cc_point top = b;
        b = a;
        a = top;
    }
    int32_t first = a.y <= row_height / 2 ? 0 : (a.y - row_height / 2 + row_height - 1) / row_height;
    for (int32_t row = first; row < rows; row++) {
        int32_t y = row * row_height + row_height / 2;
        if (y >= b.y) break;
        int32_t x = a.x + (int32_t)((int64_t)(b.x - a.x) * (y - a.y) / (b.y - a.y));
        int at = all->count[row]++;
        assert(at < most_crossings);
        for (; at > 0 && all->x[row][at - 1] > x; at--)
            all->x[row][at] = all->x[row][at - 1];
        all->x[row][at] = x;
    }
}

static void fill_span(uint16_t *line, int32_t from, int32_t to)
{
    if (from < 0) from = 0;
    if (to > CC_CANVAS * CC_PIXEL) to = CC_CANVAS * CC_PIXEL;
    for (; from < to; from = (from / CC_PIXEL + 1) * CC_PIXEL) {
        int32_t end = (from / CC_PIXEL + 1) * CC_PIXEL;
        line[from / CC_PIXEL] = (uint16_t)(line[from / CC_PIXEL] + ((to < end ? to : end) - from));
    }
}

void cc_outline_cover(const cc_outline *outline, uint16_t *coverage)
{
    crossings all;
    memset(all.count, 0, sizeof all.count);
    memset(coverage, 0, sizeof(uint16_t) * CC_CANVAS * CC_CANVAS);
    for (int i = 0; i < outline->count; i++) {
        int start = i < outline->second ? 0 : outline->second, end = i < outline->second ? outline->second : outline->count;
        cross_edge(&all, outline->points[i], outline->points[i + 1 < end ? i + 1 : start]);
    }
    for (int row = 0; row < rows; row++)
        for (int i = 0; i + 1 < all.count[row]; i += 2)
            fill_span(coverage + row / samples * CC_CANVAS, all.x[row][i], all.x[row][i + 1]);
    for (int i = 0; i < CC_CANVAS * CC_CANVAS; i++)
        coverage[i] /= samples;
}
