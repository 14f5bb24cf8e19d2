/* Batch normalisation with residual and activation: two passes over memory forward (statistics, apply), two backward (sums, apply). */
#include <stdio.h>

#include "base/memory.h"
#include "device/kernel_bindings.h"
#include "ops/geometry.h"
#include "ops/record.h"
#include "ops/variants.h"

enum { NONE, OVERWRITE, ADD }; /* what the kernels do with an output */

/* How the M rows are cut for the launches: see cl/batch_norm.cl and, for `across` > 0, cl/batch_norm_group.cl. */
typedef struct geometry {
    cc_shape shape;
    size_t span, tile, rows, chunks; /* sums */
    size_t across, down;             /* of a work-group that adds up; 0: work-items add up alone */
    size_t apply_rows, apply_chunks; /* passes without sums */
} geometry;

/* of the group kernels */
enum { GROUP_ITEMS = 256, MOST_ACROSS = 32, BATCH_ROWS = 4 /* BATCH, or a multiple */ };

static void plan_groups(const camcl_device_info *info, const cc_batch_norm_desc *desc, geometry *g)
{
    enum { LEAST_ROWS = 8, MOST_CHUNKS = 256, ITEMS_PER_UNIT = 1024 };
    const size_t vectors = desc->c / g->shape.width, units = cc_max_size(info->compute_units, 1);
    g->across = 1;
    while (g->across < MOST_ACROSS && g->across < vectors)
        g->across *= 2;
    g->down = GROUP_ITEMS / g->across;
    const size_t columns = cc_ceil_div(vectors, g->across),
                 chunks = cc_min_size(cc_ceil_div(units * ITEMS_PER_UNIT, columns * GROUP_ITEMS), MOST_CHUNKS);
    /* of a work-item: in blocks of the kernel, so that few rows are joined one by one */
    const size_t rows = cc_round_up(cc_ceil_div(desc->m, chunks * g->down), LEAST_ROWS);
    g->rows = rows * g->down;
    g->chunks = cc_ceil_div(desc->m, g->rows);
    g->apply_rows = BATCH_ROWS;
}

static geometry plan(const camcl_device_info *info, const cc_batch_norm_desc *desc, bool group)
{
    enum { TILE = 16, GPU_APPLY_ROWS = 8, GPU_MAX_CHUNKS = 1024 };
    const bool cpu = cc_likes_long_items(info);
    const size_t units = cc_max_size(info->compute_units, 1);
    geometry g = { .shape = cc_row_shape(info, desc->c) };
    /* Groups of vectors as wide as a CPU's would take much local memory. */
    if (group && cpu) g.shape = desc->c % 4 == 0 ? (cc_shape){ 4, 1, "-DWIDTH=4" } : (cc_shape){ 1, 1, "-DWIDTH=1" };
    g.span = cpu ? desc->c : g.shape.width;
    /* Enough work-items to fill the device, chunks long enough to make joining them cheap. */
    size_t rows = cpu ? cc_ceil_div(desc->m, 16 * units) : cc_ceil_div(desc->m * (desc->c / g.shape.width), 1024 * units);
    if (!cpu) rows = cc_max_size(rows, cc_ceil_div(desc->m, GPU_MAX_CHUNKS));
    g.rows = cc_round_up(rows, TILE);
    g.chunks = cc_ceil_div(desc->m, g.rows);
    g.tile = cpu ? TILE : g.rows;
    g.apply_rows = cpu ? g.rows : GPU_APPLY_ROWS;
    if (group) plan_groups(info, desc, &g);
    g.apply_chunks = cc_ceil_div(desc->m, g.apply_rows);
    return g;
}

/* For the kernels that activate. */
static geometry activated(const geometry *g, const cc_batch_norm_desc *desc, char options[CC_ACTIVATION_OPTIONS])
{
    geometry out = *g;
    out.shape.options = cc_activation_options(desc->activation, g->shape.options, options);
    return out;
}

