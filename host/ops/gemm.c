/* Matrix products through CLBlast, which no other file knows. */
#include <clblast_c.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ops/choice/state.h"
#include "ops/gemm.h"
#include "ops/record.h"

static const char *clblast_name(CLBlastStatusCode code)
{
#define NAME(name)                                                                                                                         \
    {                                                                                                                                      \
        CLBlast##name, "CLBlast" #name                                                                                                     \
    }
    static const struct {
        CLBlastStatusCode code;
        const char *name;
    } names[] = {
        NAME(Success),
        NAME(OpenCLCompilerNotAvailable),
        NAME(TempBufferAllocFailure),
        NAME(OpenCLOutOfResources),
        NAME(OpenCLOutOfHostMemory),
        NAME(OpenCLBuildProgramFailure),
        NAME(InvalidValue),
        NAME(InvalidCommandQueue),
        NAME(InvalidMemObject),
        NAME(InvalidBinary),
        NAME(InvalidBuildOptions),
        NAME(InvalidProgram),
        NAME(InvalidProgramExecutable),
        NAME(InvalidKernelName),
        NAME(InvalidKernelDefinition),
        NAME(InvalidKernel),
        NAME(InvalidArgIndex),
        NAME(InvalidArgValue),
        NAME(InvalidArgSize),
        NAME(InvalidKernelArgs),
        NAME(InvalidLocalNumDimensions),
        NAME(InvalidLocalThreadsTotal),
        NAME(InvalidLocalThreadsDim),
        NAME(InvalidGlobalOffset),
        NAME(InvalidEventWaitList),
        NAME(InvalidEvent),
        NAME(InvalidOperation),
        NAME(InvalidBufferSize),
        NAME(InvalidGlobalWorkSize),
        NAME(NotImplemented),
        NAME(InvalidMatrixA),
        NAME(InvalidMatrixB),
        NAME(InvalidMatrixC),
        NAME(InvalidVectorX),
        NAME(InvalidVectorY),
        NAME(InvalidDimension),
        NAME(InvalidLeadDimA),
        NAME(InvalidLeadDimB),
        NAME(InvalidLeadDimC),
        NAME(InvalidIncrementX),
        NAME(InvalidIncrementY),
        NAME(InsufficientMemoryA),
        NAME(InsufficientMemoryB),
        NAME(InsufficientMemoryC),
        NAME(InsufficientMemoryX),
        NAME(InsufficientMemoryY),
        NAME(InsufficientMemoryTemp),
        NAME(InvalidBatchCount),
        NAME(InvalidOverrideKernel),
        NAME(MissingOverrideParameter),
        NAME(InvalidLocalMemUsage),
        NAME(NoHalfPrecision),
        NAME(NoDoublePrecision),
        NAME(InvalidVectorScalar),
        NAME(InsufficientMemoryScalar),
        NAME(DatabaseError),
        NAME(UnknownError),
        NAME(UnexpectedError),
    };
#undef NAME
    for (size_t i = 0; i < CC_COUNT(names); i++)
        if (names[i].code == code) return names[i].name;
    return "unknown CLBlast status";
}

/* ---- parameters */

