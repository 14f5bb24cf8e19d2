/* Safetensors files as inputs without their data, which would be most of it: a JSON header, and behind a NUL byte a pattern that the data
 * repeat. */
#ifndef TESTS_FUZZ_HEADERS_H
#define TESTS_FUZZ_HEADERS_H

#include <stddef.h>
#include <stdint.h>

/* Writes the file and returns its path. The data have as many bytes as the header asks for, within 4 MiB. */
const char *fuzz_safetensors(const uint8_t *data, size_t size);

#endif
