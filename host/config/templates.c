#include "config/templates.h"

#include <string.h>

#include "base/memory.h"
#include "camcl/config.h"

#define CIFAR "data/cifar-10-binary.tar.gz, which camcl data fetch cifar10 gets (or data.root=)"

static const camcl_config_template templates[] = {
    { "cifar10", "cifar10-gradcam.ini", "CIFAR-10 with 4,000 labels, pseudo-labels and Grad-CAM consistency", CIFAR },
    { "own-pictures", "own-pictures.ini", "your own photographs, in folders named after their classes",
      "photos/CLASS/... (or data.root=), and ImageNet weights in resnet18.safetensors (or none: model.init= optim.lr=0.03)" },
    { "paper", "cifar10-paper.ini", "the paper's public code: ResNet-50 from ImageNet weights, CIFAR-10 at 256 x 256",
      CIFAR ", and ImageNet weights in data/resnet50.safetensors" },
    { "quickstart", "quickstart.ini", "images drawn by the program, minutes on a CPU, nothing to download", "" },
};

const camcl_config_template *camcl_config_templates(size_t *count)
{
    *count = CC_COUNT(templates);
    return templates;
}

const char *camcl_config_template_text(const char *task)
{
    for (size_t i = 0; i < CC_COUNT(templates); i++) {
        if (strcmp(templates[i].task, task) != 0) continue;
        for (const cc_embedded_file *file = cc_config_files; file->name; file++)
            if (strcmp(file->name, templates[i].file) == 0) return file->text;
    }
    return NULL;
}
