#include "train/loop_settings.h"

static cc_schedule schedule_from(const camcl_config *config, size_t labeled)
{
    const uint64_t batch = (uint64_t)camcl_config_int(config, "train.batch_labeled");
    cc_schedule s = {
        .kind = camcl_config_is(config, "optim.schedule", "cosine")     ? CC_SCHEDULE_COSINE
                : camcl_config_is(config, "optim.schedule", "fixmatch") ? CC_SCHEDULE_FIXMATCH
                : camcl_config_is(config, "optim.schedule", "step")     ? CC_SCHEDULE_STEP
                                                                        : CC_SCHEDULE_CONSTANT,
        .lr = camcl_config_double(config, "optim.lr"),
        .gamma = camcl_config_double(config, "optim.lr_gamma"),
        .step_epochs = (uint64_t)camcl_config_int(config, "optim.lr_step"),
        .warmup = (uint64_t)camcl_config_int(config, "optim.warmup"),
        .epochs = (uint64_t)camcl_config_int(config, "train.epochs"),
        .epoch_steps = (uint64_t)camcl_config_int(config, "train.epoch_steps"),
        .threshold = camcl_config_double(config, "ssl.threshold"),
        .threshold_end = camcl_config_double(config, "ssl.threshold_end"),
        .ramp = camcl_config_double(config, "ssl.ramp"),
    };
    if (s.epoch_steps == 0) s.epoch_steps = (labeled + batch - 1) / batch;
    s.steps = s.epochs * s.epoch_steps;
    return s;
}

cc_loop_settings cc_loop_settings_from(const camcl_config *config, size_t labeled)
{
    return (cc_loop_settings){
        .schedule = schedule_from(config, labeled),
        .eval_every = (uint64_t)camcl_config_int(config, "train.eval_every"),
        .save_every = (uint64_t)camcl_config_int(config, "output.save_every"),
        .cams_every = (uint64_t)camcl_config_int(config, "output.cams_every"),
        .seed = (uint64_t)camcl_config_int(config, "train.seed"),
        .shuffle = camcl_config_bool(config, "data.shuffle"),
        .tensorboard = camcl_config_bool(config, "output.tensorboard"),
    };
}
