#include "args.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camcl/config.h"
#include "output.h"

typedef enum option_kind { FLAG, TEXT, WORD, NUMBER, COUNT, NUMBERS } option_kind;

/* What an option sets. By kind: bool, const char *, const char * out of `words`, int in 1..4, size_t from 1 on, a growing list of indices.
 */
typedef struct cli_option {
    const char *name;   /* with its dashes */
    const char *letter; /* "-o", or NULL */
    option_kind kind;
    void *target;
    const char *const *words; /* WORD: ends in NULL */
    size_t *count;            /* NUMBERS */
} cli_option;

typedef struct cli_syntax {
    const char *command;
    const cli_option *options;
    size_t option_count;
    cli_list *operands;
    cli_list *overrides; /* NULL if key=value counts as an operand */
    const char *what;    /* the operands' name for messages, if at least one is required */
    size_t least, most;  /* allowed number of operands */
} cli_syntax;

static const char *const split_words[] = { "test", "validation", "train", NULL };

void cli_list_free(cli_list *list)
{
    free(list->items);
    *list = (cli_list){ NULL, 0 };
}

camcl_status cli_no_memory(camcl_error *err)
{
    cli_usage(err, "memory: no room for the arguments (close other programs)");
    return err->status = CAMCL_NO_MEMORY;
}

/* Allocates a list with room for every argument, so that it never has to grow. */
static camcl_status make_list(cli_list *list, int argc, camcl_error *err)
{
    list->count = 0;
    list->items = calloc((size_t)argc + 1, sizeof *list->items);
    return list->items ? CAMCL_OK : cli_no_memory(err);
}

static bool is_number(const char *text) { return *text && text[strspn(text, "0123456789")] == '\0'; }

/* Whether text is key=value. A path may contain '=' too: if the text before '=' contains a slash, it is an operand. */
static bool is_override(const char *text)
{
    size_t n = strcspn(text, "=/");
    return n > 0 && text[n] == '=';
}

static const cli_option *find_option(const cli_syntax *syntax, const char *text, size_t length)
{
    for (size_t i = 0; i < syntax->option_count; i++) {
        const cli_option *one = &syntax->options[i];
        if (strlen(one->name) == length && memcmp(one->name, text, length) == 0) return one;
        if (one->letter && strlen(one->letter) == length && memcmp(one->letter, text, length) == 0) return one;
    }
    return NULL;
}

static camcl_status unknown_option(const cli_syntax *syntax, const char *text, camcl_error *err)
{
    const char *names[8], *nearest;
    size_t count = 0;
    while (count < syntax->option_count && count < 8) {
        names[count] = syntax->options[count].name;
        count++;
    }
    nearest = camcl_nearest(text, names, count);
    return cli_usage(err, "%s: unknown option %s (%s%s%ssee camcl help %s)", syntax->command, text, nearest ? "did you mean " : "",
                     nearest ? nearest : "", nearest ? "? " : "", syntax->command);
}

static camcl_status set_number(const cli_syntax *syntax, const cli_option *option, const char *value, camcl_error *err)
{
    errno = 0;
    unsigned long long number = is_number(value) ? strtoull(value, NULL, 10) : 0;
    bool bad = !is_number(value) || errno != 0 || number > SIZE_MAX;
    if (option->kind == NUMBERS) {
        if (bad) return cli_usage(err, "%s: %s %s: not a position (give whole numbers from 0 on)", syntax->command, option->name, value);
        ((size_t *)option->target)[(*option->count)++] = (size_t)number;
        return CAMCL_OK;
    }
    if (option->kind == COUNT) {
        if (bad || number < 1)
            return cli_usage(err, "%s: %s %s: out of range (give a whole number from 1 on)", syntax->command, option->name, value);
        *(size_t *)option->target = (size_t)number;
        return CAMCL_OK;
    }
    if (bad || number < 1 || number > 4)
        return cli_usage(err, "%s: %s %s: out of range (choose 1 to 4)", syntax->command, option->name, value);
    *(int *)option->target = (int)number;
    return CAMCL_OK;
}

