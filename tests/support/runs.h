/* What a training run leaves, read without the code that wrote it where that is easy, and small runs to look at. */
#ifndef TESTS_SUPPORT_RUNS_H
#define TESTS_SUPPORT_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/* Setup and teardown of a group: *state is a folder of its own, with small.ini in it, and its kernel cache below it. small.ini is a gradcam
 * run of 3 epochs of 4 steps that takes no time, with most images confident. */
int runs_setup(void **state);
int runs_teardown(void **state);

/* Long tests run on the device that a command picks by itself. Whether it interprets or emulates, so that they should do less. */
bool default_device_is_slow(void);
/* Selectors of the usable devices besides it; none where CAMCL_DEVICE says which to use. */
size_t other_devices(char selectors[16][16]);

/* metrics.csv as cells. Files of the first version end with the 17th column: the cells of the others are empty. */
#define METRICS_COLUMNS 18
#define METRICS_FIRST_COLUMNS 17
#define METRICS_MOST_ROWS 64
extern const char *const metrics_names[METRICS_COLUMNS];
typedef struct metrics_table {
    size_t rows;
    char cell[METRICS_MOST_ROWS][METRICS_COLUMNS][32];
} metrics_table;
/* Checks the header, the number of cells of each row, and the last line end; fails the running test otherwise. The caller frees. */
metrics_table *metrics_load(const char *run);
/* The number in a cell, which must hold one; column by name. */
double metrics_number(const metrics_table *table, size_t row, const char *column);
bool metrics_empty(const metrics_table *table, size_t row, const char *column);

/* Equal cells of whatever columns there are, but for images_per_s and seconds. */
void assert_same_metrics(const char *run_a, const char *run_b);
void assert_same_file(const char *run_a, const char *run_b, const char *name);
bool same_file(const char *run_a, const char *run_b, const char *name);
/* metrics.jsonl of a run says what its metrics.csv says, to the digit. */
void assert_lines_are_rows(const char *run);
/* Weights, split, metrics, the confusion matrix, pseudo-labels by class where there are any, and all of cams/. */
void assert_same_run(const char *run_a, const char *run_b);

/* DIR/name, parsed; the caller frees. */
cc_json *json_load(const char *folder, const char *name);
cc_json *json_parse_text(const char *text);
/* An object with exactly these members (NULL at the end). */
void assert_members(const cc_json *object, const char *const *names);
double json_number_at(const cc_json *object, const char *name);

/* One number for names, contents and times of everything below a folder. */
uint64_t folder_fingerprint(const char *folder);

#endif
