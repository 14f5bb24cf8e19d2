/* Programs from the embedded sources: includes are expanded, the device's limits become macros, built programs are kept in the cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "device/device.h"
#include "device/embedded.h"
#include "device/kernel.h"
#include "device/opencl.h"

static const char *embedded(const char *name, size_t length)
{
    for (const cc_embedded_file *file = cc_embedded_files; file->name; file++)
        if (strlen(file->name) == length && memcmp(file->name, name, length) == 0) return file->text;
    return NULL;
}

typedef struct expansion {
    cc_text text;
    const char *included[16]; /* texts of files */
    size_t count;
} expansion;

/* Appends text. A line `#include "file"` is replaced by that file the first time, and dropped later, because OpenCL compilers cannot read
 * our folders. */
static camcl_status expand(expansion *out, const char *text, camcl_error *err)
{
    static const char directive[] = "#include \"";
    while (*text) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end - text) + 1 : strlen(text), seen = 0;
        if (strncmp(text, directive, sizeof directive - 1) == 0) {
            const char *name = text + sizeof directive - 1;
            const char *file = embedded(name, strcspn(name, "\"\n"));
            if (file == NULL || out->count == CC_COUNT(out->included))
                return cc_fail(err, CAMCL_OPENCL, "kernel source: %.*s is not embedded, or one file too many (report this as a defect)",
                               (int)strcspn(name, "\"\n"), name);
            while (seen < out->count && out->included[seen] != file)
                seen++;
            if (seen == out->count) {
                out->included[out->count++] = file;
                CC_RETURN_IF_FAILED(expand(out, file, err));
            }
        } else {
            cc_text_add_bytes(&out->text, text, length);
        }
        text += length;
    }
    return CAMCL_OK;
}

/* The source and everything else that the binary depends on. */
static void describe_build(cc_text *key, const camcl_device *device, const char *source, const char *options)
{
    const camcl_device_info *info = &device->info;
    cc_text_add(key, "camcl %s\n%s\n%s\n%s\n%s\n%s\n%s\n", CAMCL_VERSION, info->platform, info->vendor, info->name, info->driver,
                info->opencl_c, options);
    cc_text_add_bytes(key, source, strlen(source));
}

static bool is_pocl(const camcl_device *device)
{
    static const char platform[] = "Portable Computing Language";
    return strncmp(device->info.platform, platform, sizeof platform - 1) == 0;
}

/* PoCL compiles every kernel of a built program once more, for local sizes that nobody launches, when it is asked for the binary. Linking a
 * compiled program makes it read its library of built-in functions, which takes half a second at every start. But if PoCL is given an LLVM
 * module that it has built before, it finds program and kernels in a cache of its own. So with PoCL a program is compiled only, the module
 * is taken out of the binary, and the module is what is stored and built. PoCL promises none of this; where it does not work, programs are
 * built and stored like those of other drivers. */
static bool builds_modules(const camcl_device *device) { return is_pocl(device) && !device->modules_refused; }

/* PoCL reads its declarations of built-in functions for every program, 0.1 s, and compiles no kernel before it is launched: there the files
 * of a line of cl/bundles.txt become one program. */
enum { BUNDLE = 8 }; /* files and a NULL; the build refuses longer lines */

/* files: the names of what becomes one program with `name`, up to a NULL. */
static void find_bundle(const camcl_device *device, const char *name, const char *files[BUNDLE])
{
    memset(files, 0, BUNDLE * sizeof *files);
    files[0] = name;
    for (const char *const *const *bundle = cc_bundles; is_pocl(device) && *bundle; bundle++) {
        size_t count = 0;
        bool found = false;
        for (; (*bundle)[count]; count++)
            found = found || strcmp((*bundle)[count], name) == 0;
        if (found) memcpy(files, *bundle, count * sizeof *files);
    }
}

/* Whether the compiler takes prefetch instructions. Compilers that go through SPIR-V refuse them. */
static bool compiles_prefetch(const camcl_device_info *info)
{
    static const char *const platforms[] = { "Portable Computing Language", "Intel" };
    for (size_t i = 0; i < CC_COUNT(platforms); i++)
        if (info->type == CAMCL_CPU && strncmp(info->platform, platforms[i], strlen(platforms[i])) == 0) return true;
    return false;
}

