/* What camcl eval prints. It belongs to the program, not to the library, so its file is taken in here. */
#include "cli/eval_print.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/evaluation.h"
#include "base/json.h"

/* What `print` writes to stdout; the caller frees. */
static char *printed(void (*print)(void *), void *context)
{
    FILE *file = tmpfile();
    char *text = calloc(1, 1 << 16);
    assert_non_null(file);
    assert_non_null(text);
    fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    print(context);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    rewind(file);
    text[fread(text, 1, (1 << 16) - 1, file)] = '\0';
    fclose(file);
    return text;
}

typedef struct sample {
    camcl_evaluation evaluation;
    camcl_breakdown breakdown;
    const char **names;
} sample;

static void as_text(void *context)
{
    const sample *s = context;
    assert_int_equal(cli_eval_text("test", &s->evaluation, &s->breakdown, s->names, NULL), CAMCL_OK);
}

static void as_json(void *context)
{
    const sample *s = context;
    cli_eval_json("validation", &s->evaluation, &s->breakdown, s->names, NULL, 0);
}

/* Class c has 10 images, of which c % 11 are right and the others taken for the class before; the last class has no image. */
static sample make_sample(size_t classes)
{
    sample s = { cc_evaluation_nothing(), { .classes = classes }, calloc(classes, sizeof *s.names) };
    s.breakdown.confusion = calloc(classes * classes, sizeof *s.breakdown.confusion);
    assert_true(s.names && s.breakdown.confusion);
    for (size_t c = 0; c < classes; c++) {
        s.names[c] = c == 1 ? "a \x1b[31mred\nname" : "class";
        if (c + 1 == classes) break;
        s.breakdown.confusion[c * classes + c] = c % 11 > 10 ? 10 : c % 11;
        s.breakdown.confusion[c * classes + (c ? c - 1 : 1)] += 10 - c % 11;
    }
    s.evaluation.n = s.breakdown.n = 10 * (classes - 1);
    *cc_evaluation_at(&s.evaluation, "loss") = 1.5;
    *cc_evaluation_at(&s.evaluation, "top1") = 50;
    *cc_evaluation_at(&s.evaluation, "ece") = 12.345;
    return s;
}

static void free_sample(sample *s)
{
    free(s->breakdown.confusion);
    free(s->names);
}

static void few_classes(void **state)
{
    (void)state;
    sample s = make_sample(3);
    char *text = printed(as_text, &s);
    assert_string_equal(text, "test: 20 images  loss 1.5000  top-1 50.00 % (29.9-70.1)\n"
                              "  calibration error 12.35 %\n"
                              "in brackets: 95 % intervals\n"
                              "\n"
                              "class                  images  precision    recall\n"
                              "class                      10      0.0 %     0.0 %\n"
                              "a \\x1b[31mred\\x0aname      10      9.1 %    10.0 %\n"
                              "class                       0          -         -\n");
    free(text);
    free_sample(&s);
}

/* Of a hundred classes, the ten that need a look. */
static void many_classes(void **state)
{
    (void)state;
    sample s = make_sample(100);
    char *text = printed(as_text, &s);
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 3 + 1 + 1 + 10 + 1);
    assert_non_null(strstr(text, "the 10 classes of lowest recall, of 100 (--json has all)\n"));
    assert_null(strstr(text, "    20.0 %\n")); /* nine classes have a recall of 0, and the tenth one of 10 % */
    assert_non_null(strstr(text, "    10.0 %\n"));
    free(text);
    free_sample(&s);
}

static void no_labels(void **state)
{
    (void)state;
    sample s = make_sample(2);
    s.evaluation = cc_evaluation_nothing();
    s.breakdown.n = 0;
    memset(s.breakdown.confusion, 0, 4 * sizeof *s.breakdown.confusion);
    char *text = printed(as_text, &s);
    assert_non_null(strstr(text, "test: 0 images, none of them with a label\n"));
    assert_null(strstr(text, "nan"));
    free(text);
    free_sample(&s);
}

/* Every number that does not exist is null, and names are escaped. */
static void json(void **state)
{
    (void)state;
    sample s = make_sample(3);
    for (size_t b = 0; b < CAMCL_RELIABILITY_BINS; b++)
        s.breakdown.reliability[b] = (camcl_reliability_bin){ 0, NAN, NAN };
    char *text = printed(as_json, &s);
    cc_json *parsed = NULL;
    double value;
    assert_int_equal(cc_json_parse(text, strlen(text), &parsed, NULL), CAMCL_OK);
    assert_int_equal(cc_json_get(parsed, "top3")->kind, CC_JSON_NULL);
    const cc_json *classes = cc_json_get(parsed, "classes"), *interval = cc_json_get(cc_json_get(parsed, "interval"), "top1");
    assert_int_equal(classes->count, 3);
    assert_true(interval->count == 2 && fabs(interval->items[0].number - 29.93) < 0.01);
    assert_int_equal(cc_json_get(cc_json_get(parsed, "interval"), "top3")->items[0].kind, CC_JSON_NULL);
    assert_string_equal(cc_json_string(cc_json_get(&classes->items[1], "class")), s.names[1]);
    assert_true(cc_json_number(cc_json_get(&classes->items[1], "recall"), &value) && value == 10);
    assert_int_equal(cc_json_get(&classes->items[2], "precision")->kind, CC_JSON_NULL);
    assert_int_equal(cc_json_get(&classes->items[2], "recall_interval")->items[1].kind, CC_JSON_NULL);
    assert_int_equal(cc_json_get(parsed, "reliability")->count, 15);
    assert_int_equal(cc_json_get(&cc_json_get(parsed, "reliability")->items[14], "accuracy")->kind, CC_JSON_NULL);
    cc_json_free(&parsed);
    free(text);
    free_sample(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_classes),
        cmocka_unit_test(many_classes),
        cmocka_unit_test(no_labels),
        cmocka_unit_test(json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
