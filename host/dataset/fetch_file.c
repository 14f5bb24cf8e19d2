#include "dataset/fetch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/checksum.h"
#include "dataset/download.h"

/* Tries at one address, each of which must have brought something. */
enum { MOST_TRIES = 5 };

/* One file on its way. */
typedef struct job {
    const camcl_fetch_spec *spec;
    const cc_published *set;
    const cc_published_file *wanted;
    char *path, *part; /* the file's, and of what is there of it so far */
    cc_download download;
    double start, shown; /* of this try, and when something was last said */
    uint64_t first;      /* bytes that were there when this try began */
    cc_text failures;    /* "ADDRESS: reason" lines */
    char reason[512];    /* the last one */
} job;

/* ---- telling */

static void tell(job *j, camcl_fetch_event event)
{
    const double seconds = cc_seconds() - j->start;
    const uint64_t here = j->download.have > j->first ? j->download.have - j->first : 0;
    camcl_fetching state = {
        .event = event,
        .file = j->path,
        .address = j->download.address,
        .done = j->download.have,
        .total = j->wanted->size,
        .rate = here && seconds > 0 ? (double)here / seconds : NAN,
        .eta = NAN,
    };
    if (event == CAMCL_FETCH_FAILED) state.reason = j->reason;
    if (state.rate > 0) state.eta = (double)(state.total - state.done) / state.rate;
    if (j->spec->progress) j->spec->progress(j->spec->context, &state);
}

static void show_bytes(void *context, uint64_t have)
{
    job *j = context;
    const double now = cc_seconds();
    (void)have; /* is in j->download */
    if (now - j->shown < 0.1) return;
    j->shown = now;
    tell(j, CAMCL_FETCH_BYTES);
}

static void note_failure(job *j, const char *reason)
{
    cc_text text = CC_TEXT_INIT;
    cc_text_add_visible(&text, reason, 256);
    snprintf(j->reason, sizeof j->reason, "%s", text.data ? text.data : "");
    cc_text_free(&text);
    cc_text_add_visible(&j->failures, j->download.address, 256);
    cc_text_add(&j->failures, ": %s\n", j->reason);
    tell(j, CAMCL_FETCH_FAILED);
}

/* ---- the file's part */

/* The lock goes with the process, however it ends. */
static camcl_status open_part(job *j, camcl_error *err)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct stat info;
    j->download.file = open(j->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (j->download.file < 0) return cc_fail_errno(err, "write", j->part, errno);
    if (fcntl(j->download.file, F_SETLK, &lock) != 0 && (errno == EACCES || errno == EAGAIN))
        return cc_fail(err, CAMCL_BUSY, "'%s': another process fetches this file (wait for it)", j->part);
    if (fstat(j->download.file, &info) != 0) return cc_fail_errno(err, "read", j->part, errno);
    j->download.have = (uint64_t)info.st_size;
    return CAMCL_OK;
}

/* Keeps the first `size` bytes; what comes next goes behind them. */
static camcl_status shorten(job *j, uint64_t size, camcl_error *err)
{
    if (ftruncate(j->download.file, (off_t)size) != 0 || lseek(j->download.file, (off_t)size, SEEK_SET) < 0)
        return cc_fail_errno(err, "write", j->part, errno);
    j->download.have = size;
    return CAMCL_OK;
}

static camcl_status check_room(const job *j, camcl_error *err)
{
    struct statvfs room;
    const uint64_t needed = j->wanted->size - j->download.have;
    if (fstatvfs(j->download.file, &room) != 0) return CAMCL_OK;
    const uint64_t free = (uint64_t)room.f_bavail * room.f_frsize;
    if (free >= needed) return CAMCL_OK;
    cc_text text = CC_TEXT_INIT;
    cc_text_add_mebibytes(&text, (size_t)needed);
    cc_text_add(&text, " are needed, and ");
    cc_text_add_mebibytes(&text, (size_t)free);
    cc_fail(err, CAMCL_IO, "'%s': no space: %s are free there (make room, or choose another folder with -o)", j->path,
            text.data ? text.data : "");
    cc_text_free(&text);
    return CAMCL_IO;
}

