/* Host memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "faults/inject.h"
#include "faults/real.h"

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t most);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t most);
void __wrap_free(void *data);

static void *fail(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *keep(void *data, size_t size)
{
    if (data) held_add("memory", data, size);
    return data;
}

void *__wrap_malloc(size_t size) { return FAULT_FAILS(FAULT_MEMORY, "malloc", NULL) ? fail() : keep(__real_malloc(size), size); }

void *__wrap_calloc(size_t count, size_t size)
{
    return FAULT_FAILS(FAULT_MEMORY, "calloc", NULL) ? fail() : keep(__real_calloc(count, size), count * size);
}

void *__wrap_realloc(void *old, size_t size)
{
    if (FAULT_FAILS(FAULT_MEMORY, "realloc", NULL)) return fail();
    /* Another thread may be given the old block before realloc() returns. */
    held_remove("memory", old);
    void *new = __real_realloc(old, size);
    if (new == NULL && old) held_add("memory", old, size);
    return keep(new, size);
}

char *__wrap_strdup(const char *text)
{
    return FAULT_FAILS(FAULT_MEMORY, "strdup", NULL) ? fail() : keep(__real_strdup(text), strlen(text) + 1);
}

char *__wrap_strndup(const char *text, size_t most)
{
    return FAULT_FAILS(FAULT_MEMORY, "strndup", NULL) ? fail() : keep(__real_strndup(text, most), most + 1);
}

void __wrap_free(void *data)
{
    if (data) held_remove("memory", data);
    __real_free(data);
}