/* A kernel over `chunks` of rows, or with chunks = 0 one work-group per vector of channels. `passes`: M*C floats read or written. */
static camcl_status launch(cc_tape *tape, const cc_kernel *kernel, const cc_arg *args, const geometry *g, const cc_batch_norm_desc *desc,
                           size_t chunks, unsigned passes, camcl_error *err)
{
    cc_launch l = { .options = g->shape.options, .dims = 1 };
    l.global[0] = chunks ? chunks * (desc->c / g->span) : desc->c / g->shape.width * g->shape.lanes;
    if (chunks == 0) l.local[0] = l.local[1] = l.local[2] = 1;
    if (chunks == 0) l.local[0] = g->shape.lanes;
    l.bytes = 4.0 * passes * (double)desc->m * (double)desc->c;
    return cc_tape_launch(tape, kernel, args, &l, err);
}

/* A kernel of cl/batch_norm_group.cl: `sums`: by work-groups, else by work-items that share nothing. */
static camcl_status launch_groups(cc_tape *tape, const cc_kernel *kernel, const cc_arg *args, const geometry *g,
                                  const cc_batch_norm_desc *desc, bool sums, unsigned passes, camcl_error *err)
{
    char options[CC_ACTIVATION_OPTIONS + 32];
    const size_t vectors = desc->c / g->shape.width;
    cc_launch l = { .options = options, .dims = 1, .bytes = 4.0 * passes * (double)desc->m * (double)desc->c };
    snprintf(options, sizeof options, "%s -DACROSS=%zu -DDOWN=%zu", g->shape.options, g->across, g->down);
    l.global[0] = sums ? g->chunks * cc_ceil_div(vectors, g->across) * GROUP_ITEMS : g->apply_chunks * vectors;
    if (sums) l.local[0] = GROUP_ITEMS;
    if (sums) l.local[1] = l.local[2] = 1;
    return cc_tape_launch(tape, kernel, args, &l, err);
}

static size_t all_rows(const cc_batch_norm_desc *d) { return d->all ? d->all : d->m; }

/* `residual`: what was added before the activation, or its gradient. */
static camcl_status check_desc(const cc_batch_norm_op *op, const cc_buffer *residual, camcl_error *err)
{
    const cc_activation activation = op->desc.activation;
    if (residual && cc_activation_needs(activation) == CC_NEEDS_X)
        return cc_fail(
            err, CAMCL_UNSUPPORTED,
            "batch norm: the derivative of %s needs the sum with the residual, which is not kept (activate the sum in an operation "
            "of its own)",
            cc_activation_get(activation)->name);
    if (op->train && all_rows(&op->desc) < 2)
        return cc_fail(err, CAMCL_UNSUPPORTED, "batch norm: one row per channel has no variance (use a larger batch or larger images)");
    return CAMCL_OK;
}

static camcl_status record_statistics(cc_tape *tape, const geometry *g, const cc_batch_norm_desc *d, cc_buffer *x, cc_buffer *partial,
                                      camcl_error *err)
{
    if (g->across)
        return launch_groups(tape,
                             CC_BIND(batch_norm_statistics_group, .x = CC_IN(x), .partial = CC_OUT(partial), .m = CC_INT(d->m),
                                     .c = CC_INT(d->c), .rows = CC_INT(g->rows), .chunks = CC_INT(g->chunks)),
                             g, d, true, 1, err);
    return launch(tape,
                  CC_BIND(batch_norm_statistics, .x = CC_IN(x), .partial = CC_OUT(partial), .m = CC_INT(d->m), .c = CC_INT(d->c),
                          .rows = CC_INT(g->rows), .chunks = CC_INT(g->chunks), .span = CC_INT(g->span), .tile = CC_INT(g->tile)),
                  g, d, g->chunks, 1, err);
}

