/* The state of a run: reading it, checking it against configuration and data, and the texts in it. */
#include <stdlib.h>

#include "config/written.h"
#include "fuzz.h"
#include "headers.h"
#include "model/model.h"
#include "network.h"
#include "ops/problem.h"
#include "run/data_identity.h"
#include "run/state_check.h"

static void read_texts(const char *path)
{
    cc_run_state state;
    camcl_config *config = NULL;
    cc_plan plan = { 0 };
    cc_problem problem;
    camcl_error err;
    if (cc_run_state_read_texts(path, &state, &err) == CAMCL_OK) {
        fuzz_expect(camcl_config_create(&config, &err) == CAMCL_OK, "there is memory");
        (void)cc_config_read_written(config, path, state.config, &err);
        if (state.data) (void)cc_data_identity_check(path, state.data, "{\"dataset\": \"shapes\", \"classes\": [\"a\", \"b\"]}", &err);
        (void)cc_plan_parse(&plan, state.plan, &err);
        for (size_t i = 0; i < plan.count; i++)
            (void)cc_problem_read(plan.entries[i].key, &problem);
        cc_plan_clear(&plan);
        camcl_config_destroy(&config);
    }
    cc_run_state_free(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_safetensors(data, size);
    const cc_run_shape shape = {
        fuzz_network(), true, &cc_objective_gradcam, { .classes = 10, .labeled = 8, .unlabeled = 8, .images = 500, .pool = 400 }
    };
    static const int32_t labels[500];
    const cc_state_limits limits = { .steps = 100, .epoch_steps = 10, .eval_every = 1, .data = "shapes", .images = 500, .labels = labels };
    cc_run_state state;
    cc_split split;
    camcl_error err;
    read_texts(path);
    if (cc_run_state_read(path, &shape, &state, &split, &err) == CAMCL_OK &&
        cc_run_state_check(path, &shape, &state, &split, &limits, &err) == CAMCL_OK)
        fuzz_expect(state.step <= limits.steps, "a state that is taken is within the training");
    cc_run_state_free(&state);
    cc_split_free(&split);
    return 0;
}
