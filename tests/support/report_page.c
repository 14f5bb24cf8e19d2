#include "support/report_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scratch.h"

cc_json *report_document(const char *path)
{
    static const char start[] = "<script type=\"application/json\" id=\"data\">";
    size_t size = 0;
    char *page = scratch_read(path, &size);
    if (page == NULL) fail_msg("no page %s", path);
    const char *from = strstr(page, start), *to = from ? strstr(from, "</script") : NULL;
    if (to == NULL) fail_msg("%s has no document", path);
    from += strlen(start);
    cc_json *json = NULL;
    camcl_error err = { 0 };
    if (cc_json_parse(from, (size_t)(to - from), &json, &err) != CAMCL_OK) fail_msg("%s: %s", path, err.message);
    free(page);
    return json;
}

const cc_json *report_run(const cc_json *document, size_t at)
{
    const cc_json *runs = json_at(document, "runs");
    assert_true(at < runs->count);
    return &runs->items[at];
}

const cc_json *json_at(const cc_json *json, const char *path)
{
    for (const char *name = path; *name;) {
        char part[128];
        const size_t length = strcspn(name, "/");
        assert_true(length < sizeof part);
        memcpy(part, name, length);
        part[length] = '\0';
        if (json->kind == CC_JSON_ARRAY) {
            const size_t i = strtoul(part, NULL, 10);
            json = i < json->count ? &json->items[i] : NULL;
        } else {
            json = cc_json_get(json, part);
        }
        if (json == NULL) fail_msg("no %s (of %s)", part, path);
        name += length + (name[length] == '/');
    }
    return json;
}

double json_number_of(const cc_json *json, const char *path)
{
    double value = 0;
    if (!cc_json_number(json_at(json, path), &value)) fail_msg("%s is no number", path);
    return value;
}

const char *json_string_of(const cc_json *json, const char *path)
{
    const char *text = cc_json_string(json_at(json, path));
    if (text == NULL) fail_msg("%s is no string", path);
    return text;
}
