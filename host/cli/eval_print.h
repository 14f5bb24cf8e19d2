/* How eval prints an evaluation: figures with their 95 % intervals, then precision and recall of each class. */
#ifndef CLI_EVAL_PRINT_H
#define CLI_EVAL_PRINT_H

#include <stdbool.h>

#include "camcl/breakdown.h"
#include "camcl/evaluation.h"
#include "localisation.h"

/* names [classes of the breakdown]; cams [stages], with stages 0: none were asked for. Of many classes, text shows those of the lowest
 * recall. */
void cli_eval_json(const char *split, const camcl_evaluation *evaluation, const camcl_breakdown *breakdown, const char *const *names,
                   const cli_localisation *cams, size_t stages);
void cli_localisation_text(const cli_localisation *cams, size_t stages);
camcl_status cli_eval_text(const char *split, const camcl_evaluation *evaluation, const camcl_breakdown *breakdown,
                           const char *const *names, camcl_error *err);

#endif
