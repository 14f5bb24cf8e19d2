/* Who takes how much of a batch. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/value.h"
#include "model/fit.h"
#include "run/parts.h"
#include "train/team_internal.h"

static camcl_status out_of_text(camcl_error *err)
{
    return cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a text about the devices (close other programs)");
}

/* ---- which devices there are */

/* One text of those of all processes. */
static camcl_status join_texts(const cc_run *run, const char *own, char **out, camcl_error *err)
{
    char **texts = NULL;
    cc_text all = CC_TEXT_INIT;
    const size_t size = cc_world_size(run->team.world);
    if (run->team.world == NULL) return cc_copy_text(own, out, err);
    CC_RETURN_IF_FAILED(cc_world_gather_texts(run->team.world, own, &texts, err));
    for (size_t i = 0; i < size; i++) {
        cc_text_add(&all, "%s", texts[i]);
        free(texts[i]);
    }
    free(texts);
    const camcl_status status = all.failed ? out_of_text(err) : cc_copy_text(all.data ? all.data : "", out, err);
    cc_text_free(&all);
    return status;
}

static bool starts_with(const char *text, const char *word) { return strncmp(text, word, strlen(word)) == 0; }
static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

/* The line of this index among those that start with `word`; NULL: there are fewer. */
static const char *find_line(const char *text, const char *word, size_t index)
{
    for (const char *line = text; *line; line = next_line(line))
        if (starts_with(line, word) && index-- == 0) return line;
    return NULL;
}

static size_t count_lines(const char *text, const char *word)
{
    size_t count = 0;
    while (find_line(text, word, count))
        count++;
    return count;
}

static bool same_line(const char *a, const char *b)
{
    const size_t length = (size_t)(next_line(a) - a);
    return length == (size_t)(next_line(b) - b) && strncmp(a, b, length) == 0;
}

#define DEVICE "device "
#define SHARE "share "
#define PLAN "plan "

/* "device PLATFORM | NAME | ..." */
static void add_identity(const cc_run *run, size_t i, cc_text *text)
{
    char identity[640];
    cc_run_identify_device(device_of(run, i), identity, sizeof identity);
    cc_text_add(text, DEVICE "%s | %u compute units\n", identity, camcl_device_get_info(device_of(run, i))->compute_units);
}

/* The identities of all devices, and how many there are before this process's and in all. */
static camcl_status list_devices(cc_run *run, char **out, camcl_error *err)
{
    cc_text own = CC_TEXT_INIT;
    uint64_t *counts = NULL;
    cc_team *team = &run->team;
    const size_t size = cc_world_size(team->world);
    camcl_status status = CAMCL_OK;
    *out = NULL;
    for (size_t i = 0; i < own_count(team); i++)
        add_identity(run, i, &own);
    if (own.failed) CC_TRY(out_of_text(err));
    CC_TRY(join_texts(run, own.data, out, err));
    team->all = count_lines(*out, DEVICE);
    CC_TRY(CC_NEW(size, &counts, err));
    if (team->world) CC_TRY(cc_world_gather(team->world, &(uint64_t){ own_count(team) }, sizeof *counts, counts, err));
    for (size_t i = 0; i < cc_world_rank(team->world); i++)
        team->first += counts[i];
cleanup:
    free(counts);
    cc_text_free(&own);
    return status;
}

/* ---- shares */

/* A step as large as it would be if all devices took as much. */
typedef struct measured {
    cc_run *run;
    size_t index; /* of the device */
    cc_model *model;
    cc_resident *images;
    cc_step_spec spec;
    cc_step *step;
} measured;

static camcl_status record_measured(void *context, cc_arena *arena, camcl_error *err)
{
    measured *m = context;
    cc_step_destroy(&m->step);
    return cc_step_create(m->model, m->images, &m->spec, arena, &m->step, err);
}

static camcl_status say_measured(void *context, const char *line, camcl_error *err)
{
    const measured *m = context;
    return cc_run_say(m->run, err, "%s: %s", selector_of(m->run, m->index), line);
}

