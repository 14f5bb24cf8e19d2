/* Says what a picture shows, and draws where the network looked: classify_and_explain CHECKPOINT PICTURE OVERLAY.png */
#include <stdio.h>
#include <stdlib.h>

#include <camcl/camcl.h>

static camcl_status explain(camcl_model *model, const char *picture, const char *drawing, camcl_error *err)
{
    const camcl_model_info *info = camcl_model_get_info(model);
    const uint32_t side = (uint32_t)info->image_size;
    camcl_image seen = CAMCL_IMAGE_INIT, large = CAMCL_IMAGE_INIT, overlay = CAMCL_IMAGE_INIT;
    float *probabilities = malloc(info->classes * sizeof(float)), *map = malloc((size_t)side * side * sizeof(float));
    int32_t explained, predicted;
    if (!probabilities || !map) abort();

    camcl_status status = camcl_image_read_fit(picture, side, info->fit, &seen, err);
    const camcl_images images = { seen.pixels, NULL, 1, side, side, 3 };
    if (status == CAMCL_OK) status = camcl_model_predict(model, &images, probabilities, err);
    if (status == CAMCL_OK) status = camcl_model_cam(model, &images, info->stages, true, -1, map, &explained, &predicted, err);
    if (status == CAMCL_OK) status = camcl_image_enlarge(&seen, 1 + 255 / side, &large, err);
    if (status == CAMCL_OK) status = camcl_image_overlay(&large, map, side, side, 0.5f, &overlay, err);
    if (status == CAMCL_OK) status = camcl_image_write_png(drawing, &overlay, err);
    if (status == CAMCL_OK) printf("%s %.1f %%\n", info->class_names[predicted], 100 * probabilities[predicted]);

    camcl_image_free(&overlay);
    camcl_image_free(&large);
    camcl_image_free(&seen);
    free(map);
    free(probabilities);
    return status;
}

int main(int argc, char **argv)
{
    camcl_error err;
    camcl_device *device = NULL;
    camcl_model *model = NULL;
    if (argc != 4) return fprintf(stderr, "usage: %s CHECKPOINT PICTURE OVERLAY.png\n", argv[0]), 2;
    camcl_status status = camcl_device_open(NULL, &device, &err);
    if (status == CAMCL_OK) status = camcl_model_open(argv[1], device, &model, &err);
    if (status == CAMCL_OK) status = explain(model, argv[2], argv[3], &err);
    if (status != CAMCL_OK) fprintf(stderr, "%s\n%s", err.message, err.detail);
    camcl_model_close(&model);
    camcl_device_close(&device);
    return camcl_exit_status(status);
}
