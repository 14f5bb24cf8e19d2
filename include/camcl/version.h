/* Which version of libcamcl this is, and what it was built with. */
#ifndef CAMCL_VERSION_H
#define CAMCL_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers, with which a program is compiled. A new MAJOR changes the shared library's soname; until 1.0.0, a new MINOR
 * may change the interface, too, and programs are then compiled again. */
#define CAMCL_VERSION_MAJOR 0
#define CAMCL_VERSION_MINOR 2
#define CAMCL_VERSION_PATCH 0

/* The version of the library with which it runs, "MAJOR.MINOR.PATCH". Static; may be called in any thread. */
const char *camcl_version(void);

/* A library that the build takes in where it finds it. */
typedef struct camcl_library {
    const char *name; /* "libpng" */
    const char *use;  /* what is off without it, for people */
    bool present;
} camcl_library;

/* All of them. Static; may be called in any thread. */
const camcl_library *camcl_libraries(size_t *count);

#ifdef __cplusplus
}
#endif
#endif
