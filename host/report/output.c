/* Whether a report may be written over a file. */
#include <string.h>

#include "base/file.h"
#include "report/page.h"

#define HEAD_BYTES 8192 /* of a file are looked at: more than a title that earlier versions could write */

/* What page.html begins with. */
static const char marker[] = "<!DOCTYPE html>\n<!-- camcl report";
/* Reports of earlier versions begin with this, and then the title, which ends in the other. */
static const char earlier_start[] = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
                  earlier_end[] = " \xc2\xb7 camcl report</title><style>";

static bool is_report(const char *head)
{
    if (strncmp(head, marker, strlen(marker)) == 0) return true;
    if (strncmp(head, earlier_start, strlen(earlier_start)) != 0) return false;
    const char *title = head + strlen(earlier_start), *end = title + strcspn(title, "<");
    const size_t before = strcspn(earlier_end, "<");
    return (size_t)(end - title) >= before && strncmp(end - before, earlier_end, strlen(earlier_end)) == 0;
}

camcl_status cc_report_check_output(const char *path, camcl_error *err)
{
    char head[HEAD_BYTES] = "";
    size_t got;
    CC_RETURN_IF_FAILED(cc_file_beginning(path, head, sizeof head - 1, &got, err));
    if (got == 0) return CAMCL_OK;
    if (is_report(head)) return CAMCL_OK;
    return cc_fail(err, CAMCL_EXISTS, "'%s': exists and is no report of camcl (move it away, or choose another file)", path);
}