/* Joins the chunks, and the result with the other devices'. io as in forward. */
static camcl_status record_joined(cc_tape *tape, const geometry *g, const cc_batch_norm_desc *d, cc_buffer *partial, const cc_tensor *io,
                                  camcl_error *err)
{
    cc_buffer *found;
    CC_RETURN_IF_FAILED(cc_tape_buffer(tape, 2 * d->c * sizeof(float), "batch norm, joined statistics", &found, err));
    CC_RETURN_IF_FAILED(launch(tape,
                               CC_BIND(batch_norm_moments, .x = CC_IN(io[0].buffer), .partial = CC_IN(partial), .found = CC_OUT(found),
                                       .m = CC_INT(d->m), .c = CC_INT(d->c), .rows = CC_INT(g->rows), .chunks = CC_INT(g->chunks)),
                               g, d, 0, 0, err));
    const cc_exchange_point point = { .kind = CC_EXCHANGE_MOMENTS, .buffer = found, .count = d->c, .weight = (double)d->m };
    CC_RETURN_IF_FAILED(cc_tape_exchange(tape, &point, err));
    return launch(tape,
                  CC_BIND(batch_norm_joined, .found = CC_IN(found), .mean = CC_OUT(io[6].buffer), .invstd = CC_OUT(io[7].buffer),
                          .running_mean = CC_INOUT(io[4].buffer), .running_var = CC_INOUT(io[5].buffer), .c = CC_INT(d->c),
                          .biased = CC_FLOAT(1 / (float)d->all), .unbiased = CC_FLOAT(1 / (float)(d->all - 1)), .eps = CC_FLOAT(d->eps),
                          .momentum = CC_FLOAT(d->momentum)),
                  g, d, 0, 0, err);
}

static camcl_status forward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, bool group, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("batch_norm", add, err));
    const cc_batch_norm_op *op = desc;
    const cc_batch_norm_desc *d = &op->desc;
    const size_t all = d->m * d->c;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS(
        "batch_norm", io, count, err, { "x", CC_F32, all, CC_EXACT }, { "residual", CC_F32, all, CC_OPTIONAL },
        { "gamma", CC_F32, d->c, CC_EXACT }, { "beta", CC_F32, d->c, CC_EXACT }, { "running_mean", CC_F32, d->c, CC_EXACT | CC_APART },
        { "running_var", CC_F32, d->c, CC_EXACT | CC_APART }, { "mean", CC_F32, d->c, CC_EXACT | CC_APART },
        { "invstd", CC_F32, d->c, CC_EXACT | CC_APART }, { "y", CC_F32, all, CC_EXACT | CC_APART }));
    cc_buffer *x = io[0].buffer, *residual = io[1].buffer, *gamma = io[2].buffer, *beta = io[3].buffer, *running_mean = io[4].buffer,
              *running_var = io[5].buffer, *mean = io[6].buffer, *invstd = io[7].buffer, *y = io[8].buffer;
    CC_RETURN_IF_FAILED(check_desc(op, residual, err));
    char options[CC_ACTIVATION_OPTIONS];
    const geometry g = plan(camcl_device_get_info(cc_tape_device(tape)), d, group), activating = activated(&g, d, options);
    if (op->train) {
        cc_buffer *partial;
        CC_RETURN_IF_FAILED(cc_tape_buffer(tape, 2 * g.chunks * d->c * sizeof(float), "batch norm, partial statistics", &partial, err));
        CC_RETURN_IF_FAILED(record_statistics(tape, &g, d, x, partial, err));
        if (d->all)
            CC_RETURN_IF_FAILED(record_joined(tape, &g, d, partial, io, err));
        else
            CC_RETURN_IF_FAILED(launch(
                tape,
                CC_BIND(batch_norm_finalize, .x = CC_IN(x), .partial = CC_IN(partial), .mean = CC_OUT(mean), .invstd = CC_OUT(invstd),
                        .running_mean = CC_INOUT(running_mean), .running_var = CC_INOUT(running_var), .m = CC_INT(d->m), .c = CC_INT(d->c),
                        .rows = CC_INT(g.rows), .chunks = CC_INT(g.chunks), .eps = CC_FLOAT(d->eps), .momentum = CC_FLOAT(d->momentum)),
                &g, d, 0, 0, err));
    } else {
        CC_RETURN_IF_FAILED(launch(tape,
                                   CC_BIND(batch_norm_running, .running_mean = CC_IN(running_mean), .running_var = CC_IN(running_var),
                                           .mean = CC_OUT(mean), .invstd = CC_OUT(invstd), .c = CC_INT(d->c), .eps = CC_FLOAT(d->eps)),
                                   &g, d, 0, 0, err));
    }
    const unsigned passes = residual ? 3 : 2;
    if (group)
        return launch_groups(tape,
                             CC_BIND(batch_norm_forward_group, .x = CC_IN(x), .residual = CC_IN(residual ? residual : x),
                                     .gamma = CC_IN(gamma), .beta = CC_IN(beta), .mean = CC_IN(mean), .invstd = CC_IN(invstd),
                                     .y = CC_OUT(y), .m = CC_INT(d->m), .c = CC_INT(d->c), .rows = CC_INT(g.apply_rows),
                                     .slope = CC_FLOAT(cc_activation_slope(d->activation)), .has_residual = CC_INT(residual != NULL)),
                             &activating, d, false, passes, err);
    return launch(tape,
                  CC_BIND(batch_norm_forward, .x = CC_IN(x), .residual = CC_IN(residual ? residual : x), .gamma = CC_IN(gamma),
                          .beta = CC_IN(beta), .mean = CC_IN(mean), .invstd = CC_IN(invstd), .y = CC_OUT(y), .m = CC_INT(d->m),
                          .c = CC_INT(d->c), .rows = CC_INT(g.apply_rows), .chunks = CC_INT(g.apply_chunks), .span = CC_INT(g.span),
                          .slope = CC_FLOAT(cc_activation_slope(d->activation)), .has_residual = CC_INT(residual != NULL)),
                  &activating, d, g.apply_chunks, passes, err);
}

