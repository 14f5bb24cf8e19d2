/* A run's folder, as the report reads it: whatever is in there, the page's data stay JSON within their element. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "report/document.h"
#include "report/html.h"
#include "report/page.h"

static void make_document(cc_report_run *run)
{
    cc_report_groups groups = { NULL, 0 };
    cc_text text = CC_TEXT_INIT, page = CC_TEXT_INIT;
    cc_json *json = NULL;
    camcl_error err;
    fuzz_expect(cc_report_name_runs(run, 1, &err) == CAMCL_OK, "a run gets a name");
    fuzz_expect(cc_report_groups_make(run, 1, &groups, &err) == CAMCL_OK, "a run is in a group");
    cc_report_add_document(&text, run, 1, &groups);
    fuzz_expect(!text.failed && cc_json_parse(text.data, text.length, &json, &err) == CAMCL_OK, "the document is JSON");
    cc_json_free(&json);
    cc_html_add_json(&page, text.data, text.length);
    fuzz_expect(strpbrk(page.data, "<>") == NULL, "the document cannot end its element");
    cc_text_free(&page);
    cc_report_add_summary(&page, run, 1);
    fuzz_expect(!page.data || (!strstr(page.data, "<script") && !strstr(page.data, "<img")), "the summary is tables alone");
    cc_text_free(&page);
    cc_text_free(&text);
    cc_report_groups_free(&groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "metrics.csv",     "result.json",          "confusion.csv",          "config.ini",
                                         "cams/index.json", "cams/00012_image.png", "cams/00012_overlay.png", "pseudo_labels.csv" };
    cc_report_run run = { 0 };
    camcl_error err;
    fuzz_files(data, size, names, sizeof names / sizeof names[0]);
    if (cc_report_run_read(fuzz_folder(), NULL, &run, &err) == CAMCL_OK) make_document(&run);
    cc_report_run_free(&run);
    return 0;
}
