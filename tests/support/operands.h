/* Operands for tests of single operations: inputs, outputs full of NaN, guards behind both, comparison with a double reference. All
 * functions fail the running cmocka test when something goes wrong. */
#ifndef CC_TESTS_OPERANDS_H
#define CC_TESTS_OPERANDS_H

#include "tensor/tensor.h"

/* One tape under test and the buffers it works on. */
typedef struct op_test {
    camcl_device *device;
    cc_arena *arena;
    cc_tape *tape;
    cc_tensor operands[16];
    size_t count;
    camcl_error err;
} op_test;

void op_begin(op_test *test, camcl_device *device);
/* Data are copied: float, int32_t or uint8_t as dtype says. */
cc_tensor op_input(op_test *test, cc_dtype dtype, const void *data, size_t count);
/* Filled with NaN bits. */
cc_tensor op_output(op_test *test, cc_dtype dtype, size_t count);
/* For what a recording function returns: OK(test, cc_..._forward(test.tape, ..., &test.err)). */
#define OK(test, call) op_check((test), (call), #call)
void op_check(op_test *test, camcl_status status, const char *call);
/* Commits, runs, and checks every operand's guard. May be called again: the tape runs again. */
void op_run(op_test *test);
void op_read(op_test *test, cc_tensor tensor, void *out);
/* The caller frees. */
float *op_read_floats(op_test *test, cc_tensor tensor);
void op_end(op_test *test);

/* |got - want| <= absolute + relative * |want| for every element; NaN never passes. `what` is a printf format. */
void check_close(const float *got, const double *want, size_t count, double absolute, double relative, const char *what, ...)
    CC_PRINTF(6, 7);
/* Equal bits. */
void check_same(const float *got, const float *want, size_t count, const char *what, ...) CC_PRINTF(4, 5);

/* count floats, uniform in [-1,1), a function of `seed` and of test_seed() (devices.h). The caller frees. */
float *random_floats(size_t count, unsigned seed);
/* The same numbers as doubles. The caller frees. */
double *to_doubles(const float *values, size_t count);
/* sum x y in double */
double dot(const float *x, const float *y, size_t count);

#endif
