#include "infer/session_cache.h"

#include <string.h>

static bool same(const cc_session_spec *a, const cc_session_spec *b)
{
    return a->kind == b->kind && a->batch == b->batch && a->image_size == b->image_size && a->cam_layer == b->cam_layer &&
           a->cam_relu == b->cam_relu && a->cam_class == b->cam_class && a->height == b->height && a->width == b->width;
}

void cc_session_cache_drop(cc_session_cache *cache)
{
    for (size_t i = 0; i < CC_KEPT_SESSIONS; i++)
        cc_session_destroy(&cache->kept[i].session);
}

camcl_status cc_session_cache_get(cc_session_cache *cache, cc_model *model, const cc_session_spec *spec, cc_session **out, camcl_error *err)
{
    size_t at = 0;
    while (at + 1 < CC_KEPT_SESSIONS && !(cache->kept[at].session && same(&cache->kept[at].spec, spec)))
        at++;
    cc_session *session = cache->kept[at].session;
    *out = NULL;
    if (session && !same(&cache->kept[at].spec, spec)) cc_session_destroy(&session);
    /* The place is the first: those before it move up. */
    memmove(&cache->kept[1], &cache->kept[0], at * sizeof cache->kept[0]);
    cache->kept[0].session = session;
    if (session == NULL) {
        camcl_status status = cc_session_create(model, spec, NULL, NULL, &cache->kept[0].session, err);
        if (status == CAMCL_NO_MEMORY) {
            cc_session_cache_drop(cache);
            status = cc_session_create(model, spec, NULL, NULL, &cache->kept[0].session, err);
        }
        if (status != CAMCL_OK) return status;
    }
    cache->kept[0].spec = *spec;
    cache->kept[0].spec.mean = cache->kept[0].spec.std = NULL;
    *out = cache->kept[0].session;
    return CAMCL_OK;
}
