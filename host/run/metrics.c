#include "run/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "run/csv_text.h"

/* ---- metrics.csv ---- */

static camcl_status write_metrics(const cc_metrics *metrics, const char *path, camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    const size_t columns = metrics->columns.count;
    cc_text_add(&text, "step,epoch");
    for (size_t i = 0; i < columns; i++)
        cc_text_add(&text, ",%s", metrics->columns.names[i]);
    for (size_t r = 0; r < metrics->count; r++) {
        const cc_metrics_row *row = &metrics->rows[r];
        cc_text_add(&text, "\n%llu,%llu", (unsigned long long)row->step, (unsigned long long)row->epoch);
        for (size_t i = 0; i < columns; i++) {
            cc_text_add(&text, ",");
            if (isfinite(row->values[i])) cc_text_add_json_number(&text, row->values[i]);
        }
    }
    cc_text_add(&text, "\n");
    return cc_file_write_built(path, &text, err);
}

/* Reads a number in JSON's grammar, whatever the current locale. */
static bool parse_number(const char *text, size_t length, double *out) { return cc_json_number_of_text(text, length, out); }

static bool parse_count(const char *text, size_t length, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || *out > (UINT64_MAX - 9) / 10) return false;
        *out = *out * 10 + (uint64_t)(text[i] - '0');
    }
    return length > 0;
}

/* The text up to the next comma or the end of the line; *line is then behind the comma, or NULL. */
static const char *next_cell(const char **line, const char *end, size_t *length)
{
    const char *cell = *line, *comma = memchr(cell, ',', (size_t)(end - cell));
    *length = (size_t)((comma ? comma : end) - cell);
    *line = comma ? comma + 1 : NULL;
    return cell;
}

/* Reads the first line without its line end. false: the columns of the first version are not where they must be, or a name is none. */
static bool parse_header(const char *line, const char *end, cc_columns *out)
{
    static const char *const keys[] = { "step", "epoch" };
    const cc_columns first = cc_columns_first();
    *out = (cc_columns){ .count = 0 };
    for (size_t i = 0; line; i++) {
        size_t length;
        const char *name = next_cell(&line, end, &length), *expected = i < 2 ? keys[i] : i - 2 < first.count ? first.names[i - 2] : NULL;
        if (expected && (strlen(expected) != length || memcmp(expected, name, length) != 0)) return false;
        if (i >= 2 && !cc_columns_add(out, name, length)) return false;
    }
    return out->count >= first.count;
}

/* Reads one line without its line end; the file's column i goes to values[place[i]]. false: it is not of this format. */
static bool parse_row(const char *line, const char *end, const size_t *place, size_t columns, cc_metrics_row *row)
{
    *row = cc_metrics_row_at(0, 0);
    for (size_t i = 0; i < columns + 2; i++) {
        size_t length;
        if (line == NULL) return false;
        const char *cell = next_cell(&line, end, &length);
        if (i == 0 && !parse_count(cell, length, &row->step)) return false;
        if (i == 1 && !parse_count(cell, length, &row->epoch)) return false;
        if (i > 1 && length > 0 && !parse_number(cell, length, &row->values[place[i - 2]])) return false;
    }
    return line == NULL;
}

static camcl_status bad_line(const char *path, size_t line, const char *what, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "'%s' line %zu: not a %s of a metrics file (restore or remove the file)", path, line, what);
}

static camcl_status parse_metrics(const char *path, const char *data, size_t size, const cc_columns *wanted, cc_metrics *metrics,
                                  camcl_error *err)
{
    const char *at = data, *end = data + size, *stop = memchr(data, '\n', size);
    cc_columns written;
    size_t place[CC_MOST_COLUMNS];
    if (stop == NULL || !parse_header(at, stop, &written)) return bad_line(path, 1, "header", err);
    metrics->columns = wanted ? *wanted : written;
    for (size_t i = 0; i < written.count; i++) {
        (void)cc_columns_add(&metrics->columns, written.names[i], strlen(written.names[i]));
        place[i] = cc_columns_find(&metrics->columns, written.names[i]);
        if (place[i] == metrics->columns.count) return bad_line(path, 1, "header", err); /* more columns than there is room for */
    }
    at = stop + 1;
    for (size_t line = 2; at < end; line++, at = stop + 1) {
        cc_metrics_row row;
        stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL || !parse_row(at, stop, place, written.count, &row)) return bad_line(path, line, "row", err);
        CC_RETURN_IF_FAILED(cc_grow((void **)&metrics->rows, &metrics->capacity, metrics->count + 1, sizeof row, err));
        metrics->rows[metrics->count++] = row;
    }
    return CAMCL_OK;
}

camcl_status cc_metrics_read(const char *path, const cc_columns *wanted, cc_metrics *metrics, camcl_error *err)
{
    char *data;
    size_t size;
    *metrics = (cc_metrics){ .columns = wanted ? *wanted : cc_columns_first() };
    if (!cc_file_exists(path)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_file_read(path, &data, &size, err));
    camcl_status status = parse_metrics(path, data, size, wanted, metrics, err);
    free(data);
    return status;
}

void cc_metrics_free(cc_metrics *metrics)
{
    free(metrics->rows);
    *metrics = (cc_metrics){ .rows = NULL };
}

cc_metrics_row cc_metrics_row_at(uint64_t step, uint64_t epoch)
{
    cc_metrics_row row = { .step = step, .epoch = epoch };
    for (size_t i = 0; i < CC_MOST_COLUMNS; i++)
        row.values[i] = NAN;
    return row;
}

