/* camcl eval: loss and accuracy of a checkpoint. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inference.h"

/* Writes NumPy's format 1.0: magic, version, header length, and a Python dict that is padded so that the data starts at a multiple of
 * 64. */
static camcl_status write_npy(const char *path, const float *logits, size_t n, size_t classes, camcl_error *err)
{
    char header[128];
    int length = snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", n, classes);
    unsigned char start[10] = { 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, sizeof header - 10, 0 };
    memset(header + length, ' ', sizeof header - (size_t)length);
    header[sizeof header - 11] = '\n';
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(start, sizeof start, 1, file) == 1 && fwrite(header, sizeof header - 10, 1, file) == 1 &&
                fwrite(logits, sizeof(float) * classes, n, file) == n;
    int code = errno;
    if (file && fclose(file) != 0 && good) {
        good = false;
        code = errno;
    }
    if (good) return CAMCL_OK;
    snprintf(err->message, sizeof err->message, "%s: cannot write the logits: %s (choose another place)", path, strerror(code));
    err->detail[0] = '\0';
    return err->status = CAMCL_IO;
}

static void print_json(const char *split, const camcl_evaluation *e)
{
    printf("{\"split\": \"%s\", \"n\": %zu, \"loss\": ", split, e->n);
    cli_json_number(e->loss);
    printf(", \"top1\": ");
    cli_json_number(e->top1);
    printf(", \"top3\": ");
    cli_json_number(e->top3);
    printf(", \"top5\": ");
    cli_json_number(e->top5);
    printf("}\n");
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
    if (status == CAMCL_OK && logits) status = write_npy(args->logits, logits, count, classes, err);
    if (status == CAMCL_OK && args->json)
        print_json(args->split, &e);
    else if (status == CAMCL_OK)
        printf("%s: %zu images  loss %.4f  top-1 %.2f %%  top-3 %.2f %%  top-5 %.2f %%\n", args->split, e.n, e.loss, e.top1, e.top3,
               e.top5);
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
