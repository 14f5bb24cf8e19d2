#include "support/golden_views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "feed/randaugment.h"

cc_view_spec golden_view_spec(const cc_safetensors *g)
{
    cc_view_spec spec = { CC_WEAK_FLIP, CC_STRONG_CROP_ROTATE, 0 };
    if (cc_safetensors_metadata(g, "augment.weak") == NULL) return spec;
    if (golden_is(g, "augment.weak", "flip-shift")) spec.weak = CC_WEAK_FLIP_SHIFT;
    if (golden_is(g, "augment.weak", "resized-crop")) spec.weak = CC_WEAK_RESIZED_CROP;
    if (golden_is(g, "augment.strong", "randaugment")) spec.strong = CC_STRONG_RANDAUGMENT;
    if (golden_is(g, "augment.strong", "weak")) spec.strong = CC_STRONG_WEAK;
    spec.operations = (size_t)golden_number(g, "augment.randaugment");
    return spec;
}

static const char *at(int k, const char *name)
{
    static char text[96];
    snprintf(text, sizeof text, "step%d.%s", k, name);
    return text;
}

/* out[n, count + 1]: the cutout last. */
static void make_operations(const cc_safetensors *g, int k, size_t n, size_t count, size_t size, cc_picture_operation *out)
{
    int32_t *which = golden_data(g, at(k, "operations"));
    float *magnitudes = golden_data(g, at(k, "magnitudes")), *cutout = golden_data(g, at(k, "cutout"));
    size_t drawn_count;
    const cc_drawn_operation *drawn = cc_drawn_operations(&drawn_count);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < count; j++) {
            assert_in_range(which[i * count + j], 0, drawn_count - 1);
            *out++ = drawn[which[i * count + j]].make((double)magnitudes[i * count + j], size);
        }
        *out++ = cc_picture_cutout((double)cutout[3 * i], (double)cutout[3 * i + 1], (double)cutout[3 * i + 2], size);
    }
    free(which), free(magnitudes), free(cutout);
}

cc_draws golden_draws(const cc_safetensors *g, int k, size_t size)
{
    const cc_view_spec spec = golden_view_spec(g);
    const size_t n = golden_tensor(g, at(k, "weak.transforms"))->shape[0], operations = cc_view_operations(&spec);
    cc_draws d = { .labeled = golden_data(g, at(k, "labeled.transforms")),
                   .weak = golden_data(g, at(k, "weak.transforms")),
                   .strong = golden_data(g, at(k, "strong.transforms")),
                   .operations = operations ? calloc(n * operations, sizeof *d.operations) : NULL,
                   .maps = calloc(n, sizeof *d.maps),
                   .counted = calloc(n * size, sizeof *d.counted),
                   .labeled_count = golden_tensor(g, at(k, "labeled.transforms"))->shape[0],
                   .unlabeled_count = n };
    assert_true(d.maps && d.counted);
    if (operations) make_operations(g, k, n, spec.operations, size, d.operations);
    for (size_t i = 0; i < n; i++)
        cc_view_between(&spec, size, &d.weak[i], &d.strong[i], operations ? d.operations + i * operations : NULL, &d.maps[i],
                        d.counted + i * size);
    return d;
}