/* In the order that the table below follows. CLBlast wants all of them. */
static const char *const names[] = { "GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                     "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN" };
enum { KWG = 2, MDIMC = 5, MWG = 6, NDIMC = 8, NWG = 9, SA = 10, SB = 11, PARAMETERS = CC_COUNT(names) };

/* Tiles in local memory, through caches alone, and CLBlast's second kernel (GEMMK=1), which has tiles in registers. */
static const struct {
    const char *name;
    size_t value[PARAMETERS];
} sets[] = {
    { "default", { 0 } },
    { "local64", { 0, 1, 32, 2, 16, 16, 64, 16, 16, 64, 1, 1, 0, 0, 4, 4 } },
    { "local64wide", { 0, 1, 16, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 4, 4 } },
    { "local128", { 0, 1, 16, 2, 16, 16, 128, 16, 16, 128, 1, 1, 0, 0, 4, 4 } },
    { "plain64", { 0, 1, 16, 2, 8, 8, 64, 8, 8, 64, 0, 0, 0, 0, 4, 4 } },
    { "registers32", { 1, 4, 1, 1, 4, 4, 32, 4, 4, 32, 0, 0, 0, 0, 4, 4 } },
    { "registers64", { 1, 4, 1, 1, 8, 8, 64, 8, 8, 64, 0, 0, 0, 0, 4, 4 } },
};

const char *cc_gemm_set_name(size_t index) { return index < CC_COUNT(sets) ? sets[index].name : NULL; }

bool cc_gemm_set_supports(const camcl_device_info *info, size_t index)
{
    const size_t *v = sets[index].value;
    return v[MDIMC] * v[NDIMC] <= info->max_work_group && sizeof(float) * v[KWG] * (v[SA] * v[MWG] + v[SB] * v[NWG]) <= info->local_mem;
}

void cc_gemm_set_describe(size_t index, char *text, size_t size)
{
    *text = '\0';
    for (size_t i = 0; index > 0 && i < PARAMETERS; i++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s=%zu", i ? " " : "", names[i], sets[index].value[i]);
    }
}

/* ---- parameters in force
 *
 * CLBlast keeps one set per cl_device_id for the whole process, so this record does, too. CLBlast caches its programs under the values
 * of the parameters: changing back and forth between two sets compiles nothing and takes about 2 ms per change on the host. */

typedef struct parameters {
    cl_device_id id;
    size_t set;           /* in force: 0 until another set is requested, and never 0 after that */
    pthread_mutex_t lock; /* held from the choice of a set until what depends on it is enqueued */
} parameters;

enum { MOST_DEVICES = 64 };
static parameters known[MOST_DEVICES];
static size_t known_count;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

/* The queue's device's record; it is never removed. NULL: the queue has no device, or there are more devices than records. */
static parameters *find_parameters(cl_command_queue queue)
{
    cl_device_id id;
    parameters *found = NULL;
    if (clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof id, &id, NULL) != CL_SUCCESS) return NULL;
    pthread_mutex_lock(&known_lock);
    for (size_t i = 0; i < known_count && !found; i++)
        if (known[i].id == id) found = &known[i];
    if (!found && known_count < MOST_DEVICES && pthread_mutex_init(&known[known_count].lock, NULL) == 0) {
        found = &known[known_count++];
        found->id = id;
    }
    pthread_mutex_unlock(&known_lock);
    return found;
}

/* Puts the set in force and keeps it there: *out is locked after success, and the caller unlocks it. */
static camcl_status lock_parameters(cl_command_queue queue, size_t set, parameters **out, camcl_error *err)
{
    const char *texts[PARAMETERS];
    parameters *p = find_parameters(queue);
    if (p == NULL) return cc_fail(err, CAMCL_OPENCL, "CLBlast: no device, or more than %d (use fewer)", (int)MOST_DEVICES);
    pthread_mutex_lock(&p->lock);
    *out = p;
    if (p->set == set) return CAMCL_OK;
    if (set == 0) {
        const size_t other = p->set;
        pthread_mutex_unlock(&p->lock);
        return cc_fail(err, CAMCL_UNSUPPORTED,
                       "CLBlast: its own parameters are wanted, which do not come back once this process has used \"%s\" on the device "
                       "(start another process)",
                       sets[other].name);
    }
    for (size_t i = 0; i < PARAMETERS; i++)
        texts[i] = names[i];
    const CLBlastStatusCode code = CLBlastOverrideParameters(p->id, "Xgemm", CLBlastPrecisionSingle, PARAMETERS, texts, sets[set].value);
    if (code == CLBlastSuccess) {
        p->set = set;
        return CAMCL_OK;
    }
    pthread_mutex_unlock(&p->lock);
    return cc_fail(err, CAMCL_OPENCL, "CLBlast: parameters \"%s\": %s (%d) (set device.tune = off)", sets[set].name, clblast_name(code),
                   (int)code);
}

