/* camcl eval: loss and accuracy of a checkpoint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void print_json(const char *split, const camcl_evaluation *e)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    printf("{\"split\": \"%s\", \"n\": %zu", split, e->n);
    for (size_t i = 0; i < count; i++) {
        printf(", \"%s\": ", metrics[i].name);
        cli_json_number(e->values[i]);
    }
    printf("}\n");
}

/* Metrics that say nothing with so few classes are left out. */
static void print_text(const char *split, const camcl_evaluation *e, size_t classes)
{
    size_t count;
    const camcl_metric *metrics = camcl_metric_list(&count);
    printf("%s: %zu images", split, e->n);
    for (size_t i = 0; i < count; i++) {
        if (classes <= metrics[i].trivial_classes) continue;
        printf(metrics[i].unit == CAMCL_PERCENT ? "  %s %.2f %%" : "  %s %.4f", metrics[i].label, e->values[i]);
    }
    printf("\n");
}

static camcl_status evaluate(cli_session *s, const cli_eval_args *args, camcl_error *err)
{
    camcl_split split;
    camcl_dataset_part part = CAMCL_TEST_IMAGES;
    camcl_evaluation e;
    uint32_t *indices = NULL;
    int32_t *labels = NULL;
    float *logits = NULL;
    size_t count = 0, classes = camcl_model_get_info(s->model)->classes;
    camcl_status status = cli_parse_split(args->split, &split, err);
    if (status == CAMCL_OK) status = cli_session_data(s, err);
    if (status == CAMCL_OK) status = cli_session_indices(s, split, &part, &indices, &count, err);
    if (status == CAMCL_OK && count == 0) {
        snprintf(err->message, sizeof err->message, "eval: the %s split is empty (choose another --split)", args->split);
        status = err->status = CAMCL_BAD_DATA;
    }
    if (status == CAMCL_OK && args->logits) {
        logits = malloc(count * classes * sizeof *logits);
        if (logits == NULL) {
            snprintf(err->message, sizeof err->message, "eval: no memory for %zu x %zu logits (leave --logits out)", count, classes);
            status = err->status = CAMCL_NO_MEMORY;
        }
    }
    camcl_images images = { 0 };
    if (status == CAMCL_OK) status = camcl_model_labels(s->model, s->dataset, part, &labels, err);
    if (status == CAMCL_OK) {
        images = cli_images_of(s->dataset, part);
        images.labels = labels;
        status = camcl_model_evaluate(s->model, &images, indices, count, &e, logits, err);
    }
    if (status == CAMCL_OK && logits) status = write_logits(args->logits, logits, count, classes, err);
    if (status == CAMCL_OK && args->json)
        print_json(args->split, &e);
    else if (status == CAMCL_OK)
        print_text(args->split, &e, classes);
    free(indices);
    free(labels);
    free(logits);
    return status;
}

int cmd_eval(int argc, char **argv)
{
    cli_eval_args args = { .checkpoint = NULL };
    cli_session s = { .config = NULL };
    camcl_error err = { 0 };
    camcl_status status = cli_parse_eval(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_session_open(&s, args.checkpoint, &args.overrides, &err);
    if (status == CAMCL_OK) status = evaluate(&s, &args, &err);
    cli_session_close(&s);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