static camcl_status fold(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_op_check_no_add("batch_norm_fold", add, err));
    const cc_batch_norm_desc *d = desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("batch_norm_fold", io, count, err, { "gamma", CC_F32, d->c, CC_EXACT },
                                          { "beta", CC_F32, d->c, CC_EXACT }, { "running_mean", CC_F32, d->c, CC_EXACT },
                                          { "running_var", CC_F32, d->c, CC_EXACT }, { "mean", CC_F32, d->c, CC_EXACT | CC_APART },
                                          { "invstd", CC_F32, d->c, CC_EXACT | CC_APART }, { "scale", CC_F32, d->c, CC_EXACT | CC_APART },
                                          { "shift", CC_F32, d->c, CC_EXACT | CC_APART }));
    const geometry g = plan(camcl_device_get_info(cc_tape_device(tape)), d, false);
    return launch(tape,
                  CC_BIND(batch_norm_fold, .gamma = CC_IN(io[0].buffer), .beta = CC_IN(io[1].buffer), .running_mean = CC_IN(io[2].buffer),
                          .running_var = CC_IN(io[3].buffer), .mean = CC_OUT(io[4].buffer), .invstd = CC_OUT(io[5].buffer),
                          .scale = CC_OUT(io[6].buffer), .shift = CC_OUT(io[7].buffer), .c = CC_INT(d->c), .eps = CC_FLOAT(d->eps)),
                  &g, d, 0, 0, err);
}

static int mode(const cc_buffer *output, bool add) { return output == NULL ? NONE : add ? ADD : OVERWRITE; }
/* An output whose mode is NONE is not written; `stand_in` is bound in its place. */
static cc_arg output(cc_buffer *buffer, int how, cc_buffer *stand_in)
{
    return how == NONE ? CC_INOUT(stand_in) : how == ADD ? CC_INOUT(buffer) : CC_OUT(buffer);
}

