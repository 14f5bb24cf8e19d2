/* For programs that end at the first error, whose error is the program's `err`. */
#ifndef TESTS_BENCH_OK_H
#define TESTS_BENCH_OK_H

#include <stdio.h>
#include <stdlib.h>

#define OK(call)                                                                                                                           \
    do {                                                                                                                                   \
        if ((call) != CAMCL_OK) {                                                                                                          \
            fprintf(stderr, "%s: %s\n%s", #call, err.message, err.detail);                                                                 \
            exit(1);                                                                                                                       \
        }                                                                                                                                  \
    } while (0)

#endif
