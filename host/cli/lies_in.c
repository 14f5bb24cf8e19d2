#define _XOPEN_SOURCE 700 /* realpath, which glibc keeps from plain POSIX */
#include "lies_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The nearest part of the path that exists, absolute and without links; the caller frees. */
static char *real_part(const char *path)
{
    char *part = strdup(path), *real = NULL, *slash;
    while (part && (real = realpath(part, NULL)) == NULL && errno == ENOENT && (slash = strrchr(part, '/')) != NULL && slash > part)
        *slash = '\0';
    /* What is left is a single name that does not exist: it would be made here. */
    if (part && real == NULL && errno == ENOENT) real = realpath(*part == '/' ? "/" : ".", NULL);
    free(part);
    return real;
}

bool cli_lies_in(const char *path, const char *folder)
{
    char *inner = real_part(path), *outer = realpath(folder, NULL);
    bool inside = false;
    if (inner && outer) {
        const size_t length = strcmp(outer, "/") == 0 ? 0 : strlen(outer);
        inside = strncmp(inner, outer, length) == 0 && (inner[length] == '/' || inner[length] == '\0');
    }
    free(inner);
    free(outer);
    return inside;
}
