/* Matrix products: C[m,n] = A[m,k] B[k,n] (+ C when add), row-major, either factor transposed. gemm.c is the only file that knows CLBlast.
 */
#ifndef CC_OPS_GEMM_H
#define CC_OPS_GEMM_H

#include "ops/operation.h"

typedef struct cc_gemm_desc {
    size_t m, n, k;
    bool transpose_a, transpose_b;
} cc_gemm_desc;
/* io: CC_FORWARD {a, b, c(add)} */
camcl_status cc_gemm(cc_tape *tape, const cc_gemm_desc *desc, cc_tensor a, cc_tensor b, cc_tensor c, bool add, camcl_error *err);

/* Parameters of CLBlast's large product (Xgemm) for float32 by name; the first one, "default", is what CLBlast itself has for the device.
 * An index beyond the last gives NULL. */
const char *cc_gemm_set_name(size_t index);
/* Whether the device has the local memory and work-groups for it. */
bool cc_gemm_set_supports(const camcl_device_info *info, size_t index);
/* "KWG=32 MWG=64 ..."; "" for the default. */
void cc_gemm_set_describe(size_t index, char *text, size_t size);
/* Products that are recorded with this handle from now on use the set each time that they run, even if other handles and models use
 * other sets on the same device in between. CLBlast cannot return to its default: after any other set was used on the device in this
 * process, choosing the default is CAMCL_UNSUPPORTED, and so is running products that were recorded with the default. Any thread may
 * call this function. */
camcl_status cc_gemm_use(camcl_device *device, size_t index, camcl_error *err);
/* Whether the default can still be used. */
bool cc_gemm_has_default(const camcl_device *device);
/* On parts of buffers; offsets in numbers. Uses a tape buffer as CLBlast's workspace. */
camcl_status cc_gemm_at(cc_tape *tape, const cc_gemm_desc *desc, cc_buffer *a, size_t a_offset, cc_buffer *b, size_t b_offset, cc_buffer *c,
                        size_t c_offset, bool add, camcl_error *err);
extern const cc_operation cc_gemm_operation;

#endif