static void describe_options(cc_text *text, const camcl_device *device, const char *options)
{
    const camcl_device_info *info = &device->info;
    unsigned major = 1, minor = 0;
    /* Kernels are written for version 1.2. The version that counts is the device's, which may be older than the platform's. */
    sscanf(info->opencl_c, "OpenCL C %u.%u", &major, &minor);
    /* -w: drivers print how many warnings there were onto the host's stderr, where users cannot do anything about them. */
    cc_text_add(text, "-w -cl-std=CL%s -DCC_CPU=%d -DCC_PREFETCH=%d -DCC_COMPUTE_UNITS=%u -DCC_LOCAL_BYTES=%zu -DCC_MAX_WORK_GROUP=%zu",
                major == 1 && minor < 2 ? "1.1" : "1.2", info->type == CAMCL_CPU, compiles_prefetch(info), info->compute_units,
                info->local_mem, info->max_work_group);
    if (device->sub_group) cc_text_add(text, " -DCC_SUB_GROUP=%zu", device->sub_group);
    if (device->slow_fma) cc_text_add(text, " -DCC_SLOW_FMA");
    if (options && *options) cc_text_add(text, " %s", options);
}

static camcl_status fail_with_log(camcl_device *device, cl_program program, const char *name, const char *options, cl_int code,
                                  camcl_error *err)
{
    cc_fail(err, CAMCL_OPENCL, "kernel %s: does not build on %s: %s (report it with the log below)", name, device->info.name,
            cc_cl_name(code));
    cc_detail(err, "options: %s\n", options);
    size_t size = 0;
    char *log = NULL;
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    if (size && CC_NEW(size + 1, &log, NULL) == CAMCL_OK) {
        clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, size, log, NULL);
        cc_detail(err, "%s\n", log);
    }
    free(log);
    return CAMCL_OPENCL;
}

/* The program's binary, which the caller frees; NULL if the driver gives none. */
static unsigned char *get_binary(cl_program program, size_t *size)
{
    unsigned char *binary = NULL;
    *size = 0;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof *size, size, NULL) != CL_SUCCESS || *size == 0) return NULL;
    if (CC_NEW(*size, &binary, NULL) != CAMCL_OK) return NULL;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS) return binary;
    free(binary);
    return NULL;
}

/* NULL if the driver refuses the binary. */
static cl_program build_binary(camcl_device *device, const unsigned char *binary, size_t size, const char *options)
{
    cl_int code, state;
    cl_program program = clCreateProgramWithBinary(device->context, 1, &device->id, &size, &binary, &state, &code);
    if (code != CL_SUCCESS) return NULL;
    /* A binary that was taken while another process built the same program can lack its kernels. */
    size_t kernels = 0;
    if (state == CL_SUCCESS && clBuildProgram(program, 1, &device->id, options, NULL, NULL) == CL_SUCCESS &&
        clGetProgramInfo(program, CL_PROGRAM_NUM_KERNELS, sizeof kernels, &kernels, NULL) == CL_SUCCESS && kernels > 0)
        return program;
    clReleaseProgram(program);
    return NULL;
}

/* The LLVM module in a binary of PoCL; NULL if there is none. PoCL writes the length of the module before it, the least byte first. */
static const unsigned char *find_module(const unsigned char *binary, size_t size, size_t *length)
{
    static const unsigned char magic[] = { 'B', 'C', 0xc0, 0xde };
    for (size_t at = 4; at + sizeof magic <= size; at++) {
        const unsigned char *module = binary + at;
        if (memcmp(module, magic, sizeof magic) != 0) continue;
        *length = module[-4] | (size_t)module[-3] << 8 | (size_t)module[-2] << 16 | (size_t)module[-1] << 24;
        if (*length >= sizeof magic && *length <= size - at) return module;
    }
    return NULL;
}

