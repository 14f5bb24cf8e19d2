#include "run/file_kind.h"

#include <stdbool.h>
#include <string.h>

#include "base/content.h"
#include "base/text.h"

#define DECOMPRESS "unpack it and give the file that was in it"
#define OTHER_PROGRAM "give the PyTorch weights of the same network, saved as safetensors"

static camcl_status fail_kind(const char *path, const char *kind, const char *advice, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "%s: it is %s, not a safetensors file (%s)", path, kind, advice);
}

/* The path with safetensors as its ending, quoted. */
static void add_converted_path(cc_text *text, const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    cc_text stem = CC_TEXT_INIT;
    const bool ends = dot && (slash == NULL || dot > slash + 1) && dot > path;
    cc_text_add_bytes(&stem, path, ends ? (size_t)(dot - path) : strlen(path));
    cc_text_add(&stem, ends && strcmp(dot, ".safetensors") == 0 ? "-converted.safetensors" : ".safetensors");
    if (stem.failed)
        text->failed = true;
    else
        cc_text_add_quoted(text, stem.data);
    cc_text_free(&stem);
}

/* Dictionaries in dictionaries become prefixes, which model.init finds its way through. Copies, because safetensors refuses tensors that
 * share memory. */
#define SAVE_PART                                                                                                                          \
    "f=lambda d,p='':{n:t for k,v in d.items() for n,t in(f(v,p+str(k)+'.')if isinstance(v,dict)else{p+str(k):v}).items() "                \
    "if torch.is_tensor(t)};save_file({n:t.contiguous().clone()for n,t in f(d).items()},sys.argv[2])"

static camcl_status fail_torch(const char *path, const char *kind, const char *load, const char *note, camcl_error *err)
{
    cc_text command = CC_TEXT_INIT;
    cc_text_add(&command, "python3 -c \"import sys,torch;from safetensors.torch import save_file;d=%s;" SAVE_PART "\" ", load);
    cc_text_add_quoted(&command, path);
    cc_text_add(&command, " ");
    add_converted_path(&command, path);
    camcl_status status = command.failed
                              ? cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for a message (close other programs)")
                              : fail_kind(path, kind, "convert it by the command below, where PyTorch and safetensors are installed", err);
    if (status == CAMCL_BAD_DATA) cc_detail(err, "%s\n%s", command.data, note);
    cc_text_free(&command);
    return status;
}

/* load() refuses whatever else a file holds unless it is told to trust it, because a pickle can run programs. */
static camcl_status fail_saved(const char *path, const char *kind, camcl_error *err)
{
    return fail_torch(
        path, kind, "torch.load(sys.argv[1],'cpu',weights_only=True)",
        "if PyTorch refuses objects in it, and you trust who made it: weights_only=False; a whole model needs .state_dict() too", err);
}

static bool holds(const char *data, size_t size, const char *word)
{
    const size_t length = strlen(word);
    const char *at = data, *end = data + size;
    while ((size_t)(end - at) >= length && (at = memchr(at, word[0], (size_t)(end - at) - length + 1)) != NULL) {
        if (memcmp(at, word, length) == 0) return true;
        at++;
    }
    return false;
}

/* The names of an archive's files stand in it as they are. */
static camcl_status fail_zip(const char *path, const char *data, size_t size, camcl_error *err)
{
    if (holds(data, size, "/constants.pkl"))
        return fail_torch(path, "a TorchScript archive", "torch.jit.load(sys.argv[1],'cpu').state_dict()",
                          "a file of torch.export is opened with torch.export.load instead", err);
    if (holds(data, size, "/data.pkl")) return fail_saved(path, "a PyTorch file", err);
    if (holds(data, size, "model.weights.h5")) return fail_kind(path, "a Keras model", OTHER_PROGRAM, err);
    if (holds(data, size, ".npy")) return fail_kind(path, "a NumPy archive (.npz)", OTHER_PROGRAM, err);
    return fail_kind(path, "a ZIP archive", DECOMPRESS, err);
}

static camcl_status fail_pickle(const char *path, const char *data, size_t size, camcl_error *err)
{
    static const char magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    if (size >= sizeof magic - 1 && memcmp(data, magic, sizeof magic - 1) == 0)
        return fail_saved(path, "a PyTorch file, as before version 1.6", err);
    return fail_kind(path, "a Python pickle", "load it in the program that wrote it and save its tensors as safetensors", err);
}

static camcl_status fail_json(const char *path, const char *data, size_t size, camcl_error *err)
{
    if (holds(data, size, "\"weight_map\""))
        return fail_kind(path, "the index of weights that lie in several files", "give one of the .safetensors files that it names", err);
    return fail_kind(path, "a JSON text", "give the .safetensors file that belongs to it", err);
}

/* Protocol buffers: the version of the format, then the name of the program that wrote the file. TensorFlow's begin alike, with version
 * 1. */
static bool is_onnx(const char *data, size_t size)
{
    if (size < 8 || data[0] != 8 || data[1] < 3 || data[1] > 30 || data[2] != 0x12 || data[3] <= 0) return false;
    for (size_t i = 4; i < size && i < 4 + (size_t)data[3]; i++)
        if (data[i] < ' ' || data[i] > '~') return false;
    return true;
}

camcl_status cc_file_kind_check(const char *path, const char *data, size_t size, camcl_error *err)
{
    const cc_content content = cc_content_of(data, size);
    const char *advice = OTHER_PROGRAM;
    switch (content.kind) {
    case CC_CONTENT_UNKNOWN: return is_onnx(data, size) ? fail_kind(path, "an ONNX file", OTHER_PROGRAM, err) : CAMCL_OK;
    case CC_CONTENT_ZIP: return fail_zip(path, data, size, err);
    case CC_CONTENT_PICKLE: return fail_pickle(path, data, size, err);
    case CC_CONTENT_JSON: return fail_json(path, data, size, err);
    case CC_CONTENT_EMPTY:
    case CC_CONTENT_ZEROS: advice = "copy or download it again"; break;
    case CC_CONTENT_TEXT: advice = "look into it, it may say why"; break;
    case CC_CONTENT_XML: advice = "probably a server's answer that there is no such file: download it again"; break;
    case CC_CONTENT_WEB_PAGE: advice = "download the file itself, by the link that says so on its page"; break;
    case CC_CONTENT_LFS_POINTER: advice = "it stands for a file that was not downloaded: run git lfs pull in its repository"; break;
    case CC_CONTENT_MACOS: advice = "give the file of the same name without ._ in front"; break;
    case CC_CONTENT_RAR:
    case CC_CONTENT_ARCHIVE:
    case CC_CONTENT_COMPRESSED: advice = DECOMPRESS; break;
    default: break;
    }
    return fail_kind(path, content.name, advice, err);
}