/* The images per second of one device alone. */
static camcl_status measure(cc_run *run, size_t i, double *rate, camcl_error *err)
{
    enum { WARM_UP = 1, TIMED = 3 };
    camcl_status status = CAMCL_OK;
    cc_team *team = &run->team;
    measured m = { run, i, model_of(run, i), i == 0 ? run->train_images : team->others[i - 1].images, run->settings.step, NULL };
    cc_augment_options augment = run->settings.augment;
    cc_arena *arena = NULL;
    cc_draws draws = { .labeled = NULL };
    cc_step_sums read;
    double best = 0;
    m.spec.batch_labeled = cc_ceil_div(m.spec.batch_labeled, team->all);
    m.spec.batch_unlabeled = cc_ceil_div(m.spec.batch_unlabeled, team->all);
    const size_t labeled = m.spec.batch_labeled,
                 unlabeled = cc_objective_learns_unlabeled(m.spec.objective.kind) ? m.spec.batch_unlabeled : 0;
    CC_TRY(cc_draws_create(&augment, labeled, unlabeled, cc_objective_has_cams(&m.spec.objective), &draws, err));
    CC_TRY(cc_arena_create(device_of(run, i), &arena, err));
    CC_TRY(cc_model_commit(m.model, arena, &(cc_recording){ record_measured, say_measured, &m }, err));
    for (int k = 0; k < WARM_UP + TIMED; k++) {
        cc_readback *sums = NULL;
        const double start = cc_seconds();
        cc_sampler_batch(run->labeled, 0, labeled, run->sources);
        cc_draw_labeled(&augment, 0, run->sources, &draws);
        if (unlabeled) cc_sampler_batch(run->unlabeled, 0, unlabeled, run->sources);
        if (unlabeled) cc_draw_unlabeled(&augment, 0, run->sources, &draws);
        const cc_step_input input = cc_step_input_of(&draws, 0, 0);
        CC_TRY(cc_step_run(m.step, &input, &sums, err));
        CC_TRY(cc_step_read(&sums, &read, err));
        CC_TRY(cc_device_finish(device_of(run, i), err));
        const double seconds = cc_seconds() - start;
        if (k == WARM_UP || (k > WARM_UP && seconds < best)) best = seconds;
    }
    *rate = cc_parts_share(labeled + unlabeled, best);
cleanup:
    cc_arena_destroy(&arena);
    cc_step_destroy(&m.step);
    cc_draws_free(&draws);
    return cc_team_of_device(run, i, status, err);
}

/* Whether all devices are of one kind, so that equal shares take equal time. */
static bool are_alike(const char *devices)
{
    for (size_t i = 1; find_line(devices, DEVICE, i); i++)
        if (!same_line(devices, find_line(devices, DEVICE, i))) return false;
    return true;
}

/* One number a line. Of what other machines wrote nothing depends on their locale, or on this one's. */
static camcl_status read_rates(const char *text, double *rates, size_t count, camcl_error *err)
{
    for (size_t i = 0; i < count; i++, text = next_line(text)) {
        char number[32];
        snprintf(number, sizeof number, "%.*s", (int)strcspn(text, "\n"), text);
        if (!cc_parse_number(number, &rates[i]))
            return cc_fail(err, CAMCL_FAILED, "device %zu of %zu: its speed is %s, which is no number (give device.share)", i + 1, count,
                           number);
    }
    return CAMCL_OK;
}

/* Of each device of all processes, a number to which its share is proportional. The caller frees *rates. */
static camcl_status find_rates(cc_run *run, const char *devices, double **rates, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_team *team = &run->team;
    const bool automatic = camcl_config_is(run->config, "device.share", "auto"), alike = are_alike(devices);
    cc_text own = CC_TEXT_INIT;
    char *all = NULL;
    CC_TRY(CC_NEW(team->all, rates, err));
    cc_world_busy(team->world); /* measuring may take long: kernels are compiled, and a slow device takes steps */
    if (!automatic) camcl_config_numbers(run->config, "device.share", *rates, own_count(team));
    for (size_t i = 0; i < own_count(team); i++) {
        if (automatic && alike) (*rates)[i] = 1;
        if (automatic && !alike) CC_TRY(measure(run, i, &(*rates)[i], err));
        cc_text_add_json_number(&own, (*rates)[i]);
        cc_text_add(&own, "\n");
    }
    if (own.failed) CC_TRY(out_of_text(err));
    CC_TRY(join_texts(run, own.data, &all, err));
    CC_TRY(read_rates(all, *rates, team->all, err));
cleanup:
    cc_text_free(&own);
    free(all);
    return status;
}

static camcl_status use_parts(cc_run *run, camcl_error *err)
{
    cc_team *team = &run->team;
    run->settings.step.own = team->parts[team->first];
    return cc_exchange_create(own_count(team), team->world, &team->exchange, err);
}

