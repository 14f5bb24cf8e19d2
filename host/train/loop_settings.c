#include "train/loop_settings.h"

#include "base/memory.h"
#include "config/value.h"

static const cc_word_value schedules[] = {
    { "constant", CC_SCHEDULE_CONSTANT },
    { "cosine", CC_SCHEDULE_COSINE },
    { "fixmatch", CC_SCHEDULE_FIXMATCH },
    { "step", CC_SCHEDULE_STEP },
};

static cc_schedule schedule_from(const camcl_config *config, size_t labeled)
{
    const uint64_t batch = (uint64_t)camcl_config_int(config, "train.batch_labeled");
    cc_schedule s = {
        .kind = (cc_schedule_kind)cc_value_of_word(config, "optim.schedule", schedules, CC_COUNT(schedules)),
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
