#include "run/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/evaluation.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

cc_result cc_result_nothing(void)
{
    return (cc_result){ .best_epoch = NAN,
                        .best_val_top1 = NAN,
                        .test = cc_evaluation_nothing(),
                        .seconds = NAN,
                        .width = NAN,
                        .labeled = NAN,
                        .unlabeled = NAN };
}

static void add_number(cc_text *text, const char *before, double value)
{
    cc_text_add(text, "%s", before);
    cc_text_add_json_number(text, value);
}

static void add_optional_number(cc_text *text, const char *before, double value)
{
    if (isfinite(value)) add_number(text, before, value);
}

static void add_optional_string(cc_text *text, const char *before, const char *value)
{
    if (value[0] == '\0') return;
    cc_text_add(text, "%s", before);
    cc_text_add_json_string(text, value);
}

static void add_interval(cc_text *text, double percent, size_t n)
{
    const camcl_interval interval = camcl_wilson_interval(percent, (double)n);
    add_number(text, "[", interval.low);
    add_number(text, ", ", interval.high);
    cc_text_add(text, "]");
}

static void add_test(cc_text *text, const camcl_evaluation *test)
{
    size_t count, intervals = 0;
    const camcl_metric *metrics = camcl_metric_list(&count);
    cc_text_add(text, "\"test\": {\"n\": %zu", test->n);
    for (size_t i = 0; i < count; i++) {
        cc_text_add(text, ", \"%s\": ", metrics[i].name);
        cc_text_add_json_number(text, test->values[i]);
    }
    cc_text_add(text, "},\n  \"interval\": {");
    for (size_t i = 0; i < count; i++) {
        if (metrics[i].unit != CAMCL_PERCENT) continue;
        cc_text_add(text, "%s\"%s\": ", intervals++ ? ", " : "", metrics[i].name);
        add_interval(text, test->values[i], test->n);
    }
    cc_text_add(text, "}");
}

static void add_classes(cc_text *text, const camcl_breakdown *b, const char *const *names)
{
    cc_text_add(text, ",\n  \"classes\": [");
    for (size_t c = 0; c < b->classes; c++) {
        const camcl_class_figures f = camcl_class_figures_of(b->confusion, b->classes, c);
        cc_text_add(text, "%s\n    {\"class\": ", c ? "," : "");
        cc_text_add_json_string(text, names[c]);
        cc_text_add(text, ", \"n\": %zu, \"predicted\": %zu, \"right\": %zu", f.images, f.predicted, f.right);
        add_number(text, ", \"precision\": ", f.precision);
        add_number(text, ", \"recall\": ", f.recall);
        cc_text_add(text, "}");
    }
    cc_text_add(text, "]");
}

static void add_reliability(cc_text *text, const camcl_reliability_bin *bins)
{
    cc_text_add(text, ",\n  \"reliability\": [");
    for (size_t b = 0; b < CAMCL_RELIABILITY_BINS; b++) {
        add_number(text, b ? ",\n    {\"from\": " : "\n    {\"from\": ", 100.0 * (double)b / CAMCL_RELIABILITY_BINS);
        add_number(text, ", \"to\": ", 100.0 * (double)(b + 1) / CAMCL_RELIABILITY_BINS);
        cc_text_add(text, ", \"n\": %zu", bins[b].n);
        add_number(text, ", \"confidence\": ", bins[b].confidence);
        add_number(text, ", \"accuracy\": ", bins[b].accuracy);
        cc_text_add(text, "}");
    }
    cc_text_add(text, "]");
}

