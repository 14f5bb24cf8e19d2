/* A device divided into halves, so that training on several devices is tested wherever the driver can divide one, and processes under
 * mpirun. */
#ifndef TESTS_SUPPORT_HALVES_H
#define TESTS_SUPPORT_HALVES_H

/* Selectors: of the device that a command picks by itself, of its halves, and of both as a list. */
typedef struct halves {
    char device[16], first[32], second[32], list[80];
} halves;

/* Skips the running test, and says why, where that device cannot be divided. */
const halves *halves_or_skip(void);
/* Also where there is no MPI or no mpirun. */
const halves *halves_and_mpirun_or_skip(void);

/* Runs "camcl train small.ini output.dir=FOLDER/name more" (small.ini of support/runs.h) in `ranks` processes, each on the device that
 * "$select" names in the shell text `choose`. Output goes to folder/out and folder/err. Exit status, or 128 + signal. */
int halves_run_ranks(const char *folder, int ranks, const char *choose, const char *name, const char *more);
/* For `choose`: ranks 0 and 1 have a half each. */
#define EACH_A_HALF "select=$HALVES_OF/$OMPI_COMM_WORLD_RANK/2"

#endif
