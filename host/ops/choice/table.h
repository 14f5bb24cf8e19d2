/* The choice by what is known already: stored timings, else the built-in default. */
#ifndef CC_OPS_CHOICE_TABLE_H
#define CC_OPS_CHOICE_TABLE_H

#include "ops/choice/state.h"
#include "ops/problem.h"

enum { CC_CHOICE_IMAGES = 128, CC_CHOICE_VARIANTS = 64 };

/* The problem with so many images at most, where its operation has a batch. */
cc_problem cc_choice_with_images(const cc_problem *problem, size_t most);
/* What timings are stored under: the plan's key, except that batches beyond CC_CHOICE_IMAGES images share one timing, because from there on
 * time grows with the batch and the order stays. */
void cc_choice_key(const cc_problem *problem, char *text, size_t size);
/* The variant for the problem without any timing: the built-in default if its work-groups fit the device, else the last variant worth
 * timing. */
const cc_variant *cc_choice_builtin(const cc_choice *choice, const cc_problem *problem);
/* The variants worth timing (device.conv allows them, the device and shape support them, they are not known not to fit; "general" only
 * where there is no other), in registry order. out has room for CC_CHOICE_VARIANTS. Returns how many. */
size_t cc_choice_list(const cc_choice *choice, const cc_problem *problem, const cc_variant **out);
/* The variant for where nothing else runs, which is not timed against others; NULL: the operation has none. */
const cc_variant *cc_choice_general(const cc_problem *problem);
/* Whether all of these have a stored timing. */
bool cc_choice_knows(const cc_choice *choice, const cc_problem *problem);
/* The fastest of these variants; the general one if no other computes right. NULL if the timing of one of them is not known, or if all of
 * them failed. */
const cc_variant *cc_choice_fastest(const cc_choice *choice, const cc_problem *problem);

#define CC_CHOICE_FAILED 1e9 /* milliseconds of what failed: nothing that ran takes as long */
#define CC_CHOICE_WRONG 1e11 /* milliseconds of what computes something else than other variants */

/* Writes the names of the problem's variants that compute wrong, as timed, with commas; "" where there are none. */
void cc_choice_wrong(const cc_choice *choice, const cc_problem *problem, char *text, size_t size);

#endif
