#include "run/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define LOCK_TRIES 16 /* a try fails only if another process leaves the folder at the same moment */

struct cc_run_dir {
    char *path, *files[CC_RUN_FILES];
    int lock, log; /* file descriptors, or -1 */
    bool was_empty;
};

static const char *const names[CC_RUN_FILES] = {
    [CC_RUN_CONFIG] = "config.ini",
    [CC_RUN_SPLITS] = "splits.json",
    [CC_RUN_METRICS] = "metrics.csv",
    [CC_RUN_LOG] = "train.log",
    [CC_RUN_RESULT] = "result.json",
    [CC_RUN_CONFUSION] = "confusion.csv",
    [CC_RUN_BEST] = "best.safetensors",
    [CC_RUN_LAST] = "last.safetensors",
    [CC_RUN_STATE] = "state.safetensors",
    [CC_RUN_CAMS] = "cams",
    [CC_RUN_REPORT] = "report.html",
    [CC_RUN_LINES] = "metrics.jsonl",
    [CC_RUN_LOCK] = ".lock",
    [CC_RUN_PSEUDO_LABELS] = "pseudo_labels.csv",
};

const char *cc_run_file_name(cc_run_file file) { return names[file]; }

/* Whether a user could miss the entry. A lock and temporary files of a process that died early do not count. */
static int is_content(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, names[CC_RUN_LOCK]) != 0 && !cc_file_is_temporary(name, NULL);
}

static camcl_status is_empty(const char *path, bool *empty, camcl_error *err)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return cc_fail_errno(err, "open the run directory", path, errno);
    *empty = true;
    for (struct dirent *entry; *empty && (entry = readdir(folder)) != NULL;)
        *empty = !is_content(entry);
    closedir(folder);
    return CAMCL_OK;
}

/* Removes temporary files of processes that no longer exist; other commands may be writing into the folder right now. A file with this
 * process's number is an older process's, because this process has written nothing yet. */
static void remove_leftovers(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        long writer;
        if (!cc_file_is_temporary(entry->d_name, &writer)) continue;
        bool gone = writer <= 0 || writer == (long)getpid() || (kill((pid_t)writer, 0) != 0 && errno == ESRCH);
        if (gone) unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
}

static camcl_status fail_busy(const char *path, const char *lock, camcl_error *err)
{
    char *holder = NULL;
    size_t size;
    if (cc_file_read(lock, &holder, &size, NULL) == CAMCL_OK) holder[strcspn(holder, "\n")] = '\0';
    bool known = holder != NULL && holder[0] != '\0';
    cc_fail(err, CAMCL_BUSY, "run directory '%s': held by %s%s (wait for it, or choose another output.dir)", path,
            known ? "process " : "another process", known ? holder : "");
    free(holder);
    return CAMCL_BUSY;
}

/* Writes into the lock file which process holds it, for the messages of other processes. The lock works without this text, so a failed
 * write is ignored. */
static void sign_lock(int file)
{
    char host[256] = "", text[320];
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    int length = snprintf(text, sizeof text, "%ld%s%s\n", (long)getpid(), host[0] != '\0' ? " on " : "", host);
    if (ftruncate(file, 0) == 0 && write(file, text, (size_t)length) != length) (void)ftruncate(file, 0);
}

/* A flock belongs to the open file. It ends with the process, even if the process is killed, and it excludes a second handle of the same
 * process too. The last holder removes the file. A process may therefore have locked a file that was just removed; it must then try
 * again with the new file. */
static camcl_status take_lock(cc_run_dir *dir, camcl_error *err)
{
    const char *path = dir->files[CC_RUN_LOCK];
    for (int i = 0; i < LOCK_TRIES; i++) {
        struct stat held, named;
        int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0) return cc_fail_errno(err, "create", path, errno);
        if (flock(file, LOCK_EX | LOCK_NB) != 0) {
            int code = errno;
            close(file);
            return code == EWOULDBLOCK ? fail_busy(dir->path, path, err) : cc_fail_errno(err, "lock", path, code);
        }
        if (fstat(file, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
            sign_lock(file);
            dir->lock = file;
            return CAMCL_OK;
        }
        close(file);
    }
    return cc_fail(err, CAMCL_BUSY, "run directory '%s': other processes come and go (try again)", dir->path);
}

static bool is_locked(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return false;
    bool locked = flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(file);
    return locked;
}

