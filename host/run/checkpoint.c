#include "run/checkpoint.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

/* ---- the card */

static const char *const fit_names[] = { [CAMCL_FIT_STRETCH] = "stretch", [CAMCL_FIT_CROP] = "crop", [CAMCL_FIT_PAD] = "pad" };

camcl_status cc_model_card_set_names(cc_model_card *card, const char *const *names, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW(card->graph.classes, &card->class_names, err));
    for (size_t i = 0; i < card->graph.classes; i++)
        CC_RETURN_IF_FAILED(cc_copy_text(names[i], &card->class_names[i], err));
    return CAMCL_OK;
}

void cc_model_card_free(cc_model_card *card)
{
    for (size_t i = 0; card->class_names && i < card->graph.classes; i++)
        free(card->class_names[i]);
    free(card->class_names);
    card->class_names = NULL;
}

static void add_numbers(cc_text *text, const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i) cc_text_add(text, ",");
        cc_text_add_json_number(text, (double)values[i]);
    }
}

camcl_status cc_checkpoint_write(const char *path, const cc_graph *graph, const cc_model_card *card, const cc_snapshot *snapshot,
                                 camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_tensor_list list = { .count = 0 };
    cc_text names = CC_TEXT_INIT, mean = CC_TEXT_INIT, std = CC_TEXT_INIT;
    char width[24], classes[24], channels[24], size[24], step[24];
    snprintf(width, sizeof width, "%zu", graph->spec.width);
    snprintf(classes, sizeof classes, "%zu", graph->spec.classes);
    snprintf(channels, sizeof channels, "%zu", graph->spec.channels);
    snprintf(size, sizeof size, "%zu", card->image_size);
    snprintf(step, sizeof step, "%" PRIu64, card->step);
    add_numbers(&mean, card->mean, graph->spec.channels);
    add_numbers(&std, card->std, graph->spec.channels);
    for (size_t i = 0; i < graph->spec.classes; i++) {
        cc_text_add(&names, i ? "," : "[");
        cc_text_add_json_string(&names, card->class_names[i]);
    }
    cc_text_add(&names, "]");
    if (names.failed || mean.failed || std.failed) {
        status = cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a checkpoint's description (close other programs)");
        goto cleanup;
    }
    /* "pt" is what tools of the PyTorch world look for: names and layouts are theirs. */
    const cc_st_pair metadata[] = { { "format", "pt" },
                                    { "version", "camcl " CAMCL_VERSION },
                                    { "arch", graph->spec.arch },
                                    { "stem", graph->spec.stem },
                                    { "width", width },
                                    { "classes", classes },
                                    { "channels", channels },
                                    { "class_names", names.data },
                                    { "mean", mean.data },
                                    { "std", std.data },
                                    { "image_size", size },
                                    { "step", step },
                                    { "fit", fit_names[card->fit] },
                                    { "dataset", card->dataset } };
    const size_t pairs = CC_COUNT(metadata) - (card->dataset[0] == '\0');
    CC_TRY(cc_tensor_list_add_snapshot(&list, "", graph, snapshot, err));
    CC_TRY(cc_safetensors_write(path, list.tensors, list.count, metadata, pairs, err));
cleanup:
    cc_tensor_list_free(&list);
    cc_text_free(&names);
    cc_text_free(&mean);
    cc_text_free(&std);
    return status;
}

static camcl_status no_checkpoint(const char *path, const char *key, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA,
                   "%s: no checkpoint of camcl: metadata \"%s\" is missing or wrong (give a run's best.safetensors or last.safetensors; "
                   "other weights go into model.init)",
                   path, key);
}

static bool read_size(const cc_safetensors *file, const char *key, unsigned long long limit, unsigned long long *out)
{
    const char *text = cc_safetensors_metadata(file, key);
    char *end;
    if (text == NULL || *text < '0' || *text > '9') return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0' && *out <= limit;
}

/* Numbers with commas between, as many as there are; the host program's locale does not matter. */
static bool read_numbers(const cc_safetensors *file, const char *key, float out[CAMCL_MAX_CHANNELS], size_t *count)
{
    const char *text = cc_safetensors_metadata(file, key);
    *count = 0;
    while (text && *count < CAMCL_MAX_CHANNELS) {
        const size_t length = strcspn(text, ",");
        double value;
        if (!cc_json_number_of_text(text, length, &value) || !(fabs(value) <= FLT_MAX)) return false;
        out[(*count)++] = (float)value;
        if (text[length] == '\0') return true;
        text += length + 1;
    }
    return false;
}