static camcl_status check_backward(const cc_batch_norm_op *op, const cc_tensor *io, size_t count, camcl_error *err)
{
    const cc_batch_norm_desc *d = &op->desc;
    const size_t all = d->m * d->c;
    const unsigned wanted = op->train ? CC_EXACT : CC_OPTIONAL;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS(
        "batch_norm", io, count, err, { "x", CC_F32, all, CC_EXACT }, { "y", CC_F32, all, CC_OPTIONAL }, { "dy", CC_F32, all, CC_EXACT },
        { "gamma", CC_F32, d->c, CC_EXACT }, { "beta", CC_F32, d->c, CC_OPTIONAL }, { "mean", CC_F32, d->c, CC_EXACT },
        { "invstd", CC_F32, d->c, CC_EXACT }, { "dx", CC_F32, all, wanted }, { "dresidual", CC_F32, all, CC_OPTIONAL },
        { "dgamma", CC_F32, d->c, wanted | CC_APART }, { "dbeta", CC_F32, d->c, wanted | CC_APART }));
    const cc_buffer *x = io[0].buffer, *y = io[1].buffer, *dy = io[2].buffer, *dx = io[7].buffer, *dresidual = io[8].buffer,
                    *dgamma = io[9].buffer, *dbeta = io[10].buffer;
    if ((dgamma == NULL) != (dbeta == NULL))
        return cc_fail(err, CAMCL_FAILED, "batch_norm: dgamma without dbeta (report this as a defect)");
    if ((dresidual == dy && !dgamma) || (dx == dy && (dresidual == dy || op->add.dx)))
        return cc_fail(err, CAMCL_FAILED, "batch_norm: dy cannot be this output, too (report this as a defect)");
    if (dx == x || dresidual == x || (dx && (dx == y || dx == dresidual)) || (dresidual && dresidual == y))
        return cc_fail(err, CAMCL_FAILED, "batch_norm: an output cannot be x, y or another output, too (report this as a defect)");
    return check_desc(op, dresidual, err);
}

/* What the activation's derivative is computed from: y, or the operand of the activation, which is computed again from x. Without an
 * activation nothing is needed, and dy is bound in place of y. */
typedef struct source {
    cc_buffer *y;
    bool has_y;
    unsigned reads; /* tensors of M*C numbers, with dy and x */
} source;

static camcl_status find_source(const cc_batch_norm_op *op, const cc_tensor *io, source *out, camcl_error *err)
{
    const cc_derivative_needs needs = cc_activation_needs(op->desc.activation);
    cc_buffer *y = io[1].buffer, *dy = io[2].buffer, *beta = io[4].buffer;
    if (op->desc.activation.kind == CC_ACTIVATION_NONE)
        *out = (source){ dy, true, 2 };
    else if (y && needs != CC_NEEDS_X)
        *out = (source){ y, true, 3 };
    else if (beta && needs != CC_NEEDS_Y)
        *out = (source){ dy, false, 2 };
    else
        return cc_fail(err, CAMCL_FAILED, "batch_norm: the derivative of %s needs y, or beta (report this as a defect)",
                       cc_activation_get(op->desc.activation)->name);
    return CAMCL_OK;
}

