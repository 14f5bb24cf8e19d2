/* The stack machine that a pickle is written for (Python's pickletools documents each opcode). Nothing here calls itself, so the depth of
 * the data costs heap, not stack; and the number of opcodes is limited, which bounds memory and time whatever a file says. */
#include "dataset/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "dataset/pickle_numpy.h"
#include "dataset/pickle_stack.h"

/* CIFAR-100's training file, the largest, takes 210,000. */
static const size_t opcode_limit = (size_t)1 << 21;

/* ---- Opcodes: what each does with its argument ---- */

static camcl_status do_frame(cc_pickle *pickle, unsigned argument)
{
    uint64_t length = 0;
    CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, argument, &length));
    return length > pickle->size - pickle->at ? cc_pickle_malformed(pickle, "a frame beyond the file's end") : CAMCL_OK;
}

static camcl_status do_mark(cc_pickle *pickle, unsigned argument)
{
    (void)argument;
    return cc_pickle_push_index(pickle, CC_PICKLE_MARK);
}

static camcl_status do_other(cc_pickle *pickle, unsigned bytes)
{
    const uint8_t *unused = NULL;
    CC_RETURN_IF_FAILED(cc_pickle_take(pickle, bytes, &unused));
    return cc_pickle_push(pickle, (cc_pickle_value){ .kind = CC_PICKLE_OTHER });
}

static camcl_status do_bool(cc_pickle *pickle, unsigned value)
{
    return cc_pickle_push(pickle, (cc_pickle_value){ .kind = CC_PICKLE_INTEGER, .as.integer = value });
}

static camcl_status push_signed(cc_pickle *pickle, uint64_t number, unsigned bytes)
{
    if (bytes && bytes < 8 && number >> (8 * bytes - 1)) number |= UINT64_MAX << 8 * bytes;
    int64_t value = number > INT64_MAX ? -(int64_t)(UINT64_MAX - number) - 1 : (int64_t)number;
    return cc_pickle_push(pickle, (cc_pickle_value){ .kind = CC_PICKLE_INTEGER, .as.integer = value });
}

/* One and two bytes are unsigned, four are signed. */
static camcl_status do_integer(cc_pickle *pickle, unsigned bytes)
{
    uint64_t number = 0;
    CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, bytes, &number));
    return push_signed(pickle, number, bytes < 4 ? 8 : bytes);
}

static camcl_status do_long(cc_pickle *pickle, unsigned length_bytes)
{
    uint64_t bytes = 0, number = 0;
    CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, length_bytes, &bytes));
    if (bytes > 8) return cc_pickle_malformed(pickle, "a number of more than 64 bits");
    CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, (unsigned)bytes, &number));
    return push_signed(pickle, number, (unsigned)bytes);
}

static camcl_status do_text(cc_pickle *pickle, unsigned length_bytes)
{
    cc_pickle_value value = { .kind = CC_PICKLE_TEXT };
    uint64_t length = 0;
    CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, length_bytes, &length));
    CC_RETURN_IF_FAILED(cc_pickle_take(pickle, length, &value.as.text.data));
    value.as.text.size = (size_t)length;
    return cc_pickle_push(pickle, value);
}

static camcl_status do_empty(cc_pickle *pickle, unsigned kind)
{
    return cc_pickle_push(pickle, (cc_pickle_value){ .kind = (cc_pickle_kind)kind });
}

static camcl_status extend(cc_pickle *pickle, uint32_t list, const uint32_t *items, size_t count)
{
    cc_pickle_value *value = &pickle->values[list];
    size_t capacity = value->as.list.capacity;
    CC_RETURN_IF_FAILED(cc_grow((void **)&value->as.list.items, &capacity, value->as.list.count + count, sizeof *items, pickle->err));
    value->as.list.capacity = (uint32_t)capacity;
    if (count) memcpy(value->as.list.items + value->as.list.count, items, count * sizeof *items);
    value->as.list.count += (uint32_t)count;
    return CAMCL_OK;
}

static camcl_status do_tuple(cc_pickle *pickle, unsigned count)
{
    size_t first = 0;
    uint32_t tuple = 0;
    CC_RETURN_IF_FAILED(cc_pickle_find_operands(pickle, count, &first));
    CC_RETURN_IF_FAILED(cc_pickle_add(pickle, (cc_pickle_value){ .kind = CC_PICKLE_LIST }, &tuple));
    CC_RETURN_IF_FAILED(extend(pickle, tuple, pickle->stack + first, pickle->depth - first));
    cc_pickle_drop_operands(pickle, count, first);
    return cc_pickle_push_index(pickle, tuple);
}