static camcl_status read_names(const char *path, const cc_safetensors *file, cc_model_card *card, camcl_error *err)
{
    static const char key[] = "class_names";
    const char *text = cc_safetensors_metadata(file, key);
    cc_json *json = NULL;
    camcl_status status = text ? cc_json_parse(text, strlen(text), &json, err) : CAMCL_BAD_DATA;
    if (status != CAMCL_OK) return status == CAMCL_NO_MEMORY ? status : no_checkpoint(path, key, err);
    bool good = json->kind == CC_JSON_ARRAY && json->count == card->graph.classes;
    if (good) CC_TRY(CC_NEW(json->count, &card->class_names, err));
    for (size_t i = 0; good && i < json->count; i++) {
        const char *name = cc_json_string(&json->items[i]);
        good = name != NULL;
        if (good) CC_TRY(cc_copy_text(name, &card->class_names[i], err));
    }
    if (!good) status = no_checkpoint(path, key, err);
cleanup:
    cc_json_free(&json);
    return status;
}

static bool read_fit(const cc_safetensors *file, camcl_fit *out)
{
    const char *text = cc_safetensors_metadata(file, "fit");
    size_t i = 0;
    while (text && i < CC_COUNT(fit_names) && strcmp(text, fit_names[i]) != 0)
        i++;
    *out = (camcl_fit)i;
    return i < CC_COUNT(fit_names);
}

static camcl_status read_card(const char *path, const cc_safetensors *file, cc_model_card *card, camcl_error *err)
{
    unsigned long long width, classes, size, step;
    size_t deviations;
    const char *arch = cc_safetensors_metadata(file, "arch"), *stem = cc_safetensors_metadata(file, "stem"),
               *dataset = cc_safetensors_metadata(file, "dataset");
    memset(card, 0, sizeof *card);
    if (arch == NULL || strlen(arch) >= sizeof card->graph.arch) return no_checkpoint(path, "arch", err);
    if (stem == NULL || strlen(stem) >= sizeof card->graph.stem) return no_checkpoint(path, "stem", err);
    if (!read_size(file, "width", 65536, &width)) return no_checkpoint(path, "width", err);
    if (!read_size(file, "classes", 1 << 20, &classes) || classes == 0) return no_checkpoint(path, "classes", err);
    if (!read_size(file, "image_size", 1 << 16, &size) || size == 0) return no_checkpoint(path, "image_size", err);
    if (!read_size(file, "step", UINT64_MAX, &step)) return no_checkpoint(path, "step", err);
    if (dataset && strlen(dataset) >= sizeof card->dataset) return no_checkpoint(path, "dataset", err);
    if (!read_fit(file, &card->fit)) return no_checkpoint(path, "fit", err);
    strcpy(card->graph.arch, arch);
    strcpy(card->graph.stem, stem);
    if (dataset) strcpy(card->dataset, dataset);
    card->graph.width = (size_t)width;
    card->graph.classes = (size_t)classes;
    card->image_size = (size_t)size;
    card->step = step;
    if (!read_numbers(file, "mean", card->mean, &card->graph.channels)) return no_checkpoint(path, "mean", err);
    bool good = read_numbers(file, "std", card->std, &deviations) && deviations == card->graph.channels;
    for (size_t c = 0; good && c < deviations; c++)
        good = card->std[c] > 0;
    if (!good) return no_checkpoint(path, "std", err);
    return read_names(path, file, card, err);
}

camcl_status cc_checkpoint_read(const char *path, cc_safetensors **file, cc_model_card *card, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_safetensors_read(path, file, err));
    camcl_status status = read_card(path, *file, card, err);
    if (status != CAMCL_OK) {
        cc_model_card_free(card);
        cc_safetensors_free(file);
    }
    return status;
}

/* ---- the state */

#define TEST_POOL "split.test"

static const char *const split_names[] = { "split.labeled", "split.unlabeled", "split.validation", TEST_POOL };

#define OBJECTIVE "objective."
#define OBJECTIVE_SUMS "interval.objective"
#define PSEUDO_SUMS "interval.pseudo"

