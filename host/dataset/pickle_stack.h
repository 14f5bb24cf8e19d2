/* The bytes that a pickle is made of, and the stack that its opcodes work on. Whatever is not there is CAMCL_BAD_DATA. */
#ifndef CC_DATASET_PICKLE_STACK_H
#define CC_DATASET_PICKLE_STACK_H

#include "dataset/pickle_value.h"

/* The next `size` bytes; a little-endian number of up to eight bytes; a line, which ends in a newline that is not part of it. */
camcl_status cc_pickle_take(cc_pickle *pickle, uint64_t size, const uint8_t **out);
camcl_status cc_pickle_take_number(cc_pickle *pickle, unsigned bytes, uint64_t *out);
camcl_status cc_pickle_take_line(cc_pickle *pickle, const char **out, size_t *length);

/* On the stack, in the place of a value's index: where the operands of a later opcode start. */
#define CC_PICKLE_MARK (UINT32_MAX - 1)

camcl_status cc_pickle_push_index(cc_pickle *pickle, uint32_t index);
camcl_status cc_pickle_push(cc_pickle *pickle, cc_pickle_value value);
/* The topmost value, which is no mark; pop takes it away. */
camcl_status cc_pickle_peek(cc_pickle *pickle, uint32_t *out);
camcl_status cc_pickle_pop(cc_pickle *pickle, uint32_t *out);
/* The topmost values: `count` of them, or (0) those above the last mark. They stay on the stack, from *first on, until they are dropped,
 * with the mark. */
camcl_status cc_pickle_find_operands(cc_pickle *pickle, unsigned count, size_t *first);
void cc_pickle_drop_operands(cc_pickle *pickle, unsigned count, size_t first);

#endif
