/* A folder of its own for each test, removed afterwards. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/* cmocka setup and teardown: *state is the folder's path (char *). */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* folder/name in one of 64 buffers used in turn. */
const char *scratch_path(const char *folder, const char *name);

/* Writes and reads plainly, so that what the code under test does can be checked without it. The caller frees; NULL: no such file. */
void scratch_write(const char *path, const void *data, size_t size);
char *scratch_read(const char *path, size_t *size);
/* Entries of the folder, "." and ".." not counted. */
size_t scratch_entries(const char *folder);

/* Files cannot grow beyond `bytes` while the limit is set: writes fail with EFBIG as they would with ENOSPC. */
void scratch_limit_files(size_t bytes);
void scratch_unlimit_files(void);

#endif