static cc_st_dtype file_dtype(cc_dtype dtype) { return dtype == CC_F32 ? CC_ST_F32 : dtype == CC_I32 ? CC_ST_I32 : CC_ST_U8; }

static size_t kept_bytes(const cc_run_shape *shape, size_t i)
{
    const cc_objective_state *kept = &shape->objective->states[i];
    return kept->count(&shape->sizes) * cc_dtype_bytes(kept->dtype);
}

camcl_status cc_run_state_take_objective(cc_run_state *s, const cc_run_shape *shape, const cc_step *step, camcl_error *err)
{
    for (size_t i = 0; i < shape->objective->state_count; i++) {
        const size_t bytes = kept_bytes(shape, i);
        if (s->objective[i] == NULL) CC_RETURN_IF_FAILED(cc_calloc(bytes, 1, &s->objective[i], err));
        CC_RETURN_IF_FAILED(cc_buffer_read(cc_step_state(step)[i].buffer, 0, s->objective[i], bytes, err));
    }
    return CAMCL_OK;
}

camcl_status cc_run_state_apply_objective(const cc_run_state *s, const cc_run_shape *shape, const cc_step *step, camcl_error *err)
{
    for (size_t i = 0; i < shape->objective->state_count; i++)
        CC_RETURN_IF_FAILED(cc_buffer_write(cc_step_state(step)[i].buffer, 0, s->objective[i], kept_bytes(shape, i), err));
    return CAMCL_OK;
}

static camcl_status add_objective(cc_tensor_list *list, const cc_run_shape *shape, const cc_run_state *s, camcl_error *err)
{
    const cc_objective_kind *kind = shape->objective;
    const size_t sums[] = { kind->sum_count, 4 };
    for (size_t i = 0; i < kind->state_count; i++) {
        const cc_objective_state *kept = &kind->states[i];
        const size_t count = kept->count(&shape->sizes);
        CC_RETURN_IF_FAILED(cc_tensor_list_add(list, OBJECTIVE, kept->name, file_dtype(kept->dtype), 1, &count, s->objective[i], err));
    }
    return kind->sum_count ? cc_tensor_list_add(list, "", OBJECTIVE_SUMS, CC_ST_F64, 2, sums, s->interval.own, err) : CAMCL_OK;
}

static camcl_status add_state(cc_tensor_list *list, const cc_run_shape *shape, const cc_run_state *s, const cc_split *split,
                              camcl_error *err)
{
    const cc_graph *graph = shape->graph;
    const uint32_t *const pools[] = { split->labeled, split->unlabeled, split->validation, split->test };
    const size_t counts[] = { split->labeled_count, split->unlabeled_count, split->validation_count, split->test_count };
    const int64_t steps[] = { (int64_t)s->step, s->has_best, (int64_t)s->best_epoch, (int64_t)s->best_step };
    const double numbers[] = { s->best_score, s->seconds };
    CC_RETURN_IF_FAILED(cc_tensor_list_add_snapshot(list, "model.", graph, &s->now, err));
    if (s->has_best) CC_RETURN_IF_FAILED(cc_tensor_list_add_snapshot(list, "best.", graph, &s->best, err));
    CC_RETURN_IF_FAILED(cc_tensor_list_add_flat(list, "momentum.", graph, s->velocity, err));
    if (s->average.statistics)
        CC_RETURN_IF_FAILED(cc_tensor_list_add_snapshot(list, "ema.", graph, &s->average, err));
    else if (s->average.weights)
        CC_RETURN_IF_FAILED(cc_tensor_list_add_flat(list, "ema.", graph, s->average.weights, err));
    for (size_t i = 0; i < CC_COUNT(split_names); i++)
        CC_RETURN_IF_FAILED(cc_tensor_list_add(list, "", split_names[i], CC_ST_U32, 1, &counts[i], pools[i], err));
    CC_RETURN_IF_FAILED(cc_tensor_list_add(list, "", "steps", CC_ST_I64, 1, &(size_t){ CC_COUNT(steps) }, steps, err));
    CC_RETURN_IF_FAILED(cc_tensor_list_add(list, "", "numbers", CC_ST_F64, 1, &(size_t){ CC_COUNT(numbers) }, numbers, err));
    CC_RETURN_IF_FAILED(cc_tensor_list_add(list, "", "interval", CC_ST_F64, 1, &(size_t){ CC_INTERVAL_SUMS }, s->interval.sums, err));
    const size_t pseudo[] = { shape->sizes.classes, CC_PSEUDO_SUMS };
    if (s->pseudo) CC_RETURN_IF_FAILED(cc_tensor_list_add(list, "", PSEUDO_SUMS, CC_ST_F64, 2, pseudo, s->pseudo, err));
    return add_objective(list, shape, s, err);
}

