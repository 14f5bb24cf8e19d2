/* Configuration files: what was read is written so that it is read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "camcl/config.h"
#include "fuzz.h"

static void write_and_read(const camcl_config *config)
{
    camcl_config *again = NULL;
    char *text = NULL, *second = NULL;
    camcl_error err;
    fuzz_expect(camcl_config_write(config, &text, &err) == CAMCL_OK, "a configuration can be written");
    fuzz_expect(camcl_config_create(&again, &err) == CAMCL_OK, "there is memory");
    fuzz_expect(camcl_config_load(again, fuzz_file("written.ini", text, strlen(text)), &err) == CAMCL_OK, "what is written can be read");
    fuzz_expect(camcl_config_write(again, &second, &err) == CAMCL_OK && strcmp(text, second) == 0, "it is read as the same");
    fuzz_expect(camcl_config_check_resume(config, again, &err) == CAMCL_OK, "a run may continue with the same configuration");
    camcl_config_destroy(&again);
    free(text);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    camcl_config *config = NULL;
    camcl_error err;
    char *text = NULL;
    fuzz_expect(camcl_config_create(&config, &err) == CAMCL_OK, "there is memory");
    const char *path = fuzz_file("given.ini", data, size);
    if (camcl_config_load(config, path, &err) == CAMCL_OK) {
        (void)camcl_config_finish(config, &err);
        for (size_t i = 0; camcl_config_warning(config, i); i++)
            fuzz_expect(i < 1000, "warnings end");
        write_and_read(config);
        if (camcl_config_describe(config, &text, &err) == CAMCL_OK) free(text);
    }
    (void)camcl_config_load_run(config, path, &err);
    camcl_config_destroy(&config);
    return 0;
}
