/* The list of confident predictions. */
#define _XOPEN_SOURCE 700 /* realpath, which glibc keeps from plain POSIX */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "predictions.h"

/* Why the folder of path is not known: an errno. */
static camcl_status fail_path(camcl_error *err, const char *path, int code)
{
    if (code == ENOMEM) return cli_error(err, CAMCL_NO_MEMORY, "%s: no memory for its path (close other programs)", path);
    return cli_error(err, CAMCL_IO, "cannot find out the folder of '%s': %s (check the disk and the path)", path, strerror(code));
}

/* The folder of path, absolute and without links; the caller frees. NULL where it cannot be found out: errno says why. */
static char *real_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    char *real = folder ? realpath(folder, NULL) : NULL;
    const int code = errno;
    free(folder);
    errno = code;
    return real;
}

/* How many bytes of two absolute folders name common parents, without the slash behind them. */
static size_t common_parents(const char *a, const char *b)
{
    size_t common = 0, i = 0;
    for (;; i++) {
        const bool ends_a = a[i] == '/' || a[i] == '\0', ends_b = b[i] == '/' || b[i] == '\0';
        if (ends_a && ends_b) common = i;
        if (a[i] != b[i] || a[i] == '\0') return common;
    }
}

/* The path of `name` in folder `to`, seen from folder `from`; both absolute and without links. It goes up through "..", but not as far as
 * the root: what has nothing in common stays absolute. The caller frees; NULL: no memory. */
static char *path_between(const char *from, const char *to, const char *name)
{
    const size_t common = common_parents(from, to);
    const bool root = strcmp(to, "/") == 0;
    size_t ups = 0, room = strlen(to) + strlen(name) + 3;
    for (const char *p = from + common; *p; p++)
        ups += *p == '/' && p[1];
    char *path = malloc(room + 3 * ups), *at = path;
    if (path == NULL) return NULL;
    if (common == 0 && strcmp(from, "/") != 0) {
        snprintf(path, room, "%s/%s", root ? "" : to, name);
        return path;
    }
    for (size_t i = 0; i < ups; i++, at += 3)
        memcpy(at, "../", 3);
    const char *rest = to + common + (to[common] == '/');
    snprintf(at, room, "%s%s%s", rest, *rest ? "/" : "", name);
    return path;
}

camcl_status cli_pseudo_begin(cli_pseudo *p, const char *path, double threshold, camcl_error *err)
{
    static const char header[] = "path,label,probability\n";
    *p = (cli_pseudo){ .threshold = threshold };
    camcl_status status = cli_file_refuse_other(path, header, sizeof header - 1, "a list that --pseudo wrote", err);
    if (status == CAMCL_OK) status = cli_file_open(&p->file, path, err);
    if (status != CAMCL_OK) return status;
    p->folder = real_folder(path);
    if (p->folder == NULL) return fail_path(err, path, errno);
    fputs(header, p->file.stream);
    return CAMCL_OK;
}

camcl_status cli_pseudo_add(cli_pseudo *p, const char *file, const char *label, double probability, camcl_error *err)
{
    if (!(probability >= p->threshold)) return CAMCL_OK;
    const char *slash = strrchr(file, '/');
    char *folder = real_folder(file), *path = folder ? path_between(p->folder, folder, slash ? slash + 1 : file) : NULL;
    const int code = errno;
    free(folder);
    if (path == NULL) return fail_path(err, file, code);
    cli_csv_field(p->file.stream, path);
    free(path);
    fputc(',', p->file.stream);
    cli_csv_field(p->file.stream, label);
    fputc(',', p->file.stream);
    cli_number(p->file.stream, probability);
    fputc('\n', p->file.stream);
    p->written++;
    return CAMCL_OK;
}

camcl_status cli_pseudo_commit(cli_pseudo *p, camcl_error *err) { return cli_file_commit(&p->file, err); }

void cli_pseudo_free(cli_pseudo *p)
{
    cli_file_abandon(&p->file);
    free(p->folder);
    p->folder = NULL;
}
