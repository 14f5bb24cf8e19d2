/* What the program that started this process, mpirun for example, says about it in the environment. */
#ifndef CC_EXCHANGE_LAUNCHER_H
#define CC_EXCHANGE_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cc_launcher {
    bool launched; /* by a launcher of MPI programs */
    size_t size;   /* how many processes it started; 0: it does not say */
    size_t rank;   /* which of them this one is, if it says so */
} cc_launcher;

cc_launcher cc_launcher_find(void);

#endif
