#include "ops/choice/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "ops/record.h"

cc_problem cc_choice_with_images(const cc_problem *problem, size_t most)
{
    cc_problem p = *problem;
    if (p.op->choice->images == NULL) return p;
    size_t *images = p.op->choice->images(&p.desc);
    *images = cc_min_size(*images, most);
    return p;
}

void cc_choice_key(const cc_problem *problem, char *text, size_t size)
{
    const cc_problem p = cc_choice_with_images(problem, CC_CHOICE_IMAGES);
    cc_problem_key(&p, text, size);
}

const cc_variant *cc_choice_general(const cc_problem *p)
{
    for (size_t i = 0; i < cc_operation_count(p->op); i++) {
        const cc_variant *v = cc_operation_at(p->op, i);
        if (v->direction == p->direction && v->role == CC_ROLE_FALLBACK) return v;
    }
    return NULL;
}

size_t cc_choice_list(const cc_choice *choice, const cc_problem *p, const cc_variant **out)
{
    const camcl_device_info *info = camcl_device_get_info(choice->device);
    const cc_variant *general = cc_choice_general(p);
    size_t count = 0;
    for (size_t i = 0; i < cc_operation_count(p->op); i++) {
        const cc_variant *v = cc_operation_at(p->op, i);
        if (v->direction == p->direction && v->role != CC_ROLE_FALLBACK && count < CC_CHOICE_VARIANTS && v->supports(info, &p->desc) &&
            cc_variant_fits(choice->device, v, &p->desc) && p->op->choice->competes(info, choice->policy, v, &p->desc))
            out[count++] = v;
    }
    if (count == 0 && general) out[count++] = general;
    return count;
}

const cc_variant *cc_choice_builtin(const cc_choice *choice, const cc_problem *p)
{
    const cc_variant *chosen = p->op->choice->builtin(camcl_device_get_info(choice->device), choice->policy, p->direction, &p->desc);
    if (cc_variant_fits(choice->device, chosen, &p->desc)) return chosen;
    const cc_variant *others[CC_CHOICE_VARIANTS];
    const size_t count = cc_choice_list(choice, p, others);
    return count > 0 ? others[count - 1] : chosen;
}

/* What is stored has been rounded. */
static bool is_wrong(double ms) { return fabs(ms - CC_CHOICE_WRONG) < 1e-3 * CC_CHOICE_WRONG; }

/* False: not all of them were timed. */
static bool find_fastest(const cc_choice *choice, const cc_problem *p, const cc_variant **out)
{
    const cc_variant *variants[CC_CHOICE_VARIANTS];
    const size_t count = cc_choice_list(choice, p, variants);
    char key[160];
    double least = CC_CHOICE_FAILED;
    bool some_wrong = false;
    cc_choice_key(p, key, sizeof key);
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const double ms = cc_timings_find(&choice->timings, key, variants[i]->name);
        if (isnan(ms)) return false;
        some_wrong = some_wrong || is_wrong(ms);
        if (ms < least) {
            least = ms;
            *out = variants[i];
        }
    }
    if (*out == NULL && some_wrong) *out = cc_choice_general(p);
    return true;
}

bool cc_choice_knows(const cc_choice *choice, const cc_problem *problem)
{
    const cc_variant *fastest;
    return find_fastest(choice, problem, &fastest);
}

const cc_variant *cc_choice_fastest(const cc_choice *choice, const cc_problem *problem)
{
    const cc_variant *fastest;
    return find_fastest(choice, problem, &fastest) ? fastest : NULL;
}

void cc_choice_wrong(const cc_choice *choice, const cc_problem *problem, char *text, size_t size)
{
    const cc_variant *variants[CC_CHOICE_VARIANTS];
    const size_t count = cc_choice_list(choice, problem, variants);
    size_t length = 0;
    char key[160];
    cc_choice_key(problem, key, sizeof key);
    text[0] = '\0';
    for (size_t i = 0; i < count && length < size; i++) {
        if (!is_wrong(cc_timings_find(&choice->timings, key, variants[i]->name))) continue;
        length += (size_t)snprintf(text + length, size - length, "%s%s", length ? ", " : "", variants[i]->name);
    }
}
