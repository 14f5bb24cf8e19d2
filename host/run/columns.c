#include "run/columns.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "camcl/evaluation.h"
#include "run/interval.h"

#define EVALUATED "val_"

bool cc_columns_add(cc_columns *columns, const char *name, size_t length)
{
    char *at = columns->names[columns->count < CC_MOST_COLUMNS ? columns->count : 0];
    char copy[CC_COLUMN_NAME];
    if (columns->count == CC_MOST_COLUMNS || length == 0 || length >= CC_COLUMN_NAME) return false;
    memcpy(copy, name, length);
    copy[length] = '\0';
    if (strspn(copy, "abcdefghijklmnopqrstuvwxyz0123456789_") != length || cc_columns_find(columns, copy) < columns->count) return false;
    memcpy(at, copy, length + 1);
    columns->count++;
    return true;
}

size_t cc_columns_find(const cc_columns *columns, const char *name)
{
    size_t i = 0;
    while (i < columns->count && strcmp(columns->names[i], name) != 0)
        i++;
    return i;
}

static void add(cc_columns *columns, const char *name) { (void)cc_columns_add(columns, name, strlen(name)); }

cc_columns cc_columns_first(void)
{
    static const char *const names[] = { "lr",       "threshold", "loss",       "loss_s",       "loss_u",
                                         "loss_c",   "mask_rate", "pseudo_acc", "train_top1",   "val_loss",
                                         "val_top1", "val_top3",  "val_top5",   "images_per_s", "seconds" };
    cc_columns columns = { .count = 0 };
    for (size_t i = 0; i < CC_COUNT(names); i++)
        add(&columns, names[i]);
    return columns;
}

void cc_columns_evaluated(const char *metric, char column[CC_COLUMN_NAME]) { snprintf(column, CC_COLUMN_NAME, EVALUATED "%s", metric); }

cc_columns cc_columns_of(const cc_objective_kind *objective)
{
    size_t figure_count, metric_count;
    const cc_training_figure *figures = cc_training_figures(&figure_count);
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    cc_columns columns = cc_columns_first();
    for (size_t i = 0; i < figure_count; i++)
        add(&columns, figures[i].column);
    for (size_t i = 0; i < metric_count; i++) {
        char name[CC_COLUMN_NAME];
        cc_columns_evaluated(metrics[i].name, name);
        add(&columns, name);
    }
    for (size_t i = 0; i < objective->figure_count; i++)
        add(&columns, objective->figures[i].column);
    return columns;
}

/* ---- words */

static cc_column_text text_of(const char *before, const char *label, const char *about, bool percent)
{
    cc_column_text text = { .percent = percent };
    snprintf(text.label, sizeof text.label, "%s%s", before, label);
    snprintf(text.about, sizeof text.about, "%s", about);
    return text;
}

static const cc_objective_figure *find_figure(const cc_objective_kind *objective, const char *column)
{
    for (size_t i = 0; i < objective->figure_count; i++)
        if (strcmp(objective->figures[i].column, column) == 0) return &objective->figures[i];
    return NULL;
}

static cc_column_text text_of_figure(const cc_objective_figure *figure)
{
    return text_of("", figure->label, "of the objective", figure->scale > 1);
}

cc_column_text cc_column_describe(const char *name, const cc_objective_kind *objective)
{
    size_t figure_count, metric_count;
    const cc_training_figure *figures = cc_training_figures(&figure_count);
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    if (strcmp(name, "lr") == 0) return text_of("", "Learning rate", "of the optimizer", false);
    if (strcmp(name, "threshold") == 0) return text_of("", "Threshold", "of confidence", false);
    if (strcmp(name, "seconds") == 0) return text_of("", "Seconds", "of training", false);
    for (size_t i = 0; i < figure_count; i++)
        if (strcmp(name, figures[i].column) == 0) return text_of("", figures[i].label, figures[i].about, figures[i].scale > 1);
    if (strncmp(name, EVALUATED, strlen(EVALUATED)) == 0)
        for (size_t i = 0; i < metric_count; i++)
            if (strcmp(name + strlen(EVALUATED), metrics[i].name) == 0)
                return text_of("Validation ", metrics[i].label, "of the validation images", metrics[i].unit != CAMCL_NATS);
    if (objective && find_figure(objective, name)) return text_of_figure(find_figure(objective, name));
    for (size_t o = 0; o < cc_objective_count(); o++)
        if (find_figure(cc_objective_at(o), name)) return text_of_figure(find_figure(cc_objective_at(o), name));
    return text_of("", name, "", false);
}
