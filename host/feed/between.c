/* Where the pixels of a strong view lie in the weak one, and which of them count in the CAM term. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "feed/views.h"

/* Affine functions of a strong view's pixel (row a, column b): its point (y, x) in some frame of side S, in pixels, the frame being [0,S)
 * in both. y = y[0] a + y[1] b + y[2], likewise x. */
typedef struct point {
    double y[3], x[3];
} point;

/* Frames in which a point must lie to count. */
enum { MOST_FRAMES = CC_MOST_DRAWN_OPERATIONS + 2 };
typedef struct frames {
    point points[MOST_FRAMES];
    size_t count;
    double size;
} frames;

static void must_lie_inside(frames *f, const point *p)
{
    assert(f->count < MOST_FRAMES);
    f->points[f->count++] = *p;
}

/* v = scale v + offset */
static void scale(double v[3], double factor, double offset)
{
    for (int i = 0; i < 3; i++)
        v[i] *= factor;
    v[2] += offset;
}

/* ---- from frame to frame */

/* To the point that a moved picture shows at p. value takes the number of a pixel, which is half a pixel less than its centre, to a point.
 */
static void undo_move(point *p, const int32_t value[6])
{
    const double one = 65536.0;
    const point from = *p;
    for (int i = 0; i < 3; i++) {
        p->x[i] = (value[0] * from.x[i] + value[1] * from.y[i]) / one;
        p->y[i] = (value[3] * from.x[i] + value[4] * from.y[i]) / one;
    }
    p->x[2] += (value[2] - 0.5 * ((double)value[0] + value[1])) / one;
    p->y[2] += (value[5] - 0.5 * ((double)value[3] + value[4])) / one;
}

/* From the place in a window to that in the flipped picture, and on to the picture. */
static void undo_window(point *p, const cc_transform *t, double size)
{
    scale(p->y, (t->y1 - t->y0) / size, t->y0);
    scale(p->x, (t->x1 - t->x0) / size, t->x0);
}

static void flip(point *p, const cc_transform *t, double size)
{
    if (t->flip_v) scale(p->y, -1, size);
    if (t->flip_h) scale(p->x, -1, size);
}

static void apply_window(point *p, const cc_transform *t, double size)
{
    const double rows = size / (t->y1 - t->y0), columns = size / (t->x1 - t->x0);
    scale(p->y, rows, -t->y0 * rows);
    scale(p->x, columns, -t->x0 * columns);
}

static void undo_turns(point *p, int turns, double size)
{
    const point from = *p;
    if (turns == 1 || turns == 3) {
        memcpy(p->y, from.x, sizeof p->y);
        memcpy(p->x, from.y, sizeof p->x);
    }
    if (turns == 2 || turns == 3) scale(p->y, -1, size);
    if (turns == 1 || turns == 2) scale(p->x, -1, size);
}

/* ---- T */

static point own_view(const cc_view_spec *spec, const cc_transform *weak, const cc_transform *strong,
                      const cc_picture_operation *operations, frames *f)
{
    point p = { { 1, 0, 0.5 }, { 0, 1, 0.5 } };
    for (size_t i = cc_view_operations(spec); i-- > 0;) {
        if (operations[i].kind != CC_PICTURE_AFFINE) continue;
        undo_move(&p, operations[i].value);
        must_lie_inside(f, &p);
    }
    undo_window(&p, strong, f->size);
    must_lie_inside(f, &p);
    flip(&p, strong, f->size);
    flip(&p, weak, f->size);
    apply_window(&p, weak, f->size);
    must_lie_inside(f, &p);
    return p;
}

static point view_of_weak(const cc_transform *weak, const cc_transform *strong, frames *f)
{
    point p = { { 1, 0, 0.5 }, { 0, 1, 0.5 } };
    undo_turns(&p, strong->turns & 3, f->size);
    undo_window(&p, strong, f->size);
    point in_picture = p;
    undo_window(&in_picture, weak, f->size);
    must_lie_inside(f, &in_picture);
    return p;
}

/* ---- pixels that count */

/* Keeps the columns b of begin .. end-1 with 0 <= slope b + at < size. */
static void keep_inside(double slope, double at, double size, int32_t *begin, int32_t *end)
{
    double first = 0, behind = size;
    if (slope > 0) {
        first = ceil(-at / slope);
        behind = ceil((size - at) / slope);
    } else if (slope < 0) {
        first = floor((size - at) / slope) + 1;
        behind = floor(-at / slope) + 1;
    } else if (at < 0 || at >= size) {
        behind = 0;
    }
    *begin = (int32_t)fmin(fmax(first, *begin), size);
    *end = (int32_t)fmax(fmin(behind, *end), *begin);
}

static int32_t between(int32_t value, int32_t low, int32_t high) { return value < low ? low : value > high ? high : value; }

static cc_counted_row row_of(const frames *f, int32_t a, const cc_picture_operation *cutout)
{
    cc_counted_row row = { .begin = 0, .end = (int32_t)f->size };
    for (size_t i = 0; i < f->count; i++) {
        const point *p = &f->points[i];
        keep_inside(p->y[1], p->y[0] * a + p->y[2], f->size, &row.begin, &row.end);
        keep_inside(p->x[1], p->x[0] * a + p->x[2], f->size, &row.begin, &row.end);
    }
    row.hole_begin = row.hole_end = row.begin;
    if (cutout && a >= cutout->value[0] && a < cutout->value[2]) {
        row.hole_begin = between(cutout->value[1], row.begin, row.end);
        row.hole_end = between(cutout->value[3], row.hole_begin, row.end);
    }
    return row;
}

void cc_view_between(const cc_view_spec *spec, size_t size, const cc_transform *weak, const cc_transform *strong,
                     const cc_picture_operation *operations, cc_affine *map, cc_counted_row *rows)
{
    const size_t count = cc_view_operations(spec);
    const bool own = cc_strong_is_own(spec);
    frames f = { .size = (double)size };
    const point p = own ? own_view(spec, weak, strong, operations, &f) : view_of_weak(weak, strong, &f);
    *map = (cc_affine){ .high = { (float)(size - 1), (float)(size - 1) } };
    if (!own) {
        map->low[0] = (float)strong->y0;
        map->low[1] = (float)strong->x0;
        map->high[0] = (float)(strong->y1 - 1);
        map->high[1] = (float)(strong->x1 - 1);
    }
    for (int i = 0; i < 3; i++) {
        map->map[i] = (float)(p.y[i] - (i == 2 ? 0.5 : 0));
        map->map[3 + i] = (float)(p.x[i] - (i == 2 ? 0.5 : 0));
    }
    const bool cut = count > 0 && operations[count - 1].kind == CC_PICTURE_CUTOUT;
    for (size_t a = 0; a < size; a++) {
        rows[a] = row_of(&f, (int32_t)a, cut ? &operations[count - 1] : NULL);
        map->counted += (float)(rows[a].end - rows[a].begin - (rows[a].hole_end - rows[a].hole_begin));
    }
}