/* Under which key the cache folder notes that a driver refuses modules. */
static void describe_refusal(cc_text *key, const camcl_device *device)
{
    const camcl_device_info *info = &device->info;
    cc_text_add(key, "camcl %s\nmodules refused\n%s\n%s\n%s\n%s\n", CAMCL_VERSION, info->platform, info->vendor, info->name, info->driver);
}

void cc_program_read_refusal(camcl_device *device)
{
    cc_text key = CC_TEXT_INIT;
    unsigned char *note = NULL;
    size_t size;
    if (device->cache_dir == NULL || !is_pocl(device)) return;
    describe_refusal(&key, device);
    device->modules_refused = !key.failed && cc_cache_load(device->cache_dir, &(cc_cache_key){ key.data, key.length }, &note, &size);
    free(note);
    cc_text_free(&key);
}

static void note_refusal(camcl_device *device)
{
    static const unsigned char note[] = "refused";
    cc_text key = CC_TEXT_INIT;
    device->modules_refused = true;
    describe_refusal(&key, device);
    if (device->cache_dir && !key.failed) cc_cache_store(device->cache_dir, &(cc_cache_key){ key.data, key.length }, note, sizeof note);
    cc_text_free(&key);
}

/* Compiles the source, takes the module out of the binary, builds it and stores it; NULL if any of that fails. PoCL would take the compiled
 * program for a built one of the same source and options, so one more macro keeps the two apart. */
static cl_program build_module(camcl_device *device, const cc_text *source, const char *options, const cc_cache_key *key)
{
    cl_int code;
    cc_text compile_options = CC_TEXT_INIT;
    unsigned char *binary = NULL;
    size_t size = 0, length = 0;
    const char *data = source->data;
    cl_program program = NULL, compiled = clCreateProgramWithSource(device->context, 1, &data, &source->length, &code);
    if (code != CL_SUCCESS) return NULL;
    cc_text_add(&compile_options, "%s -DCC_MODULE", options);
    if (!compile_options.failed &&
        clCompileProgram(compiled, 1, &device->id, compile_options.data, 0, NULL, NULL, NULL, NULL) == CL_SUCCESS)
        binary = get_binary(compiled, &size);
    const unsigned char *module = binary ? find_module(binary, size, &length) : NULL;
    if (module) program = build_binary(device, module, length, options);
    if (program && device->cache_dir) cc_cache_store(device->cache_dir, key, module, length);
    clReleaseProgram(compiled);
    free(binary);
    cc_text_free(&compile_options);
    return program;
}

static cl_program load_binary(camcl_device *device, const cc_cache_key *key, const char *options)
{
    unsigned char *binary = NULL;
    size_t size = 0;
    if (device->cache_dir == NULL || !cc_cache_load(device->cache_dir, key, &binary, &size)) return NULL;
    cl_program program = build_binary(device, binary, size, options);
    free(binary);
    return program;
}

static camcl_status build_source(camcl_device *device, const char *name, const cc_text *source, const char *options, cl_program *out,
                                 camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cl_int code;
    const char *data = source->data;
    cl_program program = clCreateProgramWithSource(device->context, 1, &data, &source->length, &code);
    CC_CL_CODE(code, "clCreateProgramWithSource");
    code = clBuildProgram(program, 1, &device->id, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        status = fail_with_log(device, program, name, options, code, err);
        goto cleanup;
    }
    *out = program;
    program = NULL;
cleanup:
    if (program) clReleaseProgram(program);
    return status;
}

static void store_binary(const camcl_device *device, const cc_cache_key *key, cl_program program)
{
    size_t size;
    unsigned char *binary = device->cache_dir ? get_binary(program, &size) : NULL;
    if (binary) cc_cache_store(device->cache_dir, key, binary, size);
    free(binary);
}

static camcl_status expand_file(expansion *out, const char *name, camcl_error *err)
{
    char file[96];
    snprintf(file, sizeof file, "%s.cl", name);
    const char *text = embedded(file, strlen(file));
    if (text) return expand(out, text, err);
    return cc_fail(err, CAMCL_OPENCL, "kernel source: %s is not embedded (report this as a defect)", file);
}

/* What a program is built from. */
typedef struct recipe {
    cc_text source, options, key;
} recipe;

