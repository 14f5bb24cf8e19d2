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

/* Adds a column behind the others; one that is there already, or a name that is no name ([a-z0-9_], shorter than CC_COLUMN_NAME) or has no
 * room, is not added: false. */
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

/* What people read of a column, from the tables of metrics and figures; a column that none of them knows is called by its name. Figures are
 * those of `objective`, or else, as names may tell nothing of it, of any objective of the catalogue. */
cc_column_text cc_column_describe(const char *name, const cc_objective_kind *objective);

#endif