/* With `keep`, dy becomes the gradient of the activation's operand. */
static camcl_status record_sums(cc_tape *tape, const geometry *activating, const cc_batch_norm_desc *d, const source *from,
                                const cc_tensor *io, cc_buffer *partial, bool keep, camcl_error *err)
{
    cc_buffer *x = io[0].buffer, *dy = io[2].buffer, *gamma = io[3].buffer, *beta = io[4].buffer ? io[4].buffer : gamma,
              *mean = io[5].buffer, *invstd = io[6].buffer;
    const cc_arg slope = CC_FLOAT(cc_activation_slope(d->activation));
    const geometry *g = activating;
    if (g->across)
        return launch_groups(tape,
                             CC_BIND(batch_norm_backward_sums_group, .x = CC_IN(x), .y = CC_IN(from->y), .dy = CC_INOUT(dy),
                                     .gamma = CC_IN(gamma), .beta = CC_IN(beta), .mean = CC_IN(mean), .invstd = CC_IN(invstd),
                                     .partial = CC_OUT(partial), .m = CC_INT(d->m), .c = CC_INT(d->c), .rows = CC_INT(g->rows),
                                     .chunks = CC_INT(g->chunks), .slope = slope, .has_y = CC_INT(from->has_y), .keep = CC_INT(keep)),
                             g, d, true, from->reads + keep, err);
    return launch(tape,
                  CC_BIND(batch_norm_backward_sums, .x = CC_IN(x), .y = CC_IN(from->y), .dy = CC_INOUT(dy), .gamma = CC_IN(gamma),
                          .beta = CC_IN(beta), .mean = CC_IN(mean), .invstd = CC_IN(invstd), .partial = CC_OUT(partial), .m = CC_INT(d->m),
                          .c = CC_INT(d->c), .rows = CC_INT(g->rows), .chunks = CC_INT(g->chunks), .span = CC_INT(g->span),
                          .tile = CC_INT(g->tile), .slope = slope, .has_y = CC_INT(from->has_y), .keep = CC_INT(keep)),
                  g, d, g->chunks, from->reads + keep, err);
}

static camcl_status backward(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, bool group, camcl_error *err)
{
    const cc_batch_norm_op *op = desc;
    const cc_batch_norm_desc *d = &op->desc;
    source from = { NULL, false, 0 };
    CC_RETURN_IF_FAILED(cc_op_check_no_add("batch_norm", add, err));
    CC_RETURN_IF_FAILED(check_backward(op, io, count, err));
    CC_RETURN_IF_FAILED(find_source(op, io, &from, err));
    cc_buffer *x = io[0].buffer, *dy = io[2].buffer, *gamma = io[3].buffer, *beta = io[4].buffer ? io[4].buffer : gamma,
              *mean = io[5].buffer, *invstd = io[6].buffer, *dx = io[7].buffer, *dresidual = io[8].buffer, *dgamma = io[9].buffer,
              *dbeta = io[10].buffer, *sums = invstd;
    const bool keep = dresidual == dy, in_place = dx == dy;
    char options[CC_ACTIVATION_OPTIONS];
    const geometry g = plan(camcl_device_get_info(cc_tape_device(tape)), d, group), activating = activated(&g, d, options);
    float slope = cc_activation_slope(d->activation);
    if (dgamma) {
        cc_buffer *partial;
        const int how = mode(dgamma, op->add.dparams);
        CC_RETURN_IF_FAILED(cc_tape_buffer(tape, 2 * g.chunks * d->c * sizeof(float), "batch norm, partial sums", &partial, err));
        CC_RETURN_IF_FAILED(cc_tape_buffer(tape, 2 * d->c * sizeof(float), "batch norm, sums", &sums, err));
        CC_RETURN_IF_FAILED(record_sums(tape, &activating, d, &from, io, partial, keep, err));
        CC_RETURN_IF_FAILED(launch(tape,
                                   CC_BIND(batch_norm_backward_finalize, .partial = CC_IN(partial), .invstd = CC_IN(invstd),
                                           .sums = CC_OUT(sums), .dgamma = output(dgamma, how, NULL), .dbeta = output(dbeta, how, NULL),
                                           .c = CC_INT(d->c), .chunks = CC_INT(g.chunks), .add = CC_INT(op->add.dparams)),
                                   &g, d, 0, 0, err));
        if (op->train && d->all)
            CC_RETURN_IF_FAILED(cc_tape_exchange(tape, &(cc_exchange_point){ CC_EXCHANGE_SUM, sums, 0, 2 * d->c, 0 }, err));
    }
    if (keep) { /* dy now holds the gradient of the activation's operand, which is the residual's gradient, too */
        from = (source){ dy, true, 2 };
        slope = 1;
    }
    const int dx_mode = mode(dx, op->add.dx), dresidual_mode = keep ? NONE : mode(dresidual, op->add.dresidual);
    const bool needs_x = op->train || !from.has_y;
    if (dx_mode == NONE && dresidual_mode == NONE) return CAMCL_OK;
    const unsigned passes = from.reads - !needs_x + (unsigned)(dx_mode + dresidual_mode);
    const cc_arg to_dx = in_place ? CC_INOUT(dx) : output(dx, dx_mode, dy), to_residual = output(dresidual, dresidual_mode, dy);
    if (group)
        return launch_groups(tape,
                             CC_BIND(batch_norm_backward_group, .x = CC_IN(x), .y = CC_IN(from.y), .dy = CC_IN(dy), .gamma = CC_IN(gamma),
                                     .beta = CC_IN(beta), .mean = CC_IN(mean), .invstd = CC_IN(invstd), .sums = CC_IN(sums), .dx = to_dx,
                                     .dresidual = to_residual, .m = CC_INT(d->m), .c = CC_INT(d->c), .rows = CC_INT(g.apply_rows),
                                     .all = CC_INT(all_rows(d)), .slope = CC_FLOAT(slope), .has_y = CC_INT(from.has_y),
                                     .train = CC_INT(op->train), .dx_mode = CC_INT(dx_mode), .dresidual_mode = CC_INT(dresidual_mode)),
                             keep ? &g : &activating, d, false, passes, err);
    return launch(tape,
                  CC_BIND(batch_norm_backward, .x = CC_IN(x), .y = CC_IN(from.y), .dy = CC_IN(dy), .gamma = CC_IN(gamma),
                          .beta = CC_IN(beta), .mean = CC_IN(mean), .invstd = CC_IN(invstd), .sums = CC_IN(sums), .dx = to_dx,
                          .dresidual = to_residual, .m = CC_INT(d->m), .c = CC_INT(d->c), .rows = CC_INT(g.apply_rows),
                          .chunks = CC_INT(g.apply_chunks), .span = CC_INT(g.span), .all = CC_INT(all_rows(d)), .slope = CC_FLOAT(slope),
                          .has_y = CC_INT(from.has_y), .train = CC_INT(op->train), .dx_mode = CC_INT(dx_mode),
                          .dresidual_mode = CC_INT(dresidual_mode)),
                  keep ? &g : &activating, d, g.apply_chunks, passes, err);
}