static camcl_status set_option(const cli_syntax *syntax, const cli_option *option, const char *value, camcl_error *err)
{
    if (option->kind == NUMBER || option->kind == COUNT || option->kind == NUMBERS) return set_number(syntax, option, value, err);
    if (*value == '\0')
        return cli_usage(err, "%s: %s: the value is empty (see camcl help %s)", syntax->command, option->name, syntax->command);
    if (option->kind == WORD) {
        size_t count = 0;
        while (option->words[count] && strcmp(option->words[count], value) != 0)
            count++;
        if (option->words[count] == NULL) {
            const char *nearest = camcl_nearest(value, option->words, count);
            char words[128] = "";
            for (size_t i = 0; i < count; i++) {
                size_t used = strlen(words);
                snprintf(words + used, sizeof words - used, "%s%s", i ? " | " : "", option->words[i]);
            }
            return cli_usage(err, "%s: %s %s: unknown value (%s%s%s%s)", syntax->command, option->name, value,
                             nearest ? "did you mean " : "", nearest ? nearest : "", nearest ? "? " : "", words);
        }
    }
    *(const char **)option->target = value;
    return CAMCL_OK;
}

/* Reads the option at argv[*at] with its values, and moves *at past them. */
static camcl_status take_option(const cli_syntax *syntax, int argc, char **argv, int *at, camcl_error *err)
{
    const char *text = argv[(*at)++], *equals = strncmp(text, "--", 2) == 0 ? strchr(text, '=') : NULL;
    const cli_option *option = find_option(syntax, text, equals ? (size_t)(equals - text) : strlen(text));
    if (option == NULL) return unknown_option(syntax, text, err);
    if (option->kind == FLAG) {
        if (equals) return cli_usage(err, "%s: %s: takes no value (write %s)", syntax->command, text, option->name);
        *(bool *)option->target = true;
        return CAMCL_OK;
    }
    if (equals == NULL && *at >= argc)
        return cli_usage(err, "%s: %s: the value is missing (see camcl help %s)", syntax->command, text, syntax->command);
    camcl_status status = set_option(syntax, option, equals ? equals + 1 : argv[(*at)++], err);
    while (status == CAMCL_OK && option->kind == NUMBERS && *at < argc && is_number(argv[*at]))
        status = set_option(syntax, option, argv[(*at)++], err);
    return status;
}

static camcl_status parse(const cli_syntax *syntax, int argc, char **argv, camcl_error *err)
{
    bool operands_only = false;
    camcl_status status = make_list(syntax->operands, argc, err);
    if (status == CAMCL_OK && syntax->overrides) status = make_list(syntax->overrides, argc, err);
    for (int at = 0; status == CAMCL_OK && at < argc;) {
        const char *text = argv[at];
        if (operands_only || (text[0] != '-' || text[1] == '\0')) {
            bool override = !operands_only && syntax->overrides && is_override(text);
            cli_list *list = override ? syntax->overrides : syntax->operands;
            list->items[list->count++] = text;
            at++;
        } else if (strcmp(text, "--") == 0) {
            operands_only = true;
            at++;
        } else {
            status = take_option(syntax, argc, argv, &at, err);
        }
    }
    if (status != CAMCL_OK) return status;
    if (syntax->operands->count < syntax->least)
        return cli_usage(err, "%s: %s is missing (see camcl help %s)", syntax->command, syntax->what, syntax->command);
    if (syntax->operands->count > syntax->most)
        return cli_usage(err, "%s: unexpected argument %s (see camcl help %s)", syntax->command, syntax->operands->items[syntax->most],
                         syntax->command);
    return CAMCL_OK;
}

/* Removes the first operand from the list and returns it; NULL if there is none. */
static const char *shift(cli_list *operands)
{
    if (operands->items == NULL || operands->count == 0) return NULL;
    const char *first = operands->items[0];
    memmove(operands->items, operands->items + 1, --operands->count * sizeof *operands->items);
    return first;
}

#define OPTIONS(array) (array), sizeof(array) / sizeof((array)[0])

camcl_status cli_parse_devices(int argc, char **argv, cli_devices_args *args, camcl_error *err)
{
    *args = (cli_devices_args){ 0 };
    const cli_option options[] = { { "--json", NULL, FLAG, &args->json, NULL, NULL } };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "devices", OPTIONS(options), &operands, NULL, NULL, 0, 0 };
    camcl_status status = parse(&syntax, argc, argv, err);
    cli_list_free(&operands);
    return status;
}

static bool is_section(const char *text)
{
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(schema[i].section, text) == 0) return true;
    return false;
}

/* "./data" is a file in any case. */
static bool is_key(const char *text) { return camcl_config_find(text) != NULL || is_section(text); }

