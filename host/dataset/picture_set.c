#include "dataset/picture_set.h"

#include <stdlib.h>

#include "base/memory.h"

camcl_status cc_picture_set_add(cc_picture_set *set, camcl_dataset_part part, cc_picture picture, camcl_error *err)
{
    cc_picture_part *to = &set->parts[part];
    camcl_status status = cc_grow((void **)&to->pictures, &to->capacity, to->count + 1, sizeof *to->pictures, err);
    if (status == CAMCL_OK)
        to->pictures[to->count++] = picture;
    else
        free(picture.path);
    return status;
}

camcl_status cc_picture_set_order(cc_picture_set *set, camcl_error *err)
{
    cc_picture_part *part = &set->parts[CAMCL_TRAIN_IMAGES];
    cc_picture *ordered;
    size_t next = 0;
    CC_RETURN_IF_FAILED(CC_NEW(part->count, &ordered, err));
    for (int pool = CC_POOL_LABELED; pool <= CC_POOL_VALIDATION; pool++)
        for (size_t i = 0; i < part->count; i++)
            if ((int)part->pictures[i].pool == pool) ordered[next++] = part->pictures[i];
    free(part->pictures);
    part->pictures = ordered;
    part->capacity = part->count;
    return CAMCL_OK;
}

void cc_picture_set_free(cc_picture_set *set)
{
    for (int part = 0; part < 2; part++) {
        for (size_t i = 0; i < set->parts[part].count; i++)
            free(set->parts[part].pictures[i].path);
        free(set->parts[part].pictures);
        set->parts[part] = (cc_picture_part){ NULL, 0, 0 };
    }
    cc_left_out_free(&set->left_out);
}

void cc_picture_context(const cc_picture_set *set, const cc_picture *picture, camcl_error *err)
{
    if (set->list && picture->line) cc_context(err, "%s:%zu", set->list, picture->line);
}