static camcl_status forward_rows(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return forward(tape, desc, io, count, add, false, err);
}

static camcl_status forward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return forward(tape, desc, io, count, add, true, err);
}

static camcl_status backward_rows(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return backward(tape, desc, io, count, add, false, err);
}

static camcl_status backward_group(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    return backward(tape, desc, io, count, add, true, err);
}

static bool supports_group(const camcl_device_info *info, const void *desc)
{
    (void)desc;
    return info->max_work_group >= GROUP_ITEMS;
}

enum { FORWARD_ROWS, FORWARD_GROUP, BACKWARD_ROWS, BACKWARD_GROUP, FOLD_ROWS };
const cc_variant cc_batch_norm_variants[] = {
    [FORWARD_ROWS] = { .op = &cc_batch_norm_operation,
                       .direction = CC_FORWARD,
                       .name = "rows",
                       .family = "",
                       .supports = cc_supports_all,
                       .record = forward_rows },
    [FORWARD_GROUP] = { .op = &cc_batch_norm_operation,
                        .direction = CC_FORWARD,
                        .name = "group",
                        .family = "",
                        .supports = supports_group,
                        .record = forward_group },
    [BACKWARD_ROWS] = { .op = &cc_batch_norm_operation,
                        .direction = CC_BACKWARD,
                        .name = "rows",
                        .family = "",
                        .supports = cc_supports_all,
                        .record = backward_rows },
    [BACKWARD_GROUP] = { .op = &cc_batch_norm_operation,
                         .direction = CC_BACKWARD,
                         .name = "group",
                         .family = "",
                         .supports = supports_group,
                         .record = backward_group },
    [FOLD_ROWS] = { .op = &cc_batch_norm_fold_operation,
                    .direction = CC_FORWARD,
                    .name = "rows",
                    .family = "",
                    .supports = cc_supports_all,
                    .record = fold },
};
const size_t cc_batch_norm_variant_count = CC_COUNT(cc_batch_norm_variants);
CC_SMALL_OPERATION(batch_norm, batch_norm);
CC_SMALL_OPERATION(batch_norm_fold, batch_norm);

