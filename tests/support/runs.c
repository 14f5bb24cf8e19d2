#include "support/runs.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/device.h"
#include "support/scratch.h"

const char *const metrics_names[METRICS_COLUMNS] = { "step",     "epoch",    "lr",        "threshold",    "loss",       "loss_s",
                                                     "loss_u",   "loss_c",   "mask_rate", "pseudo_acc",   "train_top1", "val_loss",
                                                     "val_top1", "val_top3", "val_top5",  "images_per_s", "seconds",    "val_ece" };

int runs_setup(void **state)
{
    scratch_setup(state);
    char text[8192];
    int n = snprintf(
        text, sizeof text,
        "[device]\ncache_dir = %s/cache\n[data]\ndataset = shapes\nlabeled = 40\nunlabeled = 60\nvalidation = 50\nimage_size = 16\n"
        "[model]\nwidth = 4\n[ssl]\nthreshold = 0.2\nthreshold_end = 0.3\n"
        "[train]\nepochs = 3\nepoch_steps = 4\nbatch_labeled = 8\nbatch_unlabeled = 8\n",
        (const char *)*state);
    scratch_write(scratch_path(*state, "small.ini"), text, (size_t)n);
    return 0;
}

int runs_teardown(void **state) { return scratch_teardown(state); }

/* ---- devices */

static camcl_device_info *list_devices(size_t *count, size_t *picked)
{
    camcl_device_info *infos;
    camcl_error err = { 0 };
    const char *select = getenv("CAMCL_DEVICE");
    if (camcl_device_list(&infos, count, &err) != CAMCL_OK) fail_msg("%s", err.message);
    if (camcl_device_select(infos, *count, select && *select ? select : "auto", picked, &err) != CAMCL_OK) fail_msg("%s", err.message);
    return infos;
}

bool default_device_is_slow(void)
{
    size_t count, picked;
    camcl_device_info *infos = list_devices(&count, &picked);
    bool slow = strstr(infos[picked].name, "llvmpipe") || strstr(infos[picked].platform, "Oclgrind");
    free(infos);
    return slow;
}

size_t other_devices(char selectors[16][16])
{
    const char *select = getenv("CAMCL_DEVICE");
    size_t count, picked, others = 0;
    if (select && *select) return 0;
    camcl_device_info *infos = list_devices(&count, &picked);
    for (size_t i = 0; i < count && others < 16; i++)
        if (i != picked && infos[i].usable) memcpy(selectors[others++], infos[i].selector, sizeof selectors[0]);
    free(infos);
    return others;
}

/* ---- metrics.csv */

/* Returns the number of columns. */
static size_t check_header(const char *text)
{
    char header[512] = "";
    for (size_t i = 0; i < METRICS_COLUMNS; i++) {
        const size_t length = strlen(header);
        snprintf(header + length, sizeof header - length, "%s%s", i > 0 ? "," : "", metrics_names[i]);
        if (i + 1 < METRICS_FIRST_COLUMNS) continue;
        if (strncmp(text, header, strlen(header)) == 0 && text[strlen(header)] == '\n') return i + 1;
    }
    fail_msg("metrics.csv does not begin with %s but: %s", header, text);
    return 0;
}

