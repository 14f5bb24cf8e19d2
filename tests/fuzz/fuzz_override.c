/* Arguments key=value, one a line; and the same lines as a configuration inside a state. */
#include <stdlib.h>
#include <string.h>

#include "config/written.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    camcl_config *config = NULL;
    camcl_error err;
    char *text = fuzz_text(data, size), *written = NULL, *rest = text;
    fuzz_expect(camcl_config_create(&config, &err) == CAMCL_OK, "there is memory");
    (void)cc_config_read_written(config, "state", text, &err);
    while (rest) {
        char *line = rest, *end = strchr(line, '\n');
        rest = end ? end + 1 : NULL;
        if (end) *end = '\0';
        (void)camcl_config_override(config, line, &err);
    }
    (void)camcl_config_finish(config, &err);
    if (camcl_config_write(config, &written, &err) == CAMCL_OK) {
        fuzz_expect(cc_config_read_written(config, "state", written, &err) == CAMCL_OK, "what is written can be read");
        free(written);
    }
    camcl_config_destroy(&config);
    free(text);
    return 0;
}
