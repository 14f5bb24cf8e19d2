/* The table of commands. */
#include <string.h>

#include "cli.h"

#define JSON_OPTION "  --json   JSON on stdout, and nothing else there\n"

static const cli_command commands[] = {
    { "devices", "[--json]", "every OpenCL device of every platform, with the selector that picks it", JSON_OPTION, cmd_devices },
    { "train", "[CONFIG | RUN_DIR] [key=value ...] [--resume] [--seeds N,N,...] [--quiet]",
      "trains a classifier and leaves a run directory",
      "  --resume      go on with the run in output.dir, bit for bit; its data may lie elsewhere now (data.root=...)\n"
      "  --seeds N,N   one run after another with these as train.seed, in output.dir-seedN each; at the end mean and standard deviation\n"
      "                of their accuracies on the test images. With --resume, what is finished is left as it is\n"
      "  -q, --quiet   no progress on stdout\n\n"
      "Without CONFIG every key has its default, and the run lies in runs/camcl. RUN_DIR stands for its config.ini:\n"
      "camcl train RUN_DIR --resume goes on with that run.\n",
      cmd_train },
    { "eval", "CHECKPOINT [key=value ...] [--split test|validation|train] [--json] [--logits FILE.npy] [--cam]",
      "loss and accuracy of a checkpoint",
      "  --split S       which images: test (the default), validation or train\n"
      "  --logits FILE   also write the logits, float32 [N, classes], as a NumPy file\n"
      "  --cam           also say how well Grad-CAMs lie on the objects, for data that know where these are (shapes)\n" JSON_OPTION
      "\n--cam explains the predicted class at every stage of the network. pointing: how often the highest point of the map lies on\n"
      "the object; mass: the mean share of the map, scaled to 0..1, that lies inside it.\n",
      cmd_eval },
    { "predict", "CHECKPOINT PATH... [key=value ...] [--top K] [--json | --csv] [--pseudo FILE.csv]",
      "the classes of picture files, and of folders of them",
      "  --top K          list the K most probable classes of each picture; default: 1\n"
      "  --json           a JSON array of {file, class, label, probability} on stdout, and nothing else there; with --top K > 1 each has\n"
      "                   \"top\", an array of {class, label, probability}, too\n"
      "  --csv            path,label,probability on stdout, with --top K > 1 also label2,probability2 and so on\n"
      "  --pseudo FILE    write confident predictions as path,label,probability, which data.dataset = list reads back\n\n"
      "Folders are walked to any depth; what is left out there is counted on stderr. A picture that cannot be read is named there and\n"
      "does not keep the others from their answers; the exit status is then 1. Confident: of a probability of at least the run's\n"
      "ssl.threshold_end; give ssl.threshold=P for another one. data.fit=FIT replaces the checkpoint's.\n",
      cmd_predict },
    { "cam",
      "CHECKPOINT PATH... | --index N... [--split S] [--layer L] [--class C] [-o DIR] [--opacity P] [--npy] [--json] [key=value ...]",
      "Grad-CAM maps and overlays of picture files, of folders of them, or of images of the data set",
      "  --index N...     images of the data set by their position in the split, from 0\n"
      "  --split S        of which split: test (the default), validation or train\n"
      "  --layer L        stage, 1 to 4; default: ssl.cam_layer of the run\n"
      "  --class C        class explained, number or name; default: the predicted one\n"
      "  -o, --output DIR where NAME_cam.png and NAME_overlay.png go; default: here\n"
      "  --npy            write DIR/cams.npy too, float32 [N,S,S]: the maps before they are scaled to 0..1, in the order of the lines\n"
      "                   on stdout\n"
      "  --opacity P      of the map over the picture, percent; default: 50\n" JSON_OPTION "\n"
      "In overlays dark violet is 0, where the network did not look, then come red, orange, and pale yellow, which is 1.\n"
      "Folders are walked to any depth; their pictures keep their sub-folders below DIR. A picture that cannot be read is named on\n"
      "stderr and does not keep the others from being explained; the exit status is then 1.\n",
      cmd_cam },
    { "config", "[CONFIG] [key=value ...] [KEY ...] [--markdown]", "every key: value in force, type, range, default, what it does",
      "  KEY          lists only this one: section.key, or a section for all of its keys\n"
      "  --markdown   the keys' reference page instead\n\n"
      "The output is itself a configuration file.\n",
      cmd_config },
    { "bench", "[peak|ops|step] [key=value ...] [--json]", "measures the device, the operations or whole training steps", JSON_OPTION,
      cmd_bench },
    { "tune", "[key=value ...] [--again] [--quiet]", "times kernel variants and CLBlast parameters, keeps the winners",
      "  --again       time what is known already, too\n"
      "  -q, --quiet   no lines on stdout\n\n"
      "Times what the training, evaluation and CAMs of the given keys need (camcl tune model.arch=resnet50 ...). Winners lie in\n"
      "device.cache_dir and serve every command while device.tune is cache or full. Interrupted, it keeps what was timed.\n",
      cmd_tune },
    { "selftest", "[key=value ...] [--json]", "the kernel checks, on the chosen device",
      JSON_OPTION "\nEvery variant of every operation against plain-C references, on small shapes. Exit status 1: one failed.\n",
      cmd_selftest },
    { "init", "[TASK] [-o FILE]", "writes a commented configuration to begin with: cifar10 | own-pictures | paper | quickstart",
      "  -o, --output FILE   where it goes; default: TASK.ini here\n\n"
      "cifar10: 4,000 labels, pseudo-labels and Grad-CAM consistency. own-pictures: photographs in folders named after their classes.\n"
      "paper: the settings of the paper's public code. quickstart: images that the program draws, nothing to download. Without TASK they\n"
      "are listed. A file that exists is not overwritten.\n",
      cmd_init },
    { "data", "inspect CONFIG [key=value ...] [-o FILE] [--json] | fetch NAME [-o DIR]",
      "what a data set holds (inspect), or a published one from the network (fetch)",
      "inspect: counts by class and pool, sizes, what is left out. Needs no device. Pictures that cannot be read are counted, whatever\n"
      "data.corrupt says.\n"
      "  -o, --output FILE   the contact sheet, a PNG with a few labelled images of each class; default: contact-sheet.png\n" JSON_OPTION
      "\nfetch: the official files of cifar10, cifar100, mnist or fashion-mnist, checked by SHA-256. What a broken or stopped fetch "
      "leaves\n"
      "in FILE.part, the same command goes on from. Files that are there already are checked, and left alone.\n"
      "  -o, --output DIR    where they go, data.root then; default: data\n\n"
      "CAMCL_MIRROR in the environment names addresses to fetch from instead of the published ones, tried in turn: http or https,\n"
      "separated by blanks, each a folder with cifar-10-binary.tar.gz, cifar-100-binary.tar.gz, mnist/*.gz and fashion-mnist/*.gz.\n"
      "Proxies are taken from https_proxy and http_proxy.\n",
      cmd_data },
    { "report", "RUN_DIR... [-o FILE]", "one self-contained HTML page: curves, confusion matrix, CAM gallery",
      "  -o, --output FILE   the page (default: RUN_DIR/report.html, of several runs ./report.html)\n\n"
      "Several runs are compared. Runs that differ only in train.seed are one group, with mean and standard deviation. A file that is no\n"
      "report of camcl is not overwritten.\n",
      cmd_report },
    { "export", "CHECKPOINT -o FILE.onnx", "a checkpoint as an ONNX model, for other programs",
      "  -o, --output FILE   where it goes\n\n"
      "Input: images, float32 [N,C,S,S], bytes divided by 255; the graph normalises them. Output: logits, float32 [N, classes]. The\n"
      "classes' names and what else the checkpoint says are in the model's metadata. Opset 13. Needs no device. A file that is no ONNX\n"
      "model of camcl is not overwritten.\n",
      cmd_export },
    { "version", "", "the version, and which optional libraries this build has", "", cmd_version },
};

const cli_command *cli_commands(size_t *count)
{
    *count = sizeof commands / sizeof commands[0];
    return commands;
}

const cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

void cli_print_command(const char *name, FILE *out)
{
    const cli_command *command = cli_find_command(name);
    fprintf(out, "usage: camcl %s%s%s\n\n%s\n", command->name, *command->arguments ? " " : "", command->arguments, command->summary);
    if (*command->help) fprintf(out, "\n%s", command->help);
}