/* "config.ini, notes.txt and 3 more": the folder's content in the order of names. What a terminal would take for a command is left out. */
static void list_content(const char *path, char *text, size_t size)
{
    enum { NAMED = 3 };
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_content, alphasort), used = 0;
    *text = '\0';
    for (int i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.63s", entries[i]->d_name);
        for (char *at = name; *at; at++)
            if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
        const char *between = i == 0 ? "" : i + 1 == count ? " and " : ", ";
        if (i < NAMED || count == NAMED + 1) used += snprintf(text + used, size - (size_t)used, "%s%s", between, name);
        if (i == NAMED && count > NAMED + 1) used += snprintf(text + used, size - (size_t)used, " and %d more", count - NAMED);
        free(entries[i]);
    }
    free(entries);
}

/* Every run writes splits.json first, so a folder whose file of that name does not begin as cc_split_write does is not a run's. */
static bool is_begun(const cc_run_dir *dir)
{
    static const char beginning[] = "{\"labeled\": [";
    char text[sizeof beginning] = "";
    int file = open(dir->files[CC_RUN_SPLITS], O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool is = read(file, text, sizeof beginning - 1) == (ssize_t)sizeof beginning - 1 && strcmp(text, beginning) == 0;
    close(file);
    return is;
}

/* Whether a run may be continued, or begun again, in this folder. Without a state there is nothing to continue, and a run that begins
 * again must not overwrite results, which took long to make, or write into a folder that is not a run's. */
static camcl_status check_resumable(cc_run_dir *dir, camcl_error *err)
{
    static const cc_run_file results[] = { CC_RUN_BEST, CC_RUN_LAST, CC_RUN_RESULT, CC_RUN_CONFUSION };
    char list[320] = "";
    CC_RETURN_IF_FAILED(is_empty(dir->path, &dir->was_empty, err));
    if (dir->was_empty || cc_run_dir_has(dir, CC_RUN_STATE)) return CAMCL_OK;
    if (dir->lock < 0 && is_locked(dir->files[CC_RUN_LOCK])) return fail_busy(dir->path, dir->files[CC_RUN_LOCK], err);
    for (size_t i = 0; i < CC_COUNT(results); i++) {
        if (!cc_run_dir_has(dir, results[i])) continue;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", names[results[i]]);
    }
    if (*list)
        return cc_fail(err, CAMCL_EXISTS,
                       "run directory '%s': it has %s, but no %s to go on from (put the state back, or choose another output.dir)",
                       dir->path, list, names[CC_RUN_STATE]);
    if (is_begun(dir)) return CAMCL_OK;
    list_content(dir->path, list, sizeof list);
    return cc_fail(err, CAMCL_EXISTS, "run directory '%s': it has %s, but no run that could go on (choose another output.dir)", dir->path,
                   list);
}

/* Refuses a folder with content before anything is created in it. */
static camcl_status check_new(const cc_run_dir *dir, camcl_error *err)
{
    bool empty = false;
    CC_RETURN_IF_FAILED(is_empty(dir->path, &empty, err));
    if (empty) return CAMCL_OK;
    if (dir->lock < 0 && is_locked(dir->files[CC_RUN_LOCK])) return fail_busy(dir->path, dir->files[CC_RUN_LOCK], err);
    return cc_fail(err, CAMCL_EXISTS, "run directory '%s': exists and is not empty (add --resume or choose another output.dir)", dir->path);
}

/* Names everything, and changes nothing yet. */
static camcl_status describe(const char *path, cc_run_dir **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_run_dir *dir = NULL;
    CC_RETURN_IF_FAILED(CC_NEW(1, &dir, err));
    dir->lock = dir->log = -1;
    dir->was_empty = true;
    CC_TRY(cc_copy_text(path, &dir->path, err));
    for (int i = 0; i < CC_RUN_FILES; i++)
        CC_TRY(cc_path_join(path, names[i], &dir->files[i], err));
    *out = dir;
    return CAMCL_OK;
cleanup:
    cc_run_dir_close(&dir);
    return status;
}

static camcl_status check(cc_run_dir *dir, bool resume, camcl_error *err)
{
    return resume ? check_resumable(dir, err) : check_new(dir, err);
}

camcl_status cc_run_dir_check(const char *path, bool resume, bool *has_state, camcl_error *err)
{
    cc_run_dir *dir;
    camcl_status status = CAMCL_OK;
    *has_state = false;
    CC_RETURN_IF_FAILED(describe(path, &dir, err));
    if (cc_is_folder(path)) status = check(dir, resume, err);
    *has_state = status == CAMCL_OK && cc_run_dir_has(dir, CC_RUN_STATE);
    cc_run_dir_close(&dir);
    return status;
}

camcl_status cc_run_dir_open(const char *path, bool resume, cc_run_dir **out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_run_dir *dir;
    *out = NULL;
    CC_RETURN_IF_FAILED(describe(path, &dir, err));
    if (cc_is_folder(path)) CC_TRY(check(dir, resume, err));
    CC_TRY(cc_make_folders(path, err));
    CC_TRY(take_lock(dir, err));
    CC_TRY(check(dir, resume, err)); /* again, under the lock: another process may have written since */
    remove_leftovers(path);
    remove_leftovers(dir->files[CC_RUN_CAMS]);
    *out = dir;
    return CAMCL_OK;
cleanup:
    cc_run_dir_close(&dir);
    return status;
}

void cc_run_dir_close(cc_run_dir **pointer)
{
    if (pointer == NULL || *pointer == NULL) return;
    cc_run_dir *dir = *pointer;
    if (dir->log >= 0) close(dir->log);
    if (dir->lock >= 0) {
        unlink(dir->files[CC_RUN_LOCK]); /* while the lock is held, so that this cannot be another process's file */
        close(dir->lock);
    }
    for (int i = 0; i < CC_RUN_FILES; i++)
        free(dir->files[i]);
    free(dir->path);
    free(dir);
    *pointer = NULL;
}

void cc_run_dir_abandon(cc_run_dir **pointer)
{
    static const cc_run_file first[] = { CC_RUN_CONFIG, CC_RUN_SPLITS, CC_RUN_METRICS, CC_RUN_LINES, CC_RUN_LOG };
    char *path = NULL;
    if (*pointer == NULL) return;
    if (!(*pointer)->was_empty) {
        cc_run_dir_close(pointer);
        return;
    }
    for (size_t i = 0; i < CC_COUNT(first); i++)
        unlink((*pointer)->files[first[i]]);
    if (cc_copy_text((*pointer)->path, &path, NULL) != CAMCL_OK) path = NULL;
    cc_run_dir_close(pointer);
    if (path) rmdir(path); /* fails, and so keeps the folder, if it holds other files */
    free(path);
}

const char *cc_run_dir_path(const cc_run_dir *dir) { return dir->path; }

const char *cc_run_dir_file(const cc_run_dir *dir, cc_run_file file) { return dir->files[file]; }

bool cc_run_dir_has(const cc_run_dir *dir, cc_run_file file) { return cc_file_exists(dir->files[file]); }

/* Opens the log. This happens at the first line, so that a run that logs nothing does not change the folder. */
static camcl_status open_log(cc_run_dir *dir, camcl_error *err)
{
    const char *path = dir->files[CC_RUN_LOG];
    if (dir->log >= 0) return CAMCL_OK;
    int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return cc_fail_errno(err, "write", path, errno);
    char last = '\n';
    off_t end = lseek(file, 0, SEEK_END);
    if (end > 0 && pread(file, &last, 1, end - 1) == 1 && last != '\n' && write(file, "\n", 1) != 1) {
        int code = errno;
        close(file);
        return cc_fail_errno(err, "write", path, code);
    }
    dir->log = file;
    return CAMCL_OK;
}

camcl_status cc_run_dir_log(cc_run_dir *dir, camcl_error *err, const char *format, ...)
{
    CC_RETURN_IF_FAILED(open_log(dir, err));
    char stamp[32] = "", line[2048];
    time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local) != NULL) strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local);
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);

    cc_text text = CC_TEXT_INIT;
    cc_text_add(&text, "%s  %s\n", stamp, line);
    camcl_status status = CAMCL_OK;
    errno = 0;
    if (text.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "cannot write '%s': no memory (close other programs)", dir->files[CC_RUN_LOG]);
    else if (write(dir->log, text.data, text.length) != (ssize_t)text.length)
        status = cc_fail_errno(err, "write", dir->files[CC_RUN_LOG], errno != 0 ? errno : ENOSPC);
    cc_text_free(&text);
    return status;
}