camcl_status cc_run_state_write(const char *path, const cc_run_shape *shape, const cc_run_state *s, const cc_split *split, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_tensor_list list = { .count = 0 };
    cc_st_pair metadata[9] = { { "format", "camcl state" }, { "version", CAMCL_VERSION }, { "plan", s->plan },
                               { "plan_version", "2" },     { "device", s->device },      { "config", s->config } };
    size_t pairs = 6;
    if (s->data) metadata[pairs++] = (cc_st_pair){ "data", s->data };
    if (s->team) metadata[pairs++] = (cc_st_pair){ "team", s->team };
    if (s->start[0]) metadata[pairs++] = (cc_st_pair){ "start", s->start };
    CC_TRY(add_state(&list, shape, s, split, err));
    CC_TRY(cc_safetensors_write(path, list.tensors, list.count, metadata, pairs, err));
cleanup:
    cc_tensor_list_free(&list);
    return status;
}

static camcl_status read_pool(const cc_safetensors *file, const char *name, uint32_t **pool, size_t *count, camcl_error *err)
{
    const cc_st_tensor *tensor = cc_safetensors_find(file, name);
    *count = tensor && tensor->dims == 1 ? tensor->shape[0] : 0;
    CC_RETURN_IF_FAILED(CC_NEW(*count, pool, err));
    return cc_safetensors_get(file, name, CC_ST_U32, 1, count, *pool, err);
}

static camcl_status read_text(const char *path, const cc_safetensors *file, const char *key, char **out, camcl_error *err)
{
    const char *text = cc_safetensors_metadata(file, key);
    if (text == NULL)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: metadata \"%s\" is missing (start the run afresh in another output.dir)", path, key);
    return cc_copy_text(text, out, err);
}

/* "1.2.3" as one number that compares as the versions do; false: of another form. */
static bool parse_version(const char *text, uint64_t *out)
{
    *out = 0;
    for (int i = 0; i < 3; i++) {
        char *end;
        if (*text < '0' || *text > '9') return false;
        unsigned long part = strtoul(text, &end, 10);
        if (part > 0xffff || *end != (i < 2 ? '.' : '\0')) return false;
        *out = *out << 16 | part;
        text = end + 1;
    }
    return true;
}

/* A state of a later version may hold data that this version would lose when it saves again. */
static camcl_status check_version(const char *path, const cc_safetensors *file, cc_run_state *s, camcl_error *err)
{
    uint64_t own, other;
    const char *format = cc_safetensors_metadata(file, "format");
    if (format == NULL || strcmp(format, "camcl state") != 0)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: no state of a run: metadata \"format\" is missing or wrong (choose another output.dir)",
                       path);
    CC_RETURN_IF_FAILED(read_text(path, file, "version", &s->version, err));
    if (!parse_version(s->version, &other) || !parse_version(CAMCL_VERSION, &own))
        return cc_fail(err, CAMCL_BAD_DATA, "%s: metadata \"version\" is \"%.40s\", no version (choose another output.dir)", path,
                       s->version);
    if (other > own)
        return cc_fail(err, CAMCL_BAD_DATA, "%s: it is of camcl %s, this is " CAMCL_VERSION " (resume with that version or a later one)",
                       path, s->version);
    return CAMCL_OK;
}

static camcl_status read_steps(const char *path, const cc_safetensors *file, cc_run_state *s, camcl_error *err)
{
    static const char *const what[] = { "step", "mark of best weights", "best epoch", "best step" };
    int64_t steps[CC_COUNT(what)];
    CC_RETURN_IF_FAILED(cc_safetensors_get(file, "steps", CC_ST_I64, 1, &(size_t){ CC_COUNT(steps) }, steps, err));
    for (size_t i = 0; i < CC_COUNT(steps); i++)
        if (steps[i] < 0 || (i == 1 && steps[i] > 1))
            return cc_fail(err, CAMCL_BAD_DATA,
                           "%s: the %s is %" PRId64 " (restore an older copy of the file, or choose another output.dir)", path, what[i],
                           steps[i]);
    s->step = (uint64_t)steps[0];
    s->has_best = steps[1] == 1;
    s->best_epoch = (uint64_t)steps[2];
    s->best_step = (uint64_t)steps[3];
    return CAMCL_OK;
}

