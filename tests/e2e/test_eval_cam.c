/* camcl eval --cam: where Grad-CAMs lie, beside figures that this file computes from the library's maps and the drawn masks. And who heeds
 * ssl.cam_relu: eval, cam and the pictures of a run. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camcl/camcl.h"
#include "support/ok.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"
#include "support/tree.h"

static camcl_error err;

/* The network sees the images at a fraction of their side: a point of a map covers every x every pixels, and stands for the one in the
 * middle. */
static void percent_on_object(const camcl_images *images, size_t side, const float *maps, const uint8_t *masks, double figures[2])
{
    const size_t every = images->width / side, points = side * side;
    figures[0] = figures[1] = 0;
    for (size_t i = 0; i < images->count; i++) {
        const float *map = maps + i * points;
        const uint8_t *mask = masks + i * images->height * images->width;
        double all = 0, on = 0, top = -1;
        bool top_is_on = false;
        for (size_t p = 0; p < points; p++) {
            const size_t y = p / side * every + every / 2, x = p % side * every + every / 2;
            const bool is_on = mask[y * images->width + x] == 255;
            if (map[p] > top) top_is_on = is_on;
            if (map[p] > top) top = map[p];
            all += map[p];
            on += is_on ? map[p] : 0;
        }
        figures[0] += top > 0 && top_is_on ? 1 : 0;
        figures[1] += all > 0 ? on / all : 0;
    }
    figures[0] *= 100.0 / (double)images->count;
    figures[1] *= 100.0 / (double)images->count;
}

static void figures_are_those_of_the_maps(void **state)
{
    const char *folder = *state;
    free(program_prints(folder, "train --quiet '%s/small.ini' 'output.dir=%s/run'", folder, folder));
    char *text = program_prints(folder, "eval '%s/run/best.safetensors' --cam --json", folder);
    cc_json *said = json_parse_text(text);
    const cc_json *list = cc_json_get(said, "cam");
    assert_int_equal(list->kind, CC_JSON_ARRAY);

    camcl_config *config;
    camcl_dataset *dataset;
    camcl_device *device;
    camcl_model *model;
    OK(camcl_config_create(&config, &err));
    OK(camcl_config_load_run(config, scratch_path(folder, "run/config.ini"), &err));
    const camcl_dataset_spec spec = camcl_dataset_spec_from(config);
    OK(camcl_dataset_open(&spec, &dataset, &err));
    camcl_device_options options;
    camcl_device_options_init(&options);
    OK(camcl_device_open(&options, &device, &err));
    OK(camcl_model_open(scratch_path(folder, "run/best.safetensors"), device, &model, &err));
    const camcl_dataset_info *info = camcl_dataset_get_info(dataset);
    const camcl_images images = {
        camcl_dataset_pixels(dataset, CAMCL_TEST_IMAGES), NULL, info->test_count, info->height, info->width, info->channels
    };
    const uint8_t *masks = camcl_dataset_masks(dataset, CAMCL_TEST_IMAGES);
    const size_t side = camcl_model_get_info(model)->image_size;
    assert_true(info->width == info->height && info->width % side == 0);
    float *maps = malloc(images.count * side * side * sizeof *maps);
    int32_t *classes[2] = { malloc(images.count * sizeof(int32_t)), malloc(images.count * sizeof(int32_t)) };
    assert_true(maps && classes[0] && classes[1]);
    assert_int_equal(list->count, camcl_model_get_info(model)->stages);
    for (size_t layer = 1; layer <= list->count; layer++) {
        const cc_json *row = &list->items[layer - 1];
        double figures[2];
        OK(camcl_model_cam(model, &images, layer, false, -1, maps, classes[0], classes[1], &err));
        percent_on_object(&images, side, maps, masks, figures);
        assert_true(json_number_at(row, "layer") == (double)layer);
        assert_true(fabs(json_number_at(row, "pointing") - figures[0]) < 0.06); /* one image of 2,000 */
        assert_true(fabs(json_number_at(row, "mass") - figures[1]) < 1e-3);
        /* The last stages of so small a network have constant maps. */
        if (layer == 1) assert_true(figures[0] > 0 && figures[0] < 100 && figures[1] > 0 && figures[1] < 100);
    }
    free(maps);
    free(classes[0]);
    free(classes[1]);
    camcl_model_close(&model);
    camcl_device_close(&device);
    camcl_dataset_close(&dataset);
    camcl_config_destroy(&config);
    cc_json_free(&said);
    free(text);
}

