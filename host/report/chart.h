/* Line charts of metrics over steps, as inline SVG. */
#ifndef CC_REPORT_CHART_H
#define CC_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "run/metrics.h"

#define CC_CHART_COLORS 8 /* classes c0 .. c7 of the style sheet; a ninth series is the first colour dashed */

typedef struct cc_chart_series {
    const char *name;
    unsigned color;
    const cc_metrics *metrics;
    size_t column; /* of metrics->columns */
} cc_chart_series;

/* Which maxima are marked. */
typedef enum cc_chart_best { CC_CHART_NO_BEST, CC_CHART_BEST_DOTS, CC_CHART_BEST_VALUE_OF_FIRST } cc_chart_best;

typedef struct cc_chart {
    const char *title, *about; /* about: what is drawn, one phrase */
    bool percent;              /* values are 0..100 and get a percent sign */
    bool from_zero;            /* the axis starts at 0 */
    cc_chart_best best;
    const cc_chart_series *series;
    size_t count;
} cc_chart;

/* Whether any series has a value. */
bool cc_chart_has_data(const cc_chart *chart);
/* A <figure>. Series without a value are left out. */
void cc_chart_add(cc_text *out, const cc_chart *chart);

#endif