void cc_metrics_set(const cc_metrics *metrics, cc_metrics_row *row, const char *column, double value)
{
    const size_t i = cc_columns_find(&metrics->columns, column);
    if (i < metrics->columns.count) row->values[i] = value;
}

double cc_metrics_get(const cc_metrics *metrics, const cc_metrics_row *row, const char *column)
{
    const size_t i = cc_columns_find(&metrics->columns, column);
    return i < metrics->columns.count ? row->values[i] : NAN;
}

camcl_status cc_metrics_append(cc_metrics *metrics, const char *path, const cc_metrics_row *row, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_grow((void **)&metrics->rows, &metrics->capacity, metrics->count + 1, sizeof *row, err));
    metrics->rows[metrics->count++] = *row;
    camcl_status status = write_metrics(metrics, path, err);
    if (status != CAMCL_OK) metrics->count--;
    return status;
}

camcl_status cc_metrics_drop_after(cc_metrics *metrics, const char *path, uint64_t step, camcl_error *err)
{
    size_t count = metrics->count;
    while (metrics->count > 0 && metrics->rows[metrics->count - 1].step > step)
        metrics->count--;
    if (metrics->count == count) return CAMCL_OK;
    camcl_status status = write_metrics(metrics, path, err);
    if (status != CAMCL_OK) metrics->count = count;
    return status;
}

/* ---- confusion.csv ---- */

camcl_status cc_confusion_write(const char *path, size_t classes, const char *const *names, const uint64_t *counts, camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    cc_text_add(&text, "true\\predicted");
    for (size_t p = 0; p < classes; p++) {
        cc_text_add(&text, ",");
        cc_csv_add_field(&text, names[p]);
    }
    for (size_t t = 0; t < classes; t++) {
        cc_text_add(&text, "\n");
        cc_csv_add_field(&text, names[t]);
        for (size_t p = 0; p < classes; p++)
            cc_text_add(&text, ",%llu", (unsigned long long)counts[t * classes + p]);
    }
    cc_text_add(&text, "\n");
    return cc_file_write_built(path, &text, err);
}

/* Reads one field in place, NUL-terminated, and moves *at behind it and its separator. *end_of_line tells which separator it was. */
static char *next_field(char **at, bool *end_of_line)
{
    char *read = *at, *field = read, *write = read;
    bool quoted = *read == '"';
    if (quoted) read++;
    for (; *read != '\0'; read++) {
        if (quoted && *read == '"') {
            if (read[1] == '"')
                read++;
            else {
                quoted = false;
                continue;
            }
        } else if (!quoted && (*read == ',' || *read == '\n'))
            break;
        if (!quoted && *read == '\r' && read[1] == '\n') continue;
        *write++ = *read;
    }
    *end_of_line = *read != ',';
    *at = *read == '\0' ? read : read + 1;
    *write = '\0';
    return field;
}

/* Returns false if data is not of this format. */
static bool parse_confusion(char *data, cc_confusion *confusion, char **names)
{
    char *at = data;
    bool end = false;
    next_field(&at, &end);
    for (size_t i = 0; i < confusion->classes; i++) {
        if (end) return false;
        names[i] = next_field(&at, &end);
    }
    for (size_t t = 0; t < confusion->classes; t++) {
        if (!end || strcmp(next_field(&at, &end), names[t]) != 0) return false;
        for (size_t p = 0; p < confusion->classes; p++) {
            if (end) return false;
            const char *field = next_field(&at, &end);
            if (!parse_count(field, strlen(field), &confusion->counts[t * confusion->classes + p])) return false;
        }
    }
    return end && *at == '\0';
}

/* Counts the fields of the first line except the first one. `data` is not changed. */
static size_t count_classes(const char *data)
{
    size_t count = 0;
    bool quoted = false;
    for (; *data != '\0' && (quoted || *data != '\n'); data++) {
        if (*data == '"')
            quoted = !quoted;
        else if (*data == ',' && !quoted)
            count++;
    }
    return count;
}

camcl_status cc_confusion_read(const char *path, cc_confusion *confusion, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char *data = NULL, **names = NULL;
    size_t size, classes, cells = 0;
    *confusion = (cc_confusion){ 0 };
    CC_RETURN_IF_FAILED(cc_file_read(path, &data, &size, err));
    classes = count_classes(data);
    /* Each cell takes at least two characters, so this check refuses a file that claims more classes than it has room for. */
    bool right = classes > 0 && cc_mul_size(classes, classes, &cells) && cells <= size && strlen(data) == size;
    if (right) {
        CC_TRY(CC_NEW(cells, &confusion->counts, err));
        CC_TRY(CC_NEW(classes, &confusion->names, err));
        CC_TRY(CC_NEW(classes, &names, err));
        confusion->classes = classes;
        right = parse_confusion(data, confusion, names);
    }
    if (!right) {
        status = cc_fail(err, CAMCL_BAD_DATA, "'%s': not a confusion matrix (restore or remove the file)", path);
        goto cleanup;
    }
    for (size_t i = 0; i < classes; i++)
        CC_TRY(cc_copy_text(names[i], &confusion->names[i], err));
cleanup:
    free(names);
    free(data);
    return status;
}

void cc_confusion_free(cc_confusion *confusion)
{
    for (size_t i = 0; confusion->names != NULL && i < confusion->classes; i++)
        free(confusion->names[i]);
    free(confusion->names);
    free(confusion->counts);
    *confusion = (cc_confusion){ 0 };
}
