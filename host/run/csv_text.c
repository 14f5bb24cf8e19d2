#include "run/csv_text.h"

#include <string.h>

void cc_csv_add_field(cc_text *text, const char *value)
{
    if (value[0] != '\0' && strpbrk(value, ",\"\r\n") == NULL) {
        cc_text_add(text, "%s", value);
        return;
    }
    cc_text_add(text, "\"");
    for (; *value != '\0'; value++)
        cc_text_add(text, *value == '"' ? "\"\"" : "%c", *value);
    cc_text_add(text, "\"");
}
