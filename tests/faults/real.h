/* What the files of tests/faults share: functions as they were before the linker's --wrap took their place. */
#ifndef TESTS_FAULTS_REAL_H
#define TESTS_FAULTS_REAL_H

#include <stddef.h>

int __real_open(const char *path, int flags, ...);
int __real_close(int file);
int __real_access(const char *path, int mode);
char *__real_getcwd(char *out, size_t size);
void *__real_malloc(size_t size);
void __real_free(void *data);

/* An open file became a stream, which is counted instead. */
void file_is_stream(int file);

#endif
