#include "dataset/download.h"

#ifdef CAMCL_HAVE_CURL

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_SECONDS = 30, SILENT_SECONDS = 60, MOST_REDIRECTS = 10 };

typedef struct transfer {
    cc_download *download;
    CURL *curl;
    bool begun, other; /* other: the server has another file than the one that is wanted, as its size says */
} transfer;

bool cc_can_download(void) { return true; }

/* Returns 0 or an errno. */
static int write_all(int file, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written < 0 ? errno : EIO;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

/* The first bytes are here, and what the server says of the rest. */
static void begin(transfer *t)
{
    cc_download *d = t->download;
    curl_off_t announced = -1; /* not said */
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    t->begun = true;
    t->other = announced >= 0 && (uint64_t)announced != d->size - d->have;
    if (t->other) snprintf(d->reason, sizeof d->reason, "another file, of %" PRIu64 " bytes", d->have + (uint64_t)announced);
}

/* Returning less than `size` ends the transfer. */
static size_t receive(char *data, size_t one, size_t size, void *context)
{
    transfer *t = context;
    cc_download *d = t->download;
    (void)one; /* always 1 */
    if (!t->begun) begin(t);
    if (!t->other && size > d->size - d->have) {
        t->other = true;
        snprintf(d->reason, sizeof d->reason, "another file, of more than %" PRIu64 " bytes", d->size);
    }
    if (t->other) return 0;
    d->code = write_all(d->file, data, size);
    if (d->code) return 0;
    d->have += size;
    return size;
}

/* Called several times a second, even while nothing comes. */
static int look_around(void *context, curl_off_t total, curl_off_t done, curl_off_t upload_total, curl_off_t upload_done)
{
    transfer *t = context;
    (void)total;
    (void)done;
    (void)upload_total;
    (void)upload_done;
    if (t->download->progress && t->begun) t->download->progress(t->download->context, t->download->have);
    return camcl_stop_requested(t->download->stop);
}

static void set_options(transfer *t, char *message)
{
    const cc_download *d = t->download;
    curl_easy_setopt(t->curl, CURLOPT_URL, d->address);
    curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "camcl");
    curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(t->curl, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt(t->curl, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, (long)SILENT_SECONDS);
    curl_easy_setopt(t->curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)d->have);
    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(t->curl, CURLOPT_XFERINFOFUNCTION, look_around);
    curl_easy_setopt(t->curl, CURLOPT_XFERINFODATA, t);
}

static cc_download_end judge(transfer *t, CURLcode code, const char *message)
{
    cc_download *d = t->download;
    long answer = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (camcl_stop_requested(d->stop)) return CC_DOWNLOAD_STOPPED;
    if (d->code) return CC_DOWNLOAD_DISK;
    if (t->other) return CC_DOWNLOAD_REFUSED;
    if (code == CURLE_OK && d->have == d->size) return CC_DOWNLOAD_WHOLE;
    if (code == CURLE_OK) {
        snprintf(d->reason, sizeof d->reason, "another file, of %" PRIu64 " bytes", d->have);
        return CC_DOWNLOAD_REFUSED;
    }
    snprintf(d->reason, sizeof d->reason, "%s", *message ? message : curl_easy_strerror(code));
    /* 416: the server's file ends before the byte that was asked for. */
    if (code == CURLE_RANGE_ERROR || (code == CURLE_HTTP_RETURNED_ERROR && answer == 416)) return CC_DOWNLOAD_AFRESH;
    return code == CURLE_HTTP_RETURNED_ERROR ? CC_DOWNLOAD_REFUSED : CC_DOWNLOAD_BROKEN;
}

cc_download_end cc_download_run(cc_download *d)
{
    char message[CURL_ERROR_SIZE] = "";
    transfer t = { .download = d, .curl = curl_easy_init() };
    d->code = 0;
    d->reason[0] = '\0';
    if (t.curl == NULL) {
        snprintf(d->reason, sizeof d->reason, "libcurl does not start");
        return CC_DOWNLOAD_BROKEN;
    }
    set_options(&t, message);
    const cc_download_end end = judge(&t, curl_easy_perform(t.curl), message);
    curl_easy_cleanup(t.curl);
    return end;
}

#else

bool cc_can_download(void) { return false; }

cc_download_end cc_download_run(cc_download *download)
{
    (void)download;
    return CC_DOWNLOAD_REFUSED;
}

#endif
