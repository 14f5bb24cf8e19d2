/* The columns of metrics.csv behind step and epoch, and what people read of each. */
#ifndef CC_RUN_COLUMNS_H
#define CC_RUN_COLUMNS_H

#include <stdbool.h>

#include "objective/objective.h"

enum { CC_MOST_COLUMNS = 96, CC_COLUMN_NAME = 32 };

typedef struct cc_columns {
    size_t count;
    char names[CC_MOST_COLUMNS][CC_COLUMN_NAME];
} cc_columns;

/* Adds a column behind the others. False, and nothing is added, if the column is there already, if there is no room, or if the name is
 * not valid ([a-z0-9_], shorter than CC_COLUMN_NAME). */
bool cc_columns_add(cc_columns *columns, const char *name, size_t length);
/* The place of a column; columns->count: there is none. */
size_t cc_columns_find(const cc_columns *columns, const char *name);

/* The column of a metric of the evaluation: "val_" and its name. */
void cc_columns_evaluated(const char *metric, char column[CC_COLUMN_NAME]);

/* The columns that the first version wrote, with which every file begins. */
cc_columns cc_columns_first(void);
/* The columns of a run with this objective: the first version's, then further figures of the training set, further metrics of the
 * evaluation as val_NAME, and the objective's own figures. */
cc_columns cc_columns_of(const cc_objective_kind *objective);

typedef struct cc_column_text {
    char label[64]; /* "Mask rate" */
    char about[96]; /* one phrase, or "" */
    bool percent;
} cc_column_text;

/* How a column is presented to people, from the tables of metrics and figures. A column that is in no table is presented by its name.
 * Figures are looked up in `objective`, which may be NULL, and then in all objectives of the catalogue. */
cc_column_text cc_column_describe(const char *name, const cc_objective_kind *objective);

#endif
