/* The JSON reader: what it accepts, what it refuses and where, and that no input harms it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"

static cc_json *parse(const char *text)
{
    cc_json *json = NULL;
    camcl_error err = { 0 };
    if (cc_json_parse(text, strlen(text), &json, &err) != CAMCL_OK) fail_msg("%s: %s", text, err.message);
    return json;
}

static void values(void **state)
{
    (void)state;
    cc_json *json = parse(" {\"a\": [1, -2.5e-3, true, false, null, \"x\", [], {}],\r\n\t\"b\":{\"c\":\"d\"}, \"\": 0} ");
    assert_int_equal(json->kind, CC_JSON_OBJECT);
    assert_int_equal(json->count, 3);
    const cc_json *a = cc_json_get(json, "a");
    assert_int_equal(a->kind, CC_JSON_ARRAY);
    assert_int_equal(a->count, 8);
    assert_string_equal(a->name, "a");
    assert_true(a->items[0].number == 1);
    assert_true(a->items[1].number == -2.5e-3);
    assert_true(a->items[2].kind == CC_JSON_BOOL && a->items[2].number == 1);
    assert_true(a->items[3].kind == CC_JSON_BOOL && a->items[3].number == 0);
    assert_int_equal(a->items[4].kind, CC_JSON_NULL);
    assert_string_equal(cc_json_string(&a->items[5]), "x");
    assert_int_equal(a->items[6].count, 0);
    assert_int_equal(a->items[7].kind, CC_JSON_OBJECT);
    assert_string_equal(cc_json_string(cc_json_get(cc_json_get(json, "b"), "c")), "d");
    assert_non_null(cc_json_get(json, ""));
    assert_null(cc_json_get(json, "nothing"));
    assert_null(cc_json_get(a, "a"));
    assert_null(cc_json_get(NULL, "a"));
    assert_null(cc_json_string(a));
    assert_null(cc_json_string(NULL));
    cc_json_free(&json);
    assert_null(json);
    cc_json_free(&json);
    cc_json_free(NULL);
}

static void strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "\"\"", "" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf\"", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf" },
        { "\"\x7f\"", "\x7f" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cc_json *json = parse(cases[i].text);
        assert_string_equal(cc_json_string(json), cases[i].expected);
        cc_json_free(&json);
    }
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double expected;
        bool whole;
    } cases[] = {
        { "0", 0, true },
        { "-0", 0, true },
        { "12", 12, true },
        { "1e3", 1000, true },
        { "1E+2", 100, true },
        { "0.5", 0.5, false },
        { "-1", -1, false },
        { "9007199254740992", 9007199254740992.0, true },
        { "9007199254740994", 9007199254740994.0, false },
        { "1.7976931348623157e308", 1.7976931348623157e308, false },
        { "5e-324", 5e-324, false },
        { "0.1", 0.1, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cc_json *json = parse(cases[i].text);
        double number = -7;
        size_t whole = 12345;
        assert_true(cc_json_number(json, &number));
        assert_true(number == cases[i].expected);
        number = -7;
        assert_true(cc_json_number_of_text(cases[i].text, strlen(cases[i].text), &number));
        assert_true(number == cases[i].expected);
        assert_int_equal(cc_json_size(json, &whole), cases[i].whole);
        if (cases[i].whole)
            assert_true((double)whole == cases[i].expected);
        else
            assert_int_equal(whole, 12345);
        cc_json_free(&json);
    }
    static const char *const others[] = { "", " ", "true", "null", "1,", "1 2", "[1]", "\"1\"", "+1", "01", ".5", "1e999", "nan" };
    cc_json *json = parse("true");
    double number;
    size_t whole;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(cc_json_number_of_text(others[i], strlen(others[i]), &number));
    assert_true(cc_json_number_of_text("1234", 2, &number));
    assert_true(number == 12);
    assert_false(cc_json_number(json, &number));
    assert_false(cc_json_size(json, &whole));
    assert_false(cc_json_number(NULL, &number));
    assert_false(cc_json_size(NULL, &whole));
    cc_json_free(&json);
}

/* A host program may have set a locale whose decimal point is a comma. */
static void numbers_in_other_locales(void **state)
{
    (void)state;
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "fr_FR.utf8" };
    for (size_t i = 0; i < 4; i++)
        if (setlocale(LC_NUMERIC, names[i]) != NULL) break;
    if (strcmp(localeconv()->decimal_point, ",") != 0) skip();
    cc_json *json = parse("2.75");
    double number = 0;
    cc_json_number(json, &number);
    setlocale(LC_NUMERIC, "C");
    assert_true(number == 2.75);
    cc_json_free(&json);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } cases[] = {
        { "", 0 },
        { "  ", 2 },
        { "{", 1 },
        { "[", 1 },
        { "[1", 2 },
        { "[1,", 3 },
        { "[1,]", 3 },
        { "[,1]", 1 },
        { "{,}", 1 },
        { "{\"a\":1,}", 7 },
        { "{\"a\"}", 4 },
        { "{\"a\":}", 5 },
        { "{a:1}", 1 },
        { "{\"a\":1 \"b\":2}", 7 },
        { "[1 2]", 3 },
        { "[1}", 2 },
        { "1 2", 2 },
        { "{} x", 3 },
        { "nul", 0 },
        { "True", 0 },
        { "NaN", 0 },
        { "Infinity", 0 },
        { "-Infinity", 1 },
        { "+1", 0 },
        { ".5", 0 },
        { "1.", 2 },
        { "1e", 2 },
        { "1e+", 3 },
        { "01", 1 },
        { "0x10", 1 },
        { "1e999", 5 },
        { "-", 1 },
        { "'a'", 0 },
        { "\"a", 1 },
        { "\"a\\", 1 },
        { "\"\\x\"", 2 },
        { "\"\\u12\"", 5 },
        { "\"\\u12g4\"", 5 },
        { "\"\\ud800\"", 7 },
        { "\"\\ud800\\u0041\"", 13 },
        { "\"\\udc00\"", 7 },
        { "\"\\u0000\"", 7 },
        { "\"\n\"", 1 },
        { "\"\xc3\"", 1 },
        { "\"\xc0\x80\"", 1 },
        { "\"\xed\xa0\x80\"", 1 },
        { "\"\xf4\x90\x80\x80\"", 1 },
        { "\"\xff\"", 1 },
        { "\"\x80\"", 1 },
        { "\"\xe2\x82\"", 1 },
        { "\xef\xbb\xbf{}", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cc_json *json = NULL;
        camcl_error err = { 0 };
        char expected[64];
        if (cc_json_parse(cases[i].text, strlen(cases[i].text), &json, &err) != CAMCL_BAD_DATA) fail_msg("accepted: %s", cases[i].text);
        assert_null(json);
        snprintf(expected, sizeof expected, "bad JSON at byte %zu: ", cases[i].at);
        if (strncmp(err.message, expected, strlen(expected)) != 0) fail_msg("%s: %s", cases[i].text, err.message);
    }
}

