/* Joining and leaving. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "camcl/version.h"
#include "exchange/launcher.h"
#include "exchange/mpi/ranks.h"

/* What is MPI's is the process's, not a world's: it is started and ended once. */
static struct {
    /* Two of them, made once: a world that is opened after another one takes them over. */
    bool connected;
    bool serialized; /* threads may take turns in calling it */
    MPI_Comm data, control;
    bool failed;     /* some ranks may wait for others that left: MPI_Finalize would wait with them */
    bool deserted;   /* some ranks have not heard that it is over */
    cc_world *world; /* the open one */
    cc_world *left;  /* the one that failed */
    int status;      /* exit status of a training that failed */
} process;

static void end_in_order(cc_world *world);

/* When the process exits. */
static void end_mpi(void)
{
    int finalized = 1;
    MPI_Finalized(&finalized);
    if (finalized) return;
    /* Something ended the process in the middle of it. */
    cc_world_close(&process.world, true, NULL);
    if (process.left) end_in_order(process.left);
    if (process.deserted) MPI_Abort(MPI_COMM_WORLD, process.status);
    if (!process.failed) MPI_Finalize();
}

/* Open MPI sends large messages over TCP only when the receiver asks for the next part. Both ranks of a pair send at once here, so that
 * each request would wait behind what is sent the other way: a sum over 100 Mbit/s took twice as long. 9: messages are sent without
 * requests, from where they lie. What the user asks of Open MPI wins. */
static int init_mpi(void)
{
    static const char variable[] = "OMPI_MCA_btl_tcp_flags";
    const bool own = getenv(variable) == NULL;
    int level;
    if (own) setenv(variable, "9", 0);
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    process.serialized = code == MPI_SUCCESS && level >= MPI_THREAD_SERIALIZED;
    if (own) unsetenv(variable);
    return code;
}

static camcl_status start_mpi(camcl_error *err)
{
    int there = 0;
    MPI_Finalized(&there);
    if (there || process.failed)
        return cc_fail(err, CAMCL_FAILED, "the ranks of this process have parted already (start all processes again)");
    MPI_Initialized(&there);
    if (there) return CAMCL_OK;
    if (init_mpi() != MPI_SUCCESS) return cc_fail(err, CAMCL_FAILED, "MPI cannot be started (mpirun's messages may say why)");
    atexit(end_mpi);
    return CAMCL_OK;
}

/* ---- who is there */

/* The text of a small file, or of a link; "" where there is none. */
static void read_line(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(text, (int)size, file) == NULL) *text = '\0';
    if (file) fclose(file);
    text[strcspn(text, "\n")] = '\0';
}

/* Processes with equal texts see each other under the same numbers: it names the boot of this kernel and the namespace of processes. */
static void name_system(char *text, size_t size)
{
    char boot[64], space[64];
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    *text = '\0';
    if (!*boot || length <= 0) return;
    space[length] = '\0';
    snprintf(text, size, "%s %s", boot, space);
}

static void fill_card(cc_rank_card *card)
{
    *card = (cc_rank_card){ .process = (int64_t)getpid() };
    if (gethostname(card->host, sizeof card->host - 1) != 0) snprintf(card->host, sizeof card->host, "unknown");
    snprintf(card->version, sizeof card->version, "%s", camcl_version());
    name_system(card->system, sizeof card->system);
}

static camcl_status meet(cc_world *world, camcl_error *err)
{
    camcl_status status = CAMCL_OK;
    cc_rank_card own, *cards = NULL;
    fill_card(&own);
    own.patience = world->patience;
    world->peers[world->rank].card = own;
    CC_RETURN_IF_FAILED(CC_NEW((size_t)world->size, &cards, err));
    /* If it fails, the cards stay: MPI may write into them later. */
    CC_RETURN_IF_FAILED(cc_ranks_gather(world, &own, sizeof own, cards, "the first exchange", err));
    for (int r = 0; r < world->size; r++) {
        cc_peer *peer = &world->peers[r];
        peer->card = cards[r];
        peer->near = cc_world_share_system(world, (size_t)world->rank, (size_t)r);
        if (status == CAMCL_OK && strcmp(own.version, peer->card.version) != 0)
            status = cc_fail(err, CAMCL_UNSUPPORTED,
                             "rank %d (host %s) runs camcl %s, rank %d (host %s) camcl %s (install the same version on all)", r,
                             peer->card.host, peer->card.version, world->rank, own.host, own.version);
    }
    /* Launchers do not pass the environment to other machines. */
    world->patience = cards[0].patience;
    free(cards);
    return status;
}

