/* Linear layers: y[n,o] = sum_i x[n,i] w[o,i] + b[o];  w [O,I] (torch layout), b [O] or none. */
#ifndef CC_OPS_LINEAR_H
#define CC_OPS_LINEAR_H

#include "ops/operation.h"

typedef struct cc_linear_desc {
    size_t n, in, out;
} cc_linear_desc;
/* io: CC_FORWARD {x, w, b or none, y}  CC_BACKWARD_DATA {dy, w, dx(add)}  CC_BACKWARD_WEIGHT {x, dy, dw(add), db(add) or none} */
extern const cc_operation cc_linear_operation;
/* The default for this device and shape. Never NULL. */
const cc_variant *cc_linear_choose(const camcl_device_info *info, cc_direction direction, const cc_linear_desc *desc);
camcl_status cc_linear_forward(cc_tape *tape, const cc_linear_desc *desc, cc_tensor x, cc_tensor w, cc_tensor b, cc_tensor y,
                               camcl_error *err);
/* dx[n,i] = sum_o dy[n,o] w[o,i] */
camcl_status cc_linear_backward_data(cc_tape *tape, const cc_linear_desc *desc, cc_tensor dy, cc_tensor w, cc_tensor dx, bool add,
                                     camcl_error *err);
/* dw[o,i] = sum_n dy[n,o] x[n,i];  db[o] = sum_n dy[n,o] (db may be none) */
camcl_status cc_linear_backward_weight(cc_tape *tape, const cc_linear_desc *desc, cc_tensor x, cc_tensor dy, cc_tensor dw, cc_tensor db,
                                       bool add, camcl_error *err);

#endif
