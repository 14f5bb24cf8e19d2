/* Arguments of public functions that must not be missing. */
#ifndef CC_BASE_ARGUMENTS_H
#define CC_BASE_ARGUMENTS_H

#include "base/diag.h"

/* CAMCL_BAD_CONFIG, naming function and argument, where the pointer is NULL. */
camcl_status cc_check_given(const void *pointer, const char *function, const char *argument, camcl_error *err);

/* Returns that status from the function in which it stands. */
#define CC_CHECK_GIVEN(argument, err) CC_CHECK_GIVEN_AS(argument, #argument, err)
/* The same for an argument that the header calls otherwise. */
#define CC_CHECK_GIVEN_AS(argument, name, err) CC_RETURN_IF_FAILED(cc_check_given((argument), __func__, (name), (err)))

#endif