/* Nothing is left behind where nothing came. Returns `status`. */
static camcl_status close_part(job *j, camcl_status status)
{
    if (j->download.file < 0) return status;
    if (status != CAMCL_BUSY && j->download.have == 0) unlink(j->part);
    close(j->download.file);
    j->download.file = -1;
    return status;
}

/* ---- addresses */

/* The whole file is here. *right: and it is the published one; if not, it is emptied. */
static camcl_status check_part(job *j, bool *right, camcl_error *err)
{
    char digits[CC_CHECKSUM_DIGITS + 1];
    CC_RETURN_IF_FAILED(cc_checksum(j->download.file, j->part, j->spec->stop, digits, err));
    *right = strcmp(digits, j->wanted->sha256) == 0;
    return *right ? CAMCL_OK : shorten(j, 0, err);
}

static camcl_status stopped(const job *j, camcl_error *err)
{
    return cc_fail(err, CAMCL_STOPPED, "'%s': stopped (what came is kept; the same command goes on from there)", j->path);
}

/* Asks one address until it has given the file, gives it up, or brings nothing any more. */
static camcl_status try_address(job *j, const char *address, bool *done, camcl_error *err)
{
    j->download.address = address;
    for (int i = 0; i < MOST_TRIES && !*done; i++) {
        j->first = j->download.have;
        j->start = j->shown = cc_seconds();
        const bool whole = j->download.have == j->wanted->size; /* an earlier call was ended before it gave the file its name */
        if (!whole) tell(j, CAMCL_FETCH_BEGIN);
        const cc_download_end end = whole ? CC_DOWNLOAD_WHOLE : cc_download_run(&j->download);
        switch (end) {
        case CC_DOWNLOAD_WHOLE:
            CC_RETURN_IF_FAILED(check_part(j, done, err));
            if (*done) return CAMCL_OK;
            note_failure(j, "what came is not the published file: its SHA-256 is another");
            if (j->first == 0) return CAMCL_OK; /* all of it came from here */
            break;
        case CC_DOWNLOAD_AFRESH:
            note_failure(j, j->download.reason);
            CC_RETURN_IF_FAILED(shorten(j, 0, err));
            break;
        case CC_DOWNLOAD_BROKEN:
            note_failure(j, j->download.reason);
            if (j->download.have == j->first) return CAMCL_OK;
            break;
        case CC_DOWNLOAD_REFUSED: note_failure(j, j->download.reason); return shorten(j, j->first, err); /* what came is of another file */
        case CC_DOWNLOAD_DISK: return cc_fail_errno(err, "write", j->part, j->download.code);
        case CC_DOWNLOAD_STOPPED: return stopped(j, err);
        }
    }
    return CAMCL_OK;
}

/* base/[folder/]name, whether or not base ends in a slash. */
static char *address_of(const char *base, size_t length, const char *folder, const char *name)
{
    cc_text text = CC_TEXT_INIT;
    while (length > 0 && base[length - 1] == '/')
        length--;
    cc_text_add(&text, "%.*s/%s%s%s", (int)length, base, folder, *folder ? "/" : "", name);
    if (!text.failed) return text.data;
    cc_text_free(&text);
    return NULL;
}

/* Tries base addresses in turn: the mirrors, separated by blanks, or where there are none the published ones. */
static camcl_status try_addresses(job *j, bool *done, camcl_error *err)
{
    const char *mirrors = j->spec->mirrors ? j->spec->mirrors : "";
    const bool own = mirrors[strspn(mirrors, " \t\n")] != '\0';
    const char *const *published = j->set->addresses;
    camcl_status status = CAMCL_OK;
    while (!*done && status == CAMCL_OK) {
        const char *base = own ? mirrors + strspn(mirrors, " \t\n") : *published;
        const size_t length = own ? strcspn(base, " \t\n") : base ? strlen(base) : 0;
        if (length == 0) break;
        char *address = address_of(base, length, own ? j->set->folder : "", j->wanted->name);
        if (address == NULL) return cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory (close other programs)", j->path);
        status = try_address(j, address, done, err);
        j->download.address = NULL;
        free(address);
        mirrors = base + length;
        if (!own) published++;
    }
    return status;
}

