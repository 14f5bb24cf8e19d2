/* A run of several processes. The first one, rank 0, reads and writes the run directory and tells the others what they need. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/part.h"
#include "train/team_internal.h"

camcl_status cc_run_join(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_world_open(&run->team.world, err));
    cc_world_busy(run->team.world);
    run->follows = cc_world_rank(run->team.world) > 0;
    if (!run->follows) return CAMCL_OK;
    run->own_options =
        (camcl_train_options){ .stop = run->options->stop, .dataset = run->options->dataset, .compiler = run->options->compiler };
    run->own_options.compiler.progress = NULL;
    run->options = &run->own_options;
    return CAMCL_OK;
}

/* ---- what all must have alike */

/* Keys that say where a machine has what: the processes may differ in them. model.init: rank 0 alone reads it. */
static bool is_own(const char *key)
{
    return strncmp(key, "device.", 7) == 0 || strncmp(key, "output.", 7) == 0 || strcmp(key, "data.root") == 0 ||
           strcmp(key, "data.resident") == 0 || strcmp(key, "model.init") == 0;
}

/* "key = value" lines of what all must have alike. */
static camcl_status common_settings(const cc_run *run, cc_text *out, camcl_error *err)
{
    size_t count;
    const camcl_config_key *keys = camcl_config_schema(&count);
    for (size_t i = 0; i < count; i++) {
        char key[96];
        snprintf(key, sizeof key, "%s.%s", keys[i].section, keys[i].name);
        if (!is_own(key)) cc_text_add(out, "%s = %s\n", key, camcl_config_string(run->config, key));
    }
    return out->failed ? cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for the text of the settings (close other programs)") : CAMCL_OK;
}

static void copy_line(const char *at, char *line, size_t size) { snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at); }

/* The first line in which two texts differ, as it is in each. */
static bool find_difference(const char *a, const char *b, char *line_a, char *line_b, size_t size)
{
    size_t begin = 0, i = 0;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '\n') begin = i + 1;
    if (a[i] == b[i]) return false;
    copy_line(a + begin, line_a, size);
    copy_line(b + begin, line_b, size);
    return true;
}

/* Compares each rank's text with rank 0's. */
static camcl_status compare(const cc_run *run, const char *own, camcl_status failure, const char *what, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    char **texts = NULL, first[256], other[256];
    const size_t size = cc_world_size(run->team.world);
    CC_RETURN_IF_FAILED(cc_world_gather_texts(run->team.world, own, &texts, err));
    for (size_t i = 1; i < size && status == CAMCL_OK; i++)
        if (find_difference(texts[0], texts[i], first, other, sizeof first))
            status = cc_fail(err, failure, "rank %zu (host %s): %s: %s, not %s (give all ranks the same)", i,
                             cc_world_host(run->team.world, i), what, other, first);
    for (size_t i = 0; i < size; i++)
        free(texts[i]);
    free(texts);
    return status;
}

camcl_status cc_run_check_ranks(cc_run *run, camcl_error *err)
{
    cc_text settings = CC_TEXT_INIT;
    if (run->team.world == NULL) return CAMCL_OK;
    camcl_status status = common_settings(run, &settings, err);
    if (status == CAMCL_OK) status = compare(run, settings.data, CAMCL_BAD_CONFIG, "another configuration than rank 0", err);
    if (status == CAMCL_OK) status = compare(run, run->data, CAMCL_BAD_DATA, "other data than rank 0", err);
    cc_text_free(&settings);
    return status;
}

/* ---- where their devices are */

/* The selectors of a rank's devices, a line each, from text into places. Returns how many there are. */
static size_t read_places(const char *text, size_t rank, cc_place *places, size_t room)
{
    size_t count = 0;
    for (; *text && count < room; text += strcspn(text, "\n"), text += *text == '\n') {
        cc_place *place = &places[count++];
        place->rank = rank;
        snprintf(place->selector, sizeof place->selector, "%.*s", (int)strcspn(text, "\n"), text);
    }
    return count;
}

