/* camcl predict: the classes of picture files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inference.h"

static void print(const cli_predict_args *args, const camcl_model_info *info, const float *probabilities)
{
    if (args->json) putchar('[');
    for (size_t i = 0; i < args->images.count; i++) {
        const float *row = probabilities + i * info->classes;
        size_t best = 0;
        for (size_t c = 1; c < info->classes; c++)
            if (row[c] > row[best]) best = c;
        if (!args->json) {
            cli_text(stdout, args->images.items[i]);
            printf(": ");
            cli_text(stdout, info->class_names[best]);
            printf(" (class %zu), %.1f %%\n", best, 100 * (double)row[best]);
            continue;
        }
        printf("%s{\"file\": ", i ? ",\n " : "\n ");
        cli_json_string(args->images.items[i]);
        printf(", \"class\": %zu, \"label\": ", best);
        cli_json_string(info->class_names[best]);
        printf(", \"probability\": ");
        cli_json_number(row[best]);
        putchar('}');
    }
    if (args->json) printf("\n]\n");
}

static camcl_status predict(cli_session *s, const cli_predict_args *args, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(s->model);
    uint8_t *pixels = NULL;
    float *probabilities = NULL;
    camcl_status status = cli_read_pictures(info, &args->images, &pixels, NULL, err);
    if (status == CAMCL_OK) {
        camcl_images images = { pixels, NULL, args->images.count, info->image_size, info->image_size, info->channels };
        probabilities = malloc(images.count * info->classes * sizeof *probabilities);
        if (probabilities == NULL) {
            snprintf(err->message, sizeof err->message, "predict: no memory for %zu images (give fewer at once)", images.count);
            status = err->status = CAMCL_NO_MEMORY;
        } else {
            status = camcl_model_predict(s->model, &images, probabilities, err);
        }
    }
    if (status == CAMCL_OK) print(args, info, probabilities);
    free(pixels);
    free(probabilities);
    return status;
}

int cmd_predict(int argc, char **argv)
{
    cli_predict_args args = { .checkpoint = NULL };
    cli_session s = { .config = NULL };
    camcl_error err = { 0 };
    camcl_status status = cli_parse_predict(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_session_open(&s, args.checkpoint, &args.overrides, &err);
    if (status == CAMCL_OK) status = predict(&s, &args, &err);
    cli_session_close(&s);
    cli_list_free(&args.images);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}
