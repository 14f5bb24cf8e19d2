/* What the fuzz targets share: the fuzzer's bytes as files, and checks that abort. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* libFuzzer calls it with one input after another. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A folder of this process for its whole life, below $TMPDIR. */
const char *fuzz_folder(void);
/* folder/name in one of 64 buffers used in turn. */
const char *fuzz_path(const char *name);
/* Writes a file of the folder; returns its path. */
const char *fuzz_file(const char *name, const void *data, size_t size);
/* A copy with a NUL byte behind it; the caller frees. */
char *fuzz_text(const uint8_t *data, size_t size);

/* An input that stands for several files: each begins with a line FUZZ_PART, the file's place in `names` as one character from '0' on, and
 * '\n'. Writes those that are there to the folder, and removes the others. */
#define FUZZ_PART "\n==> "
void fuzz_files(const uint8_t *data, size_t size, const char *const *names, size_t count);

/* Reads every byte, so that those that are not there are noticed. */
void fuzz_look(const void *data, size_t size);

/* Aborts, with the text, unless what must hold does. */
void fuzz_expect(bool holds, const char *what);

#endif
