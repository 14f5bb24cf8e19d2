/* Everything of libcamcl.
 *
 * The library leaves its host alone: it does not print, exit, install signal handlers or change locale, environment and working directory.
 * What a process has but once, it keeps out of or keeps in order; the one thing that it changes is in device.h (CLBlast's parameters).
 * In a process that a launcher of MPI programs has started, camcl_train also uses MPI: trainer.h says how.
 *
 * The way through it: a device (device.h) and a data set (dataset.h) make a trainer, or a whole run (trainer.h); a trainer or a checkpoint
 * makes a model (model.h), and a model makes sessions on memory buffers (session.h).
 *
 * Results: what can fail returns a camcl_status, and says why in a camcl_error where it is given one (status.h). An argument that must be
 * there and is NULL is CAMCL_BAD_CONFIG.
 *
 * Ownership: what is written to a `T **out` is the caller's, and NULL after an error; a pointer that is returned is borrowed. What ends a
 * handle takes its address, sets it to NULL, and does nothing where there is none.
 *
 * Option structs begin with their size, so that later versions can add members: initialise them with their init function, and set what you
 * want. size 0, as in a struct of zeros, means the members that version 0.1 had. Where a newer program sets a member that this library does
 * not know, that is CAMCL_UNSUPPORTED.
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
#include "camcl/pictures.h"
#include "camcl/report.h"
#include "camcl/selftest.h"
#include "camcl/session.h"
#include "camcl/status.h"
#include "camcl/stop.h"
#include "camcl/text.h"
#include "camcl/trainer.h"
#include "camcl/tune.h"
#include "camcl/version.h"

#endif
