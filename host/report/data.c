#include "report/data.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/html.h"
#include "run/run_dir.h"

#define IMAGES_MOST 72                     /* per run; if there are more, the last ones by name, which are the latest */
#define IMAGE_BYTES_MOST ((size_t)2 << 20) /* a larger file was not written by camcl */

static camcl_status run_path(const cc_report_run *run, cc_run_file file, char **path, camcl_error *err)
{
    return cc_path_join(run->dir, cc_run_file_name(file), path, err);
}

/* Turns a damaged file into a paragraph of the page. Every other failure is returned to the caller. */
static camcl_status note(cc_report_run *run, camcl_status status, const camcl_error *problem, camcl_error *err)
{
    if (status == CAMCL_OK) return CAMCL_OK;
    if (status == CAMCL_NO_MEMORY) return cc_fail(err, status, "%s", problem->message);
    cc_text_add(&run->problems, "<p class=\"missing\">");
    cc_html_escape(&run->problems, problem->message);
    cc_text_add(&run->problems, "</p>\n");
    return CAMCL_OK;
}

static camcl_status read_figures(cc_report_run *run, const cc_result *known, camcl_error *err)
{
    camcl_status status = CAMCL_OK, part;
    camcl_error problem = { 0 };
    char *result = NULL, *metrics = NULL, *confusion = NULL;
    CC_TRY(run_path(run, CC_RUN_RESULT, &result, err));
    CC_TRY(run_path(run, CC_RUN_METRICS, &metrics, err));
    CC_TRY(run_path(run, CC_RUN_CONFUSION, &confusion, err));
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
    if (cc_file_exists(confusion)) {
        part = cc_confusion_read(confusion, &run->confusion, &problem);
        if (part != CAMCL_OK) cc_confusion_free(&run->confusion);
        CC_TRY(note(run, part, &problem, err));
    }
cleanup:
    free(result);
    free(metrics);
    free(confusion);
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

/* ---- pictures ---- */

static bool is_png_name(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".png") == 0;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorted names of the folder's PNG files; the caller frees each and the list. */
static camcl_status list_pictures(const char *path, char ***names, size_t *count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    size_t capacity = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) return errno == ENOENT ? CAMCL_OK : cc_fail_errno(err, "read", path, errno);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_png_name(entry->d_name)) continue;
        CC_TRY(cc_grow((void **)names, &capacity, *count + 1, sizeof **names, err));
        CC_TRY(cc_copy_text(entry->d_name, &(*names)[*count], err));
        ++*count;
    }
cleanup:
    closedir(folder);
    if (*count > 0) qsort(*names, *count, sizeof **names, by_text);
    return status;
}

/* Splits "00012_overlay.png" into stem "00012" and part "overlay". Only the names in `parts` are split off. */
static camcl_status split_name(const char *name, cc_report_image *image, camcl_error *err)
{
    static const char *const parts[] = { "image", "input", "cam", "overlay", "mask", "target", "weak", "strong" };
    CC_RETURN_IF_FAILED(cc_copy_text(name, &image->stem, err));
    image->stem[strlen(name) - 4] = '\0';
    char *underscore = strrchr(image->stem, '_');
    for (size_t i = 0; underscore != NULL && underscore != image->stem && i < CC_COUNT(parts); i++) {
        if (strcmp(underscore + 1, parts[i]) != 0) continue;
        *underscore = '\0';
        return cc_copy_text(parts[i], &image->part, err);
    }
    return cc_copy_text("", &image->part, err);
}

