/* What test_world runs under mpirun: one rank's part of a scenario. */
#ifndef TESTS_SUPPORT_RANK_H
#define TESTS_SUPPORT_RANK_H

/* Runs the named scenarios one after the other and returns the exit status: 0 if all that this rank saw was right. */
int rank_main(int count, char **names);

#endif
