/* The registry: every operation, and of each its kernel variants. The default choice, the plan, the tests, `bench`, `tune` and `selftest`
 * all walk this list, so that no variant escapes any of them. */
#ifndef CC_OPS_REGISTRY_H
#define CC_OPS_REGISTRY_H

#include "ops/operation.h"

/* Every operation, ending with NULL. Borrowed, static. */
extern const cc_operation *const cc_operations[];
/* The first `length` characters of `name`. NULL: there is none. */
const cc_operation *cc_operations_find(const char *name, size_t length);

/* Every variant of every operation. Borrowed, static. */
size_t cc_registry_count(void);
const cc_variant *cc_registry_at(size_t index);
const cc_variant *cc_registry_find(const char *op, cc_direction direction, const char *name);

#endif
