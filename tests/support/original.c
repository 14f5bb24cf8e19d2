#define _GNU_SOURCE /* RTLD_NEXT */
#include "support/original.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void original_function(const char *name, void *function, unsigned long size)
{
    void *found = dlsym(RTLD_NEXT, name);
    assert_non_null(found);
    assert_int_equal(size, sizeof found);
    memcpy(function, &found, sizeof found); /* C has no conversion between the two kinds of pointers */
}
