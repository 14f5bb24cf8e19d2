/* Completion for zsh. */
#include <string.h>

#include "manual/manual.h"

static void put_keys(FILE *out)
{
    char words[512];
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    fputs("_camcl_keys=(\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    '%s.%s:", schema[i].section, schema[i].name);
        manual_put_brief(out, schema[i].help, "\\:");
        fputs("'\n", out);
    }
    fputs(")\n\n_camcl_value() {\n    case $1 in\n", out);
    for (size_t i = 0; i < count; i++) {
        manual_key_words(&schema[i], words, sizeof words);
        if (schema[i].type == CAMCL_KEY_PATH)
            fprintf(out, "    (%s.%s) _files ;;\n", schema[i].section, schema[i].name);
        else if (*words)
            fprintf(out, "    (%s.%s) compadd -- %s ;;\n", schema[i].section, schema[i].name, words);
        else
            fprintf(out, "    (%s.%s) _message '%s.%s' ;;\n", schema[i].section, schema[i].name, schema[i].section, schema[i].name);
    }
    fputs("    esac\n}\n\n", out);
}

static const char *const operand_function[] = {
    "# _camcl_operand OVERRIDES KEYS FILES [WORD ...]: the first three are yes or nothing.",
    "_camcl_operand() {",
    "    local overrides=$1 keys=$2 files=$3",
    "    shift 3",
    "    if [[ -n $overrides && $PREFIX == *=* ]]; then",
    "        local key=${PREFIX%%=*}",
    "        compset -P 1 '*='",
    "        _camcl_value $key",
    "        return",
    "    fi",
    "    (( $# )) && compadd -- \"$@\"",
    "    [[ -n $keys ]] && _describe -t keys key _camcl_keys",
    "    [[ -n $overrides && -z $keys && -n $PREFIX ]] && _describe -t overrides 'key=value' _camcl_keys -S =",
    "    [[ -n $files ]] && _files",
    "}",
    "",
};

static void put_option(const manual_option *o, FILE *out)
{
    fputs("            ", out);
    if (*o->letter)
        fprintf(out, "'(%s %s)'{%s,%s}'[", o->letter, o->name, o->letter, o->name);
    else
        fprintf(out, "'%s[", o->name);
    manual_put_brief(out, o->what, "\\[]:");
    fputc(']', out);
    if (*o->value) {
        fprintf(out, ":%s:", o->value);
        if (*o->words)
            fprintf(out, "(%s)", o->words);
        else if (o->file || o->folder)
            fputs(o->folder ? "_files -/" : "_files", out);
    }
    fputs("' \\\n", out);
}

static void put_command(const manual_command *c, FILE *out)
{
    fprintf(out, "    (%s)\n        _arguments -S \\\n", c->command->name);
    for (size_t i = 0; i < c->option_count; i++)
        put_option(&c->options[i], out);
    fprintf(
        out,
        "            '(-h --help)'{-h,--help}'[how it is used]' \\\n            '*:argument:_camcl_operand \"%s\" \"%s\" \"%s\" %s' ;;\n",
        c->overrides ? "yes" : "", c->keys ? "yes" : "", c->files ? "yes" : "", c->words);
}

void manual_zsh(const manual_command *commands, size_t count, FILE *out)
{
    fputs("#compdef camcl\n# Completion of camcl for zsh, made from the tables of commands and keys.\n\nlocal -a _camcl_keys "
          "_camcl_commands\n",
          out);
    put_keys(out);
    for (size_t i = 0; i < sizeof operand_function / sizeof operand_function[0]; i++)
        fprintf(out, "%s\n", operand_function[i]);
    fputs("_camcl_commands=(\n    'help:how a command is used'\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "    '%s:", commands[i].command->name);
        manual_put_brief(out, commands[i].command->summary, "\\:");
        fputs("'\n", out);
    }
    fputs(")\n\n_camcl_main() {\n    if (( CURRENT == 2 )); then\n        _describe -t commands command _camcl_commands\n        return\n  "
          "  fi\n"
          "    (( CURRENT-- ))\n    shift words\n    case $words[1] in\n    (help)\n        _describe -t commands command _camcl_commands "
          ";;\n",
          out);
    for (size_t i = 0; i < count; i++)
        put_command(&commands[i], out);
    fputs("    esac\n}\n\n_camcl_main \"$@\"\n", out);
}
