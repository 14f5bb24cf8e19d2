/* The figures of a run in every form that it keeps them in: metrics.csv is what a resume reads, metrics.jsonl and TensorBoard's event
 * files follow it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/pictures.h"
#include "run/metrics_lines.h"
#include "train/run.h"

/* ---- TensorBoard */

/* A column's name, but val_top1 as val/top1 and loss as train/loss: TensorBoard makes a group of what stands before the slash. */
static void tag_of(const char *column, char *tag, size_t size)
{
    static const char *const groups[] = { "val", "train" };
    for (size_t i = 0; i < CC_COUNT(groups); i++) {
        const size_t length = strlen(groups[i]);
        if (strncmp(column, groups[i], length) != 0 || column[length] != '_') continue;
        snprintf(tag, size, "%s/%s", groups[i], column + length + 1);
        return;
    }
    snprintf(tag, size, "train/%s", column);
}

static camcl_status write_scalars(cc_run *run, const cc_metrics_row *row, camcl_error *err)
{
    const cc_columns *columns = &run->metrics.columns;
    cc_text summary = CC_TEXT_INIT;
    cc_event_add_scalar(&summary, "train/epoch", (double)row->epoch);
    for (size_t i = 0; i < columns->count; i++) {
        char tag[CC_COLUMN_NAME + 8];
        tag_of(columns->names[i], tag, sizeof tag);
        if (isfinite(row->values[i])) cc_event_add_scalar(&summary, tag, row->values[i]);
    }
    return cc_event_file_write(run->events, row->step, &summary, err);
}

/* Where there are event files, an earlier process wrote what was before. Where there are none, output.tensorboard was not set then. */
static camcl_status open_events(cc_run *run, camcl_error *err)
{
    const char *folder = cc_run_dir_path(run->dir);
    if (run->events) return CAMCL_OK;
    const bool goes_on = cc_event_files_exist(folder);
    CC_RETURN_IF_FAILED(cc_event_file_create(folder, goes_on ? cc_run_told_step(run) + 1 : 0, &run->events, err));
    for (size_t i = 0; i < run->metrics.count && !goes_on; i++)
        CC_RETURN_IF_FAILED(write_scalars(run, &run->metrics.rows[i], err));
    return CAMCL_OK;
}

/* What is damaged is left out. */
static camcl_status go_on(void *context, const char *problem, camcl_error *err)
{
    (void)context, (void)problem, (void)err;
    return CAMCL_OK;
}

/* The gallery's images are the same each time; mistakes are not, and make no series. */
camcl_status cc_run_show_cams(cc_run *run, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_pictures pictures = { .count = 0 };
    cc_text summary = CC_TEXT_INIT;
    if (!run->loop.tensorboard) return CAMCL_OK;
    CC_TRY(open_events(run, err));
    CC_TRY(cc_pictures_read(cc_run_dir_file(run->dir, CC_RUN_CAMS), &pictures, go_on, NULL, err));
    for (size_t i = 0; i < pictures.count; i++) {
        const cc_picture *p = &pictures.items[i];
        char tag[64];
        snprintf(tag, sizeof tag, "cams/%s", p->stem);
        const bool shown = strcmp(p->part, "overlay") == 0 && cc_pictures_is_spread(&pictures, p->stem);
        if (shown) cc_event_add_image(&summary, tag, p->data, p->size, p->width, p->height);
    }
    CC_TRY(cc_event_file_write(run->events, run->state.step, &summary, err));
cleanup:
    cc_text_free(&summary);
    cc_pictures_free(&pictures);
    return status;
}

/* ---- rows */

uint64_t cc_run_told_step(const cc_run *run) { return run->state.step - cc_run_owes_row(run); }

static camcl_status write_lines(const cc_run *run, camcl_error *err)
{
    return cc_metrics_write_lines(&run->metrics, cc_run_dir_file(run->dir, CC_RUN_LINES), err);
}

/* Events come first: rows that metrics.csv has are then in the event files, too, and a point without its row is beyond every state that was
 * saved, so that a resume takes it back. */
camcl_status cc_run_add_row(cc_run *run, const cc_metrics_row *row, camcl_error *err)
{
    if (run->loop.tensorboard) {
        CC_RETURN_IF_FAILED(open_events(run, err));
        CC_RETURN_IF_FAILED(write_scalars(run, row, err));
    }
    CC_RETURN_IF_FAILED(cc_metrics_append(&run->metrics, cc_run_dir_file(run->dir, CC_RUN_METRICS), row, err));
    return write_lines(run, err);
}

camcl_status cc_run_restore_rows(cc_run *run, camcl_error *err)
{
    CC_RETURN_IF_FAILED(cc_metrics_drop_after(&run->metrics, cc_run_dir_file(run->dir, CC_RUN_METRICS), cc_run_told_step(run), err));
    if (cc_run_dir_has(run->dir, CC_RUN_METRICS)) CC_RETURN_IF_FAILED(write_lines(run, err));
    const bool stale = run->loop.tensorboard && cc_event_files_exist(cc_run_dir_path(run->dir));
    return stale ? open_events(run, err) : CAMCL_OK;
}
