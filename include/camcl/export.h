/* Trained models for other programs. */
#ifndef CAMCL_EXPORT_H
#define CAMCL_EXPORT_H

#include "camcl/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Needs no device, and may run in several threads at once, for different files.
 *
 * Writes a checkpoint (best.safetensors, last.safetensors) as an ONNX model (opset 13) to `path`, whole or not at all. Its input "images"
 * is float32 [N,C,S,S], the pixels' bytes divided by 255, where N is free, C the checkpoint's channels and S its image size; its output
 * "logits" is float32 [N,classes]. The normalisation by mean and deviation is the graph's first operation, batch norms are operators of
 * their own, and parameters keep their names. The model's metadata are the checkpoint's: class_names (a JSON array), mean, std, dataset,
 * fit, image_size, arch, stem, width, classes, channels, step, version.
 *
 * Errors: as camcl_model_open for the checkpoint; CAMCL_EXISTS if the output is a file with content that is no ONNX model of camcl, and it
 * stays as it is; CAMCL_UNSUPPORTED if the architecture has an operation that is not written as ONNX. */
camcl_status camcl_export_onnx(const char *checkpoint, const char *path, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
