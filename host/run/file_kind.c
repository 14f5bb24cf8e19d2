#include "run/file_kind.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- kinds that their first bytes tell */

#define DECOMPRESS "unpack it and give the file that was in it"
#define OTHER_PROGRAM "give the PyTorch weights of the same network, saved as safetensors"

typedef struct magic {
    size_t at;
    const char *bytes;
    size_t count;
    const char *kind, *advice;
} magic;

#define BYTES(text) text, sizeof(text) - 1

static const magic magics[] = {
    { 0, BYTES("version https://git-lfs"), "a Git LFS pointer, which stands for a file that was not downloaded",
      "run git lfs pull in its repository" },
    { 0, BYTES("\x89HDF\r\n\x1a\n"), "an HDF5 file, as Keras writes", OTHER_PROGRAM },
    { 0, BYTES("GGUF"), "a GGUF file, which holds a language model", OTHER_PROGRAM },
    { 0, BYTES("\x93NUMPY"), "a NumPy array, which has no tensor names", OTHER_PROGRAM },
    { 4, BYTES("TFL3"), "a TensorFlow Lite file", OTHER_PROGRAM },
    { 0, BYTES("\x1f\x8b"), "compressed by gzip", DECOMPRESS },
    { 0, BYTES("\x28\xb5\x2f\xfd"), "compressed by zstd", DECOMPRESS },
    { 0, BYTES("\xfd\x37zXZ\0"), "compressed by xz", DECOMPRESS },
    { 0, BYTES("BZh"), "compressed by bzip2", DECOMPRESS },
    { 0, BYTES("7z\xbc\xaf\x27\x1c"), "a 7z archive", DECOMPRESS },
    { 257, BYTES("ustar"), "a tar archive", DECOMPRESS },
};

static bool has(const char *data, size_t size, size_t at, const char *bytes, size_t count)
{
    return size >= count && at <= size - count && memcmp(data + at, bytes, count) == 0;
}

static camcl_status fail_kind(const char *path, const char *kind, const char *advice, camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "%s: it is %s, not a safetensors file (%s)", path, kind, advice);
}

/* ---- PyTorch's own files */

/* Quoted for a shell. */
static void add_quoted(cc_text *text, const char *word)
{
    cc_text_add(text, "'");
    for (const char *p = word; *p; p++)
        cc_text_add(text, *p == '\'' ? "'\\''" : "%c", *p);
    cc_text_add(text, "'");
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
        add_quoted(text, stem.data);
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
    add_quoted(&command, path);
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
    return fail_kind(path, "a zip archive", DECOMPRESS, err);
}

static camcl_status check_pickle(const char *path, const char *data, size_t size, camcl_error *err)
{
    if (has(data, size, 0, BYTES("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")))
        return fail_saved(path, "a PyTorch file, as before version 1.6", err);
    if (size > 2 && data[0] == '\x80' && data[1] >= 2 && data[1] <= 5)
        return fail_kind(path, "a Python pickle", "load it in the program that wrote it and save its tensors as safetensors", err);
    return CAMCL_OK;
}

/* ---- text, and what has no magic number */

static camcl_status check_text(const char *path, const char *data, size_t size, camcl_error *err)
{
    size_t at = 0;
    if (has(data, size, 0, BYTES("\xef\xbb\xbf"))) at = 3;
    while (at < size && strchr(" \t\r\n", data[at]) && data[at])
        at++;
    if (size - at >= 5 && strncasecmp(data + at, "<?xml", 5) == 0)
        return fail_kind(path, "an XML page, probably a server's answer that there is no such file", "download it again", err);
    if ((size - at >= 9 && strncasecmp(data + at, "<!doctype", 9) == 0) || (size - at >= 5 && strncasecmp(data + at, "<html", 5) == 0))
        return fail_kind(path, "a web page", "download the file itself, by the link that says so on its page", err);
    if (at == size || data[at] != '{') return CAMCL_OK;
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
    if (size == 0) return cc_fail(err, CAMCL_BAD_DATA, "%s: the file is empty (copy or download it again)", path);
    for (size_t i = 0; i < CC_COUNT(magics); i++)
        if (has(data, size, magics[i].at, magics[i].bytes, magics[i].count)) return fail_kind(path, magics[i].kind, magics[i].advice, err);
    if (has(data, size, 0, BYTES("PK\3\4"))) return fail_zip(path, data, size, err);
    if (is_onnx(data, size)) return fail_kind(path, "an ONNX file", OTHER_PROGRAM, err);
    CC_RETURN_IF_FAILED(check_pickle(path, data, size, err));
    return check_text(path, data, size, err);
}
