#include "dataset/split_plan.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "dataset/apportion.h"

cc_split_data cc_split_data_of(const camcl_dataset *dataset)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    return (cc_split_data){ .labels = camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES),
                            .images = info->train_count,
                            .unlabeled = info->unlabeled_count,
                            .validation = info->validation_count,
                            .classes = info->classes,
                            .class_names = camcl_dataset_class_names(dataset),
                            .held_out = camcl_dataset_held_out(dataset),
                            .held_out_count = info->held_out_count };
}

enum { NAMED = 10 }; /* classes that a message names */

/* ---- messages */

/* ", NAME has 3", for a class that is short. */
static void add_short(cc_text *text, size_t named, const char *name, size_t have, size_t beside)
{
    if (named > NAMED) return;
    if (named == NAMED) {
        cc_text_add(text, " and others");
        return;
    }
    cc_text_add(text, named ? ", " : "");
    cc_text_add_visible(text, name, 40);
    cc_text_add(text, " has %zu", have);
    if (beside) cc_text_add(text, " beside %zu for validation", beside);
}

static camcl_status check_divides(const char *key, size_t value, size_t classes, size_t least, camcl_error *err)
{
    const size_t below = value / classes * classes, above = below + classes;
    if (value % classes == 0 && value >= least) return CAMCL_OK;
    if (below < least)
        return cc_fail(err, CAMCL_BAD_CONFIG,
                       "data.%s = %zu: it must divide by the %zu classes (the nearest is %zu; or set data.balanced = no)", key, value,
                       classes, least);
    return cc_fail(err, CAMCL_BAD_CONFIG,
                   "data.%s = %zu: it must divide by the %zu classes (the nearest are %zu and %zu; or set data.balanced = no)", key, value,
                   classes, below, above);
}

/* Each class must have `each` images beside those of `taken` (NULL: none). */
static camcl_status check_room(const cc_split_data *data, const char *key, size_t value, const size_t *have, const size_t *taken,
                               camcl_error *err)
{
    const size_t each = value / data->classes;
    size_t most = SIZE_MAX, found = 0;
    cc_text names = CC_TEXT_INIT;
    for (size_t c = 0; c < data->classes; c++) {
        const size_t room = have[c] - (taken ? taken[c] : 0);
        most = cc_min_size(most, room);
        if (room < each) add_short(&names, found++, data->class_names[c], room, taken ? taken[c] : 0);
    }
    camcl_status status = CAMCL_OK;
    if (found && most == 0)
        status = cc_fail(err, CAMCL_BAD_CONFIG, "data.%s = %zu: it takes %zu image%s of each class: %s (%sset data.balanced = no)", key,
                         value, each, each == 1 ? "" : "s", names.data ? names.data : "", taken ? "lower data.validation, or " : "");
    else if (found)
        status = cc_fail(err, CAMCL_BAD_CONFIG,
                         "data.%s = %zu: it takes %zu image%s of each class: %s (at most %zu is possible; or set data.balanced = no)", key,
                         value, each, each == 1 ? "" : "s", names.data ? names.data : "", most * data->classes);
    cc_text_free(&names);
    return status;
}

/* ---- counting */

static void take_census(const cc_split_data *data, size_t *have)
{
    for (size_t i = 0; i < data->images - data->unlabeled - data->validation; i++)
        have[data->labels[i]]++;
    for (size_t i = 0; i < data->held_out_count; i++)
        have[data->labels[data->held_out[i]]]--;
}

static size_t sum_of(const size_t *numbers, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += numbers[i];
    return sum;
}

/* By share: at least one image of each class that has any to give, where `total` allows it. CAMCL_BAD_CONFIG where `most` is not enough. */
static camcl_status share_out(const cc_split_data *data, const char *key, size_t total, const size_t *have, const size_t *most, size_t *out,
                              camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t *least = NULL, classes = 0;
    const size_t all = sum_of(most, data->classes);
    if (total > all)
        return cc_fail(err, CAMCL_BAD_CONFIG, "data.%s = %zu: only %zu images with a label are left for it (lower it%s)", key, total, all,
                       key[0] == 'l' ? ", or say all" : "");
    CC_TRY(CC_NEW(data->classes, &least, err));
    for (size_t c = 0; c < data->classes; c++)
        classes += most[c] > 0;
    for (size_t c = 0; c < data->classes; c++)
        least[c] = most[c] > 0 && classes <= total;
    cc_apportion(total, have, least, most, data->classes, out);
cleanup:
    free(least);
    return status;
}

/* ---- validation */

/* A tenth, at least one of each class that can spare one (`most` > 0), and no more than classes can spare. */
static size_t tenth_of(const cc_split_data *data, const size_t *have, const size_t *most)
{
    const size_t tenth = (sum_of(have, data->classes) + 5) / 10;
    size_t spare = 0;
    for (size_t c = 0; c < data->classes; c++)
        spare += most[c] > 0;
    return cc_min_size(cc_max_size(tenth, spare), sum_of(most, data->classes));
}

static bool fits_equally(const cc_split_data *data, size_t total, const size_t *most)
{
    for (size_t c = 0; c < data->classes; c++)
        if (most[c] < total / data->classes) return false;
    return total % data->classes == 0;
}

static void give_each(size_t total, size_t classes, size_t *out)
{
    for (size_t c = 0; c < classes; c++)
        out[c] = total / classes;
}

