/* camcl predict: the classes of picture files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pictures.h"
#include "predictions.h"

typedef struct job {
    cli_pictures pictures;
    cli_answers answers;
    cli_pseudo pseudo;
    float *probabilities; /* [room of a block, classes] */
} job;

/* From which probability on a prediction counts as confident. */
static double least_probability(const camcl_config *config)
{
    const bool other = cli_was_given(config, "ssl.threshold") && !cli_was_given(config, "ssl.threshold_end");
    return camcl_config_double(config, other ? "ssl.threshold" : "ssl.threshold_end");
}

static camcl_status answer_block(cli_session *s, job *j, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(s->model);
    const camcl_images images = cli_pictures_block(&j->pictures);
    camcl_status status = camcl_model_predict(s->model, &images, j->probabilities, err);
    cli_bar_clear(&j->pictures.bar);
    for (size_t i = 0; status == CAMCL_OK && i < images.count; i++) {
        const float *row = j->probabilities + i * info->classes;
        const char *file = j->pictures.files[i];
        if (!cli_pictures_good(&j->pictures, i)) continue;
        cli_answers_add(&j->answers, file, row);
        if (j->pseudo.folder == NULL) continue;
        const size_t best = cli_best_class(row, info->classes);
        status = cli_pseudo_add(&j->pseudo, file, info->class_names[best], (double)row[best], err);
    }
    fflush(stdout); /* whoever reads a pipe need not wait for the last picture */
    return status;
}

static camcl_status answer(cli_session *s, job *j, camcl_error *err)
{
    j->probabilities = malloc(j->pictures.room * camcl_model_get_info(s->model)->classes * sizeof *j->probabilities);
    if (j->probabilities == NULL)
        return cli_error(err, CAMCL_NO_MEMORY, "predict: no memory for the answers to %zu pictures (close other programs)",
                         j->pictures.room);
    camcl_status status = cli_pictures_next(&j->pictures, err);
    while (status == CAMCL_OK && j->pictures.n > 0) {
        status = answer_block(s, j, err);
        if (status == CAMCL_OK) status = cli_pictures_next(&j->pictures, err);
    }
    return status;
}

static camcl_status predict(cli_session *s, const cli_predict_args *args, job *j, camcl_error *err)
{
    const cli_form form = args->json ? CLI_JSON : args->csv ? CLI_CSV : CLI_TABLE;
    camcl_status status = args->pseudo ? cli_pseudo_begin(&j->pseudo, args->pseudo, least_probability(s->config), err) : CAMCL_OK;
    if (status == CAMCL_OK) status = cli_pictures_open(&j->pictures, s, &args->paths, err);
    if (status == CAMCL_OK) status = cli_answers_begin(&j->answers, form, camcl_model_get_info(s->model), args->top, j->pictures.list, err);
    if (status != CAMCL_OK) return status;
    status = answer(s, j, err);
    cli_answers_end(&j->answers);
    if (status != CAMCL_OK || args->pseudo == NULL) return status;
    status = cli_pseudo_commit(&j->pseudo, err);
    if (status != CAMCL_OK) return status;
    fputs("camcl: ", stderr);
    cli_text(stderr, args->pseudo);
    fprintf(stderr, ": %zu of %zu predictions, those of a probability of at least %g\n", j->pseudo.written, j->answers.written,
            j->pseudo.threshold);
    return CAMCL_OK;
}

int cmd_predict(int argc, char **argv)
{
    cli_predict_args args = { .checkpoint = NULL };
    cli_session s = { .config = NULL };
    job j = { .probabilities = NULL };
    camcl_error err = { 0 };
    int code = 0;
    camcl_status status = cli_parse_predict(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_session_open(&s, args.checkpoint, &args.overrides, &err);
    if (status == CAMCL_OK) status = predict(&s, &args, &j, &err);
    if (status == CAMCL_OK) code = cli_pictures_finish(&j.pictures);
    cli_pictures_close(&j.pictures);
    cli_answers_free(&j.answers);
    cli_pseudo_free(&j.pseudo);
    free(j.probabilities);
    cli_session_close(&s);
    cli_list_free(&args.paths);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? code : cli_fail_or_stopped(&err);
}