static camcl_status add_operands(cc_pickle *pickle, unsigned count, cc_pickle_kind kind)
{
    size_t first = 0;
    uint32_t target = 0;
    CC_RETURN_IF_FAILED(cc_pickle_find_operands(pickle, count, &first));
    size_t operands = pickle->depth - first, from = first;
    cc_pickle_drop_operands(pickle, count, first);
    CC_RETURN_IF_FAILED(cc_pickle_peek(pickle, &target));
    if (pickle->values[target].kind != kind || (kind == CC_PICKLE_DICT && operands % 2))
        return cc_pickle_malformed(pickle, "elements for something that takes none");
    return extend(pickle, target, pickle->stack + from, operands); /* what lies above the top is still there */
}

static camcl_status do_append(cc_pickle *pickle, unsigned count) { return add_operands(pickle, count, CC_PICKLE_LIST); }

static camcl_status do_set(cc_pickle *pickle, unsigned count) { return add_operands(pickle, count, CC_PICKLE_DICT); }

/* Remembers the topmost value under a number, which for `bytes` 0 is the next one. */
static camcl_status do_put(cc_pickle *pickle, unsigned bytes)
{
    uint64_t slot = pickle->memo_count;
    uint32_t value = 0;
    if (bytes) CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, bytes, &slot));
    CC_RETURN_IF_FAILED(cc_pickle_peek(pickle, &value));
    if (slot >= opcode_limit) return cc_pickle_malformed(pickle, "too large a number to remember a value under");
    CC_RETURN_IF_FAILED(cc_grow((void **)&pickle->memo, &pickle->memo_capacity, (size_t)slot + 1, sizeof *pickle->memo, pickle->err));
    while (pickle->memo_count <= slot)
        pickle->memo[pickle->memo_count++] = CC_PICKLE_NONE;
    pickle->memo[slot] = value;
    return CAMCL_OK;
}

static camcl_status do_get(cc_pickle *pickle, unsigned bytes)
{
    uint64_t slot = 0;
    CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, bytes, &slot));
    if (slot >= pickle->memo_count || pickle->memo[slot] == CC_PICKLE_NONE)
        return cc_pickle_malformed(pickle, "a remembered value that there is not");
    return cc_pickle_push_index(pickle, pickle->memo[slot]);
}

static camcl_status do_global(cc_pickle *pickle, unsigned argument)
{
    const char *module = NULL, *name = NULL;
    size_t module_length = 0, length = 0;
    uint32_t value = 0;
    (void)argument;
    CC_RETURN_IF_FAILED(cc_pickle_take_line(pickle, &module, &module_length));
    CC_RETURN_IF_FAILED(cc_pickle_take_line(pickle, &name, &length));
    CC_RETURN_IF_FAILED(cc_pickle_resolve(pickle, module, module_length, name, length, &value));
    return cc_pickle_push_index(pickle, value);
}

static camcl_status do_stack_global(cc_pickle *pickle, unsigned argument)
{
    const char *module_text = NULL, *name_text = NULL;
    size_t module_length = 0, length = 0;
    uint32_t module = 0, name = 0, value = 0;
    (void)argument;
    CC_RETURN_IF_FAILED(cc_pickle_pop(pickle, &name));
    CC_RETURN_IF_FAILED(cc_pickle_pop(pickle, &module));
    if (!cc_pickle_get_text(&pickle->values[module], &module_text, &module_length) ||
        !cc_pickle_get_text(&pickle->values[name], &name_text, &length))
        return cc_pickle_malformed(pickle, "a name that is no text");
    CC_RETURN_IF_FAILED(cc_pickle_resolve(pickle, module_text, module_length, name_text, length, &value));
    return cc_pickle_push_index(pickle, value);
}

static camcl_status do_reduce(cc_pickle *pickle, unsigned argument)
{
    uint32_t arguments = 0, function = 0, value = 0;
    (void)argument;
    CC_RETURN_IF_FAILED(cc_pickle_pop(pickle, &arguments));
    CC_RETURN_IF_FAILED(cc_pickle_pop(pickle, &function));
    CC_RETURN_IF_FAILED(cc_pickle_call(pickle, function, arguments, &value));
    return cc_pickle_push_index(pickle, value);
}

static camcl_status do_build(cc_pickle *pickle, unsigned argument)
{
    uint32_t state = 0, object = 0;
    (void)argument;
    CC_RETURN_IF_FAILED(cc_pickle_pop(pickle, &state));
    CC_RETURN_IF_FAILED(cc_pickle_peek(pickle, &object));
    return cc_pickle_set_state(pickle, object, state);
}

