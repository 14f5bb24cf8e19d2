/* What an evaluation says: a table of metrics, and their values in its order. */
#ifndef CAMCL_EVALUATION_H
#define CAMCL_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum camcl_unit {
    CAMCL_PERCENT, /* a share of the images, 0..100: camcl_wilson_interval says how exact it is */
    CAMCL_NATS,
    CAMCL_POINTS /* a mean or a difference of shares, 0..100 */
} camcl_unit;

typedef struct camcl_metric {
    const char *name;  /* "top1": the key in JSON; metrics.csv has it as val_top1 */
    const char *label; /* "top-1": what people read */
    camcl_unit unit;
    bool higher_is_better;
    size_t trivial_classes; /* not available where there are no more classes than this: top-3 of three classes says nothing */
} camcl_metric;

/* All metrics, in the order in which files and pages show them. May be called in any thread. */
const camcl_metric *camcl_metric_list(size_t *count);

enum { CAMCL_MOST_METRICS = 32 };

/* values[i] belongs to camcl_metric_list()[i] and is NaN where that metric is not available; entries behind the list are NaN. */
typedef struct camcl_evaluation {
    size_t n; /* images that count */
    double values[CAMCL_MOST_METRICS];
} camcl_evaluation;

/* The value of the metric of this name; NaN where there is no such metric or no value. */
double camcl_evaluation_get(const camcl_evaluation *evaluation, const char *name);

#ifdef __cplusplus
}
#endif
#endif