static unsigned big_endian(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

static camcl_status check_png(const char *path, cc_report_image *image, camcl_error *err)
{
    static const char signature[] = "\x89PNG\r\n\x1a\n";
    if (image->size < 24 || memcmp(image->data, signature, 8) != 0) return cc_fail(err, CAMCL_BAD_DATA, "'%s': not a PNG picture", path);
    if (image->size > IMAGE_BYTES_MOST) return cc_fail(err, CAMCL_BAD_DATA, "'%s': too large for the page", path);
    image->width = big_endian(image->data + 16);
    image->height = big_endian(image->data + 20);
    return CAMCL_OK;
}

static void free_image(cc_report_image *image)
{
    free(image->stem);
    free(image->part);
    free(image->data);
    *image = (cc_report_image){ 0 };
}

static camcl_status read_picture(cc_report_run *run, const char *folder, const char *name, camcl_error *err)
{
    cc_report_image *image = &run->images[run->image_count];
    camcl_error problem = { 0 };
    char *path = NULL;
    camcl_status status, part;
    CC_TRY(cc_path_join(folder, name, &path, err));
    CC_TRY(split_name(name, image, err));
    part = cc_file_read(path, &image->data, &image->size, &problem);
    if (part == CAMCL_OK) part = check_png(path, image, &problem);
    CC_TRY(note(run, part, &problem, err));
    if (part == CAMCL_OK)
        run->image_count++;
    else
        free_image(image);
cleanup:
    if (status != CAMCL_OK) free_image(image);
    free(path);
    return status;
}

static camcl_status read_pictures(cc_report_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    camcl_error problem = { 0 };
    char *folder = NULL, **names = NULL;
    size_t count = 0;
    CC_TRY(run_path(run, CC_RUN_CAMS, &folder, err));
    CC_TRY(note(run, list_pictures(folder, &names, &count, &problem), &problem, err));
    run->images_left_out = count > IMAGES_MOST ? count - IMAGES_MOST : 0;
    CC_TRY(CC_NEW(count, &run->images, err));
    for (size_t i = run->images_left_out; i < count; i++)
        CC_TRY(read_picture(run, folder, names[i], err));
cleanup:
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    free(folder);
    return status;
}

/* ---- runs ---- */

camcl_status cc_report_run_read_with(const char *dir, const cc_result *result, cc_report_run *run, camcl_error *err)
{
    *run = (cc_report_run){ .result = cc_result_nothing() };
    if (!cc_is_folder(dir)) return cc_fail(err, CAMCL_BAD_DATA, "run directory '%s': no such folder (check the path)", dir);
    CC_RETURN_IF_FAILED(cc_copy_text(dir, &run->dir, err));
    CC_RETURN_IF_FAILED(read_figures(run, result, err));
    CC_RETURN_IF_FAILED(read_config(run, err));
    CC_RETURN_IF_FAILED(read_pictures(run, err));
    bool nothing =
        !run->finished && run->metrics.count == 0 && run->config == NULL && run->config_text == NULL && run->problems.length == 0;
    if (nothing)
        return cc_fail(err, CAMCL_BAD_DATA, "'%s' is no run directory: it has no config.ini, metrics.csv or result.json (check the path)",
                       dir);
    return CAMCL_OK;
}

camcl_status cc_report_run_read(const char *dir, cc_report_run *run, camcl_error *err)
{
    return cc_report_run_read_with(dir, NULL, run, err);
}

void cc_report_run_free(cc_report_run *run)
{
    for (size_t i = 0; i < run->image_count; i++)
        free_image(&run->images[i]);
    free(run->images);
    cc_metrics_free(&run->metrics);
    cc_confusion_free(&run->confusion);
    camcl_config_destroy(&run->config);
    cc_text_free(&run->problems);
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

static bool all_differ(char *const *paths, size_t count, unsigned parts)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(tail(paths[i], parts), tail(paths[j], parts)) == 0) return false;
    return true;
}

camcl_status cc_report_name_runs(cc_report_run *runs, size_t count, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char **paths = NULL;
    unsigned parts = 1;
    CC_TRY(CC_NEW(count, &paths, err));
    for (size_t i = 0; i < count; i++) {
        CC_TRY(cc_path_absolute(runs[i].dir, &paths[i], err));
        for (size_t n = strlen(paths[i]); n > 1 && paths[i][n - 1] == '/'; n--)
            paths[i][n - 1] = '\0';
    }
    while (parts < 4 && !all_differ(paths, count, parts))
        parts++;
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_copy_text(tail(paths[i], parts), &runs[i].name, err));
cleanup:
    for (size_t i = 0; paths != NULL && i < count; i++)
        free(paths[i]);
    free(paths);
    return status;
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

double cc_report_test_images(const cc_report_run *run)
{
    double total = 0;
    for (size_t i = 0; i < run->confusion.classes * run->confusion.classes; i++)
        total += (double)run->confusion.counts[i];
    return total > 0 ? total : NAN;
}

double cc_report_test_top1(const cc_report_run *run) { return camcl_evaluation_get(&run->result.test, "top1"); }

double cc_report_error(const cc_report_run *run)
{
    double p = cc_report_test_top1(run) / 100;
    return 100 * sqrt(p * (1 - p) / cc_report_test_images(run));
}
