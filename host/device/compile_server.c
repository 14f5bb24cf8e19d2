/* Compiling in other processes: the helper. It builds the programs that it is sent and, because PoCL compiles a kernel only when it is
 * launched, launches each kernel once on zeros. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "device/compile.h"
#include "device/tape.h"

typedef struct reader {
    int socket;
    bool ended; /* the message was cut off, or is none that this side understands */
} reader;

static void get(reader *in, void *data, size_t size)
{
    for (size_t done = 0; done < size && !in->ended;) {
        const ssize_t n = read(in->socket, (char *)data + done, size - done);
        in->ended = n <= 0;
        done += n > 0 ? (size_t)n : 0;
    }
    if (in->ended) memset(data, 0, size);
}

static size_t get_u32(reader *in)
{
    uint32_t value;
    get(in, &value, sizeof value);
    if (value > CC_COMPILE_MOST) in->ended = true;
    return in->ended ? 0 : value;
}

static size_t get_u64(reader *in)
{
    uint64_t value;
    get(in, &value, sizeof value);
    return (size_t)value;
}

/* The caller frees it. */
static char *get_text(reader *in)
{
    char *text = NULL;
    const size_t length = get_u32(in);
    if (CC_NEW(length + 1, &text, NULL) != CAMCL_OK)
        in->ended = true;
    else
        get(in, text, length);
    return text;
}

static camcl_status fail_cut_off(camcl_error *err)
{
    return cc_fail(err, CAMCL_BAD_DATA, "kernel compiler: a message that ends too early");
}

static camcl_status read_args(reader *in, cc_tape *tape, cc_arg *args, size_t count, camcl_error *err)
{
    for (size_t i = 0; i < count; i++) {
        cc_arg *arg = &args[i];
        size_t bytes = 0;
        arg->kind = (cc_arg_kind)get_u32(in);
        if (arg->kind == CC_ARG_INT)
            get(in, &arg->i, sizeof arg->i);
        else if (arg->kind == CC_ARG_FLOAT)
            get(in, &arg->f, sizeof arg->f);
        else
            bytes = get_u64(in);
        if (in->ended) return fail_cut_off(err);
        if (!cc_arg_is_buffer(arg)) continue;
        CC_RETURN_IF_FAILED(cc_tape_buffer(tape, bytes, "operand", &arg->buffer, err));
        CC_RETURN_IF_FAILED(cc_tape_zero(tape, arg->buffer, err));
    }
    return CAMCL_OK;
}

static camcl_status read_launch(reader *in, cc_tape *tape, const char *options, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_arg *args = NULL;
    char *name = get_text(in);
    cc_launch launch = { .options = options, .dims = (unsigned)get_u32(in) };
    for (unsigned d = 0; d < 3; d++)
        launch.global[d] = get_u64(in);
    for (unsigned d = 0; d < 3; d++)
        launch.local[d] = get_u64(in);
    const cc_kernel *kernel = in->ended ? NULL : cc_kernel_find(name);
    if (kernel == NULL || launch.dims > 3) {
        status = fail_cut_off(err);
        goto cleanup;
    }
    CC_TRY(CC_NEW(kernel->count, &args, err));
    CC_TRY(read_args(in, tape, args, kernel->count, err));
    CC_TRY(cc_tape_launch(tape, kernel, args, &launch, err));
cleanup:
    free(args);
    free(name);
    return status;
}

static camcl_status do_job(reader *in, camcl_device *device, const char *program, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_arena *arena = NULL;
    cc_tape *tape;
    cl_program built;
    char *options = get_text(in);
    const size_t launches = get_u32(in);
    CC_TRY(cc_arena_create(device, &arena, err));
    CC_TRY(cc_tape_create(arena, "kernels to compile", &tape, err));
    for (size_t i = 0; i < launches; i++)
        CC_TRY(read_launch(in, tape, options, err));
    if (in->ended) {
        status = fail_cut_off(err);
        goto cleanup;
    }
    CC_TRY(cc_program_get(device, program, options, &built, err));
    if (!cc_device_compiles_at_launch(device)) goto cleanup;
    size_t misfits;
    status = cc_arena_commit(arena, err);
    (void)cc_arena_misfits(arena, &misfits);
    if (status == CAMCL_UNSUPPORTED && misfits > 0) {
        /* The program is in the cache. The process that asked for it will find the same misfit and choose another kernel. */
        status = CAMCL_OK;
        goto cleanup;
    }
    CC_TRY(status);
    CC_TRY(cc_tape_run(tape, err));
    CC_TRY(cc_device_finish(device, err));
cleanup:
    cc_arena_destroy(&arena);
    free(options);
    return status;
}

camcl_status camcl_compile_kernels(int socket, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    reader in = { socket, false };
    camcl_device *device = NULL;
    char *version = get_text(&in), *selector = get_text(&in), *cache_dir = get_text(&in), *program = NULL;
    if (in.ended || strcmp(version, CAMCL_VERSION) != 0) {
        status = cc_fail(err, CAMCL_BAD_DATA, "kernel compiler: nothing it understands on its standard input (camcl starts it by itself)");
        goto cleanup;
    }
    const camcl_device_options options = { .select = selector, .cache_dir = cache_dir, .tune = "off" };
    CC_TRY(camcl_device_open(&options, &device, err));
    for (program = get_text(&in); !in.ended; program = get_text(&in)) {
        CC_TRY(do_job(&in, device, program, err));
        free(program);
        program = NULL;
        if (write(socket, "+", 1) != 1) break;
    }
cleanup:
    free(program);
    free(version);
    free(selector);
    free(cache_dir);
    camcl_device_close(&device);
    return status;
}
