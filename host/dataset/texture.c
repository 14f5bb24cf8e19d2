#include "dataset/texture.h"

#include <string.h>

enum { size = CC_CANVAS, whole = 256, half = 128 };

int32_t cc_between(cc_rng *rng, int32_t low, int32_t high) { return low + (int32_t)cc_rng_below(rng, (uint32_t)(high - low + 1)); }

static uint16_t clamp(int32_t value) { return (uint16_t)(value < 0 ? 0 : value > whole ? whole : value); }

/* The distance along a direction from the picture's centre to a pixel's centre, in half pixels times CC_ONE. */
static int32_t along(const cc_sines *sines, int32_t angle, int x, int y)
{
    return (2 * x + 1 - size) * cc_cos(sines, angle) + (2 * y + 1 - size) * cc_sin(sines, angle);
}

static void draw_gradient(cc_rng *rng, const cc_sines *sines, uint16_t *mix)
{
    int32_t angle = cc_between(rng, 0, CC_TURN - 1), centre = cc_between(rng, 64, 192), steep = cc_between(rng, 3, 7);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
            *mix++ = clamp(centre + along(sines, angle, x, y) * steep / CC_ONE);
}

/* Waves of 4 to 16 pixels, soft or hard-edged. */
static void draw_stripes(cc_rng *rng, const cc_sines *sines, uint16_t *mix)
{
    int32_t angle = cc_between(rng, 0, CC_TURN - 1), phase = cc_between(rng, 0, CC_TURN - 1);
    int32_t wave = cc_between(rng, 4, 16), sharp = cc_between(rng, 1, 4);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            int32_t turn = along(sines, angle, x, y) / 8 * (CC_TURN / 2) / (wave * CC_ONE / 8);
            *mix++ = clamp(half + cc_sin(sines, turn + phase) * half * sharp / CC_ONE);
        }
}

/* Squares of 3 to 9 pixels in a turned grid, edges softened by the product of two waves. */
static void draw_checks(cc_rng *rng, const cc_sines *sines, uint16_t *mix)
{
    int32_t angle = cc_between(rng, 0, CC_TURN - 1), phase = cc_between(rng, 0, CC_TURN - 1);
    int32_t wave = cc_between(rng, 6, 18);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            int32_t u = along(sines, angle, x, y) / 8 * (CC_TURN / 2) / (wave * CC_ONE / 8);
            int32_t v = along(sines, angle + CC_TURN / 4, x, y) / 8 * (CC_TURN / 2) / (wave * CC_ONE / 8);
            int32_t product = cc_sin(sines, u + phase) * cc_sin(sines, v + phase) / CC_ONE;
            *mix++ = clamp(half + product * half * 3 / CC_ONE);
        }
}

/* Random values on a grid of `cell` pixels, blended by 3f^2 - 2f^3; weight is added to mix in 256ths. */
static void add_noise(cc_rng *rng, int32_t cell, int32_t weight, uint16_t *mix)
{
    /* A pixel on a line of the grid multiplies what lies beyond that line by zero, which may lie beyond the grid. */
    int32_t grid[size / 4 + 2][size / 4 + 2] = { { 0 } }, n = size / cell + 2;
    int32_t x0 = cc_between(rng, 0, cell - 1), y0 = cc_between(rng, 0, cell - 1);
    for (int32_t i = 0; i < n * n; i++)
        grid[i / n][i % n] = cc_between(rng, 0, whole);
    for (int32_t y = 0; y < size; y++)
        for (int32_t x = 0; x < size; x++) {
            int32_t gx = (x + x0) / cell, gy = (y + y0) / cell;
            int32_t fx = (x + x0) % cell * whole / cell, fy = (y + y0) % cell * whole / cell;
            fx = fx * fx * (3 * whole - 2 * fx) / (whole * whole);
            fy = fy * fy * (3 * whole - 2 * fy) / (whole * whole);
            int32_t top = grid[gy][gx] * (whole - fx) + grid[gy][gx + 1] * fx;
            int32_t bottom = grid[gy + 1][gx] * (whole - fx) + grid[gy + 1][gx + 1] * fx;
            int32_t value = (top * (whole - fy) + bottom * fy) / (whole * whole);
            mix[y * size + x] = clamp(mix[y * size + x] + value * weight / whole);
        }
}

static void draw_noise(cc_rng *rng, uint16_t *mix)
{
    static const int32_t coarse[] = { 16, 8, 8, 5 };
    memset(mix, 0, sizeof *mix * size * size);
    add_noise(rng, coarse[cc_rng_below(rng, 4)], 176, mix);
    add_noise(rng, 4, 80, mix);
}

void cc_texture_draw(cc_rng *rng, const cc_sines *sines, uint16_t *mix)
{
    switch (cc_rng_below(rng, 5)) {
    case 0: draw_gradient(rng, sines, mix); break;
    case 1: draw_stripes(rng, sines, mix); break;
    case 2: draw_checks(rng, sines, mix); break;
    default: draw_noise(rng, mix); break;
    }
}
