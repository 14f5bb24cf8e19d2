#include "report/groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SEED "train.seed"

/* Whether two configurations train the same. */
static bool agree(const camcl_config *a, const camcl_config *b)
{
    size_t rows;
    const camcl_config_key *schema = camcl_config_schema(&rows);
    for (size_t i = 0; i < rows; i++) {
        char key[128];
        snprintf(key, sizeof key, "%s.%s", schema[i].section, schema[i].name);
        if (strcmp(schema[i].section, "device") == 0 || strcmp(schema[i].section, "output") == 0 || strcmp(key, SEED) == 0) continue;
        if (strcmp(camcl_config_string(a, key), camcl_config_string(b, key)) != 0) return false;
    }
    return true;
}

/* A run whose seed the group has already is the same run again, and would make the spread look smaller than it is. */
static bool belongs(const cc_report_run *runs, const cc_report_group *group, const cc_report_run *run)
{
    const camcl_config *first = runs[group->runs[0]].config;
    if (first == NULL || run->config == NULL || !agree(first, run->config)) return false;
    for (size_t i = 0; i < group->count; i++)
        if (strcmp(camcl_config_string(runs[group->runs[i]].config, SEED), camcl_config_string(run->config, SEED)) == 0) return false;
    return true;
}

/* ---- names */

static bool is_separator(char c) { return strchr("-_.=/ ", c) != NULL; }

/* "gradcam-seed1", "gradcam-seed2": "gradcam". The length of what the names begin with alike, without a separator or the word seed at its
 * end; 0 where nothing is left. */
static size_t common_length(const cc_report_run *runs, const cc_report_group *group)
{
    const char *first = runs[group->runs[0]].name;
    size_t length = strlen(first);
    for (size_t i = 1; i < group->count; i++) {
        const char *name = runs[group->runs[i]].name;
        size_t same = 0;
        while (same < length && name[same] == first[same])
            same++;
        length = same;
    }
    for (size_t before = length + 1; length < before;) {
        before = length;
        while (length > 0 && (is_separator(first[length - 1]) || ((unsigned char)first[length - 1] & 0x80)))
            length--; /* a character may have been cut in the middle */
        if (length >= 4 && strncmp(first + length - 4, "seed", 4) == 0 && (length == 4 || is_separator(first[length - 5]))) length -= 4;
    }
    return length;
}

static bool is_taken(const cc_report_groups *groups, size_t at, const char *name)
{
    for (size_t i = 0; i < groups->count; i++)
        if (i != at && groups->items[i].name && strcmp(groups->items[i].name, name) == 0) return true;
    return false;
}

static camcl_status name_groups(const cc_report_run *runs, cc_report_groups *groups, camcl_error *err)
{
    for (size_t i = 0; i < groups->count; i++) {
        cc_report_group *group = &groups->items[i];
        const char *first = runs[group->runs[0]].name;
        const size_t length = group->count > 1 ? common_length(runs, group) : 0;
        CC_RETURN_IF_FAILED(cc_copy_text(first, &group->name, err));
        if (length == 0) continue;
        group->name[length] = '\0';
        if (is_taken(groups, i, group->name)) strcpy(group->name, first);
    }
    return CAMCL_OK;
}

/* ---- groups */

static camcl_status add_group(cc_report_groups *groups, size_t most, cc_report_group **out, camcl_error *err)
{
    *out = &groups->items[groups->count];
    CC_RETURN_IF_FAILED(CC_NEW(most, &(*out)->runs, err));
    groups->count++;
    return CAMCL_OK;
}

camcl_status cc_report_groups_make(const cc_report_run *runs, size_t count, cc_report_groups *groups, camcl_error *err)
{
    *groups = (cc_report_groups){ NULL, 0 };
    CC_RETURN_IF_FAILED(CC_NEW(count, &groups->items, err));
    for (size_t r = 0; r < count; r++) {
        cc_report_group *group = NULL;
        for (size_t g = 0; g < groups->count && group == NULL; g++)
            if (belongs(runs, &groups->items[g], &runs[r])) group = &groups->items[g];
        if (group == NULL) CC_RETURN_IF_FAILED(add_group(groups, count - r, &group, err));
        group->runs[group->count++] = r;
    }
    return name_groups(runs, groups, err);
}

void cc_report_groups_free(cc_report_groups *groups)
{
    for (size_t i = 0; i < groups->count; i++) {
        free(groups->items[i].name);
        free(groups->items[i].runs);
    }
    free(groups->items);
    *groups = (cc_report_groups){ NULL, 0 };
}