metrics_table *metrics_load(const char *run)
{
    size_t size;
    char *text = scratch_read(scratch_path(run, "metrics.csv"), &size);
    if (text == NULL) fail_msg("%s has no metrics.csv", run);
    const size_t columns = check_header(text);
    assert_int_equal(text[size - 1], '\n');
    metrics_table *table = calloc(1, sizeof *table);
    assert_non_null(table);
    for (char *line = strchr(text, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_true(table->rows < METRICS_MOST_ROWS);
        const char *at = line;
        for (size_t c = 0; c < columns; c++) {
            size_t length = strcspn(at, ",\n");
            assert_true(length < sizeof table->cell[0][0]);
            memcpy(table->cell[table->rows][c], at, length);
            at += length;
            if (*at != (c + 1 < columns ? ',' : '\n')) fail_msg("row %zu of metrics.csv has not %zu cells: %s", table->rows, columns, text);
            at++;
        }
        table->rows++;
    }
    free(text);
    return table;
}

static size_t column_of(const char *name)
{
    for (size_t i = 0; i < METRICS_COLUMNS; i++)
        if (strcmp(metrics_names[i], name) == 0) return i;
    fail_msg("no column %s", name);
    return 0;
}

double metrics_number(const metrics_table *table, size_t row, const char *column)
{
    assert_true(row < table->rows);
    const char *text = table->cell[row][column_of(column)];
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0') fail_msg("row %zu: %s is no number: \"%s\"", row, column, text);
    return value;
}

bool metrics_empty(const metrics_table *table, size_t row, const char *column)
{
    assert_true(row < table->rows);
    return table->cell[row][column_of(column)][0] == '\0';
}

/* ---- comparing */

/* The text up to one of `ends`, which is cut off; *at is then behind it. */
static char *take(char **at, const char *ends, char *end)
{
    char *start = *at;
    *at += strcspn(*at, ends);
    *end = **at;
    if (*end) *(*at)++ = '\0';
    return start;
}

static bool is_of_time(const char *column) { return strcmp(column, "images_per_s") == 0 || strcmp(column, "seconds") == 0; }

void assert_same_metrics(const char *run_a, const char *run_b)
{
    enum { MOST = 128 };
    size_t size, row = 0, column = 0;
    char *a = scratch_read(scratch_path(run_a, "metrics.csv"), &size), *b = scratch_read(scratch_path(run_b, "metrics.csv"), &size);
    if (a == NULL || b == NULL) fail_msg("%s has no metrics.csv", a ? run_b : run_a);
    const char *names[MOST];
    char *at_a = a, *at_b = b;
    while (*at_a && *at_b) {
        char end_a, end_b;
        const char *cell_a = take(&at_a, ",\n", &end_a), *cell_b = take(&at_b, ",\n", &end_b);
        assert_true(column < MOST);
        if (row == 0) names[column] = cell_a;
        if (end_a != end_b || (strcmp(cell_a, cell_b) != 0 && (row == 0 || !is_of_time(names[column]))))
            fail_msg("line %zu, %s: %s in %s, %s in %s", row + 1, names[column], cell_a, run_a, cell_b, run_b);
        column = end_a == ',' ? column + 1 : 0;
        row += end_a == '\n';
    }
    if (*at_a || *at_b) fail_msg("%s has more rows than %s", *at_a ? run_a : run_b, *at_a ? run_b : run_a);
    free(a);
    free(b);
}

bool same_file(const char *run_a, const char *run_b, const char *name)
{
    char path_a[1024], path_b[1024]; /* scratch_path's buffers are too few for all pictures */
    size_t size_a, size_b;
    snprintf(path_a, sizeof path_a, "%s/%s", run_a, name);
    snprintf(path_b, sizeof path_b, "%s/%s", run_b, name);
    char *a = scratch_read(path_a, &size_a), *b = scratch_read(path_b, &size_b);
    if (a == NULL || b == NULL) fail_msg("%s is missing in %s", name, a == NULL ? run_a : run_b);
    bool same = size_a == size_b && memcmp(a, b, size_a) == 0;
    free(a);
    free(b);
    return same;
}

void assert_same_file(const char *run_a, const char *run_b, const char *name)
{
    if (!same_file(run_a, run_b, name)) fail_msg("%s differs between %s and %s", name, run_a, run_b);
}

void assert_lines_are_rows(const char *run)
{
    enum { MOST = 128 };
    size_t size, columns = 0;
    char *csv = scratch_read(scratch_path(run, "metrics.csv"), &size), *lines = scratch_read(scratch_path(run, "metrics.jsonl"), &size);
    if (csv == NULL || lines == NULL) fail_msg("%s has no %s", run, csv ? "metrics.jsonl" : "metrics.csv");
    const char *names[MOST], *got = lines;
    char *at = csv, end = ',';
    while (end == ',' && columns < MOST)
        names[columns++] = take(&at, ",\n", &end);
    while (*at) {
        for (size_t i = 0; i < columns; i++) {
            char member[128];
            const char *cell = take(&at, ",\n", &end);
            const int n = snprintf(member, sizeof member, "%s\"%s\": %s%s", i ? ", " : "{", names[i], *cell ? cell : "null",
                                   i + 1 < columns ? "" : "}\n");
            if (strncmp(got, member, (size_t)n) != 0) fail_msg("%s: metrics.jsonl has not %s, but %.100s", run, member, got);
            got += n;
        }
    }
    assert_string_equal(got, "");
    free(csv);
    free(lines);
}

static void assert_same_pictures(const char *run_a, const char *run_b)
{
    DIR *entries = opendir(scratch_path(run_a, "cams"));
    if (entries == NULL) return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char name[300];
        snprintf(name, sizeof name, "cams/%s", entry->d_name);
        if (entry->d_name[0] != '.') assert_same_file(run_a, run_b, name);
    }
    closedir(entries);
    assert_int_equal(scratch_entries(scratch_path(run_a, "cams")), scratch_entries(scratch_path(run_b, "cams")));
}

