/* The table of architectures, made of the catalogue. */
#include "model/arch.h"

#include <stdio.h>
#include <string.h>

#include "base/catalogue.h"
#include "base/memory.h"
#include "base/words.h"

#define ROW(symbol, name, width, stems, stages) { name, width, stems, stages, cc_arch_build_##symbol },
const cc_arch cc_archs[] = { CC_ARCHITECTURES(ROW) };
#undef ROW
const size_t cc_arch_count = CC_COUNT(cc_archs);

const cc_arch *cc_arch_find(const char *name)
{
    for (size_t i = 0; i < cc_arch_count; i++)
        if (strcmp(cc_archs[i].name, name) == 0) return &cc_archs[i];
    return NULL;
}

camcl_status cc_graph_build_arch(const cc_arch *arch, const cc_graph_spec *spec, size_t align, cc_graph **out, camcl_error *err)
{
    cc_graph_spec resolved = *spec;
    cc_graph_builder *builder;
    *out = NULL;
    snprintf(resolved.arch, sizeof resolved.arch, "%s", arch->name);
    if (resolved.width == 0) resolved.width = arch->width;
    CC_RETURN_IF_FAILED(cc_graph_builder_create(&resolved, align, &builder, err));
    arch->build(builder);
    CC_RETURN_IF_FAILED(cc_graph_builder_finish(&builder, out));
    if ((*out)->stages == arch->stages) return CAMCL_OK;
    const size_t stages = (*out)->stages;
    cc_graph_destroy(out);
    return cc_fail(err, CAMCL_FAILED, "model: %s ends %zu stages, its row says %zu (report this as a defect)", arch->name, stages,
                   arch->stages);
}

camcl_status cc_graph_build(const cc_graph_spec *spec, size_t align, cc_graph **out, camcl_error *err)
{
    const cc_arch *arch = cc_arch_find(spec->arch);
    *out = NULL;
    if (arch == NULL)
        return cc_fail(err, CAMCL_UNSUPPORTED, "model.arch = %s: not known (there is %s)", spec->arch,
                       CC_CATALOGUE_WORDS(CC_ARCHITECTURES));
    if (!cc_words_have(arch->stems, spec->stem))
        return cc_fail(err, CAMCL_UNSUPPORTED, "model.stem = %s: %s has no such stem (there is %s)", spec->stem, arch->name, arch->stems);
    return cc_graph_build_arch(arch, spec, align, out, err);
}
