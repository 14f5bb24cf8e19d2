/* What a training says when its numbers are not finite any more. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/ok.h"
#include "train/run.h"

static camcl_error err;

/* NaN says more than infinity, wherever the two stand. */
static void what_became_of_the_weights(void **state)
{
    const float fine[] = { 0, -1, 1e38f }, infinite[] = { 1, -INFINITY, 2 }, both[] = { INFINITY, 1, NAN }, early[] = { NAN, INFINITY, 0 };
    camcl_config *config = NULL;
    (void)state;
    OK(camcl_config_create(&config, &err));
    OK(camcl_config_finish(config, &err));
    cc_run run = { .config = config };
    run.state.step = 7;
    OK(cc_run_check_finite(&run, "the weights", fine, 3, &err));
    FAILS(cc_run_check_finite(&run, "the weights", infinite, 3, &err), CAMCL_NOT_FINITE, "the weights became infinite at step 7");
    FAILS(cc_run_check_finite(&run, "the weights", both, 3, &err), CAMCL_NOT_FINITE, "the weights became NaN at step 7");
    FAILS(cc_run_check_finite(&run, "the weights", early, 3, &err), CAMCL_NOT_FINITE, "the weights became NaN at step 7");
    run.state.step = 0;
    FAILS(cc_run_check_finite(&run, "the weights", both, 3, &err), CAMCL_NOT_FINITE, "the weights became NaN in the first step");
    camcl_config_destroy(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_became_of_the_weights) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
