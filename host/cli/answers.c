/* Predictions on stdout. */
#include <stdio.h>
#include <stdlib.h>

#include "output.h"
#include "predictions.h"

/* A table gets no wider for the sake of a few long names. */
enum { MOST_FILE_WIDTH = 60, MOST_LABEL_WIDTH = 30 };

size_t cli_best_class(const float *probabilities, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (probabilities[c] > probabilities[best]) best = c;
    return best;
}

/* The `top` classes of the largest probabilities, falling; of equal ones the first. */
static void rank(const cli_answers *a, const float *probabilities)
{
    for (size_t c = 0, kept = 0; c < a->info->classes; c++) {
        size_t place = kept;
        while (place > 0 && probabilities[c] > probabilities[a->ranked[place - 1]])
            place--;
        if (place >= a->top) continue;
        if (kept < a->top) kept++;
        for (size_t i = kept - 1; i > place; i--)
            a->ranked[i] = a->ranked[i - 1];
        a->ranked[place] = c;
    }
}

static size_t widen(size_t width, const char *text, size_t most)
{
    const size_t own = cli_text_width(text);
    return own > width && own <= most ? own : width;
}

static void measure(cli_answers *a, const camcl_picture_list *list)
{
    for (size_t i = 0; i < camcl_pictures_count(list); i++)
        a->file_width = widen(a->file_width, camcl_pictures_path(list, i), MOST_FILE_WIDTH);
    for (size_t c = 0; c < a->info->classes; c++)
        a->label_width = widen(a->label_width, a->info->class_names[c], MOST_LABEL_WIDTH);
}

camcl_status cli_answers_begin(cli_answers *a, cli_form form, const camcl_model_info *info, size_t top, const camcl_picture_list *list,
                               camcl_error *err)
{
    *a = (cli_answers){ .form = form, .info = info, .top = top < info->classes ? top : info->classes };
    a->ranked = malloc(a->top * sizeof *a->ranked);
    if (a->ranked == NULL) return cli_error(err, CAMCL_NO_MEMORY, "predict: no memory for %zu classes (lower --top)", a->top);
    if (form == CLI_TABLE) measure(a, list);
    if (form == CLI_JSON) putchar('[');
    if (form == CLI_CSV) {
        printf("path,label,probability");
        for (size_t i = 1; i < a->top; i++)
            printf(",label%zu,probability%zu", i + 1, i + 1);
        printf("\n");
    }
    return CAMCL_OK;
}

static void add_row(const cli_answers *a, const char *file, const float *probabilities)
{
    cli_cell(stdout, file, a->file_width);
    for (size_t i = 0; i < a->top; i++) {
        printf("  ");
        cli_cell(stdout, a->info->class_names[a->ranked[i]], a->label_width);
        printf("  %5.1f %%", 100 * (double)probabilities[a->ranked[i]]);
    }
    putchar('\n');
}

static void add_class(const cli_answers *a, size_t class, const float *probabilities)
{
    printf("\"class\": %zu, \"label\": ", class);
    cli_json_string(a->info->class_names[class]);
    printf(", \"probability\": ");
    cli_json_number((double)probabilities[class]);
}

static void add_object(const cli_answers *a, const char *file, const float *probabilities)
{
    printf("%s{\"file\": ", a->written ? ",\n " : "\n ");
    cli_json_string(file);
    printf(", ");
    add_class(a, a->ranked[0], probabilities);
    for (size_t i = 0; a->top > 1 && i < a->top; i++) {
        printf(i ? ", {" : ", \"top\": [{");
        add_class(a, a->ranked[i], probabilities);
        putchar('}');
    }
    printf(a->top > 1 ? "]}" : "}");
}

static void add_line(const cli_answers *a, const char *file, const float *probabilities)
{
    cli_csv_field(stdout, file);
    for (size_t i = 0; i < a->top; i++) {
        putchar(',');
        cli_csv_field(stdout, a->info->class_names[a->ranked[i]]);
        putchar(',');
        cli_json_number((double)probabilities[a->ranked[i]]);
    }
    printf("\n");
}

void cli_answers_add(cli_answers *a, const char *file, const float *probabilities)
{
    static void (*const add[])(const cli_answers *, const char *,
                               const float *) = { [CLI_TABLE] = add_row, [CLI_JSON] = add_object, [CLI_CSV] = add_line };
    rank(a, probabilities);
    add[a->form](a, file, probabilities);
    a->written++;
}

void cli_answers_end(cli_answers *a)
{
    if (a->form == CLI_JSON) printf("\n]\n");
    fflush(stdout);
}

void cli_answers_free(cli_answers *a) { free(a->ranked); }
