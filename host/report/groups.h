/* Runs that differ only in train.seed are one experiment. */
#ifndef CC_REPORT_GROUPS_H
#define CC_REPORT_GROUPS_H

#include "report/data.h"

typedef struct cc_report_group {
    char *name;   /* of one run: its name; of several: what their names begin with alike, or the first one's */
    size_t *runs; /* [count] places in the list of runs, rising */
    size_t count;
} cc_report_group;

typedef struct cc_report_groups {
    cc_report_group *items; /* in the order of their first runs */
    size_t count;
} cc_report_groups;

/* Runs are of one group if all keys of their configurations agree but train.seed, which differs, and those of [device] and [output]. The
 * runs must have names. Free with cc_report_groups_free also after a failure. */
camcl_status cc_report_groups_make(const cc_report_run *runs, size_t count, cc_report_groups *groups, camcl_error *err);
void cc_report_groups_free(cc_report_groups *groups);

#endif