static void free_recipe(recipe *r)
{
    cc_text_free(&r->source);
    cc_text_free(&r->options);
    cc_text_free(&r->key);
}

/* The caller frees *out, also after a failure. */
static camcl_status find_recipe(const camcl_device *device, const char *const files[BUNDLE], const char *options, recipe *out,
                                camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    expansion source = { .text = CC_TEXT_INIT };
    *out = (recipe){ CC_TEXT_INIT, CC_TEXT_INIT, CC_TEXT_INIT };
    for (size_t i = 0; files[i]; i++)
        CC_TRY(expand_file(&source, files[i], err));
    describe_options(&out->options, device, options);
    if (!source.text.failed && !out->options.failed) describe_build(&out->key, device, source.text.data, out->options.data);
    if (source.text.failed || out->options.failed || out->key.failed)
        status = cc_fail(err, CAMCL_NO_MEMORY, "memory: no room for kernel sources (close other programs)");
cleanup:
    out->source = source.text;
    return status;
}

static camcl_status build(camcl_device *device, const char *const files[BUNDLE], const char *options, cl_program *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    recipe r;
    CC_TRY(find_recipe(device, files, options, &r, err));
    cc_cache_key key = { r.key.data, r.key.length };
    *out = load_binary(device, &key, r.options.data);
    if (*out) goto cleanup;
    const bool modules = builds_modules(device);
    if (modules) *out = build_module(device, &r.source, r.options.data, &key);
    if (*out) goto cleanup;
    CC_TRY(build_source(device, files[0], &r.source, r.options.data, out, err));
    /* The source builds, so it is modules that do not work here. */
    if (modules) note_refusal(device);
    store_binary(device, &key, *out);
cleanup:
    free_recipe(&r);
    return status;
}

bool cc_device_compiles_at_launch(const camcl_device *device) { return is_pocl(device); }

static cl_program find_built(const camcl_device *device, const char *file, const char *options)
{
    for (size_t i = 0; i < device->program_count; i++)
        if (strcmp(device->programs[i].name, file) == 0 && strcmp(device->programs[i].options, options) == 0)
            return device->programs[i].program;
    return NULL;
}

bool cc_program_is_same(const camcl_device *device, const char *a, const char *b)
{
    const char *files_a[BUNDLE], *files_b[BUNDLE];
    find_bundle(device, a, files_a);
    find_bundle(device, b, files_b);
    return strcmp(files_a[0], files_b[0]) == 0;
}

/* The device owns the program from here on, unless this fails. */
static camcl_status keep_program(camcl_device *device, const char *file, const char *options, cl_program program, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_program entry = { NULL, NULL, program };
    CC_TRY(cc_grow((void **)&device->programs, &device->program_capacity, device->program_count + 1, sizeof entry, err));
    CC_TRY(cc_copy_text(file, &entry.name, err));
    CC_TRY(cc_copy_text(options, &entry.options, err));
    device->programs[device->program_count++] = entry;
    return CAMCL_OK;
cleanup:
    free(entry.name);
    return status;
}

bool cc_program_find(camcl_device *device, const char *name, const char *options)
{
    const char *files[BUNDLE];
    recipe r;
    cl_program program = NULL;
    find_bundle(device, name, files);
    if (find_built(device, files[0], options)) return true;
    if (find_recipe(device, files, options, &r, NULL) == CAMCL_OK)
        program = load_binary(device, &(cc_cache_key){ r.key.data, r.key.length }, r.options.data);
    free_recipe(&r);
    if (program == NULL || keep_program(device, files[0], options, program, NULL) == CAMCL_OK) return program != NULL;
    clReleaseProgram(program);
    return false;
}

camcl_status cc_program_get(camcl_device *device, const char *name, const char *options, cl_program *out, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    const char *files[BUNDLE];
    find_bundle(device, name, files);
    if (options == NULL) options = "";
    *out = find_built(device, files[0], options);
    if (*out) return CAMCL_OK;
    CC_TRY(build(device, files, options, out, err));
    CC_TRY(keep_program(device, files[0], options, *out, err));
    return CAMCL_OK;
cleanup:
    if (*out) clReleaseProgram(*out);
    *out = NULL;
    return status;
}