static camcl_status read_objective(const cc_safetensors *file, const cc_run_shape *shape, cc_run_state *s, camcl_error *err)
{
    const cc_objective_kind *kind = shape->objective;
    const size_t sums[] = { kind->sum_count, 4 };
    for (size_t i = 0; i < kind->state_count; i++) {
        const cc_objective_state *kept = &kind->states[i];
        const size_t count = kept->count(&shape->sizes);
        char name[160];
        snprintf(name, sizeof name, OBJECTIVE "%s", kept->name);
        CC_RETURN_IF_FAILED(cc_calloc(kept_bytes(shape, i), 1, &s->objective[i], err));
        CC_RETURN_IF_FAILED(cc_safetensors_get(file, name, file_dtype(kept->dtype), 1, &count, s->objective[i], err));
    }
    if (kind->sum_count == 0 || cc_safetensors_find(file, OBJECTIVE_SUMS) == NULL) return CAMCL_OK;
    return cc_safetensors_get(file, OBJECTIVE_SUMS, CC_ST_F64, 2, sums, s->interval.own, err);
}

/* A file from before pseudo-labels were counted cannot tell those of an interval that had begun. */
static camcl_status read_pseudo(const cc_safetensors *file, const cc_run_shape *shape, cc_run_state *s, camcl_error *err)
{
    const size_t dims[] = { shape->sizes.classes, CC_PSEUDO_SUMS };
    if (!cc_objective_learns_unlabeled(shape->objective)) return CAMCL_OK;
    CC_RETURN_IF_FAILED(CC_NEW(dims[0] * dims[1], &s->pseudo, err));
    if (cc_safetensors_find(file, PSEUDO_SUMS)) return cc_safetensors_get(file, PSEUDO_SUMS, CC_ST_F64, 2, dims, s->pseudo, err);
    for (size_t i = 0; i < dims[0] * dims[1] && s->interval.sums[CC_SUM_STEPS] > 0; i++)
        s->pseudo[i] = NAN;
    return CAMCL_OK;
}

/* A file from before test sets were held out has no pool of them. */
static camcl_status read_split(const cc_safetensors *file, cc_split *split, camcl_error *err)
{
    uint32_t **const pools[] = { &split->labeled, &split->unlabeled, &split->validation, &split->test };
    size_t *const counts[] = { &split->labeled_count, &split->unlabeled_count, &split->validation_count, &split->test_count };
    for (size_t i = 0; i < CC_COUNT(split_names); i++) {
        if (strcmp(split_names[i], TEST_POOL) == 0 && cc_safetensors_find(file, TEST_POOL) == NULL) continue;
        CC_RETURN_IF_FAILED(read_pool(file, split_names[i], pools[i], counts[i], err));
    }
    return CAMCL_OK;
}

static camcl_status read_texts(const char *path, const cc_safetensors *file, cc_run_state *s, camcl_error *err)
{
    const char *data = cc_safetensors_metadata(file, "data"), *start = cc_safetensors_metadata(file, "start"),
               *team = cc_safetensors_metadata(file, "team");
    snprintf(s->start, sizeof s->start, "%s", start ? start : "");
    CC_RETURN_IF_FAILED(check_version(path, file, s, err));
    CC_RETURN_IF_FAILED(read_text(path, file, "plan", &s->plan, err));
    s->first_plan = cc_safetensors_metadata(file, "plan_version") == NULL;
    CC_RETURN_IF_FAILED(read_text(path, file, "device", &s->device, err));
    CC_RETURN_IF_FAILED(read_text(path, file, "config", &s->config, err));
    if (team) CC_RETURN_IF_FAILED(cc_copy_text(team, &s->team, err));
    return data ? cc_copy_text(data, &s->data, err) : CAMCL_OK;
}

