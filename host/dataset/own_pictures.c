#include "dataset/own_pictures.h"

#include <string.h>

#include "base/text.h"
#include "dataset/held_out.h"

bool cc_is_class_name(const char *name)
{
    for (size_t left = strlen(name), length; left > 0; name += length, left -= length) {
        length = cc_utf8_length(name, left);
        if (length == 0) return false;
    }
    return true;
}

camcl_status cc_own_classes(camcl_dataset *dataset, const char *where, const char *const *names, size_t count, camcl_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!cc_is_class_name(names[i]))
            return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s: the name of class '%s' is not UTF-8 (rename it)", dataset->info.name,
                           where, names[i]);
    if (count == 1)
        return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s has one class only, '%s' (at least two are needed%s)", dataset->info.name,
                       where, names[0],
                       strcmp(dataset->info.name, "folder") == 0 ? "; data.root is the folder in which those of the classes lie" : "");
    return cc_dataset_set_classes(dataset, names, count, err);
}

/* Pictures that cannot be read may have been all that a part had. */
static camcl_status check_part(const camcl_dataset *dataset, const camcl_dataset_spec *spec, const char *part, size_t found, size_t left,
                               camcl_error *err)
{
    if (left > 0 || found == 0) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_DATA, "data set %s: %s: none of the %zu %s pictures can be read (replace or remove them)",
                   dataset->info.name, spec->root, found, part);
}

static camcl_status hold_out(camcl_dataset *dataset, const camcl_dataset_spec *spec, camcl_error *err)
{
    camcl_dataset_info *info = &dataset->info;
    size_t labelled = info->train_count - info->unlabeled_count - info->validation_count, count;
    CC_RETURN_IF_FAILED(cc_held_out_draw(dataset->parts[CAMCL_TRAIN_IMAGES].labels, labelled, info->classes, spec->test_share, spec->seed,
                                         &dataset->held_out, &count, err));
    info->held_out_count = (uint32_t)count;
    return CAMCL_OK;
}

camcl_status cc_own_pictures_read(camcl_dataset *dataset, const camcl_dataset_spec *spec, cc_picture_set *set, camcl_error *err)
{
    const cc_picture_part *train = &set->parts[CAMCL_TRAIN_IMAGES];
    const size_t test = set->parts[CAMCL_TEST_IMAGES].count;
    size_t validation = 0;
    if (!(spec->test_share >= 0 && spec->test_share < 1))
        return cc_fail(err, CAMCL_BAD_CONFIG, "data set %s: a test share of %g is outside 0..1 (0: no test set)", dataset->info.name,
                       spec->test_share);
    for (size_t i = 0; i < train->count; i++)
        validation += train->pictures[i].pool == CC_POOL_VALIDATION;
    CC_RETURN_IF_FAILED(cc_picture_set_order(set, err));
    CC_RETURN_IF_FAILED(cc_load_pictures(dataset, spec, set, err));
    CC_RETURN_IF_FAILED(check_part(dataset, spec, "test", test, dataset->info.test_count, err));
    CC_RETURN_IF_FAILED(check_part(dataset, spec, "validation", validation, dataset->info.validation_count, err));
    return test ? CAMCL_OK : hold_out(dataset, spec, err);
}
