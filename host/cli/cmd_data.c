/* camcl data: what a data set holds, as training would see it; fetching one is in fetch.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "census.h"
#include "cli.h"
#include "contact_sheet.h"
#include "lies_in.h"
#include "whole_file.h"

typedef struct report {
    const camcl_config *config;
    const camcl_dataset *dataset;
    const camcl_dataset_info *info;
    cli_census census;
    const char *sheet; /* its path, or NULL */
    size_t sheet_rows;
} report;

static const char *class_name(const report *r, size_t c)
{
    return c < r->census.classes ? camcl_dataset_class_names(r->dataset)[c] : "(no label)";
}

static size_t pool_total(const report *r, size_t pool)
{
    size_t total = 0;
    for (size_t c = 0; c <= r->census.classes; c++)
        total += r->census.counts[c][pool];
    return total;
}

/* ---- for people */

static void print_counts(const report *r)
{
    enum { MOST_WIDTH = 40 };
    const size_t classes = r->census.classes;
    size_t width = strlen(class_name(r, classes));
    bool unknown = false;
    for (size_t c = 0; c < classes; c++) {
        const size_t own = cli_text_width(class_name(r, c));
        if (own > width && own <= MOST_WIDTH) width = own;
    }
    cli_cell(stdout, "class", width);
    for (size_t p = 0; p < CLI_POOLS; p++) {
        printf("  %10s", cli_pools[p].title);
        unknown = unknown || r->census.counts[classes][p] > 0;
    }
    putchar('\n');
    for (size_t c = 0; c < classes + unknown; c++) {
        cli_cell(stdout, class_name(r, c), width);
        for (size_t p = 0; p < CLI_POOLS; p++)
            printf("  %10zu", r->census.counts[c][p]);
        putchar('\n');
    }
    cli_cell(stdout, "all", width);
    for (size_t p = 0; p < CLI_POOLS; p++)
        printf("  %10zu", pool_total(r, p));
    printf("\n\n");
}

static void print_range(const char *what, cli_range range)
{
    if (range.least == range.most)
        printf("%s %u", what, (unsigned)range.least);
    else
        printf("%s %u to %u, median %u", what, (unsigned)range.least, (unsigned)range.most, (unsigned)range.median);
}

static void print_files(const report *r)
{
    const cli_census *c = &r->census;
    printf(c->files ? "pictures: " : "images: ");
    print_range("width", c->width);
    print_range("; height", c->height);
    if (c->unreadable) printf("; %zu went away meanwhile", c->unreadable);
    putchar('\n');
}

static void print_values(const char *name, const float *values, uint32_t n)
{
    printf("%s", name);
    for (uint32_t i = 0; i < n; i++)
        printf("%s %.4f", i ? "," : "", (double)values[i]);
}

/* What was read and what was left out, with the reason: a log has it on one line, which is too long for most terminals. */
static void print_summary(const char *summary)
{
    for (size_t length; *summary; summary += length) {
        const char *end = strstr(summary, "; ");
        length = end ? (size_t)(end - summary) : strlen(summary);
        char *part = strndup(summary, length);
        cli_text(stdout, part ? part : "");
        putchar('\n');
        free(part);
        if (end) length += strlen("; ");
    }
}

/* Here such pictures are counted whatever data.corrupt says, but training goes by it. */
static void print_refusal(const report *r)
{
    size_t kinds;
    const camcl_left_out *left = camcl_dataset_left_out(r->dataset, &kinds);
    if (!camcl_config_is(r->config, "data.corrupt", "refuse")) return;
    for (size_t i = 0; i < kinds; i++)
        if (strcmp(left[i].kind, "cannot be read") == 0)
            printf("training refuses what cannot be read: mend it, or set data.corrupt=skip\n");
}

static void print_text(const report *r)
{
    const camcl_dataset_info *info = r->info;
    printf("data set: ");
    cli_text(stdout, info->name);
    if (r->census.files) {
        printf(", ");
        cli_text(stdout, camcl_config_string(r->config, "data.root"));
    }
    printf("\n\n");
    print_counts(r);
    print_summary(camcl_dataset_summary(r->dataset));
    print_refusal(r);
    print_files(r);
    printf("stored as: %u x %u pixels, %u channel%s", (unsigned)info->width, (unsigned)info->height, (unsigned)info->channels,
           info->channels > 1 ? "s" : "");
    if (r->census.files && *camcl_config_string(r->config, "data.image_size") != '0')
        printf(" (data.fit = %s)", camcl_config_string(r->config, "data.fit"));
    print_values("; mean", info->mean, info->channels);
    print_values("; std", info->std, info->channels);
    putchar('\n');
    if (r->sheet == NULL) return;
    printf("contact sheet: ");
    cli_text(stdout, r->sheet);
    printf(", a row of labelled images for each class, in the order of the table");
    if (r->sheet_rows < r->census.classes) printf("; the first %zu classes", r->sheet_rows);
    putchar('\n');
}

/* ---- for programs */

static void print_json_range(const char *name, cli_range range)
{
    printf("\"%s\": {\"min\": %u, \"median\": %u, \"max\": %u}", name, (unsigned)range.least, (unsigned)range.median, (unsigned)range.most);
}

static void print_json_values(const char *name, const float *values, uint32_t n)
{
    printf(",\n \"%s\": [", name);
    for (uint32_t i = 0; i < n; i++) {
        if (i) printf(", ");
        cli_json_number((double)values[i]);
    }
    putchar(']');
}

static void print_json_counts(const report *r, size_t c)
{
    for (size_t p = 0; p < CLI_POOLS; p++)
        printf("%s\"%s\": %zu", p ? ", " : "", cli_pools[p].name, r->census.counts[c][p]);
}