bool cc_gemm_has_default(const camcl_device *device)
{
    parameters *p = find_parameters(cc_device_queue(device));
    if (p == NULL) return true; /* nothing ran on it */
    pthread_mutex_lock(&p->lock);
    const bool has = p->set == 0;
    pthread_mutex_unlock(&p->lock);
    return has;
}

camcl_status cc_gemm_use(camcl_device *device, size_t index, camcl_error *err)
{
    cc_choice *choice;
    parameters *p;
    CC_RETURN_IF_FAILED(cc_choice_of(device, &choice, err));
    if (index > 0 || !cc_gemm_has_default(device)) {
        CC_RETURN_IF_FAILED(lock_parameters(cc_device_queue(device), index, &p, err));
        pthread_mutex_unlock(&p->lock);
    }
    choice->gemm_set = index;
    return CAMCL_OK;
}

/* ---- products */

/* What a recorded product remembers. Leading dimensions follow from desc. */
typedef struct gemm_step {
    cc_gemm_desc desc;
    size_t a_offset, b_offset, c_offset; /* in numbers */
    size_t set;                          /* of parameters: those that has_temporary and the result's bits depend on */
    bool add, has_temporary;
} gemm_step;

static CLBlastTranspose transpose(bool yes) { return yes ? CLBlastTransposeYes : CLBlastTransposeNo; }
static size_t a_stride(const cc_gemm_desc *d) { return d->transpose_a ? d->m : d->k; }
static size_t b_stride(const cc_gemm_desc *d) { return d->transpose_b ? d->k : d->n; }

static camcl_status fail(CLBlastStatusCode code, const cc_gemm_desc *d, camcl_error *err)
{
    const bool memory = code == CLBlastTempBufferAllocFailure || code == CLBlastOpenCLOutOfHostMemory;
    return cc_fail(err, memory ? CAMCL_NO_MEMORY : CAMCL_OPENCL, "GEMM %zu x %zu x %zu: %s (%d) (try device.conv = direct)", d->m, d->n,
                   d->k, clblast_name(code), (int)code);
}

/* mems: a, b, c, and the temporary buffer when there is one. No event is asked for: the queue runs in order. */
static camcl_status enqueue(void *context, void *cl_queue, void *const *mems, camcl_error *err)
{
    const gemm_step *s = context;
    const cc_gemm_desc *d = &s->desc;
    cl_command_queue queue = cl_queue;
    const float beta = s->add ? 1.0f : 0.0f;
    parameters *p;
    CC_RETURN_IF_FAILED(lock_parameters(queue, s->set, &p, err));
    CLBlastStatusCode code =
        s->has_temporary
            ? CLBlastSgemmWithTempBuffer(CLBlastLayoutRowMajor, transpose(d->transpose_a), transpose(d->transpose_b), d->m, d->n, d->k,
                                         1.0f, mems[0], s->a_offset, a_stride(d), mems[1], s->b_offset, b_stride(d), beta, mems[2],
                                         s->c_offset, d->n, &queue, NULL, mems[3])
            : CLBlastSgemm(CLBlastLayoutRowMajor, transpose(d->transpose_a), transpose(d->transpose_b), d->m, d->n, d->k, 1.0f, mems[0],
                           s->a_offset, a_stride(d), mems[1], s->b_offset, b_stride(d), beta, mems[2], s->c_offset, d->n, &queue, NULL);
    pthread_mutex_unlock(&p->lock);
    return code == CLBlastSuccess ? CAMCL_OK : fail(code, d, err);
}

