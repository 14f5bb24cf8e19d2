#include "camcl/report.h"

#include <stdlib.h>

#include "base/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/page.h"
#include "run/run_dir.h"

static camcl_status write_page(const cc_report_run *runs, size_t count, const cc_report_groups *groups, const char *output,
                               camcl_error *err)
{
    cc_text page = CC_TEXT_INIT;
    camcl_status status;
    cc_report_add_page(&page, runs, count, groups);
    if (page.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "report '%s': no memory for the page (report fewer runs at once)", output);
    else
        status = cc_file_write(output, &(cc_piece){ page.data, page.length }, 1, err);
    cc_text_free(&page);
    return status;
}

/* `result`: of the one run, where its directory does not have it yet; else NULL. */
static camcl_status write_runs(const char *const *run_dirs, size_t count, const cc_result *result, const char *output, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_report_run *runs = NULL;
    cc_report_groups groups = { NULL, 0 };
    char *beside = NULL;
    CC_TRY(CC_NEW(count, &runs, err));
    for (size_t i = 0; i < count; i++)
        CC_TRY(cc_report_run_read(run_dirs[i], result, &runs[i], err));
    CC_TRY(cc_report_name_runs(runs, count, err));
    CC_TRY(cc_report_groups_make(runs, count, &groups, err));
    if (output == NULL) CC_TRY(cc_path_join(run_dirs[0], cc_run_file_name(CC_RUN_REPORT), &beside, err));
    if (output == NULL) output = beside;
    CC_TRY(cc_report_check_output(output, err));
    CC_TRY(write_page(runs, count, &groups, output, err));
cleanup:
    cc_report_groups_free(&groups);
    for (size_t i = 0; runs != NULL && i < count; i++)
        cc_report_run_free(&runs[i]);
    free(runs);
    free(beside);
    return status;
}

camcl_status cc_report_write_with(const char *dir, const cc_result *result, camcl_error *err)
{
    return write_runs(&dir, 1, result, NULL, err);
}

camcl_status camcl_report_write(const char *const *run_dirs, size_t count, const char *output, camcl_error *err)
{
    CC_CHECK_GIVEN(run_dirs, err);
    if (count == 0) return cc_fail(err, CAMCL_BAD_CONFIG, "report: no run directory (name one or more)");
    if (output == NULL && count > 1)
        return cc_fail(err, CAMCL_BAD_CONFIG, "report: several runs, but nowhere to write (name the output file)");
    return write_runs(run_dirs, count, NULL, output, err);
}
