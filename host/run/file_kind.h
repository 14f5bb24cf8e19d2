/* What a file is that was given as safetensors and is none. */
#ifndef CC_RUN_FILE_KIND_H
#define CC_RUN_FILE_KIND_H

#include <stddef.h>

#include "base/diag.h"

/* If the bytes are of another known kind of file: CAMCL_BAD_DATA that names the kind and what to do; for PyTorch's own files the detail is
 * a command that converts them. CAMCL_OK otherwise, which says nothing of the file. `data` has `size` bytes. */
camcl_status cc_file_kind_check(const char *path, const char *data, size_t size, camcl_error *err);

#endif