static bool holds(const cc_buffer *buffer, size_t offset, size_t rows, size_t columns)
{
    size_t need = 0;
    return buffer && cc_mul_size(rows, columns, &need) && cc_add_size(need, offset, &need) &&
           need <= cc_buffer_bytes(buffer) / sizeof(float);
}

camcl_status cc_gemm_at(cc_tape *tape, const cc_gemm_desc *desc, cc_buffer *a, size_t a_offset, cc_buffer *b, size_t b_offset, cc_buffer *c,
                        size_t c_offset, bool add, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    gemm_step *step = NULL;
    cc_buffer *temporary = NULL;
    if (!desc->m || !desc->n || !desc->k || !holds(a, a_offset, desc->m, desc->k) || !holds(b, b_offset, desc->k, desc->n) ||
        !holds(c, c_offset, desc->m, desc->n))
        return cc_fail(err, CAMCL_FAILED, "GEMM %zu x %zu x %zu: empty, or its operands are too small (report this as a defect)", desc->m,
                       desc->n, desc->k);
    size_t bytes = 0;
    cc_choice *choice;
    CC_RETURN_IF_FAILED(cc_choice_of(cc_tape_device(tape), &choice, err));
    const size_t set = choice->gemm_set;
    cl_command_queue queue = cc_device_queue(cc_tape_device(tape));
    parameters *p;
    CC_RETURN_IF_FAILED(lock_parameters(queue, set, &p, err));
    CLBlastStatusCode code =
        CLBlastSGemmTempBufferSize(CLBlastLayoutRowMajor, transpose(desc->transpose_a), transpose(desc->transpose_b), desc->m, desc->n,
                                   desc->k, a_offset, a_stride(desc), b_offset, b_stride(desc), c_offset, desc->n, &queue, &bytes);
    pthread_mutex_unlock(&p->lock);
    if (code != CLBlastSuccess) return fail(code, desc, err);
    if (bytes) CC_TRY(cc_tape_buffer(tape, bytes, "GEMM workspace", &temporary, err));
    CC_TRY(CC_NEW(1, &step, err));
    *step = (gemm_step){ *desc, a_offset, b_offset, c_offset, set, add, bytes > 0 };
    const cc_arg args[] = { CC_IN(a), CC_IN(b), add || c_offset ? CC_INOUT(c) : CC_OUT(c), CC_INOUT(temporary) };
    CC_TRY(cc_tape_call(tape, "gemm", enqueue, step, args, bytes ? 4 : 3, err));
    step = NULL;
cleanup:
    free(step);
    return status;
}

camcl_status cc_gemm(cc_tape *tape, const cc_gemm_desc *desc, cc_tensor a, cc_tensor b, cc_tensor c, bool add, camcl_error *err)
{
    return cc_gemm_at(tape, desc, a.buffer, 0, b.buffer, 0, c.buffer, 0, add, err);
}

static camcl_status record(cc_tape *tape, const void *desc, const cc_tensor *io, size_t count, bool add, camcl_error *err)
{
    const cc_gemm_desc *d = desc;
    CC_RETURN_IF_FAILED(CC_CHECK_OPERANDS("gemm", io, count, err, { "a", CC_F32, d->m * d->k, CC_AT_LEAST },
                                          { "b", CC_F32, d->k * d->n, CC_AT_LEAST }, { "c", CC_F32, d->m * d->n, CC_AT_LEAST | CC_APART }));
    return cc_gemm(tape, d, io[0], io[1], io[2], add, err);
}

static const cc_variant cc_gemm_variants[] = { { .op = &cc_gemm_operation,
                                                 .direction = CC_FORWARD,
                                                 .name = "clblast",
                                                 .family = "",
                                                 .supports = cc_supports_all,
                                                 .record = record,
                                                 .role = CC_ROLE_CLBLAST } };
static const size_t cc_gemm_variant_count = CC_COUNT(cc_gemm_variants);
CC_SMALL_OPERATION(gemm, gemm);
