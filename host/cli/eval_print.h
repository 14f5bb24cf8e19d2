/* How eval prints an evaluation: figures with their 95 % intervals, then precision and recall of each class. */
#ifndef CLI_EVAL_PRINT_H
#define CLI_EVAL_PRINT_H

#include <stdbool.h>

#include "camcl/breakdown.h"
#include "camcl/evaluation.h"

/* names [classes of the breakdown]. Of many classes, text shows those of the lowest recall. */
void cli_eval_json(const char *split, const camcl_evaluation *evaluation, const camcl_breakdown *breakdown, const char *const *names);
camcl_status cli_eval_text(const char *split, const camcl_evaluation *evaluation, const camcl_breakdown *breakdown,
                           const char *const *names, camcl_error *err);

#endif
