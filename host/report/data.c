#include "report/data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/statistics.h"
#include "run/run_dir.h"

#define NAME_PARTS_MOST 16 /* of the same folder named twice */

static camcl_status run_path(const cc_report_run *run, cc_run_file file, char **path, camcl_error *err)
{
    return cc_path_join(run->dir, cc_run_file_name(file), path, err);
}

static camcl_status add_problem(void *context, const char *problem, camcl_error *err)
{
    cc_report_run *run = context;
    CC_RETURN_IF_FAILED(cc_grow((void **)&run->problems, &run->problem_capacity, run->problem_count + 1, sizeof *run->problems, err));
    CC_RETURN_IF_FAILED(cc_copy_text(problem, &run->problems[run->problem_count], err));
    run->problem_count++;
    return CAMCL_OK;
}

/* Turns a damaged file into a message of the page. Every other failure is returned to the caller. */
static camcl_status note(cc_report_run *run, camcl_status status, const camcl_error *problem, camcl_error *err)
{
    if (status == CAMCL_OK) return CAMCL_OK;
    if (status == CAMCL_NO_MEMORY) return cc_fail(err, status, "%s", problem->message);
    return add_problem(run, problem->message, err);
}

static camcl_status read_figures(cc_report_run *run, const cc_result *known, camcl_error *err)
{
    camcl_status status = CAMCL_OK, part;
    camcl_error problem = { 0 };
    char *result = NULL, *metrics = NULL, *confusion = NULL, *pseudo = NULL;
    CC_TRY(run_path(run, CC_RUN_RESULT, &result, err));
    CC_TRY(run_path(run, CC_RUN_METRICS, &metrics, err));
    CC_TRY(run_path(run, CC_RUN_CONFUSION, &confusion, err));
    CC_TRY(run_path(run, CC_RUN_PSEUDO_LABELS, &pseudo, err));
    if (known) {
        run->result = *known;
        run->finished = true;
    } else if (cc_file_exists(result)) {
        part = cc_result_read(result, &run->result, &problem);
        run->finished = part == CAMCL_OK;
        CC_TRY(note(run, part, &problem, err));
    }
    part = cc_metrics_read(metrics, NULL, &run->metrics, &problem); /* the rows before a damaged one are shown */
    CC_TRY(note(run, part, &problem, err));
    part = cc_pseudo_labels_read(pseudo, 0, NULL, &run->pseudo_labels, &problem); /* likewise */
    CC_TRY(note(run, part, &problem, err));
    if (cc_file_exists(confusion)) {
        part = cc_confusion_read(confusion, &run->confusion, &problem);
        if (part != CAMCL_OK) cc_confusion_free(&run->confusion);
        CC_TRY(note(run, part, &problem, err));
    }
cleanup:
    free(result);
    free(metrics);
    free(confusion);
    free(pseudo);
    return status;
}

/* Reads the configuration. If it cannot be parsed, keeps its text. */
static camcl_status read_config(cc_report_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK, part;
    camcl_error problem = { 0 };
    char *path = NULL;
    size_t size;
    CC_TRY(run_path(run, CC_RUN_CONFIG, &path, err));
    if (!cc_file_exists(path)) goto cleanup;
    CC_TRY(camcl_config_create(&run->config, err));
    part = camcl_config_load(run->config, path, &problem);
    if (part != CAMCL_OK) {
        camcl_config_destroy(&run->config);
        CC_TRY(note(run, part, &problem, err));
        CC_TRY(note(run, cc_file_read(path, &run->config_text, &size, &problem), &problem, err));
    }
cleanup:
    free(path);
    return status;
}

/* ---- runs ---- */

static camcl_status read_pictures(cc_report_run *run, camcl_error *err)
{
    char *folder = NULL;
    CC_RETURN_IF_FAILED(run_path(run, CC_RUN_CAMS, &folder, err));
    camcl_status status = cc_pictures_read(folder, &run->pictures, add_problem, run, err);
    free(folder);
    return status;
}

camcl_status cc_report_run_read(const char *dir, const cc_result *result, cc_report_run *run, camcl_error *err)
{
    *run = (cc_report_run){ .result = cc_result_nothing() };
    if (!cc_is_folder(dir)) return cc_fail(err, CAMCL_BAD_DATA, "run directory '%s': no such folder (check the path)", dir);
    CC_RETURN_IF_FAILED(cc_path_absolute(dir, &run->dir, err));
    for (size_t n = strlen(run->dir); n > 1 && run->dir[n - 1] == '/'; n--)
        run->dir[n - 1] = '\0';
    CC_RETURN_IF_FAILED(read_figures(run, result, err));
    CC_RETURN_IF_FAILED(read_config(run, err));
    CC_RETURN_IF_FAILED(read_pictures(run, err));
    bool nothing = !run->finished && run->metrics.count == 0 && run->config == NULL && run->config_text == NULL && run->problem_count == 0;
    if (nothing)
        return cc_fail(err, CAMCL_BAD_DATA, "'%s' is no run directory: it has no config.ini, metrics.csv or result.json (check the path)",
                       dir);
    return CAMCL_OK;
}

void cc_report_run_free(cc_report_run *run)
{
    for (size_t i = 0; i < run->problem_count; i++)
        free(run->problems[i]);
    free(run->problems);
    cc_pictures_free(&run->pictures);
    cc_metrics_free(&run->metrics);
    cc_confusion_free(&run->confusion);
    cc_pseudo_labels_free(&run->pseudo_labels);
    camcl_config_destroy(&run->config);
    free(run->config_text);
    free(run->name);
    free(run->dir);
    *run = (cc_report_run){ 0 };
}

/* The last `parts` components of an absolute path without trailing slashes. */
static const char *tail(const char *path, unsigned parts)
{
    const char *at = path + strlen(path);
    while (at > path) {
        if (at[-1] == '/' && --parts == 0) break;
        at--;
    }
    return *at != '\0' ? at : path;
}

static bool all_differ(const cc_report_run *runs, size_t count, unsigned parts)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(tail(runs[i].dir, parts), tail(runs[j].dir, parts)) == 0) return false;
    return true;
}

camcl_status cc_report_name_runs(cc_report_run *runs, size_t count, camcl_error *err)
{
    unsigned parts = 1;
    while (parts < NAME_PARTS_MOST && !all_differ(runs, count, parts))
        parts++;
    for (size_t i = 0; i < count; i++)
        CC_RETURN_IF_FAILED(cc_copy_text(tail(runs[i].dir, parts), &runs[i].name, err));
    return CAMCL_OK;
}

const char *cc_report_mode(const cc_report_run *run)
{
    if (run->result.mode[0] != '\0') return run->result.mode;
    return run->config != NULL ? camcl_config_string(run->config, "ssl.mode") : "";
}

const char *cc_report_arch(const cc_report_run *run)
{
    if (run->result.arch[0] != '\0') return run->result.arch;
    return run->config != NULL ? camcl_config_string(run->config, "model.arch") : "";
}

size_t cc_report_headline(void)
{
    size_t count, i = 0;
    const camcl_metric *metrics = camcl_metric_list(&count);
    while (i + 1 < count && strcmp(metrics[i].name, "top1") != 0)
        i++;
    return i;
}

double cc_report_test_images(const cc_report_run *run)
{
    return run->result.test.n > 0 ? (double)run->result.test.n : cc_confusion_images(&run->confusion);
}

double cc_report_test(const cc_report_run *run, size_t metric)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    if (run->confusion.classes > 0 && run->confusion.classes <= metrics[metric].trivial_classes) return NAN;
    return run->result.test.values[metric];
}
