/* Which images a split of a data set is made of (camcl/model.h). */
#include "base/arguments.h"
#include "base/memory.h"
#include "camcl/model.h"
#include "dataset/split.h"
#include "dataset/test_images.h"
#include "run/settings.h"

camcl_status camcl_split_indices(const camcl_config *config, const camcl_dataset *dataset, camcl_split split, camcl_dataset_part *part,
                                 uint32_t **indices, size_t *count, camcl_error *err)
{
    CC_CHECK_GIVEN(config, err);
    CC_CHECK_GIVEN(dataset, err);
    CC_CHECK_GIVEN(part, err);
    CC_CHECK_GIVEN(indices, err);
    CC_CHECK_GIVEN(count, err);
    *indices = NULL;
    *count = 0;
    const cc_split_data data = cc_split_data_of(dataset);
    cc_split pools;
    if (split == CAMCL_SPLIT_TEST) {
        const cc_test_images test = cc_dataset_test_images(dataset);
        *part = test.part;
        CC_RETURN_IF_FAILED(CC_NEW(test.count, indices, err));
        *count = test.count;
        for (size_t i = 0; i < *count; i++)
            (*indices)[i] = cc_test_image_at(&test, i);
        return CAMCL_OK;
    }
    cc_split_spec spec = cc_split_spec_from(config);
    CC_RETURN_IF_FAILED(cc_split_make(&data, &spec, &pools, err));
    uint32_t **pool = &pools.labeled;
    *part = CAMCL_TRAIN_IMAGES;
    *count = pools.labeled_count;
    if (split == CAMCL_SPLIT_VALIDATION) {
        pool = &pools.validation;
        *count = pools.validation_count;
    } else if (split == CAMCL_SPLIT_UNLABELED) {
        pool = &pools.unlabeled;
        *count = pools.unlabeled_count;
    }
    *indices = *pool;
    *pool = NULL;
    cc_split_free(&pools);
    return CAMCL_OK;
}