void assert_same_run(const char *run_a, const char *run_b)
{
    assert_same_metrics(run_a, run_b);
    assert_lines_are_rows(run_a);
    assert_lines_are_rows(run_b);
    assert_same_file(run_a, run_b, "splits.json");
    assert_same_file(run_a, run_b, "last.safetensors");
    assert_same_file(run_a, run_b, "best.safetensors");
    assert_same_file(run_a, run_b, "confusion.csv");
    if (access(scratch_path(run_a, "pseudo_labels.csv"), F_OK) == 0) assert_same_file(run_a, run_b, "pseudo_labels.csv");
    assert_same_pictures(run_a, run_b);
}

/* ---- JSON */

static cc_json *parse(const char *what, const char *text, size_t size)
{
    cc_json *json = NULL;
    camcl_error err = { 0 };
    if (cc_json_parse(text, size, &json, &err) != CAMCL_OK) fail_msg("%s is not JSON: %s\n%s", what, err.message, text);
    return json;
}

cc_json *json_load(const char *folder, const char *name)
{
    size_t size;
    char *text = scratch_read(scratch_path(folder, name), &size);
    if (text == NULL) fail_msg("%s has no %s", folder, name);
    cc_json *json = parse(name, text, size);
    free(text);
    return json;
}

cc_json *json_parse_text(const char *text) { return parse("the output", text, strlen(text)); }

void assert_members(const cc_json *object, const char *const *names)
{
    assert_non_null(object);
    assert_int_equal(object->kind, CC_JSON_OBJECT);
    size_t count = 0;
    for (; names[count] != NULL; count++)
        if (cc_json_get(object, names[count]) == NULL) fail_msg("the object lacks %s", names[count]);
    assert_int_equal(object->count, count);
}

double json_number_at(const cc_json *object, const char *name)
{
    double value = 0;
    if (!cc_json_number(cc_json_get(object, name), &value)) fail_msg("%s is missing or no number", name);
    return value;
}

/* ---- fingerprint */

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

/* Independent of the order in which the folder is read. The folder's own time does not count: a lock file comes and goes. */
uint64_t folder_fingerprint(const char *folder)
{
    uint64_t sum = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL) fail_msg("no folder %s", folder);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char path[4096];
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        uint64_t hash = mix(14695981039346656037u, entry->d_name, strlen(entry->d_name));
        assert_int_equal(lstat(path, &info), 0);
        if (S_ISDIR(info.st_mode)) {
            uint64_t inner = folder_fingerprint(path);
            hash = mix(hash, &inner, sizeof inner);
        } else {
            size_t size;
            char *data = scratch_read(path, &size);
            assert_non_null(data);
            hash = mix(hash, data, size);
            hash = mix(hash, &info.st_mtim.tv_sec, sizeof info.st_mtim.tv_sec);
            hash = mix(hash, &info.st_mtim.tv_nsec, sizeof info.st_mtim.tv_nsec);
            free(data);
        }
        sum += hash;
    }
    closedir(entries);
    return sum;
}
