/* Manual pages, in roff. */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "camcl/version.h"
#include "config/config_internal.h"
#include "manual/manual.h"

/* Text as it is: nothing in it is a request, and a hyphen can be copied from the page. */
static void put(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((text[i] == '.' || text[i] == '\'') && i == 0) fputs("\\&", out);
        switch (text[i]) {
        case '\\': fputs("\\e", out); break;
        case '-': fputs("\\-", out); break;
        case '~': fputs("\\(ti", out); break;
        case '^': fputs("\\(ha", out); break;
        case '\'': fputs("\\(aq", out); break;
        case '`': fputs("\\(ga", out); break;
        default: fputc(text[i], out);
        }
    }
}

static void put_text(FILE *out, const char *text) { put(out, text, strlen(text)); }

/* A sentence out of a summary, which has neither a capital nor a full stop. */
static void put_sentence(FILE *out, const char *summary)
{
    const char first = (char)toupper((unsigned char)*summary);
    put(out, &first, 1);
    put_text(out, summary + 1);
    fputs(".\n", out);
}

static void put_bold(FILE *out, const char *text)
{
    fputs("\\fB", out);
    put_text(out, text);
    fputs("\\fR", out);
}

static void title(FILE *out, const char *name, int section)
{
    fputs(".TH ", out);
    for (const char *at = name; *at; at++)
        fputc(toupper((unsigned char)*at), out);
    fprintf(out, " %d \"\" \"camcl %s\" \"camcl manual\"\n", section, camcl_version());
}

/* ---- help texts */

/* "-o, --output FILE": options in bold, what they take in italics. */
static void put_term(FILE *out, const char *term, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && term[end] != ' ')
            end++;
        const bool comma = end > at && term[end - 1] == ',' && term[at] == '-', capital = isupper((unsigned char)term[at]);
        fputs(capital ? "\\fI" : "\\fB", out);
        put(out, term + at, end - at - comma);
        fputs(comma ? "\\fR," : "\\fR", out);
        if (end < length) fputc(' ', out);
        at = end + 1;
    }
    fputc('\n', out);
}

static void put_help(FILE *out, const char *help)
{
    manual_line line;
    bool item = false, paragraph = true;
    while (manual_next_line(&help, &line)) {
        if (line.kind == MANUAL_BLANK) {
            paragraph = true;
            continue;
        }
        if (line.kind == MANUAL_ITEM) {
            fputs(".TP\n", out);
            put_term(out, line.term, line.term_length);
        } else if (line.kind == MANUAL_TEXT && (paragraph || item)) {
            fputs(".PP\n", out);
        }
        put(out, line.text, line.text_length);
        fputc('\n', out);
        item = line.kind == MANUAL_ITEM || line.kind == MANUAL_MORE;
        paragraph = false;
    }
}

/* ---- camcl-COMMAND.1 */

static void put_usage(FILE *out, const cli_command *command)
{
    char name[64];
    snprintf(name, sizeof name, "camcl %s", command->name);
    put_bold(out, name);
    if (*command->arguments) fputc(' ', out);
    put_text(out, command->arguments);
    fputc('\n', out);
}

static void command_page(const cli_command *command, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "camcl-%s", command->name);
    title(out, name, 1);
    fputs(".SH NAME\n", out);
    put_text(out, name);
    fputs(" \\- ", out);
    put_text(out, command->summary);
    fputs("\n.SH SYNOPSIS\n", out);
    put_usage(out, command);
    fputs(".SH DESCRIPTION\n", out);
    put_sentence(out, command->summary);
    if (*command->help) fputs(".PP\n", out);
    put_help(out, command->help);
    fputs(".PP\nOptions and\n.I key=value\ncome in any order; after\n.B \\-\\-\neverything is an operand.\n"
          ".SH SEE ALSO\n.BR camcl (1),\n.BR camcl.ini (5)\n",
          out);
}

/* ---- camcl.1 */

static const char *const introduction[] = {
    "camcl trains image classifiers from few labelled and many unlabelled images on any OpenCL device: an AMD, Intel or NVIDIA GPU, or a",
    "plain CPU through PoCL. Its method is Semi\\-supervised Image Classification with Grad\\-CAM Consistency (Lee and Cho, arXiv",
    "2108.13673): beside the labels, the network learns from its own confident predictions (pseudo\\-labels), and from a",
    "consistency loss: when an image is cropped or rotated, its Grad\\-CAM must follow.",
};

