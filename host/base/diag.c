#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *camcl_status_name(camcl_status status)
{
    switch (status) {
    case CAMCL_OK: return "CAMCL_OK";
    case CAMCL_FAILED: return "CAMCL_FAILED";
    case CAMCL_BAD_DATA: return "CAMCL_BAD_DATA";
    case CAMCL_IO: return "CAMCL_IO";
    case CAMCL_EXISTS: return "CAMCL_EXISTS";
    case CAMCL_BUSY: return "CAMCL_BUSY";
    case CAMCL_NOT_FINITE: return "CAMCL_NOT_FINITE";
    case CAMCL_NO_MEMORY: return "CAMCL_NO_MEMORY";
    case CAMCL_OPENCL: return "CAMCL_OPENCL";
    case CAMCL_BAD_CONFIG: return "CAMCL_BAD_CONFIG";
    case CAMCL_UNSUPPORTED: return "CAMCL_UNSUPPORTED";
    case CAMCL_NO_DEVICE: return "CAMCL_NO_DEVICE";
    case CAMCL_STOPPED: return "CAMCL_STOPPED";
    }
    return "unknown status";
}

int camcl_exit_status(camcl_status status)
{
    switch (status) {
    case CAMCL_OK: return 0;
    case CAMCL_BAD_CONFIG:
    case CAMCL_UNSUPPORTED: return 2;
    case CAMCL_NO_DEVICE: return 3;
    default: return 1;
    }
}

/* Keeps a message on one line: replaces control characters, which a file name or a value in the message may contain. */
static void flatten(char *message)
{
    for (; *message; message++) {
        if ((unsigned char)*message < 0x20 || *message == 0x7f) *message = '?';
    }
}

camcl_status(cc_fail)(camcl_error *err, camcl_status status, const char *format, ...)
{
    if (err == NULL) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    flatten(err->message);
    err->status = status;
    err->detail[0] = '\0';
    return status;
}

void cc_detail(camcl_error *err, const char *format, ...)
{
    if (err == NULL) return;
    size_t used = strlen(err->detail);
    va_list args;
    va_start(args, format);
    vsnprintf(err->detail + used, sizeof err->detail - used, format, args);
    va_end(args);
}

void cc_context(camcl_error *err, const char *format, ...)
{
    if (err == NULL) return;
    char head[512], old[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(head, sizeof head, format, args);
    va_end(args);
    memcpy(old, err->message, sizeof old);
    size_t used = (size_t)snprintf(err->message, sizeof err->message, "%s: ", head);
    size_t room = used < sizeof err->message ? sizeof err->message - used : 0;
    if (room > 1) {
        size_t length = strlen(old);
        if (length > room - 1) length = room - 1;
        memcpy(err->message + used, old, length);
        err->message[used + length] = '\0';
    }
    flatten(err->message);
}
