/* Fetching published data sets from the network, checked. */
#ifndef CAMCL_FETCH_H
#define CAMCL_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "camcl/status.h"
#include "camcl/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The name of a data set that can be fetched, as data.dataset has it; static; NULL if `index` is past the last. */
const char *camcl_fetch_name(size_t index);

typedef enum camcl_fetch_event {
    CAMCL_FETCH_THERE,  /* the file is there already, and is the published one */
    CAMCL_FETCH_BEGIN,  /* `address` is asked for it, from byte `done` on */
    CAMCL_FETCH_BYTES,  /* `done` bytes are here; about ten times a second at most */
    CAMCL_FETCH_FAILED, /* this try failed for `reason`; another one follows, or the call returns */
    CAMCL_FETCH_DONE    /* the whole file is here, checked and under its name */
} camcl_fetch_event;

/* What happens. Texts are borrowed for the call. */
typedef struct camcl_fetching {
    camcl_fetch_event event;
    const char *file;     /* its path */
    const char *address;  /* "https://..."; NULL with CAMCL_FETCH_THERE and CAMCL_FETCH_DONE */
    const char *reason;   /* CAMCL_FETCH_FAILED: one line for people, without control characters; else NULL */
    uint64_t done, total; /* bytes of the file */
    double rate, eta;     /* bytes per second of this try, seconds until its end; NaN: not known yet */
} camcl_fetching;

typedef struct camcl_fetch_spec {
    size_t size;         /* set by camcl_fetch_spec_init */
    const char *dataset; /* a camcl_fetch_name */
    const char *folder;  /* where it goes, made with its parents; NULL: "data". data.root may be this folder, whatever the data set */
    const char *mirrors; /* addresses to ask instead of the published ones, one after another, separated by blanks; NULL or "": none. Each
                            stands for a folder with the files as they lie in `folder`. */
    void *context;       /* first argument of the callback */
    void (*progress)(void *context, const camcl_fetching *state); /* in the calling thread; may be NULL */
    const camcl_stop *stop;                                       /* once requested: CAMCL_STOPPED; may be NULL */
} camcl_fetch_spec;
/* Sets size, and everything else to zero. */
static inline void camcl_fetch_spec_init(camcl_fetch_spec *spec)
{
    memset(spec, 0, sizeof *spec);
    spec->size = sizeof *spec;
}

/* Fetches the files of a data set that are not there yet. Each one is written to NAME.part, and gets its name once it has the published
 * size and SHA-256. What a broken or stopped try leaves there, the next call goes on from. Addresses are tried in turn. Proxies are taken
 * from the environment as libcurl does (https_proxy and others). The first call initialises libcurl, unless the program has; with a libcurl
 * before 7.84 no other thread may use it meanwhile.
 *
 * CAMCL_BAD_CONFIG: no such data set. CAMCL_EXISTS: a file of that name is there, and is another one; it is left alone. CAMCL_BUSY: another
 * process fetches it. CAMCL_IO: it cannot be written, or there is not enough room. CAMCL_FAILED: no address gave the file; the detail has
 * each one with the reason. CAMCL_STOPPED. CAMCL_UNSUPPORTED: this build has no libcurl, or no nettle. */
camcl_status camcl_fetch(const camcl_fetch_spec *spec, camcl_error *err);

#ifdef __cplusplus
}
#endif
#endif
