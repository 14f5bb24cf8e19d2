/* Completion for bash. It works with and without the bash-completion package. */
#include <string.h>

#include "manual/manual.h"

static const char *yes_or_no(bool yes) { return yes ? "yes" : ""; }

static void put_keys(FILE *out)
{
    char words[512];
    size_t count;
    const camcl_config_key *schema = camcl_config_schema(&count);
    fputs("_camcl_keys='", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s.%s", i ? "\n" : "", schema[i].section, schema[i].name);
    fputs("'\n\n# The words that a key takes, or \"path\".\n_camcl_values() {\n    case $1 in\n", out);
    for (size_t i = 0; i < count; i++) {
        manual_key_words(&schema[i], words, sizeof words);
        if (schema[i].type == CAMCL_KEY_PATH) snprintf(words, sizeof words, "path");
        if (*words) fprintf(out, "    %s.%s) echo '%s' ;;\n", schema[i].section, schema[i].name, words);
    }
    fputs("    esac\n}\n\n", out);
}

static void put_option_values(const manual_command *c, const manual_option *o, FILE *out)
{
    if (*o->value == '\0') return;
    fprintf(out, "    %s:%s", c->command->name, o->name);
    if (*o->letter) fprintf(out, " | %s:%s", c->command->name, o->letter);
    fprintf(out, ") echo '%s' ;;\n", *o->words ? o->words : o->folder ? "folder" : o->file ? "path" : "none");
}

static void put_commands(const manual_command *commands, size_t count, FILE *out)
{
    fputs("_camcl_commands='help", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s", commands[i].command->name);
    fputs("'\n\n# What an option takes: words, \"path\", \"folder\" or \"none\"; nothing for one without a value.\n_camcl_option() {\n"
          "    case $1:$2 in\n",
          out);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < commands[i].option_count; k++)
            put_option_values(&commands[i], &commands[i].options[k], out);
    fputs("    esac\n}\n\n# Sets what may stand on a command's line.\n_camcl_line() {\n    case $1 in\n", out);
    for (size_t i = 0; i < count; i++) {
        const manual_command *c = &commands[i];
        fprintf(out, "    %s)\n        options='--help", c->command->name);
        for (size_t k = 0; k < c->option_count; k++)
            fprintf(out, "%s%s %s", *c->options[k].letter ? " " : "", c->options[k].letter, c->options[k].name);
        fprintf(out, "' words='%s' overrides=%s keys=%s files=%s ;;\n", c->words, yes_or_no(c->overrides), yes_or_no(c->keys),
                yes_or_no(c->files));
    }
    fputs("    help) options= words=$_camcl_commands overrides= keys= files= ;;\n    esac\n}\n\n", out);
}

static const char *const functions[] = {
    "# Adds those of the words in $1 that begin with $2, each with $3 in front.",
    "_camcl_add() {",
    "    local word",
    "    for word in $1; do",
    "        [[ $word != \"$2\"* ]] || COMPREPLY+=(\"$3$word\")",
    "    done",
    "}",
    "",
    "# Adds paths that begin with $1, each with $2 in front; -d for folders alone.",
    "_camcl_add_paths() {",
    "    local path",
    "    while IFS= read -r path; do",
    "        COMPREPLY+=(\"$2$path\")",
    "    done < <(compgen ${3:--f} -- \"$1\")",
    "    compopt -o filenames 2>/dev/null",
    "}",
    "",
    "# Adds values of the kind $1.",
    "_camcl_add_values() {",
    "    case $1 in",
    "    path) _camcl_add_paths \"$2\" \"$3\" ;;",
    "    folder) _camcl_add_paths \"$2\" \"$3\" -d ;;",
    "    none) ;;",
    "    *) _camcl_add \"$1\" \"$2\" \"$3\" ;;",
    "    esac",
    "}",
    "",
    "_camcl() {",
    "    local line=${COMP_LINE:0:COMP_POINT} current command previous kind options words overrides keys files",
    "    local -a before",
    "    current=${line##*[[:space:]]}",
    "    read -ra before <<<\"${line%\"$current\"}\"",
    "    command=${before[1]-} previous=${before[${#before[@]} - 1]}",
    "    COMPREPLY=()",
    "    if ((${#before[@]} < 2)); then",
    "        _camcl_add \"$_camcl_commands --help --version\" \"$current\" ''",
    "        return",
    "    fi",
    "    _camcl_line \"$command\"",
    "    kind=$(_camcl_option \"$command\" \"$previous\")",
    "    if [[ $current == --*=* ]]; then",
    "        _camcl_add_values \"$(_camcl_option \"$command\" \"${current%%=*}\")\" \"${current#*=}\" \"${current%%=*}=\"",
    "    elif [[ -n $kind ]]; then",
    "        _camcl_add_values \"$kind\" \"$current\" ''",
    "    elif [[ $current == -* ]]; then",
    "        _camcl_add \"$options\" \"$current\" ''",
    "    elif [[ -n $overrides && $current == *=* ]]; then",
    "        _camcl_add_values \"$(_camcl_values \"${current%%=*}\")\" \"${current#*=}\" \"${current%%=*}=\"",
    "    else",
    "        _camcl_add \"$words\" \"$current\" ''",
    "        [[ -z $keys ]] || _camcl_add \"$_camcl_keys\" \"$current\" ''",
    "        if [[ -n $overrides && -z $keys && -n $current ]]; then",
    "            _camcl_add \"${_camcl_keys//$'\\n'/=$'\\n'}=\" \"$current\" ''",
    "            [[ ${#COMPREPLY[@]} -eq 0 ]] || compopt -o nospace 2>/dev/null",
    "        fi",
    "        [[ -z $files ]] || _camcl_add_paths \"$current\" ''",
    "    fi",
    "    # Where = ends a word, only what follows it is replaced.",
    "    if [[ $current == *=* && $COMP_WORDBREAKS == *=* ]]; then",
    "        COMPREPLY=(\"${COMPREPLY[@]#\"${current%\"${current##*=}\"}\"}\")",
    "    fi",
    "}",
    "",
    "complete -F _camcl camcl",
};

void manual_bash(const manual_command *commands, size_t count, FILE *out)
{
    fputs("# Completion of camcl for bash, made from the tables of commands and keys.\n\n", out);
    put_keys(out);
    put_commands(commands, count, out);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        fprintf(out, "%s\n", functions[i]);
}
