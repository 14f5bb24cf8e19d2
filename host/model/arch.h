/* Architectures: an architecture is a row of the catalogue (base/catalogue.h). Each family has a file of its own, arch_<family>.c, which
 * builds its members from the nodes of node.h. */
#ifndef CC_MODEL_ARCH_H
#define CC_MODEL_ARCH_H

#include "base/catalogue.h"
#include "model/builder.h"

typedef struct cc_arch {
    const char *name;  /* model.arch */
    size_t width;      /* channels of the first stage, unless model.width says otherwise */
    const char *stems; /* "cifar | imagenet": what model.stem may be */
    size_t stages;     /* how many stages ssl.cam_layer has to choose from */
    /* Adds all nodes, from the image to the outputs for cc_graph_builder_spec's classes, and ends each stage. */
    void (*build)(cc_graph_builder *builder);
} cc_arch;

extern const cc_arch cc_archs[];
extern const size_t cc_arch_count;

/* The row of this name, or NULL. */
const cc_arch *cc_arch_find(const char *name);

/* The network that spec.arch names. `align`: floats to which each parameter's offset is rounded up. The caller owns *out.
 * CAMCL_UNSUPPORTED when there is no such architecture, or it has no such stem. */
camcl_status cc_graph_build(const cc_graph_spec *spec, size_t align, cc_graph **out, camcl_error *err);
/* The network of a row, which need not be in the table, and spec's stem, width, classes and channels; else as cc_graph_build. */
camcl_status cc_graph_build_arch(const cc_arch *arch, const cc_graph_spec *spec, size_t align, cc_graph **out, camcl_error *err);

/* ---- the families: one function for each row of the catalogue */

#define DECLARE(symbol, ...) void cc_arch_build_##symbol(cc_graph_builder *builder);
CC_ARCHITECTURES(DECLARE)
#undef DECLARE

#endif
