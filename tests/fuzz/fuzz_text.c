/* Texts from outside, as they are shown on terminals and written into JSON, HTML and command lines. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "fuzz.h"
#include "report/html.h"

static bool is_utf8(const char *text)
{
    for (size_t left = strlen(text), length; left; left -= length, text += length)
        if ((length = cc_utf8_length(text, left)) == 0) return false;
    return true;
}

static bool is_visible(const char *text)
{
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;
        if (byte < 32 || byte == 127 || (byte == 0xC2 && ((unsigned char)text[1] & 0xE0) == 0x80)) return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = fuzz_text(data, size);
    cc_text text = CC_TEXT_INIT, page = CC_TEXT_INIT;
    cc_json *json = NULL;
    cc_text_add_visible(&text, value, 1 + size / 2);
    fuzz_expect(!text.data || (is_utf8(text.data) && is_visible(text.data)), "what is shown has no control characters and is UTF-8");
    cc_text_free(&text);
    cc_text_add_json_string(&text, value);
    fuzz_expect(is_utf8(text.data) && cc_json_parse(text.data, text.length, &json, NULL) == CAMCL_OK, "a JSON text is one");
    cc_json_free(&json);
    cc_html_add_json(&page, text.data, text.length);
    fuzz_expect(strpbrk(page.data, "<>") == NULL, "JSON cannot end its element");
    fuzz_expect(cc_json_parse(page.data, page.length, &json, NULL) == CAMCL_OK, "JSON in a page is JSON");
    cc_json_free(&json);
    cc_text_free(&page);
    cc_text_free(&text);
    cc_html_escape(&page, value);
    fuzz_expect(!page.data || (is_utf8(page.data) && strpbrk(page.data, "<>\"") == NULL), "text in a page is no markup");
    cc_text_free(&page);
    cc_text_add_quoted(&text, value);
    cc_text_add_shell_word(&text, value);
    cc_text_free(&text);
    free(value);
    return 0;
}