/* Without --cam the member is not there, and text has a row per stage. */
static void only_where_it_is_asked_for(void **state)
{
    const char *folder = *state;
    char *plain = program_prints(folder, "eval '%s/run/best.safetensors' --json", folder);
    char *table = program_prints(folder, "eval '%s/run/best.safetensors' --cam", folder);
    assert_null(strstr(plain, "\"cam\""));
    assert_non_null(strstr(table, "Grad-CAM of the predicted class\nstage  pointing      mass\n    1  "));
    free(plain);
    free(table);
}

/* ---- ssl.cam_relu */

/* The least number of cams.npy of NumPy's version 1.0, float32, in folder/name. */
static float least_of_maps(const char *folder, const char *name)
{
    size_t size;
    float least = INFINITY, value;
    char *file = scratch_read(scratch_path(scratch_path(folder, name), "cams.npy"), &size);
    assert_non_null(file);
    for (size_t at = 10 + (unsigned char)file[8] + 256u * (unsigned char)file[9]; at + sizeof value <= size; at += sizeof value) {
        memcpy(&value, file + at, sizeof value);
        least = fminf(least, value);
    }
    free(file);
    return least;
}

/* Of the first stage: the others' maps are constant (see above). */
static void maps_of_the_command_heed_cam_relu(void **state)
{
    const char *folder = *state;
    static const char *const words[] = { "no", "yes" };
    float least[2];
    char *figures[2];
    if (pictures_missing()) skip();
    for (int i = 0; i < 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "maps-%s", words[i]);
        free(program_prints(folder, "cam '%s/run/best.safetensors' --index 0 1 2 3 --layer 1 --npy -o '%s/%s' ssl.cam_relu=%s", folder,
                            folder, name, words[i]));
        least[i] = least_of_maps(folder, name);
        figures[i] = program_prints(folder, "eval '%s/run/best.safetensors' --cam ssl.cam_relu=%s", folder, words[i]);
    }
    if (!(least[0] < 0 && least[1] >= 0)) fail_msg("least values: %g, with cam_relu %g", (double)least[0], (double)least[1]);
    assert_string_not_equal(figures[0], figures[1]);
    free(figures[0]);
    free(figures[1]);
}

/* Pictures of the maps (NNNNN_overlay.png) that differ between two runs. */
static size_t different_overlays(const char *run_a, const char *run_b)
{
    size_t count = 0;
    DIR *entries = opendir(scratch_path(run_a, "cams"));
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char name[300];
        snprintf(name, sizeof name, "cams/%s", entry->d_name);
        if (strstr(name, "_overlay.png")) count += !same_file(run_a, run_b, name);
    }
    closedir(entries);
    return count;
}

/* The same training, so that nothing but the maps differs. */
static void pictures_of_a_run_heed_cam_relu(void **state)
{
#define PICTURED                                                                                                                           \
    "train --quiet '%s/small.ini' 'output.dir=%s/pictured-%s' ssl.cam_relu=%s ssl.mode=supervised ssl.cam_layer=1 train.epochs=1"
    const char *folder = *state, *no = scratch_path(folder, "pictured-no"), *yes = scratch_path(folder, "pictured-yes");
    if (pictures_missing()) skip();
    free(program_prints(folder, PICTURED, folder, folder, "no", "no"));
    free(program_prints(folder, PICTURED, folder, folder, "yes", "yes"));
    assert_same_file(no, yes, "last.safetensors");
    assert_true(different_overlays(no, yes) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_the_maps),
        cmocka_unit_test(only_where_it_is_asked_for),
        cmocka_unit_test(maps_of_the_command_heed_cam_relu),
        cmocka_unit_test(pictures_of_a_run_heed_cam_relu),
    };
    return cmocka_run_group_tests(tests, runs_setup, runs_teardown);
}
