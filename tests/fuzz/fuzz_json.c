/* JSON; texts that were read are written so that they are read again as the same. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "fuzz.h"

static void check(const cc_json *json)
{
    cc_text text = CC_TEXT_INIT;
    cc_json *again = NULL;
    double number;
    size_t whole;
    (void)cc_json_number(json, &number);
    (void)cc_json_size(json, &whole);
    if (cc_json_string(json)) {
        cc_text_add_json_string(&text, json->string);
        fuzz_expect(cc_json_parse(text.data, text.length, &again, NULL) == CAMCL_OK && strcmp(again->string, json->string) == 0,
                    "a text that was read is written and read as the same");
        cc_json_free(&again);
        cc_text_free(&text);
    }
    for (size_t i = 0; i < json->count; i++) {
        if (json->kind == CC_JSON_OBJECT)
            fuzz_expect(cc_json_get(json, json->items[i].name) == &json->items[i], "a member is found by its name");
        check(&json->items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cc_json *json = NULL;
    camcl_error err;
    if (cc_json_parse((const char *)data, size, &json, &err) != CAMCL_OK) return 0;
    check(json);
    cc_json_free(&json);
    return 0;
}
