/* What a test expects of the library's calls. Whoever includes this has a camcl_error err, which the calls fill, and includes cmocka.h
 * before. */
#ifndef CC_TEST_OK_H
#define CC_TEST_OK_H

#include <string.h>

#include "camcl/status.h"

#define OK(call)                                                                                                                           \
    do {                                                                                                                                   \
        if ((call) != CAMCL_OK) fail_msg("%s: %s\n%s", #call, err.message, err.detail);                                                    \
    } while (0)

/* An expected failure: its status, and a message of one line that mentions something. */
#define FAILS(call, wanted, mention)                                                                                                       \
    do {                                                                                                                                   \
        camcl_status got_ = (call);                                                                                                        \
        if (got_ != (wanted)) fail_msg("%s: %s (%s)", #call, camcl_status_name(got_), err.message);                                        \
        assert_int_equal(err.status, (wanted));                                                                                            \
        if (!strstr(err.message, (mention)) || strchr(err.message, '\n')) fail_msg("%s: message \"%s\"", #call, err.message);              \
    } while (0)

#endif