/* Every class keeps an image to be labelled, unless data.validation is given and each class is to have the same number in it. */
static camcl_status plan_validation(const cc_split_data *data, const cc_split_spec *spec, cc_split_plan *plan, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t *most = NULL, total = spec->validation;
    const bool automatic = total == CC_VALIDATION_AUTO;
    if (data->validation && !automatic && total)
        return cc_fail(
            err, CAMCL_BAD_CONFIG,
            "data.validation = %zu: the data come with a validation set of %zu images (set data.validation = auto to use it, or 0)", total,
            data->validation);
    if (data->validation) {
        plan->counts.validation = automatic ? data->validation : 0;
        return CAMCL_OK;
    }
    if (!automatic && spec->balanced) {
        CC_RETURN_IF_FAILED(check_divides("validation", total, data->classes, 0, err));
        CC_RETURN_IF_FAILED(check_room(data, "validation", total, plan->have, NULL, err));
    }
    CC_TRY(CC_NEW(data->classes, &most, err));
    for (size_t c = 0; c < data->classes; c++)
        most[c] = plan->have[c] - (plan->have[c] > 0);
    if (automatic) total = tenth_of(data, plan->have, most);
    if (spec->balanced && (!automatic || fits_equally(data, total, most)))
        give_each(total, data->classes, plan->validation);
    else
        CC_TRY(share_out(data, "validation", total, plan->have, most, plan->validation, err));
    plan->counts.validation = total;
cleanup:
    free(most);
    return status;
}

/* ---- labelled */

static camcl_status plan_labeled(const cc_split_data *data, const cc_split_spec *spec, cc_split_plan *plan, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t total = spec->labeled;
    size_t *most = NULL;
    CC_TRY(CC_NEW(data->classes, &most, err));
    for (size_t c = 0; c < data->classes; c++)
        most[c] = plan->have[c] - plan->validation[c];
    if (total == CC_LABELED_ALL) {
        for (size_t c = 0; c < data->classes; c++)
            plan->labeled[c] = most[c];
    } else if (spec->balanced) {
        CC_TRY(check_divides("labeled", total, data->classes, data->classes, err));
        CC_TRY(check_room(data, "labeled", total, plan->have, plan->validation, err));
        give_each(total, data->classes, plan->labeled);
    } else {
        CC_TRY(share_out(data, "labeled", total, plan->have, most, plan->labeled, err));
    }
    plan->counts.labeled = sum_of(plan->labeled, data->classes);
    if (plan->counts.labeled == 0)
        status = cc_fail(err, CAMCL_BAD_CONFIG, "data.labeled: there is no labelled image to learn from (raise it, or add pictures)");
cleanup:
    free(most);
    return status;
}

/* ---- unlabelled */

/* left: images in no other pool. With labelled images reused, they make up for what is missing, and are in the pool in any case. */
static camcl_status plan_unlabeled(const cc_split_spec *spec, size_t left, cc_split_counts *counts, camcl_error *err)
{
    const size_t again = spec->reuse_labeled ? counts->labeled : 0, room = left + again;
    size_t wanted = left;
    if (spec->unlabeled == CC_UNLABELED_AUTO) {
        const double exact = spec->ratio * (double)counts->labeled + 0.5;
        if (!(spec->ratio >= 0) || exact >= (double)room + 1.0)
            return cc_fail(err, CAMCL_BAD_CONFIG,
                           "data.ratio = %g: that many unlabelled images for %zu labelled ones are not there, %zu are left "
                           "(lower it, or set data.unlabeled = all)",
                           spec->ratio, counts->labeled, room);
        wanted = (size_t)exact;
    } else if (spec->unlabeled == CC_UNLABELED_COUNT) {
        if (spec->unlabeled_count > room)
            return cc_fail(
                err, CAMCL_BAD_CONFIG,
                "data.unlabeled = %zu: only %zu images are left beside %zu labelled and %zu for validation (lower it, or say all)",
                spec->unlabeled_count, room, counts->labeled, counts->validation);
        wanted = spec->unlabeled_count;
    }
    counts->unlabeled = cc_min_size(wanted, left) + again;
    return CAMCL_OK;
}

camcl_status cc_split_plan_make(const cc_split_data *data, const cc_split_spec *spec, cc_split_plan *out, camcl_error *err)
{
    *out = (cc_split_plan){ .counts.test = data->held_out_count };
    CC_RETURN_IF_FAILED(CC_NEW(data->classes, &out->have, err));
    CC_RETURN_IF_FAILED(CC_NEW(data->classes, &out->labeled, err));
    CC_RETURN_IF_FAILED(CC_NEW(data->classes, &out->validation, err));
    take_census(data, out->have);
    CC_RETURN_IF_FAILED(plan_validation(data, spec, out, err));
    CC_RETURN_IF_FAILED(plan_labeled(data, spec, out, err));
    const size_t held = sum_of(out->validation, data->classes) + out->counts.labeled + data->held_out_count;
    return plan_unlabeled(spec, data->images - data->validation - held, &out->counts, err);
}

void cc_split_plan_free(cc_split_plan *plan)
{
    free(plan->have);
    free(plan->labeled);
    free(plan->validation);
    *plan = (cc_split_plan){ 0 };
}

camcl_status cc_split_count(const cc_split_data *data, const cc_split_spec *spec, cc_split_counts *out, camcl_error *err)
{
    cc_split_plan plan;
    camcl_status status = cc_split_plan_make(data, spec, &plan, err);
    *out = plan.counts;
    cc_split_plan_free(&plan);
    return status;
}
