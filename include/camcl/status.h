/* Status codes and error reports of libcamcl. */
#ifndef CAMCL_STATUS_H
#define CAMCL_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Every fallible function returns one of these; CAMCL_OK is 0. */
typedef enum camcl_status {
    CAMCL_OK = 0,
    CAMCL_FAILED,      /* failed while running, no finer class below fits */
    CAMCL_BAD_DATA,    /* a data file, image or checkpoint is missing, damaged or does not match */
    CAMCL_IO,          /* reading or writing failed: permissions, no space left, ... */
    CAMCL_EXISTS,      /* a run directory that exists and was not to be resumed, or cannot be: its state is missing */
    CAMCL_BUSY,        /* another process holds the run directory */
    CAMCL_NOT_FINITE,  /* the loss became NaN or Inf */
    CAMCL_NO_MEMORY,   /* host or device memory is exhausted */
    CAMCL_OPENCL,      /* an OpenCL or CLBlast call failed, a kernel did not build */
    CAMCL_BAD_CONFIG,  /* usage or configuration */
    CAMCL_UNSUPPORTED, /* configuration asks for what this build or version lacks */
    CAMCL_NO_DEVICE,   /* no usable device, or an ambiguous or unknown selector */
    CAMCL_STOPPED      /* stopped on request; training has saved its state, unless it was still reading its data */
} camcl_status;

/* A plain value, the caller's own: calls in several threads take one each.
 *
 * What went wrong, filled by the function that returns a status other than CAMCL_OK. A caller that does not
 * want the text passes NULL. */
typedef struct camcl_error {
    camcl_status status;
    char message[1024]; /* one line: "what: why (what to do)" */
    char detail[8192];  /* more lines without indentation, or "" */
} camcl_error;

/* The symbolic name of a status, for example "CAMCL_BAD_DATA". Never NULL. */
const char *camcl_status_name(camcl_status status);

/* The process exit status: 0 done, 1 failed while running, 2 usage or configuration, 3 no
 * usable device. CAMCL_STOPPED maps to 1; the command line turns it into 128 + the signal's number. */
int camcl_exit_status(camcl_status status);

#ifdef __cplusplus
}
#endif
#endif
