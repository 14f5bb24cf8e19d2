/* metrics.csv, result.json and confusion.csv; a resumed run writes the first again as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fuzz.h"
#include "run/metrics.h"
#include "run/result.h"

/* Reads the file and writes it with its last row once more, twice. */
static void rewrite(const cc_columns *wanted)
{
    cc_metrics metrics, again;
    camcl_error err;
    const char *path = fuzz_path("metrics.csv"), *copy = fuzz_path("copy.csv");
    char *first = NULL, *second = NULL;
    size_t size, second_size;
    if (cc_metrics_read(path, wanted, &metrics, &err) == CAMCL_OK && metrics.count > 0) {
        cc_metrics_row last = metrics.rows[metrics.count - 1];
        fuzz_expect(cc_metrics_append(&metrics, copy, &last, &err) == CAMCL_OK, "a row can be appended");
        fuzz_expect(cc_metrics_read(copy, wanted, &again, &err) == CAMCL_OK && again.count == metrics.count, "what is written can be read");
        fuzz_expect(cc_file_read(copy, &first, &size, &err) == CAMCL_OK, "the file is there");
        again.count--;
        fuzz_expect(cc_metrics_append(&again, copy, &last, &err) == CAMCL_OK, "a row can be appended");
        fuzz_expect(cc_file_read(copy, &second, &second_size, &err) == CAMCL_OK, "the file is there");
        fuzz_expect(size == second_size && memcmp(first, second, size) == 0, "rows are written back as the same text");
        fuzz_expect(cc_metrics_drop_after(&again, copy, last.step / 2, &err) == CAMCL_OK, "rows can be dropped");
        cc_metrics_free(&again);
    }
    cc_metrics_free(&metrics);
    free(first);
    free(second);
}

static void read_result(void)
{
    cc_result result, again;
    camcl_error err;
    if (cc_result_read(fuzz_path("result.json"), &result, &err) != CAMCL_OK) return;
    fuzz_expect(cc_result_write(fuzz_path("copy.json"), &result, NULL, NULL, &err) == CAMCL_OK, "a result can be written");
    fuzz_expect(cc_result_read(fuzz_path("copy.json"), &again, &err) == CAMCL_OK && strcmp(again.device, result.device) == 0,
                "what is written can be read");
}

static void read_confusion(void)
{
    cc_confusion confusion, again = { 0 };
    camcl_error err;
    if (cc_confusion_read(fuzz_path("confusion.csv"), &confusion, &err) == CAMCL_OK) {
        const size_t cells = confusion.classes * confusion.classes;
        fuzz_expect(cc_confusion_write(fuzz_path("copy.csv"), confusion.classes, (const char *const *)confusion.names, confusion.counts,
                                       &err) == CAMCL_OK,
                    "a matrix can be written");
        fuzz_expect(cc_confusion_read(fuzz_path("copy.csv"), &again, &err) == CAMCL_OK && again.classes == confusion.classes &&
                        memcmp(again.counts, confusion.counts, cells * sizeof *again.counts) == 0,
                    "what is written can be read");
    }
    cc_confusion_free(&again);
    cc_confusion_free(&confusion);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "metrics.csv", "result.json", "confusion.csv" };
    const cc_columns columns = cc_columns_of(&cc_objective_gradcam);
    fuzz_files(data, size, names, sizeof names / sizeof names[0]);
    rewrite(NULL);
    rewrite(&columns);
    read_result();
    read_confusion();
    return 0;
}
