#include "dataset/test_images.h"

#include <stdlib.h>

#include "base/memory.h"

cc_test_images cc_dataset_test_images(const camcl_dataset *dataset)
{
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    if (info->held_out_count) return (cc_test_images){ CAMCL_TRAIN_IMAGES, camcl_dataset_held_out(dataset), info->held_out_count };
    return (cc_test_images){ CAMCL_TEST_IMAGES, NULL, info->test_count };
}

uint32_t cc_test_image_at(const cc_test_images *test, size_t i) { return test->indices ? test->indices[i] : (uint32_t)i; }

/* An image's round is the number of images of its class before it; images are taken round by round. Images without a label are a class of
 * their own. */
camcl_status cc_test_images_spread(const cc_test_images *test, const int32_t *labels, size_t classes, size_t count, uint32_t *out,
                                   camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    uint32_t *rounds = NULL, *found = NULL;
    bool *chosen = NULL;
    size_t taken = 0, at = 0;
    CC_TRY(CC_NEW(test->count, &rounds, err));
    CC_TRY(CC_NEW(test->count, &chosen, err));
    CC_TRY(CC_NEW(classes + 1, &found, err));
    for (size_t i = 0; i < test->count; i++) {
        const int32_t label = labels[cc_test_image_at(test, i)];
        rounds[i] = found[label < 0 ? classes : (size_t)label]++;
    }
    for (uint32_t round = 0; taken < count; round++)
        for (size_t i = 0; i < test->count && taken < count; i++)
            if (rounds[i] == round) chosen[i] = true, taken++;
    for (size_t i = 0; i < test->count; i++)
        if (chosen[i]) out[at++] = (uint32_t)i;
cleanup:
    free(rounds);
    free(found);
    free(chosen);
    return status;
}
