/* Keys of problems. */
#include "ops/problem.h"

#include <string.h>

#include "ops/record.h"
#include "ops/registry.h"

void cc_problem_key(const cc_problem *problem, char *text, size_t size)
{
    cc_op_key(problem->op, problem->direction, &problem->desc, text, size);
}

static bool has_direction(const cc_operation *op, cc_direction direction)
{
    for (size_t i = 0; i < cc_operation_count(op); i++)
        if (cc_operation_at(op, i)->direction == direction) return true;
    return false;
}

bool cc_problem_read(const char *key, cc_problem *out)
{
    const size_t name = strcspn(key, " ");
    cc_problem p = { .op = cc_operations_find(key, name) };
    if (p.op == NULL || p.op->read_key == NULL || key[name] == '\0') return false;
    key += name + 1;
    const size_t direction = strcspn(key, " ");
    for (int i = CC_FORWARD; i <= CC_TANGENT; i++) {
        const char *text = cc_direction_name((cc_direction)i);
        if (strlen(text) != direction || strncmp(text, key, direction) != 0) continue;
        p.direction = (cc_direction)i;
        if (key[direction] == '\0' || !has_direction(p.op, p.direction) || !p.op->read_key(key + direction + 1, &p.desc)) return false;
        *out = p;
        return true;
    }
    return false;
}