static camcl_status nothing_came(job *j, camcl_error *err)
{
    const char *kept = j->download.have ? "; what came is kept, and the same command goes on from there" : "";
    cc_fail(err, CAMCL_FAILED, "'%s': no address gives this file: %s (check the network and the proxy, or name a mirror in CAMCL_MIRROR%s)",
            j->path, j->reason, kept);
    cc_detail(err, "%s", j->failures.data ? j->failures.data : "");
    return CAMCL_FAILED;
}

/* ---- one file */

/* *there: a file has its name already. It must be the published one. */
static camcl_status look_there(job *j, bool *there, camcl_error *err)
{
    char digits[CC_CHECKSUM_DIGITS + 1];
    struct stat info;
    *there = lstat(j->path, &info) == 0;
    if (!*there) return CAMCL_OK;
    const int file = open(j->path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return cc_fail_errno(err, "read", j->path, errno);
    camcl_status status = fstat(file, &info) == 0 ? CAMCL_OK : cc_fail_errno(err, "read", j->path, errno);
    const char *advice = "move it away, or choose another folder with -o";
    if (status == CAMCL_OK && !S_ISREG(info.st_mode))
        status = cc_fail(err, CAMCL_EXISTS, "'%s': exists, and is no plain file (%s)", j->path, advice);
    else if (status == CAMCL_OK && (uint64_t)info.st_size != j->wanted->size)
        status = cc_fail(err, CAMCL_EXISTS, "'%s': exists, but is not the published file: it has %jd bytes, that one %" PRIu64 " (%s)",
                         j->path, (intmax_t)info.st_size, j->wanted->size, advice);
    if (status == CAMCL_OK) status = cc_checksum(file, j->path, j->spec->stop, digits, err);
    if (status == CAMCL_OK && strcmp(digits, j->wanted->sha256) != 0)
        status = cc_fail(err, CAMCL_EXISTS, "'%s': exists, but is not the published file: its SHA-256 is %s (%s)", j->path, digits, advice);
    close(file);
    return status;
}

static camcl_status settle(job *j, const char *folder, camcl_error *err)
{
    const int code = cc_file_settle(folder, j->part, j->download.file, j->path);
    j->download.file = -1;
    if (code) return cc_fail_errno(err, "write", j->path, code);
    tell(j, CAMCL_FETCH_DONE);
    return CAMCL_OK;
}

static camcl_status fetch_file(job *j, const char *folder, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    bool there = false, done = false;
    CC_TRY(look_there(j, &there, err));
    if (there) {
        j->first = j->download.have = j->wanted->size;
        tell(j, CAMCL_FETCH_THERE);
        return CAMCL_OK;
    }
    CC_TRY(open_part(j, err));
    CC_TRY(shorten(j, j->download.have > j->wanted->size ? 0 : j->download.have, err));
    CC_TRY(check_room(j, err));
    CC_TRY(try_addresses(j, &done, err));
    CC_TRY(done ? settle(j, folder, err) : nothing_came(j, err));
cleanup:
    return close_part(j, status);
}

camcl_status cc_fetch_file(const camcl_fetch_spec *spec, const cc_published *set, const cc_published_file *wanted, const char *folder,
                           camcl_error *err)
{
    job j = { .spec = spec, .set = set, .wanted = wanted };
    cc_text path = CC_TEXT_INIT, part = CC_TEXT_INIT;
    cc_text_add(&path, "%s%s", folder, wanted->name);
    cc_text_add(&part, "%s%s.part", folder, wanted->name);
    j.path = path.data;
    j.part = part.data;
    j.download = (cc_download){ .file = -1, .size = wanted->size, .stop = spec->stop, .context = &j, .progress = show_bytes };
    camcl_status status =
        path.failed || part.failed ? cc_fail(err, CAMCL_NO_MEMORY, "%s: out of memory (close other programs)", folder) : CAMCL_OK;
    if (status == CAMCL_OK) status = fetch_file(&j, folder, err);
    cc_text_free(&j.failures);
    cc_text_free(&path);
    cc_text_free(&part);
    return status;
}