/* The shares of the saved state, if it was saved with these devices and batches. */
static bool take_saved(const cc_run *run, const char *devices)
{
    const cc_team *team = &run->team;
    const cc_step_spec *step = &run->settings.step;
    const size_t u = cc_objective_learns_unlabeled(step->objective.kind) ? step->batch_unlabeled : 0;
    cc_part next = { 0, 0, 0, 0 };
    if (run->state.team == NULL || count_lines(run->state.team, DEVICE) != team->all) return false;
    for (size_t i = 0; i < team->all; i++) {
        const char *share = find_line(run->state.team, SHARE, i);
        if (!same_line(find_line(run->state.team, DEVICE, i), find_line(devices, DEVICE, i))) return false;
        next = (cc_part){ next.labeled0 + next.labeled, 0, next.unlabeled0 + next.unlabeled, 0 };
        if (share == NULL || sscanf(share, SHARE "%zu %zu", &next.labeled, &next.unlabeled) != 2) return false;
        if (next.labeled == 0 || next.labeled > step->batch_labeled || (u > 0) != (next.unlabeled > 0) || next.unlabeled > u) return false;
        team->parts[i] = next;
    }
    return next.labeled0 + next.labeled == step->batch_labeled && next.unlabeled0 + next.unlabeled == u;
}

/* The kernels that the saved state names for the devices of this process. It has a plan of the first device besides, which also knows the
 * kernels of evaluations and has been taken already. */
static camcl_status take_plans(cc_run *run, camcl_error *err)
{
    for (size_t i = 0; i < own_count(&run->team); i++) {
        cc_text plan = CC_TEXT_INIT;
        if (model_of(run, i)->plan.count > 0) continue;
        const char *line = next_line(find_line(run->state.team, DEVICE, run->team.first + i));
        for (; *line && !starts_with(line, DEVICE); line = next_line(line))
            if (starts_with(line, PLAN)) cc_text_add(&plan, "%.*s", (int)(next_line(line) - line - (int)strlen(PLAN)), line + strlen(PLAN));
        camcl_status status = plan.failed ? out_of_text(err) : CAMCL_OK;
        if (status == CAMCL_OK && plan.data) status = cc_plan_parse(&model_of(run, i)->plan, plan.data, err);
        cc_text_free(&plan);
        CC_RETURN_IF_FAILED(cc_team_of_device(run, i, status, err));
    }
    return CAMCL_OK;
}

static camcl_status say_shares(cc_run *run, const char *devices, const cc_place *places, camcl_error *err)
{
    const cc_team *team = &run->team;
    const cc_step_spec *step = &run->settings.step;
    for (size_t i = 0; i < team->all; i++) {
        const char *host = team->world ? cc_world_host(team->world, places[i].rank) : NULL;
        const char *line = find_line(devices, DEVICE, i) + strlen(DEVICE), *name = strstr(line, "| ");
        const size_t length = name ? strcspn(name + 2, "|\n") : 0;
        const cc_part *part = &team->parts[i];
        char unlabeled[64] = "";
        if (part->unlabeled) snprintf(unlabeled, sizeof unlabeled, " and %zu of %zu unlabelled", part->unlabeled, step->batch_unlabeled);
        CC_RETURN_IF_FAILED(cc_run_say(run, err, "device %zu of %zu: %s%s%s, %.*s: takes %zu of %zu labelled%s images of a batch", i + 1,
                                       team->all, places[i].selector, host ? " of host " : "", host ? host : "",
                                       (int)(length ? length - 1 : 0), name ? name + 2 : "", part->labeled, step->batch_labeled,
                                       unlabeled));
    }
    return cc_team_warn_of_turns(run, places, err);
}

static camcl_status say_other_devices(cc_run *run, camcl_error *err)
{
    return cc_run_say(run, err, "resuming on other devices than before: results may differ in the last bits");
}

/* Whether shares are given in numbers. Numbers of one process and measured speeds of another have no common scale. */
static camcl_status are_given(const cc_run *run, bool *given, camcl_error *err)
{
    const bool own = !camcl_config_is(run->config, "device.share", "auto");
    bool automatic;
    CC_RETURN_IF_FAILED(cc_world_any(run->team.world, own, given, err));
    CC_RETURN_IF_FAILED(cc_world_any(run->team.world, !own, &automatic, err));
    if (!*given || !automatic) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_CONFIG, "device.share: some ranks give numbers, others auto (give numbers to all of them, or to none)");
}

