#include "run/pseudo_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "dataset/csv.h"
#include "run/csv_text.h"

static const char *const head[] = { "step", "epoch", "class", "seen", "confident", "known", "right" };
enum { STEP, EPOCH, CLASS, SEEN, COUNTS };

static double *counts_of(const cc_pseudo_labels *l, size_t evaluation) { return l->counts + evaluation * l->classes * CC_PSEUDO_SUMS; }

/* ---- writing */

static void add_evaluation(cc_text *text, const cc_pseudo_labels *l, size_t at)
{
    const cc_pseudo_evaluation *e = &l->evaluations[at];
    for (size_t c = 0; c < l->classes; c++) {
        cc_text_add(text, "\n%llu,%llu,", (unsigned long long)e->step, (unsigned long long)e->epoch);
        cc_csv_add_field(text, l->names[c]);
        cc_text_add(text, ",");
        cc_text_add_json_number(text, e->seen);
        for (size_t k = 0; k < CC_PSEUDO_SUMS; k++) {
            cc_text_add(text, ",");
            cc_text_add_json_number(text, counts_of(l, at)[c * CC_PSEUDO_SUMS + k]);
        }
    }
}

static camcl_status write_file(const cc_pseudo_labels *l, const char *path, camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    for (size_t i = 0; i < CC_COUNT(head); i++)
        cc_text_add(&text, "%s%s", i ? "," : "", head[i]);
    for (size_t i = 0; i < l->count; i++)
        add_evaluation(&text, l, i);
    cc_text_add(&text, "\n");
    return cc_file_write_built(path, &text, err);
}

static camcl_status make_room(cc_pseudo_labels *l, camcl_error *err)
{
    const size_t counts = (l->count + 1) * l->classes * CC_PSEUDO_SUMS;
    CC_RETURN_IF_FAILED(cc_grow((void **)&l->evaluations, &l->capacity, l->count + 1, sizeof *l->evaluations, err));
    return cc_grow((void **)&l->counts, &l->counts_capacity, counts, sizeof *l->counts, err);
}

camcl_status cc_pseudo_labels_append(cc_pseudo_labels *l, const char *path, const cc_pseudo_evaluation *evaluation, const double *counts,
                                     camcl_error *err)
{
    for (size_t i = 0; i < l->classes * CC_PSEUDO_SUMS; i++)
        if (!isfinite(counts[i])) return CAMCL_OK;
    CC_RETURN_IF_FAILED(make_room(l, err));
    l->evaluations[l->count] = *evaluation;
    memcpy(counts_of(l, l->count), counts, l->classes * CC_PSEUDO_SUMS * sizeof *counts);
    l->count++;
    camcl_status status = write_file(l, path, err);
    if (status != CAMCL_OK) l->count--;
    return status;
}

camcl_status cc_pseudo_labels_drop_after(cc_pseudo_labels *l, const char *path, uint64_t step, camcl_error *err)
{
    const size_t count = l->count;
    while (l->count > 0 && l->evaluations[l->count - 1].step > step)
        l->count--;
    if (l->count == count) return CAMCL_OK;
    camcl_status status = write_file(l, path, err);
    if (status != CAMCL_OK) l->count = count;
    return status;
}

/* ---- reading */

/* A number in JSON's grammar, whatever the current locale, and not below 0. */
static bool parse_number(const char *text, double *out) { return cc_json_number_of_text(text, strlen(text), out) && *out >= 0; }

static bool parse_step(const char *text, uint64_t *out)
{
    double number;
    if (!parse_number(text, &number) || number > 9007199254740992.0 || floor(number) < number) return false;
    *out = (uint64_t)number;
    return true;
}

static camcl_status set_names(cc_pseudo_labels *l, size_t classes, const char *const *names, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(classes, &l->names, err));
    l->classes = classes;
    for (size_t c = 0; c < classes; c++)
        CC_RETURN_IF_FAILED(cc_copy_text(names[c], &l->names[c], err));
    return CAMCL_OK;
}

