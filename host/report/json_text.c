#include "report/json_text.h"

/* A comma, unless this is the first in its brackets, and the name. */
static void begin_value(cc_text *out, const char *name)
{
    const char last = (char)(out->length > 0 ? out->data[out->length - 1] : '{');
    if (last != '{' && last != '[') cc_text_add(out, ",");
    if (name == NULL) return;
    cc_text_add_json_string(out, name);
    cc_text_add(out, ":");
}

void cc_json_begin(cc_text *out, const char *name, char bracket)
{
    begin_value(out, name);
    cc_text_add(out, "%c", bracket);
}

void cc_json_end(cc_text *out, char bracket) { cc_text_add(out, "%c", bracket); }

void cc_json_add_string(cc_text *out, const char *name, const char *value)
{
    begin_value(out, name);
    cc_text_add_json_string(out, value);
}

void cc_json_add_number(cc_text *out, const char *name, double value)
{
    begin_value(out, name);
    cc_text_add_json_number(out, value);
}

void cc_json_add_count(cc_text *out, const char *name, size_t value)
{
    begin_value(out, name);
    cc_text_add(out, "%zu", value);
}

void cc_json_add_bool(cc_text *out, const char *name, bool value)
{
    begin_value(out, name);
    cc_text_add(out, value ? "true" : "false");
}
