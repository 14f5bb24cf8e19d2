/* Register-tile weight gradient for CPUs (cl/conv2d_tile_weight.cl). */
#include <stdio.h>

#include "base/memory.h"
#include "ops/conv2d_tile.h"
#include "ops/conv2d_variants.h"

/* Rows of a tile: 8, or the whole of a short run (the first layer's 3x3). */
static size_t choose_rows(size_t run) { return run < 12 ? run : 8; }

/* Input channels of a task. */
static size_t choose_slice(size_t c) { return cc_min_size(c, 128); }

camcl_status cc_conv2d_tile_backward_weight(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_conv2d_desc *d = desc;
    CC_RETURN_IF_FAILED(cc_conv2d_check(CC_BACKWARD_WEIGHT, d, io, count, false, err));
    const size_t p = cc_conv2d_out_h(d), q = cc_conv2d_out_w(d), rsc = d->r * d->s * d->c;
    const size_t items = 4 * camcl_device_get_info(cc_tape_device(tape))->compute_units;
    const unsigned vectors = cc_conv2d_tile_vectors(d->k);
    const size_t kb = 16 * vectors, panels = cc_ceil_div(d->k, kb);

    const size_t slice = choose_slice(d->c), slices = cc_ceil_div(d->c, slice);
    const bool joined = slices == 1;
    const size_t run = joined ? d->s * d->c : slice, rows = choose_rows(run);
    /* Tiles read up to ROWS-1 numbers beyond a run: harmless in a band (which has them to spare), not at the end of x. */
    const bool use_band = d->pad > 0 || !joined || run % rows != 0;
    const size_t columns = (q - 1) * d->stride + d->s, band_pixel = joined ? slice : slice + 16;
    const size_t band_row = (use_band ? columns : d->w) * band_pixel;

    const size_t parts_wanted = cc_ceil_div(items, panels * slices);
    const size_t row_bytes = (band_row + cc_ceil_div(q * kb, d->stride)) * sizeof(float);
    const cc_conv2d_groups g = cc_conv2d_tile_groups(d->n, p, d->r, d->stride, row_bytes, CC_CONV2D_TILE_BAND_BYTES, parts_wanted);
    const size_t groups_each = cc_ceil_div(g.count, cc_min_size(parts_wanted, g.count)), parts = cc_ceil_div(g.count, groups_each);
    const size_t band_image = use_band ? ((g.rows - 1) * d->stride + d->r) * band_row : d->h * band_row;
    const size_t scratch_each = cc_round_up(g.images * (g.rows * q * kb + (use_band ? band_image : 0)) + rows, 16);
    const size_t walkers = cc_min_size(items, parts * panels * slices);
    const bool direct = parts == 1 && d->k % kb == 0;
    const size_t part_size = panels * rsc * kb;

    char options[64];
    snprintf(options, sizeof options, "-DROWS=%zu -DVECTORS=%u", rows, vectors);
    cc_buffer *scratch, *partial = NULL, *dw = io[2].buffer;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, walkers * scratch_each * sizeof(float), "weight gradient bands", &scratch, err));
    if (!direct) CC_RETURN_IF_FAILED(cc_tape_buffer(tape, parts * part_size * sizeof(float), "weight gradient parts", &partial, err));
    cc_launch launch = { .program = "conv2d_tile_weight",
                         .kernel = "conv2d_backward_weight_tile",
                         .options = options,
                         .dims = 1,
                         .global = { walkers },
                         .local = { 1 },
                         .flops = cc_conv2d_flops(d) };
    CC_RETURN_IF_FAILED(cc_tape_launch(
        tape, &launch,
        CC_ARGS(CC_IN(io[0].buffer), CC_IN(io[1].buffer),
                !direct ? CC_OUT(partial)
                : add   ? CC_INOUT(dw)
                        : CC_OUT(dw),
                CC_INOUT(scratch), CC_INT(d->n), CC_INT(d->h), CC_INT(d->w), CC_INT(d->c), CC_INT(d->k), CC_INT(p), CC_INT(q), CC_INT(d->r),
                CC_INT(joined ? 1 : d->s), CC_INT(run), CC_INT(d->stride), CC_INT(d->pad), CC_INT(g.images), CC_INT(g.rows),
                CC_INT(g.per_image), CC_INT(g.count), CC_INT(groups_each), CC_INT(columns), CC_INT(band_image), CC_INT(band_row),
                CC_INT(band_pixel), CC_INT(use_band), CC_INT(scratch_each), CC_INT(parts), CC_INT(panels), CC_INT(slice),
                CC_INT(direct ? 0 : part_size), CC_INT(direct ? kb : rsc * kb), CC_INT(direct ? d->k : kb), CC_INT(direct && add)),
        err));
    if (direct) return CAMCL_OK;
    cc_launch reduce = { .program = "conv2d_pack",
                         .kernel = "conv2d_reduce",
                         .dims = 2,
                         .global = { d->k, rsc },
                         .bytes = 4.0 * (double)(parts * part_size + 2 * rsc * d->k) };
    return cc_tape_launch(tape, &reduce,
                          CC_ARGS(CC_IN(partial), add ? CC_INOUT(dw) : CC_OUT(dw), CC_INT(rsc), CC_INT(d->k), CC_INT(kb), CC_INT(parts),
                                  CC_INT(part_size), CC_INT(add)),
                          err);
}