camcl_status cc_team_find_places(cc_run *run, cc_place **out, camcl_error *err)
{
    const cc_team *team = &run->team;
    const size_t ranks = cc_world_size(team->world);
    cc_text own = CC_TEXT_INIT;
    char **texts = NULL;
    size_t count = 0;
    camcl_status status = CC_NEW(team->all, out, err);
    for (size_t i = 0; i < own_count(team); i++)
        cc_text_add(&own, "%s\n", selector_of(run, i));
    if (status == CAMCL_OK && own.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for the devices' names (close other programs)");
    if (status == CAMCL_OK) status = cc_world_gather_texts(team->world, own.data, &texts, err);
    for (size_t r = 0; status == CAMCL_OK && r < ranks; r++) {
        count += read_places(texts[r], r, *out + count, team->all - count);
        free(texts[r]);
    }
    free(texts);
    cc_text_free(&own);
    if (status == CAMCL_OK) return CAMCL_OK;
    free(*out);
    *out = NULL;
    return status;
}

static bool take_turns(const cc_team *team, const cc_place *a, const cc_place *b)
{
    return a->rank != b->rank && cc_world_share_system(team->world, a->rank, b->rank) && cc_selectors_overlap(a->selector, b->selector);
}

/* Of all that use the device of `places[i]`, from i on, one warning; told [places]: those that a warning has named. */
static camcl_status warn_of_device(cc_run *run, const cc_place *places, size_t i, bool *told, camcl_error *err)
{
    const cc_team *team = &run->team;
    cc_text others = CC_TEXT_INIT;
    for (size_t k = i + 1; k < team->all; k++) {
        if (!take_turns(team, &places[i], &places[k])) continue;
        told[k] = true;
        cc_text_add(&others, ", %zu (%s)", places[k].rank, places[k].selector);
    }
    if (others.failed) return cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a warning (close other programs)");
    const camcl_status status =
        others.length == 0 ? CAMCL_OK
                           : cc_run_say(run, err,
                                        "warning: ranks take turns on one device of host %s: %zu (%s)%s (give each rank one of its own: "
                                        "the shell can choose device.select by the rank)",
                                        cc_world_host(team->world, places[i].rank), places[i].rank, places[i].selector, others.data);
    cc_text_free(&others);
    return status;
}

camcl_status cc_team_warn_of_turns(cc_run *run, const cc_place *places, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    bool *told = NULL;
    CC_TRY(CC_NEW(run->team.all, &told, err));
    for (size_t i = 0; i < run->team.all; i++)
        if (!told[i]) CC_TRY(warn_of_device(run, places, i, told, err));
cleanup:
    free(told);
    return status;
}

/* ---- what rank 0 tells */

static camcl_status tell_indices(cc_run *run, uint32_t **indices, size_t count, camcl_error *err)
{
    if (run->follows) CC_RETURN_IF_FAILED(CC_NEW(count, indices, err));
    return count ? cc_world_broadcast(run->team.world, *indices, count * sizeof **indices, err) : CAMCL_OK;
}

static camcl_status tell_text(cc_run *run, char **text, camcl_error *err)
{
    uint64_t size = *text ? strlen(*text) + 1 : 0;
    CC_RETURN_IF_FAILED(cc_world_broadcast(run->team.world, &size, sizeof size, err));
    if (size == 0) return CAMCL_OK;
    if (run->follows) CC_RETURN_IF_FAILED(CC_NEW(size, text, err));
    return cc_world_broadcast(run->team.world, *text, size, err);
}

camcl_status cc_run_brief(cc_run *run, camcl_error *err)
{
    cc_split *s = &run->split;
    uint64_t figures[] = { run->resuming,      run->finished_before, run->state.step, s->labeled_count,
                           s->unlabeled_count, s->validation_count,  s->test_count };
    if (run->team.world == NULL) return CAMCL_OK;
    CC_RETURN_IF_FAILED(cc_world_broadcast(run->team.world, figures, sizeof figures, err));
    if (run->follows) {
        run->resuming = figures[0];
        run->finished_before = figures[1];
        run->state.step = figures[2];
        s->labeled_count = figures[3];
        s->unlabeled_count = figures[4];
        s->validation_count = figures[5];
        s->test_count = figures[6];
    }
    CC_RETURN_IF_FAILED(tell_indices(run, &s->labeled, s->labeled_count, err));
    CC_RETURN_IF_FAILED(tell_indices(run, &s->unlabeled, s->unlabeled_count, err));
    CC_RETURN_IF_FAILED(tell_indices(run, &s->validation, s->validation_count, err));
    CC_RETURN_IF_FAILED(tell_indices(run, &s->test, s->test_count, err));
    return tell_text(run, &run->state.team, err);
}

/* ---- together */

camcl_status cc_run_agree_stop(cc_run *run, bool *stop, camcl_error *err)
{
    /* After the last evaluation there is no training left that its callback could end. */
    const bool by_callback = run->stop_wanted && run->state.step < run->loop.schedule.steps;
    /* A row is owed only where a stop was requested, even if the request was taken back since. */
    const bool own = cc_run_wants_stop(run) || by_callback || cc_run_owes_row(run);
    return cc_world_any(run->team.world, own, stop, err);
}

camcl_status cc_run_leave(cc_run *run, camcl_status status, camcl_error *err)
{
    bool any;
    /* Until all have come as far, or one of them has failed. */
    if (status == CAMCL_OK) status = cc_world_any(run->team.world, false, &any, err);
    run->silent = !cc_world_speaks(run->team.world);
    cc_world_close(&run->team.world, status != CAMCL_OK, err);
    return status;
}
