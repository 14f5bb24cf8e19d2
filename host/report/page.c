#include "report/page.h"

#include <string.h>

#include "report/document.h"
#include "report/embedded.h"
#include "report/html.h"

static const char *file_of_page(const char *name, size_t length)
{
    for (const cc_embedded_file *file = cc_report_page_files; file->name; file++)
        if (strlen(file->name) == length && memcmp(file->name, name, length) == 0) return file->text;
    return NULL;
}

static void add_title(cc_text *out, const cc_report_run *runs, size_t count)
{
    if (count == 1)
        cc_html_escape(out, runs[0].name);
    else
        cc_text_add(out, "%zu runs", count);
}

static void add_data(cc_text *out, const cc_report_run *runs, size_t count, const cc_report_groups *groups)
{
    cc_text json = CC_TEXT_INIT;
    cc_report_add_document(&json, runs, count, groups);
    if (json.failed)
        out->failed = true;
    else
        cc_html_add_json(out, json.data, json.length);
    cc_text_free(&json);
}

/* page.html has {{title}}, {{summary}}, {{data}}, and {{FILE}} for a file of page/. What is put in is not looked at again. */
void cc_report_add_page(cc_text *out, const cc_report_run *runs, size_t count, const cc_report_groups *groups)
{
    const char *at = file_of_page("page.html", strlen("page.html"));
    for (const char *open; (open = strstr(at, "{{")) != NULL;) {
        const char *name = open + 2, *close = strstr(name, "}}");
        const size_t length = (size_t)(close - name);
        cc_text_add_bytes(out, at, (size_t)(open - at));
        if (length == 5 && memcmp(name, "title", 5) == 0)
            add_title(out, runs, count);
        else if (length == 7 && memcmp(name, "summary", 7) == 0)
            cc_report_add_summary(out, runs, count);
        else if (length == 4 && memcmp(name, "data", 4) == 0)
            add_data(out, runs, count, groups);
        else
            cc_text_add_bytes(out, file_of_page(name, length), strlen(file_of_page(name, length)));
        at = close + 2;
    }
    cc_text_add_bytes(out, at, strlen(at));
}