/* ---- opening */

static camcl_status read_patience(double *seconds, camcl_error *err)
{
    const char *text = getenv("CAMCL_WORLD_PATIENCE");
    char *end = NULL;
    *seconds = CC_WORLD_PATIENCE;
    if (text == NULL || *text == '\0') return CAMCL_OK;
    *seconds = strtod(text, &end);
    if (*end == '\0' && *seconds >= 1 && *seconds <= 86400) return CAMCL_OK;
    return cc_fail(err, CAMCL_BAD_CONFIG,
                   "CAMCL_WORLD_PATIENCE: %s is no number of seconds from 1 to 86400 (the time after which ranks give up "
                   "one of which they hear nothing)",
                   text);
}

/* Signs of life: one a second, or with many ranks fewer, so that they take 32 messages a second of each; and some per patience. */
static double sign_interval(int size, double patience)
{
    double seconds = size > 32 ? size / 32.0 : 1;
    return seconds < patience / 4 ? seconds : patience / 4;
}

static camcl_status connect(camcl_error *err)
{
    if (process.connected) return CAMCL_OK;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (MPI_Comm_dup(MPI_COMM_WORLD, &process.data) != MPI_SUCCESS || MPI_Comm_dup(MPI_COMM_WORLD, &process.control) != MPI_SUCCESS)
        return cc_fail(err, CAMCL_FAILED, "MPI cannot make communicators");
    MPI_Comm_set_errhandler(process.data, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(process.control, MPI_ERRORS_RETURN);
    process.connected = true;
    return CAMCL_OK;
}

static camcl_status join(cc_world *world, double patience, camcl_error *err)
{
    CC_RETURN_IF_FAILED(CC_NEW((size_t)world->size, &world->peers, err));
    for (int r = 0; r < world->size; r++) {
        snprintf(world->peers[r].card.host, sizeof world->peers[r].card.host, "unknown");
        world->peers[r].sign = world->peers[r].goodbye = MPI_REQUEST_NULL;
    }
    CC_RETURN_IF_FAILED(connect(err));
    world->data = process.data;
    world->control = process.control;
    world->may_beat = process.serialized;
    world->patience = patience;
    world->rounds_from = CC_ROUNDS_FROM;
    world->sign_every = sign_interval(world->size, patience);
    world->listened_at = cc_ranks_seconds();
    CC_RETURN_IF_FAILED(meet(world, err));
    world->sign_every = sign_interval(world->size, world->patience);
    return CAMCL_OK;
}

static camcl_status check_size(const cc_launcher *launch, int size, camcl_error *err)
{
    if (launch->size == 0 || launch->size == (size_t)size) return CAMCL_OK;
    return cc_fail(err, CAMCL_UNSUPPORTED,
                   "a launcher started %zu processes, but this one's MPI sees %d (use the mpirun of the MPI that camcl was built with)",
                   launch->size, size);
}

camcl_status cc_world_open(cc_world **out, camcl_error *err)
{
    camcl_status status;
    cc_world *world = NULL;
    int size, rank;
    double patience;
    const cc_launcher launch = cc_launcher_find();
    *out = NULL;
    if (!launch.launched || launch.size == 1) return CAMCL_OK;
    CC_RETURN_IF_FAILED(read_patience(&patience, err));
    CC_RETURN_IF_FAILED(start_mpi(err));
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    CC_RETURN_IF_FAILED(check_size(&launch, size, err));
    if (size == 1) return CAMCL_OK;
    CC_RETURN_IF_FAILED(CC_NEW(1, &world, err));
    *world = (cc_world){ .rank = rank, .size = size, .data = MPI_COMM_NULL, .control = MPI_COMM_NULL };
    process.world = world;
    status = join(world, patience, err);
    if (status != CAMCL_OK)
        cc_world_close(&world, true, err);
    else
        *out = world;
    return status;
}

/* ---- closing */

/* Whether a message has gone. MPI may put it off until the next call, and those who leave make no more. */
static bool is_gone(MPI_Request *request)
{
    int gone = 1;
    if (*request != MPI_REQUEST_NULL) MPI_Test(request, &gone, MPI_STATUS_IGNORE);
    return gone;
}

static bool all_said_goodbye(cc_world *world, bool *deserted)
{
    bool waiting = false;
    *deserted = false;
    for (int r = 0; r < world->size; r++) {
        cc_peer *peer = &world->peers[r];
        if (r == world->rank) continue;
        if (peer->state == CC_PEER_LOST)
            *deserted = true;
        else if (peer->state == CC_PEER_HERE || !is_gone(&peer->sign) || !is_gone(&peer->goodbye))
            waiting = true;
    }
    return !waiting;
}

/* Until everyone has left or is lost: a rank that ends before the others know why would be all that mpirun sees before it kills them. */
static void see_off(cc_world *world)
{
    const struct timespec pause = { .tv_nsec = 2000000 };
    world->doing = "the end";
    cc_ranks_say_goodbye(world, world->failed);
    for (;;) {
        cc_ranks_listen(world);
        if (all_said_goodbye(world, &process.deserted)) return;
        nanosleep(&pause, NULL);
    }
}

/* mpirun kills all ranks soon after the first of a failed training has ended. So those that say nothing end after the one that speaks for
 * all, which says when it has. They wait five seconds at most, since its program may go on. */
static void end_in_order(cc_world *world)
{
    const struct timespec pause = { .tv_nsec = 2000000 };
    const double until = cc_ranks_seconds() + 5;
    if (world->given_up) return;
    if (!cc_world_speaks(world)) {
        while (!world->spoken && cc_ranks_seconds() < until) {
            cc_ranks_listen(world);
            nanosleep(&pause, NULL);
        }
        return;
    }
    fflush(NULL);
    cc_ranks_say_spoken(world);
    for (int r = 0; r < world->size; r++)
        while (world->peers[r].state == CC_PEER_LEFT && !is_gone(&world->peers[r].goodbye) && cc_ranks_seconds() < until)
            nanosleep(&pause, NULL);
}

static void take_failure(cc_world *world, const camcl_error *err)
{
    if (world->failed) return;
    world->failed = true;
    world->origin = world->rank;
    if (err && err->status != CAMCL_OK)
        world->why = *err;
    else
        cc_fail(&world->why, CAMCL_FAILED, "its process has ended before its work (its own messages may say why)");
}

void cc_world_close(cc_world **world, bool failed, const camcl_error *err)
{
    if (world == NULL || *world == NULL) return;
    cc_world *self = *world;
    *world = process.world = NULL;
    cc_ranks_stop_heart(self);
    if (self->control == MPI_COMM_NULL) {
        free(self->peers);
        free(self);
        process.failed = process.deserted = true;
        process.status = camcl_exit_status(err ? err->status : CAMCL_FAILED);
        return;
    }
    if (failed) take_failure(self, err);
    see_off(self);
    if (self->failed || process.deserted) {
        /* MPI may still write into what belongs to transfers under way, so everything stays as it is until the process ends. */
        process.left = self;
        process.failed = true;
        process.status = camcl_exit_status(self->failed ? self->why.status : CAMCL_FAILED);
        return;
    }
    free(self->peers);
    free(self);
}

/* ---- who */

size_t cc_world_rank(const cc_world *world) { return world ? (size_t)world->rank : 0; }

size_t cc_world_size(const cc_world *world) { return world ? (size_t)world->size : 1; }

const char *cc_world_host(const cc_world *world, size_t rank) { return world ? world->peers[rank].card.host : "localhost"; }

bool cc_world_share_system(const cc_world *world, size_t a, size_t b)
{
    if (world == NULL) return true;
    const char *system = world->peers[a].card.system;
    return *system && strcmp(system, world->peers[b].card.system) == 0;
}

bool cc_world_speaks(const cc_world *world)
{
    int first = 0;
    if (world == NULL) return true;
    if (world->given_up) return false;
    while (first < world->rank && world->peers[first].state == CC_PEER_LOST)
        first++;
    return first == world->rank;
}

void cc_world_set_rounds(cc_world *world, size_t from)
{
    if (world) world->rounds_from = from;
}

cc_world_traffic cc_world_take_traffic(cc_world *world)
{
    if (world == NULL) return (cc_world_traffic){ 0 };
    cc_world_traffic traffic = world->traffic;
    world->traffic = (cc_world_traffic){ 0 };
    return traffic;
}
