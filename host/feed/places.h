/* Where the images of a data set lie on the device: some have a slot of their own there, all the time; the others are brought when a batch
 * wants them, into the slots behind. */
#ifndef CC_FEED_PLACES_H
#define CC_FEED_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "ops/ops.h"

typedef struct cc_places {
    size_t count, used; /* images of the data set, and those that batches may want */
    int32_t *slot;      /* [count]: of an image that stays; below 0: it is brought. NULL: all stay, image i in slot i */
    uint32_t *staying;  /* [staying_count]: the image of each slot; NULL like slot */
    size_t staying_count;
    size_t landing; /* slots behind those: staying_count .. staying_count + landing - 1 */
} cc_places;

/* All of `count` images stay. */
cc_places cc_places_whole(size_t count);
/* Of order[0..n), images < count, which may name one twice, the first `room` different ones stay. If that is not all of them, there are
 * `landing` slots for the others. Free it with cc_places_free, also after a failure. */
camcl_status cc_places_create(size_t count, const uint32_t *order, size_t n, size_t room, size_t landing, cc_places *out, camcl_error *err);
void cc_places_free(cc_places *places);

/* Sources of transforms[0..n) become slots: that of an image that stays; for the j-th image that does not, slot staying_count + j, and
 * brought[j] is that image, in every call from j = 0 on. Negative sources remain. Returns the number of images to bring: more than
 * `landing` do not fit, and brought [landing] has only the first. */
size_t cc_places_assign(const cc_places *places, size_t n, cc_transform *transforms, uint32_t *brought);

#endif
