/* A build without MPI: every process is alone, so that an exchange leaves everything as it is. */
#include "exchange/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "exchange/launcher.h"

camcl_status cc_world_open(cc_world **out, camcl_error *err)
{
    *out = NULL;
    const cc_launcher launch = cc_launcher_find();
    if (launch.size > 1)
        return cc_fail(
            err, CAMCL_UNSUPPORTED,
            "this process is one of %zu that a launcher started to work together: camcl was built without MPI (install Open MPI's "
            "development files, libopenmpi-dev on Debian, and build again; or start camcl without mpirun or srun)",
            launch.size);
    return CAMCL_OK;
}

void cc_world_close(cc_world **world, bool failed, const camcl_error *err) { (void)world, (void)failed, (void)err; }

size_t cc_world_rank(const cc_world *world)
{
    (void)world;
    return 0;
}

size_t cc_world_size(const cc_world *world)
{
    (void)world;
    return 1;
}

const char *cc_world_host(const cc_world *world, size_t rank)
{
    (void)world, (void)rank;
    return "localhost";
}

bool cc_world_share_system(const cc_world *world, size_t a, size_t b)
{
    (void)world, (void)a, (void)b;
    return true;
}

bool cc_world_speaks(const cc_world *world)
{
    (void)world;
    return true;
}

void cc_world_busy(cc_world *world) { (void)world; }

camcl_status cc_world_sum(cc_world *world, float *values, size_t count, camcl_error *err)
{
    (void)world, (void)values, (void)count, (void)err;
    return CAMCL_OK;
}

camcl_status cc_world_moments(cc_world *world, double weight, float *mean, float *m2, size_t count, camcl_error *err)
{
    (void)world, (void)weight, (void)mean, (void)m2, (void)count, (void)err;
    return CAMCL_OK;
}

camcl_status cc_world_broadcast(cc_world *world, void *data, size_t bytes, camcl_error *err)
{
    (void)world, (void)data, (void)bytes, (void)err;
    return CAMCL_OK;
}

camcl_status cc_world_gather(cc_world *world, const void *own, size_t bytes, void *all, camcl_error *err)
{
    (void)world, (void)err;
    memcpy(all, own, bytes);
    return CAMCL_OK;
}

camcl_status cc_world_gather_texts(cc_world *world, const char *own, char ***texts, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    (void)world;
    CC_RETURN_IF_FAILED(CC_NEW(1, texts, err));
    CC_TRY(cc_copy_text(own, *texts, err));
    return CAMCL_OK;
cleanup:
    free(*texts);
    *texts = NULL;
    return status;
}

camcl_status cc_world_any(cc_world *world, bool own, bool *any, camcl_error *err)
{
    (void)world, (void)err;
    *any = own;
    return CAMCL_OK;
}

camcl_status cc_world_sum_start(cc_world *world, float *values, size_t count, cc_world_pending **pending, camcl_error *err)
{
    (void)world, (void)values, (void)count, (void)err;
    *pending = NULL;
    return CAMCL_OK;
}

camcl_status cc_world_sum_finish(cc_world_pending **pending, camcl_error *err)
{
    (void)pending, (void)err;
    return CAMCL_OK;
}

void cc_world_set_rounds(cc_world *world, size_t from) { (void)world, (void)from; }

cc_world_traffic cc_world_take_traffic(cc_world *world)
{
    (void)world;
    return (cc_world_traffic){ 0 };
}
