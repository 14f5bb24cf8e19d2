/* Everything of libcamcl. */
#ifndef CAMCL_CAMCL_H
#define CAMCL_CAMCL_H

#include "camcl/bench.h"
#include "camcl/config.h"
#include "camcl/dataset.h"
#include "camcl/device.h"
#include "camcl/image.h"
#include "camcl/model.h"
#include "camcl/report.h"
#include "camcl/selftest.h"
#include "camcl/status.h"
#include "camcl/trainer.h"
#include "camcl/tune.h"

#endif