/* What unlike devices were measured at, so that people see what their shares come from, and can give them. */
static camcl_status say_speeds(cc_run *run, const double *rates, camcl_error *err)
{
    cc_text speeds = CC_TEXT_INIT;
    for (size_t i = 0; i < run->team.all; i++)
        cc_text_add(&speeds, "%s%.0f", i ? ", " : "", rates[i]);
    const camcl_status status =
        speeds.failed ? out_of_text(err) : cc_run_say(run, err, "shares by measured speed: %s images/s", speeds.data);
    cc_text_free(&speeds);
    return status;
}

/* By the numbers of device.share, or by speed. */
static camcl_status divide_anew(cc_run *run, const char *devices, camcl_error *err)
{
    const cc_team *team = &run->team;
    const cc_step_spec *step = &run->settings.step;
    const size_t unlabeled = cc_objective_learns_unlabeled(step->objective.kind) ? step->batch_unlabeled : 0;
    double *rates = NULL;
    camcl_status status = find_rates(run, devices, &rates, err);
    if (status == CAMCL_OK && camcl_config_is(run->config, "device.share", "auto") && !are_alike(devices))
        status = say_speeds(run, rates, err);
    if (status == CAMCL_OK) status = cc_parts_divide(step->batch_labeled, unlabeled, rates, team->all, team->parts, err);
    free(rates);
    return status;
}

/* Shares that are given count in a resumed run, too, where they are not those that it has. */
static camcl_status divide(cc_run *run, const char *devices, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const size_t bytes = run->team.all * sizeof(cc_part);
    cc_part *before = NULL;
    bool given;
    CC_RETURN_IF_FAILED(are_given(run, &given, err));
    const bool saved = take_saved(run, devices);
    if (saved && !given) return take_plans(run, err);
    if (run->resuming && !saved) CC_RETURN_IF_FAILED(say_other_devices(run, err));
    CC_TRY(CC_NEW(run->team.all, &before, err));
    memcpy(before, run->team.parts, bytes);
    CC_TRY(divide_anew(run, devices, err));
    if (!saved) goto cleanup;
    if (memcmp(before, run->team.parts, bytes) == 0)
        CC_TRY(take_plans(run, err));
    else
        CC_TRY(cc_run_say(run, err, "resuming with other shares than before: results may differ in the last bits"));
cleanup:
    free(before);
    return status;
}

camcl_status cc_team_divide(cc_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_team *team = &run->team;
    char *devices = NULL;
    cc_place *places = NULL;
    CC_TRY(list_devices(run, &devices, err));
    if (team->all == 1) {
        if (run->state.team) CC_TRY(say_other_devices(run, err));
        goto cleanup;
    }
    CC_TRY(CC_NEW(team->all, &team->parts, err));
    CC_TRY(divide(run, devices, err));
    CC_TRY(use_parts(run, err));
    CC_TRY(cc_team_find_places(run, &places, err));
    CC_TRY(say_shares(run, devices, places, err));
cleanup:
    free(places);
    free(devices);
    return status;
}

/* ---- for the state */

static camcl_status describe(const cc_run *run, size_t i, cc_text *text, camcl_error *err)
{
    const cc_part *part = &run->team.parts[run->team.first + i];
    char *plan = NULL;
    CC_RETURN_IF_FAILED(cc_plan_format(&model_of(run, i)->plan, &plan, err));
    add_identity(run, i, text);
    cc_text_add(text, SHARE "%zu %zu\n", part->labeled, part->unlabeled);
    for (const char *line = plan; *line; line = next_line(line))
        cc_text_add(text, PLAN "%.*s", (int)(next_line(line) - line), line);
    free(plan);
    return CAMCL_OK;
}

camcl_status cc_team_describe(cc_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_team *team = &run->team;
    cc_text own = CC_TEXT_INIT;
    if (team->exchange == NULL) return CAMCL_OK;
    for (size_t i = 0; i < own_count(team); i++)
        CC_TRY(describe(run, i, &own, err));
    if (own.failed) CC_TRY(out_of_text(err));
    free(team->plans);
    team->plans = NULL;
    CC_TRY(join_texts(run, own.data, &team->plans, err));
cleanup:
    cc_text_free(&own);
    return status;
}
