/* A run's configuration, and the command that repeats the run. */
#include <stdio.h>
#include <string.h>

#include "report/document.h"
#include "report/json_text.h"
#include "run/run_dir.h"

/* Paths are the machine's, not a choice of the experiment. */
static bool is_changed(const camcl_config *config, const char *key, camcl_key_type type)
{
    return type != CAMCL_KEY_PATH && strcmp(camcl_config_string(config, key), camcl_config_default_of(config, key)) != 0;
}

static void add_keys(cc_text *out, const camcl_config *config, const char *member, bool changed)
{
    size_t rows;
    const camcl_config_key *schema = camcl_config_schema(&rows);
    cc_json_begin(out, member, '{');
    for (size_t i = 0; i < rows; i++) {
        char key[128];
        snprintf(key, sizeof key, "%s.%s", schema[i].section, schema[i].name);
        if (!changed)
            cc_json_add_string(out, key, camcl_config_string(config, key));
        else if (is_changed(config, key, schema[i].type))
            cc_json_add_string(out, key, camcl_config_default_of(config, key));
    }
    cc_json_end(out, '}');
}

/* The run's own config.ini has everything in force, but for images that a program gave; only the directory must be another one. */
static void add_command(cc_text *out, const cc_report_run *run)
{
    cc_text command = CC_TEXT_INIT, word = CC_TEXT_INIT;
    cc_text_add(&word, "%s/%s", run->dir, cc_run_file_name(CC_RUN_CONFIG));
    cc_text_add(&command, "camcl train ");
    if (!word.failed) cc_text_add_shell_word(&command, word.data);
    cc_text_free(&word);
    cc_text_add(&word, "output.dir=%s-again", run->dir);
    cc_text_add(&command, " ");
    if (!word.failed) cc_text_add_shell_word(&command, word.data);
    if (word.failed || command.failed)
        out->failed = true;
    else
        cc_json_add_string(out, "command", command.data);
    cc_text_free(&word);
    cc_text_free(&command);
}

void cc_report_add_settings(cc_text *out, const cc_report_run *run)
{
    if (run->config) {
        if (!camcl_config_is(run->config, "data.dataset", "memory")) add_command(out, run);
        add_keys(out, run->config, "config", false);
        add_keys(out, run->config, "changed", true);
    }
    if (run->config_text) cc_json_add_string(out, "config_text", run->config_text);
}
