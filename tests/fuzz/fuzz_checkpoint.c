/* Checkpoints, and files of weights to start from. */
#include <stdlib.h>

#include "fuzz.h"
#include "headers.h"
#include "network.h"
#include "run/checkpoint.h"
#include "run/init_misfit.h"

static void read_weights(const char *path, const cc_safetensors *file)
{
    cc_snapshot snapshot = { 0 };
    camcl_error err;
    if (cc_snapshot_from_file(file, "", fuzz_network(), &snapshot, &err) == CAMCL_OK)
        (void)cc_snapshot_check(&snapshot, fuzz_network(), path, &err);
    cc_snapshot_free(&snapshot);
}

static void find_weights(const char *path, const cc_safetensors *file)
{
    cc_init_names *names = NULL;
    size_t count = 0;
    camcl_error err;
    if (cc_init_names_find(file, fuzz_network(), &names, &count, &err) == CAMCL_OK) {
        fuzz_expect(count >= 1, "there is one way at least");
        if (cc_init_misfits(&names[0])) (void)cc_init_fail(path, file, fuzz_network(), &names[0], true, &err);
    }
    free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_safetensors(data, size);
    cc_safetensors *file = NULL;
    cc_model_card card;
    camcl_error err;
    if (cc_checkpoint_read(path, &file, &card, &err) == CAMCL_OK) {
        fuzz_expect(card.graph.classes > 0 && card.class_names[card.graph.classes - 1] != NULL, "classes have names");
        cc_model_card_free(&card);
        cc_safetensors_free(&file);
    }
    if (cc_safetensors_read(path, &file, &err) == CAMCL_OK) {
        read_weights(path, file);
        find_weights(path, file);
    }
    cc_safetensors_free(&file);
    return 0;
}