static void refuses_duplicates_depth_and_length(void **state)
{
    (void)state;
    cc_json *json = NULL;
    camcl_error err = { 0 };
    const char *twice = "{\"a\":1,\"b\":2,\"\\u0061\":3}";
    assert_int_equal(cc_json_parse(twice, strlen(twice), &json, &err), CAMCL_BAD_DATA);
    assert_non_null(strstr(err.message, "'a' occurs twice"));

    char deep[300];
    for (size_t depth = 64; depth <= 65; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        camcl_status status = cc_json_parse(deep, 2 * depth, &json, &err);
        assert_int_equal(status, depth == 64 ? CAMCL_OK : CAMCL_BAD_DATA);
        cc_json_free(&json);
    }
    memset(deep, '[', sizeof deep);
    assert_int_equal(cc_json_parse(deep, sizeof deep, &json, NULL), CAMCL_BAD_DATA);
    memset(deep, '1', sizeof deep);
    assert_int_equal(cc_json_parse(deep, 128, &json, NULL), CAMCL_BAD_DATA);
    assert_int_equal(cc_json_parse(deep, 127, &json, NULL), CAMCL_OK);
    cc_json_free(&json);
    assert_int_equal(cc_json_parse("[1]xyz", 3, &json, NULL), CAMCL_OK); /* only `length` bytes are read */
    cc_json_free(&json);
    assert_int_equal(cc_json_parse("{}\0", 3, &json, NULL), CAMCL_BAD_DATA);
}