static void print_json(const report *r)
{
    const cli_census *c = &r->census;
    size_t kinds;
    const camcl_left_out *left = camcl_dataset_left_out(r->dataset, &kinds);
    printf("{\"dataset\": ");
    cli_json_string(r->info->name);
    printf(", \"root\": ");
    cli_json_string(camcl_config_string(r->config, "data.root"));
    printf(",\n \"classes\": [");
    for (size_t k = 0; k < c->classes; k++) {
        printf("%s{\"label\": ", k ? ",\n  " : "\n  ");
        cli_json_string(class_name(r, k));
        printf(", ");
        print_json_counts(r, k);
        putchar('}');
    }
    printf("],\n \"without_label\": {");
    print_json_counts(r, c->classes);
    printf("},\n \"sizes\": {");
    print_json_range("width", c->width);
    printf(", ");
    print_json_range("height", c->height);
    printf("},\n \"formats\": {");
    for (size_t i = 0; i < c->format_count; i++)
        printf("%s\"%s\": %zu", i ? ", " : "", c->formats[i].name, c->formats[i].count);
    printf("},\n \"left_out\": [");
    for (size_t i = 0; i < kinds; i++) {
        printf(i ? ", {\"kind\": " : "{\"kind\": ");
        cli_json_string(left[i].kind);
        printf(", \"count\": %u, \"example\": ", (unsigned)left[i].count);
        cli_json_string(left[i].example);
        putchar('}');
    }
    printf("],\n \"summary\": ");
    cli_json_string(camcl_dataset_summary(r->dataset));
    printf(",\n \"image\": {\"width\": %u, \"height\": %u, \"channels\": %u}", (unsigned)r->info->width, (unsigned)r->info->height,
           (unsigned)r->info->channels);
    print_json_values("mean", r->info->mean, r->info->channels);
    print_json_values("std", r->info->std, r->info->channels);
    printf(",\n \"contact_sheet\": ");
    cli_json_string(r->sheet);
    printf("}\n");
}

/* ---- the command */

/* A build that cannot write PNG tells everything else. */
static camcl_status draw_sheet(report *r, const char *path, camcl_error *err)
{
    const char *root = camcl_config_string(r->config, "data.root");
    const char *first = r->info->train_count > 0 ? camcl_dataset_file(r->dataset, CAMCL_TRAIN_IMAGES, 0) : NULL;
    bool inside = false;
    camcl_status status = first ? cli_lies_in(path, root, &inside, err) : CAMCL_OK;
    if (status != CAMCL_OK) return status;
    if (inside)
        return cli_usage(
            err, "data inspect: the contact sheet would go to %s, which lies in %s, where pictures are read (choose another file with -o)",
            path, root);
    status = cli_file_refuse_other(path, "\x89PNG", 4, "a PNG picture", err);
    if (status != CAMCL_OK) return status;
    status = cli_contact_sheet(path, r->config, r->dataset, &r->sheet_rows, err);
    if (status == CAMCL_OK) r->sheet = path;
    if (status != CAMCL_UNSUPPORTED) return status;
    fputs("camcl: warning: ", stderr);
    cli_text(stderr, err->message);
    fputc('\n', stderr);
    return CAMCL_OK;
}

/* Pictures that cannot be read are what one wants to learn of here: they are counted, whatever data.corrupt says. */
static camcl_status inspect(const camcl_config *config, const cli_inspect_args *args, camcl_error *err)
{
    camcl_dataset_spec spec = camcl_dataset_spec_from(config);
    camcl_dataset *dataset = NULL;
    report r = { .config = config };
    spec.skip_corrupt = 1;
    camcl_status status = cli_open_data(&spec, &dataset, err);
    if (status != CAMCL_OK) return status;
    r.dataset = dataset;
    r.info = camcl_dataset_get_info(dataset);
    status = cli_census_take(&r.census, config, dataset, err);
    if (status == CAMCL_OK) status = draw_sheet(&r, args->output, err);
    if (status == CAMCL_OK && args->json)
        print_json(&r);
    else if (status == CAMCL_OK)
        print_text(&r);
    cli_census_free(&r.census);
    camcl_dataset_close(&dataset);
    return status;
}

static int cmd_inspect(int argc, char **argv)
{
    cli_inspect_args args = { .config = NULL };
    camcl_error err = { 0 };
    camcl_config *config = NULL;
    camcl_status status = cli_parse_inspect(argc, argv, &args, &err);
    if (status == CAMCL_OK) status = cli_configure(args.config, &args.overrides, &config, &err);
    if (status == CAMCL_OK) status = inspect(config, &args, &err);
    camcl_config_destroy(&config);
    cli_list_free(&args.overrides);
    return status == CAMCL_OK ? 0 : cli_fail(&err);
}

int cmd_data(int argc, char **argv)
{
    camcl_error err;
    if (argc == 0) {
        cli_print_command("data", stderr);
        return 2;
    }
    if (strcmp(argv[0], "inspect") == 0) return cmd_inspect(argc - 1, argv + 1);
    if (strcmp(argv[0], "fetch") == 0) return cli_fetch(argc - 1, argv + 1);
    static const char *const words[] = { "inspect", "fetch" };
    const char *nearest = camcl_nearest(argv[0], words, 2);
    cli_usage(&err, "data: %s: unknown (%s%s%s)", argv[0],
              nearest ? "did you mean " : "write camcl data inspect CONFIG or camcl data fetch NAME", nearest ? nearest : "",
              nearest ? "?" : "");
    return cli_fail(&err);
}
