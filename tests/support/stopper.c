#include "support/stopper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/ok.h"

stopper stopper_at(const char *message)
{
    stopper s = { .at = message };
    camcl_error err;
    OK(camcl_stop_create(&s.stop, &err));
    return s;
}

void stop_at_message(void *context, const char *line)
{
    const stopper *s = context;
    if (strncmp(line, s->at, strlen(s->at)) == 0) camcl_stop_request(s->stop);
}