static camcl_status read_average(const cc_safetensors *file, const cc_graph *graph, cc_run_state *s, camcl_error *err)
{
    for (size_t i = 0; i < graph->param_count; i++) {
        char name[160];
        snprintf(name, sizeof name, "ema.%s", graph->params[i].name);
        if (cc_param_is_statistic(&graph->params[i]) && cc_safetensors_find(file, name))
            return cc_snapshot_from_file(file, "ema.", graph, &s->average, err);
    }
    CC_RETURN_IF_FAILED(CC_NEW(graph->trained, &s->average.weights, err));
    return cc_flat_from_file(file, "ema.", graph, s->average.weights, err);
}

static camcl_status read_state(const char *path, const cc_safetensors *file, const cc_run_shape *shape, cc_run_state *s, cc_split *split,
                               camcl_error *err)
{
    const cc_graph *graph = shape->graph;
    double numbers[2];
    CC_RETURN_IF_FAILED(read_texts(path, file, s, err));
    CC_RETURN_IF_FAILED(read_steps(path, file, s, err));
    CC_RETURN_IF_FAILED(cc_safetensors_get(file, "numbers", CC_ST_F64, 1, &(size_t){ CC_COUNT(numbers) }, numbers, err));
    CC_RETURN_IF_FAILED(cc_safetensors_get(file, "interval", CC_ST_F64, 1, &(size_t){ CC_INTERVAL_SUMS }, s->interval.sums, err));
    CC_RETURN_IF_FAILED(read_objective(file, shape, s, err));
    CC_RETURN_IF_FAILED(read_pseudo(file, shape, s, err));
    s->best_score = numbers[0];
    s->seconds = numbers[1];
    CC_RETURN_IF_FAILED(cc_snapshot_from_file(file, "model.", graph, &s->now, err));
    CC_RETURN_IF_FAILED(cc_snapshot_allocate(&s->best, graph, err));
    if (s->has_best) CC_RETURN_IF_FAILED(cc_snapshot_from_file(file, "best.", graph, &s->best, err));
    CC_RETURN_IF_FAILED(CC_NEW(graph->trained, &s->velocity, err));
    CC_RETURN_IF_FAILED(cc_flat_from_file(file, "momentum.", graph, s->velocity, err));
    if (shape->average) CC_RETURN_IF_FAILED(read_average(file, graph, s, err));
    return read_split(file, split, err);
}

/* A state cannot be downloaded again as weights can. */
static camcl_status read_file(const char *path, cc_safetensors **file, camcl_error *err)
{
    camcl_error why;
    const camcl_status status = cc_safetensors_read(path, file, &why);
    if (status == CAMCL_OK) return CAMCL_OK;
    char *advice = strstr(why.message, " (copy or download");
    if (status != CAMCL_BAD_DATA || advice == NULL) return cc_fail(err, status, "%s", why.message);
    *advice = '\0';
    return cc_fail(err, status, "%s (restore an older copy of it, or start anew in another output.dir)", why.message);
}

camcl_status cc_run_state_read_texts(const char *path, cc_run_state *s, camcl_error *err)
{
    cc_safetensors *file = NULL;
    memset(s, 0, sizeof *s);
    CC_RETURN_IF_FAILED(read_file(path, &file, err));
    camcl_status status = read_texts(path, file, s, err);
    cc_safetensors_free(&file);
    return status;
}

camcl_status cc_run_state_read(const char *path, const cc_run_shape *shape, cc_run_state *s, cc_split *split, camcl_error *err)
{
    cc_safetensors *file = NULL;
    memset(s, 0, sizeof *s);
    memset(split, 0, sizeof *split);
    CC_RETURN_IF_FAILED(read_file(path, &file, err));
    camcl_status status = read_state(path, file, shape, s, split, err);
    cc_safetensors_free(&file);
    return status;
}

void cc_run_state_free(cc_run_state *s)
{
    cc_snapshot_free(&s->now);
    cc_snapshot_free(&s->best);
    free(s->velocity);
    cc_snapshot_free(&s->average);
    free(s->pseudo);
    for (size_t i = 0; i < CC_MOST_OBJECTIVE_STATES; i++)
        free(s->objective[i]);
    free(s->plan);
    free(s->device);
    free(s->team);
    free(s->config);
    free(s->data);
    free(s->version);
    memset(s, 0, sizeof *s);
}