typedef struct opcode {
    uint8_t code;
    unsigned argument;
    camcl_status (*run)(cc_pickle *pickle, unsigned argument);
} opcode;
static const opcode opcodes[] = {
    { 0x95, 8, do_frame },
    { '(', 0, do_mark },
    { 'N', 0, do_other },
    { 'G', 8, do_other }, /* a float */
    { 0x88, 1, do_bool },
    { 0x89, 0, do_bool },
    { 'K', 1, do_integer },
    { 'M', 2, do_integer },
    { 'J', 4, do_integer },
    { 0x8A, 1, do_long },
    { 'U', 1, do_text }, /* str of Python 2 */
    { 'T', 4, do_text },
    { 'X', 4, do_text }, /* str of Python 3 */
    { 0x8C, 1, do_text },
    { 0x8D, 8, do_text },
    { 'C', 1, do_text }, /* bytes */
    { 'B', 4, do_text },
    { 0x8E, 8, do_text },
    { 0x96, 8, do_text }, /* bytearray */
    { ']', CC_PICKLE_LIST, do_empty },
    { ')', CC_PICKLE_LIST, do_empty },
    { '}', CC_PICKLE_DICT, do_empty },
    { 't', 0, do_tuple },
    { 0x85, 1, do_tuple },
    { 0x86, 2, do_tuple },
    { 0x87, 3, do_tuple },
    { 'a', 1, do_append },
    { 'e', 0, do_append },
    { 's', 2, do_set },
    { 'u', 0, do_set },
    { 'q', 1, do_put },
    { 'r', 4, do_put },
    { 0x94, 0, do_put },
    { 'h', 1, do_get },
    { 'j', 4, do_get },
    { 'c', 0, do_global },
    { 0x93, 0, do_stack_global },
    { 'R', 0, do_reduce },
    { 'b', 0, do_build },
};

static camcl_status run_opcode(cc_pickle *pickle, uint8_t code)
{
    for (size_t i = 0; i < CC_COUNT(opcodes); i++)
        if (opcodes[i].code == code) return opcodes[i].run(pickle, opcodes[i].argument);
    return cc_fail(pickle->err, CAMCL_BAD_DATA,
                   "%s: opcode 0x%02x at byte %zu is not one that plain data need, or the pickle is corrupt (fetch it again, or save it "
                   "with Python's pickle protocol 2 to 5)",
                   pickle->path, (unsigned)code, pickle->at - 1);
}

static camcl_status run(cc_pickle *pickle)
{
    uint64_t code = 0, protocol = 0;
    if (pickle->size < 2 || pickle->data[0] != 0x80 || pickle->data[1] < 2 || pickle->data[1] > 5) {
        return cc_fail(pickle->err, CAMCL_BAD_DATA,
                       "%s: no pickle of protocol 2 to 5: %zu bytes of another kind (fetch it again, or save it with such a protocol)",
                       pickle->path, pickle->size);
    }
    CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, 2, &protocol));
    for (size_t steps = 0; steps < opcode_limit; steps++) {
        CC_RETURN_IF_FAILED(cc_pickle_take_number(pickle, 1, &code));
        if (code != '.') {
            CC_RETURN_IF_FAILED(run_opcode(pickle, (uint8_t)code));
            continue;
        }
        uint32_t root = 0;
        CC_RETURN_IF_FAILED(cc_pickle_peek(pickle, &root));
        if (pickle->depth != 1) return cc_pickle_malformed(pickle, "values left over at the end");
        if (pickle->at != pickle->size) return cc_pickle_malformed(pickle, "bytes after the end");
        return CAMCL_OK;
    }
    return cc_pickle_malformed(pickle, "more opcodes than a data set has");
}

camcl_status cc_pickle_read(const char *path, const void *data, size_t size, cc_pickle **out, camcl_error *err)
{
    cc_pickle *pickle = NULL;
    *out = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(1, &pickle, err));
    *pickle = (cc_pickle){ .path = path, .data = data, .size = size, .err = err };
    camcl_status status = run(pickle);
    if (status == CAMCL_OK)
        *out = pickle;
    else
        cc_pickle_free(&pickle);
    return status;
}

void cc_pickle_free(cc_pickle **pickle)
{
    if (!*pickle) return;
    for (size_t i = 0; i < (*pickle)->count; i++) {
        cc_pickle_value *value = &(*pickle)->values[i];
        if (value->kind == CC_PICKLE_TEXT && value->owned) free((void *)value->as.text.data);
        if (value->kind == CC_PICKLE_LIST || value->kind == CC_PICKLE_DICT) free(value->as.list.items);
        if (value->kind == CC_PICKLE_ARRAY || value->kind == CC_PICKLE_DTYPE) free(value->as.array);
    }
    free((*pickle)->values);
    free((*pickle)->stack);
    free((*pickle)->memo);
    free(*pickle);
    *pickle = NULL;
}

const cc_pickle_value *cc_pickle_root(const cc_pickle *pickle) { return &pickle->values[pickle->stack[0]]; }
