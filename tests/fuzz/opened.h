/* A data set opened as the program does, and looked at. */
#ifndef TESTS_FUZZ_OPENED_H
#define TESTS_FUZZ_OPENED_H

/* `dataset` as in camcl_dataset_spec; `root` is a path. */
void fuzz_open_dataset(const char *dataset, const char *root);

#endif
