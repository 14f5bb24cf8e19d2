/* Safetensors files: 8 bytes little-endian header length, a JSON header, contiguous little-endian data. What is written
 * here loads in PyTorch, and PyTorch's files load here. */
#ifndef CC_RUN_SAFETENSORS_H
#define CC_RUN_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

typedef enum cc_st_dtype {
    CC_ST_F64,
    CC_ST_F32,
    CC_ST_F16,
    CC_ST_BF16,
    CC_ST_I64,
    CC_ST_I32,
    CC_ST_I16,
    CC_ST_I8,
    CC_ST_U64,
    CC_ST_U32,
    CC_ST_U16,
    CC_ST_U8,
    CC_ST_BOOL,
    CC_ST_F8_E4M3,
    CC_ST_F8_E5M2
} cc_st_dtype;

#define CC_ST_MAX_DIMS 8

typedef struct cc_st_tensor {
    const char *name;
    cc_st_dtype dtype;
    unsigned dims; /* 0: one number */
    size_t shape[CC_ST_MAX_DIMS];
    const void *data; /* row-major; in a file that was read: borrowed and perhaps unaligned */
} cc_st_tensor;

typedef struct cc_st_pair {
    const char *key, *value;
} cc_st_pair;

const char *cc_st_dtype_name(cc_st_dtype dtype); /* "F32", ... */
size_t cc_st_dtype_size(cc_st_dtype dtype);      /* bytes */
size_t cc_st_elements(const cc_st_tensor *tensor);

/* Writes all tensors, whole or not at all. The data follow each other by element size, largest first (readers map tensors in
 * place and need them aligned), otherwise in the given order. Names and keys are unique, and not "__metadata__". */
camcl_status cc_safetensors_write(const char *path, const cc_st_tensor *tensors, size_t count, const cc_st_pair *metadata, size_t pairs,
                                  camcl_error *err);

/* A file in memory. */
typedef struct cc_safetensors cc_safetensors;

/* Reads and checks everything: header length, JSON, dtypes, shapes, offsets without overlap, hole or rest. A damaged file
 * is CAMCL_BAD_DATA with file, tensor and numbers, a file of another kind is named as what it is; one that cannot be read is CAMCL_IO. The
 * caller owns *out. */
camcl_status cc_safetensors_read(const char *path, cc_safetensors **out, camcl_error *err);
/* The same for bytes in memory, which it takes over and frees, also when it fails; path is for messages. */
camcl_status cc_safetensors_parse(const char *path, char *data, size_t size, cc_safetensors **out, camcl_error *err);
void cc_safetensors_free(cc_safetensors **file);

/* Tensors in the order of their data. */
size_t cc_safetensors_count(const cc_safetensors *file);
const cc_st_tensor *cc_safetensors_at(const cc_safetensors *file, size_t i);
/* Tensors in the order of their names (strcmp), and the first of them whose name is not less than `name` (the count: none). */
const cc_st_tensor *cc_safetensors_by_name(const cc_safetensors *file, size_t i);
size_t cc_safetensors_search(const cc_safetensors *file, const char *name);
const cc_st_tensor *cc_safetensors_find(const cc_safetensors *file, const char *name); /* or NULL */
const char *cc_safetensors_metadata(const cc_safetensors *file, const char *key);      /* or NULL; borrowed */

/* Copies the tensor `name`, which must exist with this dtype and shape, to out: CAMCL_BAD_DATA otherwise. */
camcl_status cc_safetensors_get(const cc_safetensors *file, const char *name, cc_st_dtype dtype, unsigned dims, const size_t *shape,
                                void *out, camcl_error *err);
/* The same from F32, F16, BF16 or F64, converted to F32 (to nearest). */
camcl_status cc_safetensors_get_f32(const cc_safetensors *file, const char *name, unsigned dims, const size_t *shape, float *out,
                                    camcl_error *err);

#endif