camcl_status cli_parse_config(int argc, char **argv, cli_config_args *args, camcl_error *err)
{
    *args = (cli_config_args){ 0 };
    const cli_option options[] = { { "--markdown", NULL, FLAG, &args->markdown, NULL, NULL } };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "config", OPTIONS(options), &operands, &args->overrides, NULL, 0, (size_t)argc };
    camcl_status status = parse(&syntax, argc, argv, err);
    if (status == CAMCL_OK) status = make_list(&args->keys, argc, err);
    for (const char *operand; status == CAMCL_OK && (operand = shift(&operands)) != NULL;) {
        if (is_key(operand))
            args->keys.items[args->keys.count++] = operand;
        else if (args->config == NULL)
            args->config = operand;
        else
            status = cli_usage(err, "config: unexpected argument %s (see camcl help config)", operand);
    }
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_train(int argc, char **argv, cli_train_args *args, camcl_error *err)
{
    *args = (cli_train_args){ 0 };
    const cli_option options[] = {
        { "--resume", NULL, FLAG, &args->resume, NULL, NULL },
        { "--seeds", NULL, TEXT, &args->seeds, NULL, NULL },
        { "--quiet", "-q", FLAG, &args->quiet, NULL, NULL },
    };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "train", OPTIONS(options), &operands, &args->overrides, NULL, 0, 1 };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->config = shift(&operands);
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_eval(int argc, char **argv, cli_eval_args *args, camcl_error *err)
{
    *args = (cli_eval_args){ .split = split_words[0] };
    const cli_option options[] = {
        { "--split", NULL, WORD, &args->split, split_words, NULL },
        { "--logits", NULL, TEXT, &args->logits, NULL, NULL },
        { "--json", NULL, FLAG, &args->json, NULL, NULL },
        { "--cam", NULL, FLAG, &args->cam, NULL, NULL },
    };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "eval", OPTIONS(options), &operands, &args->overrides, "CHECKPOINT", 1, 1 };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->checkpoint = shift(&operands);
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_predict(int argc, char **argv, cli_predict_args *args, camcl_error *err)
{
    *args = (cli_predict_args){ .top = 1 };
    const cli_option options[] = {
        { "--top", NULL, COUNT, &args->top, NULL, NULL },
        { "--json", NULL, FLAG, &args->json, NULL, NULL },
        { "--csv", NULL, FLAG, &args->csv, NULL, NULL },
        { "--pseudo", NULL, TEXT, &args->pseudo, NULL, NULL },
    };
    const cli_syntax syntax = { "predict", OPTIONS(options), &args->paths, &args->overrides, "CHECKPOINT", 1, SIZE_MAX };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->checkpoint = shift(&args->paths);
    if (status != CAMCL_OK) return status;
    if (args->paths.count == 0) return cli_usage(err, "predict: PATH is missing (name picture files or folders of them)");
    if (args->json && args->csv) return cli_usage(err, "predict: both --json and --csv (choose one of them)");
    return CAMCL_OK;
}

camcl_status cli_parse_cam(int argc, char **argv, cli_cam_args *args, camcl_error *err)
{
    *args = (cli_cam_args){ .folder = ".", .opacity = 50 };
    args->indices = calloc((size_t)argc + 1, sizeof *args->indices);
    if (args->indices == NULL) return cli_no_memory(err);
    const cli_option options[] = {
        { "--index", NULL, NUMBERS, args->indices, NULL, &args->index_count },
        { "--split", NULL, WORD, &args->split, split_words, NULL },
        { "--layer", NULL, NUMBER, &args->layer, NULL, NULL },
        { "--class", NULL, TEXT, &args->class_name, NULL, NULL },
        { "--output", "-o", TEXT, &args->folder, NULL, NULL },
        { "--opacity", NULL, COUNT, &args->opacity, NULL, NULL },
        { "--npy", NULL, FLAG, &args->npy, NULL, NULL },
        { "--json", NULL, FLAG, &args->json, NULL, NULL },
    };
    const cli_syntax syntax = { "cam", OPTIONS(options), &args->paths, &args->overrides, "CHECKPOINT", 1, SIZE_MAX };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->checkpoint = shift(&args->paths);
    if (status != CAMCL_OK) return status;
    if (args->paths.count == 0 && args->index_count == 0)
        return cli_usage(err, "cam: nothing to explain (name picture files or folders, or --index N of the data set)");
    if (args->paths.count > 0 && args->index_count > 0)
        return cli_usage(err, "cam: both pictures and --index (give one of them; put -- before a file named like a number)");
    if (args->opacity > 100) return cli_usage(err, "cam: --opacity %zu: out of range (choose 1 to 100, percent)", args->opacity);
    if (args->split && args->index_count == 0) return cli_usage(err, "cam: --split without --index (images belong to no split)");
    if (args->split == NULL) args->split = split_words[0];
    return CAMCL_OK;
}

