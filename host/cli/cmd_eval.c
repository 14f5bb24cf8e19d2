/* camcl eval: loss and accuracy of a checkpoint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval_print.h"
#include "inference.h"
#include "npy.h"

static camcl_status write_logits(const char *path, const float *logits, size_t n, size_t classes, camcl_error *err)
{
    const size_t shape[] = { n, classes };
    cli_file file;
    camcl_status status = cli_file_open(&file, path, err);
    if (status != CAMCL_OK) return status;
    cli_npy_header(file.stream, shape, 2);
    fwrite(logits, sizeof(float) * classes, n, file.stream);
    return cli_file_commit(&file, err);
}

/* An evaluation and what it is made of. */
typedef struct result {
    camcl_evaluation evaluation;
    camcl_breakdown breakdown;
    uint32_t *indices;
    int32_t *labels;
    float *logits;          /* [count,classes] */
    cli_localisation *cams; /* [stages], with --cam */
    size_t count;
} result;

static camcl_status choose_images(const cli_session *s, const cli_eval_args *args, camcl_dataset_part *part, result *r, camcl_error *err)
{
    camcl_split split;
    const size_t classes = camcl_model_get_info(s->model)->classes;
    camcl_status status = cli_parse_split(args->split, &split, err);
    if (status == CAMCL_OK) status = cli_session_indices(s, split, part, &r->indices, &r->count, err);
    if (status != CAMCL_OK) return status;
    if (r->count == 0) return cli_error(err, CAMCL_BAD_DATA, "eval: the %s split is empty (choose another --split)", args->split);
    r->logits = calloc(r->count, classes * sizeof *r->logits);
    if (r->logits == NULL)
        return cli_error(err, CAMCL_NO_MEMORY, "eval: no memory for %zu x %zu logits (close other programs)", r->count, classes);
    return camcl_model_labels(s->model, s->dataset, *part, &r->labels, err);
}

static camcl_status localise(cli_session *s, camcl_dataset_part part, result *r, camcl_error *err)
{
    const size_t stages = camcl_model_get_info(s->model)->stages;
    r->cams = calloc(stages, sizeof *r->cams);
    if (r->cams == NULL) return cli_error(err, CAMCL_NO_MEMORY, "eval: no memory (close other programs)");
    return cli_localise(s, part, r->indices, r->count, camcl_config_bool(s->config, "ssl.cam_relu"), r->cams, err);
}

static camcl_status evaluate(cli_session *s, const cli_eval_args *args, result *r, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(s->model);
    camcl_dataset_part part = CAMCL_TEST_IMAGES;
    camcl_status status = args->logits ? cli_file_refuse_other(args->logits, "\x93NUMPY", 6, "a NumPy array", err) : CAMCL_OK;
    if (status == CAMCL_OK) status = cli_session_data(s, err);
    if (status == CAMCL_OK) status = choose_images(s, args, &part, r, err);
    if (status == CAMCL_OK && args->cam) status = cli_localise_check(s, part, err);
    if (status != CAMCL_OK) return status;
    camcl_images images = cli_images_of(s->dataset, part);
    images.labels = r->labels;
    status = camcl_model_evaluate(s->model, &images, r->indices, r->count, &r->evaluation, r->logits, err);
    if (status == CAMCL_OK) status = camcl_breakdown_make(r->logits, r->labels, r->indices, r->count, info->classes, &r->breakdown, err);
    if (status == CAMCL_OK && args->logits) status = write_logits(args->logits, r->logits, r->count, info->classes, err);
    if (status == CAMCL_OK && args->cam) status = localise(s, part, r, err);
    if (status != CAMCL_OK) return status;
    if (args->json) {
        cli_eval_json(args->split, &r->evaluation, &r->breakdown, info->class_names, r->cams, args->cam ? info->stages : 0);
        return CAMCL_OK;
    }
    status = cli_eval_text(args->split, &r->evaluation, &r->breakdown, info->class_names, err);
    if (status == CAMCL_OK && args->cam) cli_localisation_text(r->cams, info->stages);
    return status;
}

int cmd_eval(int argc, char **argv)
{
    cli_eval_args args = { .checkpoint = NULL };
    cli_session s = { .config = NULL };
    result r = { .count = 0 };
    camcl_error err = { 0 };
    camcl_status status = cli_parse_eval(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_session_open(&s, args.checkpoint, &args.overrides, &err);
    if (status == CAMCL_OK) status = evaluate(&s, &args, &r, &err);
    camcl_breakdown_free(&r.breakdown);
    free(r.indices);
    free(r.labels);
    free(r.logits);
    free(r.cams);
    cli_session_close(&s);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
