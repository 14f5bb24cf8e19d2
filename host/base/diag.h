/* Error reports: functions that fill a camcl_error, and macros that pass a failed status on. */
#ifndef CC_BASE_DIAG_H
#define CC_BASE_DIAG_H

#include "base/compiler.h"
#include "camcl/status.h"

/* Fills *err (unless NULL) with status and the formatted "what: why (what to do)", clears the detail, and
 * returns status, so that `return cc_fail(err, CAMCL_IO, ...)` is one line. */
camcl_status cc_fail(camcl_error *err, camcl_status status, const char *format, ...) CC_PRINTF(3, 4);
/* Clang's analyzer looks at one file at a time, and else takes it that a failure may return CAMCL_OK. */
#ifdef __clang_analyzer__
#define cc_fail(err, status, ...) ((cc_fail)(err, status, __VA_ARGS__), (status))
#endif

/* Appends formatted text to err->detail (cut when full). No effect when err is NULL. */
void cc_detail(camcl_error *err, const char *format, ...) CC_PRINTF(2, 3);

/* Puts "formatted: " in front of the message. For a caller that knows which larger operation failed. */
void cc_context(camcl_error *err, const char *format, ...) CC_PRINTF(2, 3);

/* Evaluates a call that returns camcl_status into the local `status`; jumps to `cleanup` when it failed. */
#define CC_TRY(call)                                                                                                                       \
    do {                                                                                                                                   \
        status = (call);                                                                                                                   \
        if (status != CAMCL_OK) goto cleanup;                                                                                              \
    } while (0)

/* The same for functions that have nothing to release: returns the status at once. */
#define CC_RETURN_IF_FAILED(call)                                                                                                          \
    do {                                                                                                                                   \
        camcl_status try_status_ = (call);                                                                                                 \
        if (try_status_ != CAMCL_OK) return try_status_;                                                                                   \
    } while (0)

#endif
