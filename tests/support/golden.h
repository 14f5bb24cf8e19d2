/* Reading golden files; whatever is missing fails the running test. */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

#include <stdbool.h>

#include "run/safetensors.h"

cc_safetensors *golden_open(const char *path);
/* Metadata as text, as a number, and whether it is `value`. */
const char *golden_text(const cc_safetensors *file, const char *key);
double golden_number(const cc_safetensors *file, const char *key);
bool golden_is(const cc_safetensors *file, const char *key, const char *value);
const cc_st_tensor *golden_tensor(const cc_safetensors *file, const char *name);
/* An aligned copy of a tensor's numbers; the caller frees it. */
void *golden_data(const cc_safetensors *file, const char *name);

#endif
