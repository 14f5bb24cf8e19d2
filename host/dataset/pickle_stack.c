#include "dataset/pickle_stack.h"

#include <string.h>

#include "base/memory.h"

/* ---- Bytes ---- */

camcl_status cc_pickle_take(cc_pickle *pickle, uint64_t size, const uint8_t **out)
{
    if (size > pickle->size - pickle->at) return cc_pickle_malformed(pickle, "the file ends too early");
    *out = pickle->data + pickle->at;
    pickle->at += (size_t)size;
    return CAMCL_OK;
}

camcl_status cc_pickle_take_number(cc_pickle *pickle, unsigned bytes, uint64_t *out)
{
    const uint8_t *from = NULL;
    CC_RETURN_IF_FAILED(cc_pickle_take(pickle, bytes, &from));
    *out = 0;
    for (unsigned i = bytes; i-- > 0;)
        *out = *out << 8 | from[i];
    return CAMCL_OK;
}

camcl_status cc_pickle_take_line(cc_pickle *pickle, const char **out, size_t *length)
{
    const uint8_t *from = pickle->data + pickle->at, *end = memchr(from, '\n', pickle->size - pickle->at);
    if (!end) return cc_pickle_malformed(pickle, "a line without its end");
    *out = (const char *)from;
    *length = (size_t)(end - from);
    pickle->at += *length + 1;
    return CAMCL_OK;
}

/* ---- Stack ---- */

camcl_status cc_pickle_push_index(cc_pickle *pickle, uint32_t index)
{
    CC_RETURN_IF_FAILED(cc_grow((void **)&pickle->stack, &pickle->stack_capacity, pickle->depth + 1, sizeof *pickle->stack, pickle->err));
    pickle->stack[pickle->depth++] = index;
    return CAMCL_OK;
}

camcl_status cc_pickle_push(cc_pickle *pickle, cc_pickle_value value)
{
    uint32_t index = 0;
    CC_RETURN_IF_FAILED(cc_pickle_add(pickle, value, &index));
    return cc_pickle_push_index(pickle, index);
}

camcl_status cc_pickle_peek(cc_pickle *pickle, uint32_t *out)
{
    if (pickle->depth == 0 || pickle->stack[pickle->depth - 1] == CC_PICKLE_MARK)
        return cc_pickle_malformed(pickle, "an opcode without its operand");
    *out = pickle->stack[pickle->depth - 1];
    return CAMCL_OK;
}

camcl_status cc_pickle_pop(cc_pickle *pickle, uint32_t *out)
{
    CC_RETURN_IF_FAILED(cc_pickle_peek(pickle, out));
    pickle->depth--;
    return CAMCL_OK;
}

camcl_status cc_pickle_find_operands(cc_pickle *pickle, unsigned count, size_t *first)
{
    size_t at = pickle->depth;
    while (at > 0 && pickle->stack[at - 1] != CC_PICKLE_MARK && (count == 0 || pickle->depth - at < count))
        at--;
    if (count ? pickle->depth - at < count : at == 0) return cc_pickle_malformed(pickle, "an opcode without its operands");
    *first = at;
    return CAMCL_OK;
}

void cc_pickle_drop_operands(cc_pickle *pickle, unsigned count, size_t first) { pickle->depth = count ? first : first - 1; }