/* Every truncation is refused; random mutations are accepted or refused, and the sanitizers watch. The text lies at the
 * end of its own allocation, so that reading past it is seen. */
static void survives_damage(void **state)
{
    (void)state;
    static const char seed[] =
        "{\"format\":\"x\\u00e9\\ud83d\\ude00\",\"list\":[0,-1.5e+3,true,null,{\"k\":[]}],\"\xc3\xa9\":\"\\\\\\\"\"}";
    static const char alphabet[] = "{}[]\",:\\u0e9-+.tfn\x00\xc3\x80\xff ";
    enum { LENGTH = sizeof seed - 1 };
    for (size_t length = 0; length < LENGTH; length++) {
        char *cut = malloc(length + 1);
        cc_json *json = NULL;
        memcpy(cut + 1, seed, length);
        assert_int_equal(cc_json_parse(cut + 1, length, &json, NULL), CAMCL_BAD_DATA);
        assert_null(json);
        free(cut);
    }
    cc_rng rng = cc_rng_at(1, CC_RNG_BENCH, 0);
    unsigned accepted = 0, refused = 0;
    double start = cc_seconds();
    for (unsigned i = 0; i < 100000 && cc_seconds() - start < 1.0; i++) {
        size_t length = LENGTH - cc_rng_below(&rng, 4);
        char *text = malloc(length);
        cc_json *json = NULL;
        memcpy(text, seed, length);
        for (uint32_t n = cc_rng_below(&rng, 4); n-- > 0;) {
            uint32_t at = cc_rng_below(&rng, (uint32_t)length);
            text[at] = cc_rng_below(&rng, 2) ? alphabet[cc_rng_below(&rng, sizeof alphabet - 1)] : (char)cc_rng_u32(&rng);
        }
        camcl_status status = cc_json_parse(text, length, &json, NULL);
        assert_true(status == CAMCL_OK || status == CAMCL_BAD_DATA);
        assert_int_equal(json != NULL, status == CAMCL_OK);
        *(status == CAMCL_OK ? &accepted : &refused) += 1;
        cc_json_free(&json);
        free(text);
    }
    assert_true(accepted > 0 && refused > 0);
}

/* Sorting keeps a file of many members from taking quadratic time. */
static void many_members(void **state)
{
    (void)state;
    enum { MEMBERS = 100000 };
    char *text = malloc(MEMBERS * 16 + 3);
    size_t length = 0;
    text[length++] = '{';
    for (unsigned i = 0; i < MEMBERS; i++)
        length += (size_t)sprintf(text + length, "%s\"m%u\":%u", i ? "," : "", i, i % 10);
    text[length++] = '}';
    cc_json *json = NULL;
    double start = cc_seconds();
    assert_int_equal(cc_json_parse(text, length, &json, NULL), CAMCL_OK);
    assert_int_equal(json->count, MEMBERS);
    assert_true(cc_seconds() - start < 5);
    cc_json_free(&json);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),          cmocka_unit_test(strings),
        cmocka_unit_test(numbers),         cmocka_unit_test(numbers_in_other_locales),
        cmocka_unit_test(refusals),        cmocka_unit_test(refuses_duplicates_depth_and_length),
        cmocka_unit_test(survives_damage), cmocka_unit_test(many_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