camcl_status cc_result_write(const char *path, const cc_result *result, const camcl_breakdown *breakdown, const char *const *names,
                             camcl_error *err)
{
    cc_text text = CC_TEXT_INIT;
    add_number(&text, "{\n  \"best\": {\"epoch\": ", result->best_epoch);
    add_number(&text, ", \"val_top1\": ", result->best_val_top1);
    cc_text_add(&text, "},\n  ");
    add_test(&text, &result->test);
    add_number(&text, ",\n  \"seconds\": ", result->seconds);
    cc_text_add(&text, ",\n  \"device\": ");
    cc_text_add_json_string(&text, result->device);
    add_optional_string(&text, ",\n  \"mode\": ", result->mode);
    add_optional_string(&text, ",\n  \"arch\": ", result->arch);
    add_optional_number(&text, ",\n  \"width\": ", result->width);
    add_optional_number(&text, ",\n  \"labeled\": ", result->labeled);
    add_optional_number(&text, ",\n  \"unlabeled\": ", result->unlabeled);
    add_optional_string(&text, ",\n  \"preset\": ", result->preset);
    if (breakdown) add_classes(&text, breakdown, names);
    if (result->has_reliability) add_reliability(&text, result->reliability);
    cc_text_add(&text, "\n}\n");
    return cc_file_write_built(path, &text, err);
}

static void get_number(const cc_json *object, const char *name, double *out)
{
    if (!cc_json_number(cc_json_get(object, name), out)) *out = NAN;
}

static void get_string(const cc_json *object, const char *name, char *out, size_t size)
{
    const char *value = cc_json_string(cc_json_get(object, name));
    size_t length = value == NULL ? 0 : cc_min_size(strlen(value), size - 1);
    while (length > 0 && value[length] != '\0' && ((unsigned char)value[length] & 0xC0) == 0x80)
        length--; /* do not cut inside a UTF-8 sequence */
    if (length > 0) memcpy(out, value, length);
    out[length] = '\0';
}

/* Bins that are not as they are written are not known. */
static bool get_reliability(const cc_json *json, camcl_reliability_bin *bins)
{
    const cc_json *list = cc_json_get(json, "reliability");
    if (list == NULL || list->kind != CC_JSON_ARRAY || list->count != CAMCL_RELIABILITY_BINS) return false;
    for (size_t b = 0; b < CAMCL_RELIABILITY_BINS; b++) {
        if (!cc_json_size(cc_json_get(&list->items[b], "n"), &bins[b].n)) return false;
        get_number(&list->items[b], "confidence", &bins[b].confidence);
        get_number(&list->items[b], "accuracy", &bins[b].accuracy);
    }
    return true;
}

camcl_status cc_result_read(const char *path, cc_result *result, camcl_error *err)
{
    char *data;
    size_t size, metric_count;
    const camcl_metric *metrics = camcl_metric_list(&metric_count);
    cc_json *json;
    *result = cc_result_nothing();
    CC_RETURN_IF_FAILED(cc_file_read(path, &data, &size, err));
    camcl_status status = cc_json_parse(data, size, &json, err);
    free(data);
    if (status == CAMCL_OK && json->kind != CC_JSON_OBJECT) status = cc_fail(err, CAMCL_BAD_DATA, "no JSON object");
    if (status != CAMCL_OK) {
        cc_context(err, "'%s'", path);
        cc_json_free(&json);
        return status;
    }
    const cc_json *best = cc_json_get(json, "best"), *test = cc_json_get(json, "test");
    get_number(best, "epoch", &result->best_epoch);
    get_number(best, "val_top1", &result->best_val_top1);
    for (size_t i = 0; i < metric_count; i++)
        get_number(test, metrics[i].name, &result->test.values[i]);
    (void)cc_json_size(cc_json_get(test, "n"), &result->test.n);
    result->has_reliability = get_reliability(json, result->reliability);
    get_number(json, "seconds", &result->seconds);
    get_number(json, "width", &result->width);
    get_number(json, "labeled", &result->labeled);
    get_number(json, "unlabeled", &result->unlabeled);
    get_string(json, "device", result->device, sizeof result->device);
    get_string(json, "mode", result->mode, sizeof result->mode);
    get_string(json, "arch", result->arch, sizeof result->arch);
    get_string(json, "preset", result->preset, sizeof result->preset);
    cc_json_free(&json);
    return CAMCL_OK;
}
