/* The table of commands. */
#include <string.h>

#include "cli.h"

enum { LINE_WIDTH = 80 };

#define JSON_OPTION "  --json   JSON on stdout, and nothing else there\n"

static const cli_command commands[] = {
    { "devices", "[--json]", "every OpenCL device, with the selector that picks it", JSON_OPTION, cmd_devices },
    { "train", "[CONFIG | RUN_DIR] [key=value ...] [--resume] [--seeds N,N,...] [--quiet]",
      "trains a classifier and leaves a run directory",
      "  --resume      go on with the run in output.dir, bit for bit; its data may lie\n"
      "                elsewhere now (data.root=...)\n"
      "  --seeds N,N   one run after another with these as train.seed, in\n"
      "                output.dir-seedN each; at the end mean and standard deviation of\n"
      "                their accuracies on the test images. With --resume, what is\n"
      "                finished is left as it is\n"
      "  -q, --quiet   no progress on stdout\n\n"
      "Without CONFIG every key has its default, and the run lies in runs/camcl.\n"
      "RUN_DIR stands for its config.ini: camcl train RUN_DIR --resume goes on with\n"
      "that run.\n",
      cmd_train },
    { "eval", "CHECKPOINT [key=value ...] [--split test|validation|train] [--json] [--logits FILE.npy] [--cam]",
      "loss and accuracy of a checkpoint",
      "  --split S       which images: test (the default), validation or train\n"
      "                  (the labelled ones)\n"
      "  --logits FILE   also write the logits, float32 [N, classes], as a NumPy file\n"
      "  --cam           also say how well Grad-CAMs lie on the objects, for data that\n"
      "                  know where these are (shapes)\n" JSON_OPTION "\n"
      "--cam explains the predicted class at every stage of the network. pointing: how\n"
      "often the highest point of the map lies on the object; mass: the mean share of\n"
      "the map, scaled to 0..1, that lies inside it.\n",
      cmd_eval },
    { "predict", "CHECKPOINT PATH... [key=value ...] [--top K] [--json | --csv] [--pseudo FILE.csv]",
      "the classes of picture files, and of folders of them",
      "  --top K          list the K most probable classes of each picture; default: 1\n"
      "  --json           a JSON array of {file, class, label, probability} on stdout,\n"
      "                   and nothing else there; with --top K > 1 each has \"top\", an\n"
      "                   array of {class, label, probability}, too\n"
      "  --csv            path,label,probability on stdout, with --top K > 1 also\n"
      "                   label2,probability2 and so on\n"
      "  --pseudo FILE    write confident predictions as path,label,probability, which\n"
      "                   data.dataset = list reads back\n\n"
      "Folders are walked to any depth; what is left out there is counted on stderr. A\n"
      "picture that cannot be read is named there and does not keep the others from\n"
      "their answers; the exit status is then 1. Confident: of a probability of at\n"
      "least the run's ssl.threshold_end; give ssl.threshold=P for another one.\n"
      "data.fit=FIT replaces the checkpoint's.\n",
      cmd_predict },
    { "cam",
      "CHECKPOINT PATH... | --index N... [--split S] [--layer L] [--class C] [-o DIR] [--opacity P] [--npy] [--json] [key=value ...]",
      "Grad-CAM maps and overlays of pictures, or of images of the data set",
      "  --index N...     images of the data set by their position in the split, from 0\n"
      "  --split S        of which split: test (the default), validation or train\n"
      "                   (the labelled ones)\n"
      "  --layer L        stage, 1 to 4; default: ssl.cam_layer of the run\n"
      "  --class C        class explained, number or name; default: the predicted one\n"
      "  -o, --output DIR where NAME_cam.png and NAME_overlay.png go; default: here\n"
      "  --npy            write DIR/cams.npy too, float32 [N,S,S]: the maps before they\n"
      "                   are scaled to 0..1, in the order of the lines on stdout\n"
      "  --opacity P      of the map over the picture, percent; default: 50\n" JSON_OPTION "\n"
      "In overlays dark violet is 0, where the network did not look, then come red,\n"
      "orange, and pale yellow, which is 1. Folders are walked to any depth; their\n"
      "pictures keep their sub-folders below DIR. A picture that cannot be read is\n"
      "named on stderr and does not keep the others from being explained; the exit\n"
      "status is then 1.\n",
      cmd_cam },
    { "config", "[CONFIG] [key=value ...] [KEY ...] [--markdown]", "every key: value in force, type, range, default, what it does",
      "  KEY          lists only this one: section.key, or a section for all of its\n"
      "               keys\n"
      "  --markdown   the keys' reference page instead\n\n"
      "The output is itself a configuration file.\n",
      cmd_config },
    { "bench", "[peak|ops|step] [key=value ...] [--json]", "measures the device, the operations or whole training steps",
      JSON_OPTION "\n"
                  "peak: multiply-adds and bytes per second; ops: a step of ssl.mode by operation;\n"
                  "step: supervised, pseudo-label, gradcam, ssl.mode if it is another one, and\n"
                  "inference. Without a word all three. Images are random ones, 32 x 32 unless\n"
                  "data.image_size says otherwise.\n",
      cmd_bench },
    { "tune", "[key=value ...] [--again] [--quiet]", "times kernel variants and CLBlast parameters, keeps the winners",
      "  --again       time what is known already, too\n"
      "  -q, --quiet   no lines on stdout\n\n"
      "Times what the training, evaluation and CAMs of the given keys need (camcl tune\n"
      "model.arch=resnet50 ...). Winners lie in device.cache_dir and serve every\n"
      "command while device.tune is cache or full. Interrupted, it keeps what was\n"
      "timed.\n",
      cmd_tune },
    { "selftest", "[key=value ...] [--json]", "the kernel checks, on the chosen device",
      JSON_OPTION "\n"
                  "Every variant of every operation against plain-C references, on small shapes.\n"
                  "Exit status 1: one failed.\n",
      cmd_selftest },
    { "init", "[TASK] [-o FILE]", "writes a commented configuration to begin with",
      "  -o, --output FILE   where it goes; default: TASK.ini here\n\n"
      "cifar10: 4,000 labels, pseudo-labels and Grad-CAM consistency. own-pictures:\n"
      "photographs in folders named after their classes. paper: the settings of the\n"
      "paper's public code. quickstart: images that the program draws, nothing to\n"
      "download. Without TASK they are listed. A file that exists is not overwritten.\n",
      cmd_init },
    { "data", "inspect CONFIG [key=value ...] [-o FILE] [--json] | fetch NAME [-o DIR]",
      "what a data set holds (inspect), or a published one (fetch)",
      "inspect: counts by class and pool, sizes, what is left out. Needs no device.\n"
      "Pictures that cannot be read are counted, whatever data.corrupt says.\n"
      "  -o, --output FILE   the contact sheet, a PNG with a few labelled images of\n"
      "                      each class; default: contact-sheet.png\n" JSON_OPTION "\n"
      "fetch: the official files of cifar10, cifar100, mnist or fashion-mnist, checked\n"
      "by SHA-256. What a broken or stopped fetch leaves in FILE.part, the same command\n"
      "goes on from. Files that are there already are checked, and left alone.\n"
      "  -o, --output DIR    where they go, data.root then; default: data\n\n"
      "CAMCL_MIRROR in the environment names addresses to fetch from instead of the\n"
      "published ones, tried in turn: http or https, separated by blanks, each a folder\n"
      "with cifar-10-binary.tar.gz, cifar-100-binary.tar.gz, mnist/*.gz and\n"
      "fashion-mnist/*.gz. Proxies are taken from https_proxy and http_proxy.\n",
      cmd_data },
    { "report", "RUN_DIR... [-o FILE]", "one self-contained HTML page: curves, confusion matrix, CAM gallery",
      "  -o, --output FILE   the page (default: RUN_DIR/report.html, of several runs\n"
      "                      ./report.html)\n\n"
      "Several runs are compared. Runs that differ only in train.seed are one group,\n"
      "with mean and standard deviation. A file that is no report of camcl is not\n"
      "overwritten.\n",
      cmd_report },
    { "export", "CHECKPOINT -o FILE.onnx", "a checkpoint as an ONNX model, for other programs",
      "  -o, --output FILE   where it goes\n\n"
      "Input: images, float32 [N,C,S,S], bytes divided by 255; the graph normalises\n"
      "them. Output: logits, float32 [N, classes]. The classes' names and what else the\n"
      "checkpoint says are in the model's metadata. Opset 13. Needs no device. A file\n"
      "that is no ONNX model of camcl is not overwritten.\n",
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

/* Lines break before they are too wide for most terminals, but not within brackets. */
static void print_usage(const cli_command *command, FILE *out)
{
    const int indent = fprintf(out, "usage: camcl %s", command->name);
    int column = indent;
    for (const char *at = command->arguments; *at;) {
        int length = 0;
        for (int depth = 0; at[length] && (depth > 0 || at[length] != ' '); length++)
            depth += (at[length] == '[') - (at[length] == ']');
        if (column + 1 + length > LINE_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(out, " %.*s", length, at);
        at += length;
        at += strspn(at, " ");
    }
    fputc('\n', out);
}

void cli_print_command(const char *name, FILE *out)
{
    const cli_command *command = cli_find_command(name);
    print_usage(command, out);
    fprintf(out, "\n%s\n", command->summary);
    if (*command->help) fprintf(out, "\n%s", command->help);
}
