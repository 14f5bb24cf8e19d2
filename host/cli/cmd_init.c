/* camcl init: a configuration to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static void list_tasks(FILE *out)
{
    size_t count;
    const camcl_config_template *templates = camcl_config_templates(&count);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-13s %s\n", templates[i].task, templates[i].summary);
}

static camcl_status find_task(const char *task, const camcl_config_template **out, camcl_error *err)
{
    enum { MOST = 16 };
    const char *names[MOST];
    size_t count;
    const camcl_config_template *templates = camcl_config_templates(&count);
    char words[256] = "";
    for (size_t i = 0; i < count && i < MOST; i++) {
        const size_t used = strlen(words);
        names[i] = templates[i].task;
        if (strcmp(task, names[i]) == 0) {
            *out = &templates[i];
            return CAMCL_OK;
        }
        snprintf(words + used, sizeof words - used, "%s%s", i ? " | " : "", names[i]);
    }
    const char *nearest = camcl_nearest(task, names, count);
    return cli_usage(err, "init: %s: unknown task (%s%s%s%s)", task, nearest ? "did you mean " : "", nearest ? nearest : "",
                     nearest ? "? " : "", words);
}

/* Made only where nothing of that name is, which the system decides, so that no file is lost to another process either. */
static camcl_status write_new(const char *path, const char *text, camcl_error *err)
{
    const int handle = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (handle < 0 && errno == EEXIST)
        return cli_error(err, CAMCL_EXISTS, "'%s': exists, and is not overwritten (choose another file with -o)", path);
    FILE *file = handle < 0 ? NULL : fdopen(handle, "w");
    int code = file ? 0 : errno;
    if (file) {
        if (fputs(text, file) < 0) code = errno;
        if (fclose(file) != 0 && code == 0) code = errno;
    } else if (handle >= 0) {
        close(handle);
    }
    if (code == 0) return CAMCL_OK;
    if (handle >= 0) unlink(path);
    return cli_error(err, CAMCL_IO, "cannot write '%s': %s (choose another place with -o)", path, strerror(code));
}

static void print_next(const camcl_config_template *task, const char *path)
{
    printf("wrote ");
    cli_text(stdout, path);
    if (*task->needs) printf("\nneeds: %s", task->needs);
    printf("\nnext:  ");
    cli_text(stdout, cli_program());
    printf(" train ");
    cli_text(stdout, path);
    printf("\n");
}

int cmd_init(int argc, char **argv)
{
    cli_init_args args = { .task = NULL };
    const camcl_config_template *task = NULL;
    camcl_error err = { 0 };
    camcl_status status = cli_parse_init(argc, argv, &args, &err);
    if (status == CAMCL_OK && args.task == NULL && args.output) status = cli_usage(&err, "init: TASK is missing (camcl init lists them)");
    if (status == CAMCL_OK && args.task == NULL) {
        list_tasks(stdout);
        return 0;
    }
    if (status == CAMCL_OK) status = find_task(args.task, &task, &err);
    if (status != CAMCL_OK) return cli_fail(&err);
    char name[64];
    snprintf(name, sizeof name, "%s.ini", task->task);
    const char *path = args.output ? args.output : name;
    if (write_new(path, camcl_config_template_text(task->task), &err) != CAMCL_OK) return cli_fail(&err);
    print_next(task, path);
    return 0;
}
