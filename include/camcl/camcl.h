/* Everything of libcamcl.
 *
 * The library leaves its host alone: it does not print, exit, install signal handlers or change locale, environment and working directory.
 * What a process has but once, it keeps out of or keeps in order; the one thing that it changes is in device.h (CLBlast's parameters).
 *
 * Threads: functions may be called from any thread at the same time for different handles. One handle, and what was made from it, belongs
 * to one thread at a time, unless its header says otherwise; handing it over from thread to thread is fine. */
#ifndef CAMCL_CAMCL_H
#define CAMCL_CAMCL_H

#include "camcl/bench.h"
#include "camcl/breakdown.h"
#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/evaluation.h"
#include "camcl/export.h"
#include "camcl/fetch.h"
#include "camcl/image.h"
#include "camcl/model.h"
#include "camcl/report.h"
#include "camcl/selftest.h"
#include "camcl/status.h"
#include "camcl/text.h"
#include "camcl/trainer.h"
#include "camcl/tune.h"
#include "camcl/version.h"

#endif
