/* Which images a split of a data set is made of (camcl/model.h). */
#include "base/memory.h"
#include "camcl/model.h"
#include "dataset/split.h"
#include "run/settings.h"

camcl_status camcl_split_indices(const camcl_config *config, const camcl_dataset *dataset, camcl_split split, camcl_dataset_part *part,
                                 uint32_t **indices, size_t *count, camcl_error *err)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    cc_split pools;
    if (split == CAMCL_SPLIT_TEST) {
        *part = CAMCL_TEST_IMAGES;
        *count = info->test_count;
        CC_RETURN_IF_FAILED(CC_NEW(*count, indices, err));
        for (size_t i = 0; i < *count; i++)
            (*indices)[i] = (uint32_t)i;
        return CAMCL_OK;
    }
    cc_split_spec spec = cc_split_spec_from(config);
    CC_RETURN_IF_FAILED(
        cc_split_make(camcl_dataset_labels(dataset, CAMCL_TRAIN_IMAGES), info->train_count, info->classes, &spec, &pools, err));
    uint32_t **pool = split == CAMCL_SPLIT_VALIDATION ? &pools.validation : &pools.labeled;
    *part = CAMCL_TRAIN_IMAGES;
    *count = split == CAMCL_SPLIT_VALIDATION ? pools.validation_count : pools.labeled_count;
    *indices = *pool;
    *pool = NULL;
    cc_split_free(&pools);
    return CAMCL_OK;
}
