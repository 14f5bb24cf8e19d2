#include "feed/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BROUGHT = -1, UNUSED = -2 };

cc_places cc_places_whole(size_t count) { return (cc_places){ .count = count, .used = count, .staying_count = count }; }

camcl_status cc_places_create(size_t count, const uint32_t *order, size_t n, size_t room, size_t landing, cc_places *out, camcl_error *err)
{
    memset(out, 0, sizeof *out);
    out->count = count;
    room = cc_min_size(room, cc_min_size(n, count));
    CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(count, 1), &out->slot, err));
    CC_RETURN_IF_FAILED(CC_NEW(cc_max_size(room, 1), &out->staying, err));
    for (size_t i = 0; i < count; i++)
        out->slot[i] = UNUSED;
    for (size_t i = 0; i < n; i++) {
        int32_t *slot = &out->slot[order[i]];
        if (*slot != UNUSED) continue;
        out->used++;
        *slot = out->staying_count < room ? (int32_t)out->staying_count : BROUGHT;
        if (*slot != BROUGHT) out->staying[out->staying_count++] = order[i];
    }
    out->landing = out->used > out->staying_count ? landing : 0;
    return CAMCL_OK;
}

void cc_places_free(cc_places *places)
{
    free(places->slot);
    free(places->staying);
    memset(places, 0, sizeof *places);
}

size_t cc_places_assign(const cc_places *places, size_t n, cc_transform *transforms, uint32_t *brought)
{
    size_t count = 0;
    for (size_t i = 0; i < n && places->slot; i++) {
        const int32_t image = transforms[i].source;
        if (image < 0) continue;
        transforms[i].source = places->slot[image];
        if (transforms[i].source >= 0) continue;
        transforms[i].source = (int32_t)(places->staying_count + count);
        if (count < places->landing) brought[count] = (uint32_t)image;
        count++;
    }
    return count;
}
