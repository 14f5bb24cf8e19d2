/* How predictions are written: a table, JSON or CSV on stdout, and the list of confident ones. */
#ifndef CLI_PREDICTIONS_H
#define CLI_PREDICTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "camcl/model.h"
#include "camcl/pictures.h"
#include "whole_file.h"

typedef enum cli_form { CLI_TABLE, CLI_JSON, CLI_CSV } cli_form;

typedef struct cli_answers {
    cli_form form;
    const camcl_model_info *info;
    size_t top;     /* classes of each picture, at most all */
    size_t *ranked; /* [top] scratch */
    size_t written; /* pictures */
    size_t file_width, label_width;
} cli_answers;

/* Prints what stands before the first picture. `list`: all pictures that will come, for the width of the table. */
camcl_status cli_answers_begin(cli_answers *answers, cli_form form, const camcl_model_info *info, size_t top,
                               const camcl_picture_list *list, camcl_error *err);
/* One picture; probabilities [classes]. */
void cli_answers_add(cli_answers *answers, const char *file, const float *probabilities);
/* Prints what stands behind the last picture. */
void cli_answers_end(cli_answers *answers);
void cli_answers_free(cli_answers *answers);

/* The list of confident predictions, path,label,probability, which data.dataset = list reads. */
typedef struct cli_pseudo {
    cli_file file;
    char *folder; /* the list's, absolute and without links */
    double threshold;
    size_t written;
} cli_pseudo;

camcl_status cli_pseudo_begin(cli_pseudo *pseudo, const char *path, double threshold, camcl_error *err);
/* Adds the picture if its probability is at least the threshold. */
camcl_status cli_pseudo_add(cli_pseudo *pseudo, const char *file, const char *label, double probability, camcl_error *err);
camcl_status cli_pseudo_commit(cli_pseudo *pseudo, camcl_error *err);
/* Frees; a list that was not committed leaves nothing. */
void cli_pseudo_free(cli_pseudo *pseudo);

/* The class of the largest probability; the first of several. */
size_t cli_best_class(const float *probabilities, size_t classes);

#endif