camcl_status cli_parse_export(int argc, char **argv, cli_export_args *args, camcl_error *err)
{
    *args = (cli_export_args){ 0 };
    const cli_option options[] = { { "--output", "-o", TEXT, &args->output, NULL, NULL } };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "export", OPTIONS(options), &operands, NULL, "CHECKPOINT", 1, 1 };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->checkpoint = shift(&operands);
    cli_list_free(&operands);
    if (status == CAMCL_OK && args->output == NULL) return cli_usage(err, "export: the file to write is missing (add -o FILE.onnx)");
    return status;
}

camcl_status cli_parse_init(int argc, char **argv, cli_init_args *args, camcl_error *err)
{
    *args = (cli_init_args){ 0 };
    const cli_option options[] = { { "--output", "-o", TEXT, &args->output, NULL, NULL } };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "init", OPTIONS(options), &operands, NULL, NULL, 0, 1 };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->task = shift(&operands);
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_inspect(int argc, char **argv, cli_inspect_args *args, camcl_error *err)
{
    *args = (cli_inspect_args){ .output = "contact-sheet.png" };
    const cli_option options[] = {
        { "--output", "-o", TEXT, &args->output, NULL, NULL },
        { "--json", NULL, FLAG, &args->json, NULL, NULL },
    };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "data inspect", OPTIONS(options), &operands, &args->overrides, "CONFIG", 1, 1 };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->config = shift(&operands);
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_fetch(int argc, char **argv, cli_fetch_args *args, camcl_error *err)
{
    *args = (cli_fetch_args){ .folder = "data" };
    const cli_option options[] = { { "--output", "-o", TEXT, &args->folder, NULL, NULL } };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "data fetch", OPTIONS(options), &operands, NULL, "NAME", 1, 1 };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->dataset = shift(&operands);
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_bench(int argc, char **argv, cli_bench_args *args, camcl_error *err)
{
    static const char *const kinds[] = { "peak", "ops", "step" };
    *args = (cli_bench_args){ 0 };
    const cli_option options[] = { { "--json", NULL, FLAG, &args->json, NULL, NULL } };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "bench", OPTIONS(options), &operands, &args->overrides, NULL, 0, 1 };
    camcl_status status = parse(&syntax, argc, argv, err);
    args->what = shift(&operands);
    cli_list_free(&operands);
    if (status != CAMCL_OK || args->what == NULL) return status;
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(args->what, kinds[i]) == 0) return CAMCL_OK;
    }
    const char *nearest = camcl_nearest(args->what, kinds, 3);
    return cli_usage(err, "bench: %s: unknown benchmark (%s%s%speak | ops | step)", args->what, nearest ? "did you mean " : "",
                     nearest ? nearest : "", nearest ? "? " : "");
}

camcl_status cli_parse_tune(int argc, char **argv, cli_tune_args *args, camcl_error *err)
{
    *args = (cli_tune_args){ 0 };
    const cli_option options[] = {
        { "--again", NULL, FLAG, &args->again, NULL, NULL },
        { "--quiet", "-q", FLAG, &args->quiet, NULL, NULL },
    };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "tune", OPTIONS(options), &operands, &args->overrides, NULL, 0, 0 };
    camcl_status status = parse(&syntax, argc, argv, err);
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_selftest(int argc, char **argv, cli_selftest_args *args, camcl_error *err)
{
    *args = (cli_selftest_args){ 0 };
    const cli_option options[] = { { "--json", NULL, FLAG, &args->json, NULL, NULL } };
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "selftest", OPTIONS(options), &operands, &args->overrides, NULL, 0, 0 };
    camcl_status status = parse(&syntax, argc, argv, err);
    cli_list_free(&operands);
    return status;
}

camcl_status cli_parse_report(int argc, char **argv, cli_report_args *args, camcl_error *err)
{
    *args = (cli_report_args){ 0 };
    const cli_option options[] = { { "--output", "-o", TEXT, &args->output, NULL, NULL } };
    const cli_syntax syntax = { "report", OPTIONS(options), &args->runs, NULL, "RUN_DIR", 1, SIZE_MAX };
    return parse(&syntax, argc, argv, err);
}

camcl_status cli_parse_version(int argc, char **argv, camcl_error *err)
{
    cli_list operands = { NULL, 0 };
    const cli_syntax syntax = { "version", NULL, 0, &operands, NULL, NULL, 0, 0 };
    camcl_status status = parse(&syntax, argc, argv, err);
    cli_list_free(&operands);
    return status;
}
