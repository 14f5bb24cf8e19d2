/* How much of their bounds results use, for setting the bounds. */
#ifndef CC_TESTS_SHARES_H
#define CC_TESTS_SHARES_H

/* Of a result that lies `distance` from what it should be and may lie `bound` from it. Where CAMCL_TEST_SHARES names a file, the largest
 * share under each `what` (at most 95 characters count) is appended to it when the program ends, one "SHARE WHAT" per line; else nothing
 * happens. */
void note_share(const char *what, double distance, double bound);

#endif
