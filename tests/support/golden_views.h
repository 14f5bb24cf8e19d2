/* Views of a golden step that are drawn from the pictures themselves. */
#ifndef TESTS_SUPPORT_GOLDEN_VIEWS_H
#define TESTS_SUPPORT_GOLDEN_VIEWS_H

#include "feed/augment.h"
#include "support/golden.h"

/* The file's augment.*; flips, and crop and turns, where it has none. */
cc_view_spec golden_view_spec(const cc_safetensors *file);
/* The draws of step k, for images of this side: operations made of their names and magnitudes, T and the pixels that count of all three
 * tables. Whatever fails, fails the running test. Free them with cc_draws_free. */
cc_draws golden_draws(const cc_safetensors *file, int k, size_t size);

#endif