/* The classes of a file are those of its first evaluation: the rows until the step changes. */
static camcl_status list_names(cc_csv *csv, cc_csv_row *row, char ***names, size_t *count, camcl_error *err)
{
    const char *first = NULL;
    size_t capacity = 0;
    bool more;
    CC_RETURN_IF_FAILED(cc_csv_next(csv, row, &more, err));
    for (;;) {
        CC_RETURN_IF_FAILED(cc_csv_next(csv, row, &more, err));
        if (!more || row->count <= CLASS) return CAMCL_OK;
        if (first == NULL) first = row->fields[STEP];
        if (strcmp(first, row->fields[STEP]) != 0) return CAMCL_OK;
        CC_RETURN_IF_FAILED(cc_grow((void **)names, &capacity, *count + 1, sizeof **names, err));
        (*names)[(*count)++] = row->fields[CLASS];
    }
}

static camcl_status read_names(const char *path, cc_pseudo_labels *l, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_csv csv = { .data = NULL };
    cc_csv_row row = { .fields = NULL };
    char **names = NULL;
    size_t count = 0;
    CC_TRY(cc_csv_open(path, &csv, err));
    CC_TRY(list_names(&csv, &row, &names, &count, err));
    CC_TRY(set_names(l, count, (const char *const *)names, err));
cleanup:
    free(names);
    cc_csv_row_free(&row);
    cc_csv_close(&csv);
    return status;
}

/* Row of class `at` of the evaluation that is being read. */
static bool take_row(cc_pseudo_labels *l, const cc_csv_row *row, size_t at)
{
    cc_pseudo_evaluation e = { 0, 0, 0 }, *of_all = &l->evaluations[l->count];
    double *counts = counts_of(l, l->count) + at * CC_PSEUDO_SUMS;
    if (row->count != CC_COUNT(head) || !parse_step(row->fields[STEP], &e.step) || !parse_step(row->fields[EPOCH], &e.epoch)) return false;
    if (!parse_number(row->fields[SEEN], &e.seen) || strcmp(row->fields[CLASS], l->names[at]) != 0) return false;
    for (size_t k = 0; k < CC_PSEUDO_SUMS; k++)
        if (!parse_number(row->fields[COUNTS + k], &counts[k])) return false;
    if (at == 0) *of_all = e;
    return e.step == of_all->step && (at > 0 || l->count == 0 || e.step > of_all[-1].step);
}

static bool is_head(const cc_csv_row *row)
{
    bool same = row->count == CC_COUNT(head);
    for (size_t i = 0; same && i < CC_COUNT(head); i++)
        same = strcmp(row->fields[i], head[i]) == 0;
    return same;
}

static camcl_status bad_line(const char *path, size_t line, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "'%s' line %zu: not a line of this run's pseudo-labels (restore or remove the file)", path, line);
}

static camcl_status read_rows(const char *path, cc_csv *csv, cc_csv_row *row, cc_pseudo_labels *l, camcl_error *err)
{
    bool more;
    size_t at = 0;
    CC_RETURN_IF_FAILED(cc_csv_next(csv, row, &more, err));
    if (!more || !is_head(row)) return bad_line(path, 1, err);
    for (;;) {
        CC_RETURN_IF_FAILED(cc_csv_next(csv, row, &more, err));
        if (!more) return at == 0 ? CAMCL_OK : bad_line(path, csv->line, err);
        if (l->classes == 0) return bad_line(path, row->line, err);
        if (at == 0) CC_RETURN_IF_FAILED(make_room(l, err));
        if (!take_row(l, row, at)) return bad_line(path, row->line, err);
        at = (at + 1) % l->classes;
        l->count += at == 0;
    }
}

camcl_status cc_pseudo_labels_read(const char *path, size_t classes, const char *const *names, cc_pseudo_labels *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_csv csv = { .data = NULL };
    cc_csv_row row = { .fields = NULL };
    *out = (cc_pseudo_labels){ .classes = 0 };
    if (names) CC_RETURN_IF_FAILED(set_names(out, classes, names, err));
    if (!cc_file_exists(path)) return CAMCL_OK;
    if (names == NULL) CC_RETURN_IF_FAILED(read_names(path, out, err));
    CC_TRY(cc_csv_open(path, &csv, err));
    CC_TRY(read_rows(path, &csv, &row, out, err));
cleanup:
    cc_csv_row_free(&row);
    cc_csv_close(&csv);
    return status;
}

void cc_pseudo_labels_free(cc_pseudo_labels *l)
{
    for (size_t c = 0; l->names && c < l->classes; c++)
        free(l->names[c]);
    free(l->names);
    free(l->evaluations);
    free(l->counts);
    *l = (cc_pseudo_labels){ .classes = 0 };
}