static const char *const after_commands[] = {
    ".SH CONFIGURATION",
    "A configuration is a file as",
    ".BR camcl.ini (5)",
    "describes it;",
    ".B camcl init",
    "writes one to begin with. Every key can be given on the command line as",
    ".IR section.key=value ,",
    "which wins over the file.",
    ".SH ENVIRONMENT",
    ".TP",
    ".B CAMCL_DEVICE",
    "the default of device.select.",
    ".TP",
    ".B CAMCL_MIRROR",
    "addresses from which",
    ".B camcl data fetch",
    "fetches instead of the published ones, separated by blanks.",
    ".TP",
    ".B CAMCL_WORLD_PATIENCE",
    "seconds after which processes that mpirun started together give up one of which they hear nothing; default: 120.",
    ".TP",
    ".BR https_proxy ,\\~ http_proxy ,\\~ no_proxy",
    "proxies for",
    ".BR camcl\\~data\\~fetch .",
    ".TP",
    ".B OCL_ICD_VENDORS",
    "chooses among OpenCL drivers; read by the OpenCL loader.",
    ".TP",
    ".B XDG_CACHE_HOME",
    "compiled kernels and tuned parameters are kept in its folder camcl, unless device.cache_dir says otherwise; default: \\(ti/.cache.",
    ".SH EXIT STATUS",
    ".TP",
    ".B 0",
    "done",
    ".TP",
    ".B 1",
    "failed while running: missing or bad data, a run directory that exists, a bad checkpoint, no space",
    ".TP",
    ".B 2",
    "wrong usage or configuration",
    ".TP",
    ".B 3",
    "no usable OpenCL device",
    ".TP",
    ".BR 129 ,\\~ 130 ,\\~ 143",
    "stopped by SIGHUP, SIGINT or SIGTERM, after saving; a second signal stops at once.",
    ".SH EXAMPLES",
    ".TP",
    ".B camcl init quickstart && camcl train quickstart.ini",
    "trains on images that the program draws itself.",
    ".TP",
    ".B camcl data fetch cifar10 && camcl init cifar10 && camcl train cifar10.ini",
    "trains on CIFAR\\-10 with 4,000 labels.",
    ".TP",
    ".B camcl predict runs/cifar10/best.safetensors photo.jpg \\-\\-top 3",
    "classifies a picture.",
};

static void put_lines(FILE *out, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\n", lines[i]);
}

static void main_page(FILE *out)
{
    size_t count;
    const cli_command *commands = cli_commands(&count);
    title(out, "camcl", 1);
    fputs(".SH NAME\ncamcl \\- train image classifiers from few labels on any OpenCL device\n.SH SYNOPSIS\n"
          "\\fBcamcl\\fR \\fICOMMAND\\fR [\\fIargument\\fR ...]\n.SH DESCRIPTION\n",
          out);
    put_lines(out, introduction, sizeof introduction / sizeof introduction[0]);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < count; i++) {
        fputs(".TP\n", out);
        put_usage(out, &commands[i]);
        put_sentence(out, commands[i].summary);
        fprintf(out, "See\n.BR camcl\\-%s (1).\n", commands[i].name);
    }
    fputs(".TP\n\\fBcamcl help\\fR [\\fICOMMAND\\fR]\nSays the same on the terminal.\n", out);
    put_lines(out, after_commands, sizeof after_commands / sizeof after_commands[0]);
    fputs(".SH SEE ALSO\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, ".BR camcl\\-%s (1),\n", commands[i].name);
    fputs(".BR camcl.ini (5),\n.BR clinfo (1)\n", out);
}

void manual_page(const cli_command *command, FILE *out)
{
    fputs(".\\\" Made from the tables of commands and keys.\n", out);
    if (command)
        command_page(command, out);
    else
        main_page(out);
}

/* ---- camcl.ini.5 */

static void put_key(FILE *out, const camcl_config_key *key)
{
    char range[512], full[128];
    camcl_config_range(key, range, sizeof range);
    snprintf(full, sizeof full, "%s.%s", key->section, key->name);
    fputs(".TP\n", out);
    put_bold(out, key->name);
    fputs("\n", out);
    put_text(out, key->help); /* it may begin with a value, which has no capital */
    fputs(".\n.br\nValues: ", out);
    put_text(out, *range ? range : key->type == CAMCL_KEY_PATH ? "a path" : "text");
    fputs(". Default: ", out);
    put_text(out, *key->initial ? key->initial : "empty");
    for (const camcl_config_default *d = key->defaults; d && d->key; d++) {
        if (!cc_default_matters(key, d)) continue;
        fputs("; ", out);
        put_text(out, d->value);
        fputs(" with ", out);
        put_text(out, d->key);
        fputs(" = ", out);
        put_text(out, d->words);
    }
    fputs(".\n", out);
}

void manual_config_page(FILE *out)
{
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    fputs(".\\\" Made from the tables of commands and keys.\n", out);
    title(out, "camcl.ini", 5);
    fputs(".SH NAME\ncamcl.ini \\- configuration of a training with camcl\n.SH DESCRIPTION\n"
          "Sections in brackets, and lines\n.IR key\\~=\\~value .\nWhat follows ; or # is a comment: values that contain either stand in "
          "double "
          "quotes. A key that is not there has its default.\n"
          "Relative paths are relative to the working directory. On the command line a key is written\n.IR section.key=value .\n"
          ".B camcl config\n.I CONFIG\nlists every key with the value in force.\n",
          out);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(schema[i].section, schema[i - 1].section) != 0) fprintf(out, ".SH [%s]\n", schema[i].section);
        put_key(out, &schema[i]);
    }
    fputs(".SH SEE ALSO\n.BR camcl (1),\n.BR camcl\\-config (1),\n.BR camcl\\-init (1)\n", out);
}