camcl_status cc_batch_norm_forward_train(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor residual, cc_tensor gamma,
                                         cc_tensor beta, cc_tensor running_mean, cc_tensor running_var, cc_tensor mean, cc_tensor invstd,
                                         cc_tensor y, camcl_error *err)
{
    const cc_batch_norm_op op = { .desc = *desc, .train = true };
    const cc_tensor io[] = { x, residual, gamma, beta, running_mean, running_var, mean, invstd, y };
    return cc_record_serial_or_group(tape, &cc_batch_norm_variants[FORWARD_ROWS], &cc_batch_norm_variants[FORWARD_GROUP], &op, io,
                                     CC_COUNT(io), false, err);
}

camcl_status cc_batch_norm_forward_eval(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor residual, cc_tensor gamma,
                                        cc_tensor beta, cc_tensor running_mean, cc_tensor running_var, cc_tensor mean, cc_tensor invstd,
                                        cc_tensor y, camcl_error *err)
{
    const cc_batch_norm_op op = { .desc = *desc, .train = false };
    const cc_tensor io[] = { x, residual, gamma, beta, running_mean, running_var, mean, invstd, y };
    return cc_record_serial_or_group(tape, &cc_batch_norm_variants[FORWARD_ROWS], &cc_batch_norm_variants[FORWARD_GROUP], &op, io,
                                     CC_COUNT(io), false, err);
}

camcl_status cc_batch_norm_fold(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor gamma, cc_tensor beta, cc_tensor running_mean,
                                cc_tensor running_var, cc_tensor mean, cc_tensor invstd, cc_tensor scale, cc_tensor shift, camcl_error *err)
{
    const cc_tensor io[] = { gamma, beta, running_mean, running_var, mean, invstd, scale, shift };
    return cc_op_record(tape, &cc_batch_norm_fold_operation, CC_FORWARD, desc, io, CC_COUNT(io), false, err);
}

camcl_status cc_batch_norm_backward_train(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor y, cc_tensor dy,
                                          cc_tensor gamma, cc_tensor beta, cc_tensor mean, cc_tensor invstd, cc_tensor dx,
                                          cc_tensor dresidual, cc_tensor dgamma, cc_tensor dbeta, cc_batch_norm_add add, camcl_error *err)
{
    const cc_batch_norm_op op = { .desc = *desc, .train = true, .add = add };
    const cc_tensor io[] = { x, y, dy, gamma, beta, mean, invstd, dx, dresidual, dgamma, dbeta };
    return cc_record_serial_or_group(tape, &cc_batch_norm_variants[BACKWARD_ROWS], &cc_batch_norm_variants[BACKWARD_GROUP], &op, io,
                                     CC_COUNT(io), false, err);
}

camcl_status cc_batch_norm_backward_eval(cc_tape *tape, const cc_batch_norm_desc *desc, cc_tensor x, cc_tensor y, cc_tensor dy,
                                         cc_tensor gamma, cc_tensor beta, cc_tensor mean, cc_tensor invstd, cc_tensor dx,
                                         cc_tensor dresidual, cc_tensor dgamma, cc_tensor dbeta, cc_batch_norm_add add, camcl_error *err)
{
    const cc_batch_norm_op op = { .desc = *desc, .train = false, .add = add };
    const cc_tensor io[] = { x, y, dy, gamma, beta, mean, invstd, dx, dresidual, dgamma, dbeta };
    return cc_record_serial_or_group(tape, &cc_batch_norm_variants[BACKWARD_ROWS], &cc_batch_norm_variants[BACKWARD_GROUP], &op, io,
                                     CC_COUNT(io), false, err);
}
