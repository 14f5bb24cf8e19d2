/* Sessions that are kept from call to call, so that a call of the same kind as an earlier one needs no recording. */
#ifndef CC_INFER_SESSION_CACHE_H
#define CC_INFER_SESSION_CACHE_H

#include "infer/session.h"

/* Each holds device memory for its batch, so few are kept: an evaluation, predictions and CAMs of one stage. */
enum { CC_KEPT_SESSIONS = 3 };

typedef struct cc_session_cache {
    struct {
        cc_session *session;
        cc_session_spec spec; /* without mean and std */
    } kept[CC_KEPT_SESSIONS]; /* the last used first */
} cc_session_cache;

/* A session for images in host memory: the one that was made for the same spec, else a new one in place of the one that was not used for
 * the longest time. If memory does not suffice, all other sessions are dropped first. *out is borrowed until the next call. mean and std
 * are not compared: drop all sessions when they change. */
camcl_status cc_session_cache_get(cc_session_cache *cache, cc_model *model, const cc_session_spec *spec, cc_session **out,
                                  camcl_error *err);
void cc_session_cache_drop(cc_session_cache *cache);

#endif
