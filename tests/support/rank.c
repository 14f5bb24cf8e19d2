#include "support/rank.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "exchange/world.h"
#include "support/process_memory.h"

static size_t rank, size;

/* ---- reporting */

static void wrong(const char *where, const char *what)
{
    fprintf(stderr, "rank %zu of %zu: %s: %s\n", rank, size, where, what);
    exit(1);
}

#define EXPECT(condition)                                                                                                                  \
    do {                                                                                                                                   \
        if (!(condition)) wrong(__func__, #condition);                                                                                     \
    } while (0)
#define WORKS(call)                                                                                                                        \
    do {                                                                                                                                   \
        camcl_error err_ = { 0 }, *err = &err_;                                                                                            \
        if ((call) != CAMCL_OK) wrong(__func__, err_.message);                                                                             \
    } while (0)

static void nap(double seconds)
{
    const struct timespec pause = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&pause, NULL);
}

/* ---- sums */

/* Of very different sizes, so that another order of addition gives other bits. */
static float value(size_t of_rank, size_t set, size_t i)
{
    unsigned x = (unsigned)(i * 2654435761u) ^ (unsigned)(of_rank * 40503u + 17) ^ (unsigned)(set * 97u);
    x ^= x >> 13;
    x *= 1274126177u;
    x ^= x >> 16;
    return ldexpf((float)(x & 0xffff) - 32768.0f, (int)(x >> 16 & 15) - 20);
}

static float *values(size_t set, size_t count)
{
    float *all = malloc((count + 1) * sizeof *all);
    EXPECT(all != NULL);
    for (size_t i = 0; i < count; i++)
        all[i] = value(rank, set, i);
    all[count] = 12345; /* must stay */
    return all;
}

/* Bits, and that nothing was written behind them. */
static void check_sum(const float *all, size_t set, size_t count)
{
    bool order_matters = size < 3 || count < 100;
    for (size_t i = 0; i < count; i++) {
        float sum = value(0, set, i), other = value(size - 1, set, i);
        for (size_t r = 1; r < size; r++) {
            sum += value(r, set, i);
            other += value(size - 1 - r, set, i);
        }
        if (memcmp(&sum, &all[i], sizeof sum) != 0) {
            fprintf(stderr, "rank %zu of %zu: value %zu of %zu is %.9g, should be %.9g\n", rank, size, i, count, (double)all[i],
                    (double)sum);
            exit(1);
        }
        if (memcmp(&sum, &other, sizeof sum) != 0) order_matters = true;
    }
    EXPECT(order_matters);
    EXPECT(all[count] == 12345);
}

static void sums(cc_world *world)
{
    static const size_t counts[] = { 0, 1, 7, 1000, 16384, 43691, 262145, 1000003 };
    for (size_t k = 0; k < CC_COUNT(counts); k++) {
        float *all = values(k, counts[k]);
        WORKS(cc_world_sum(world, all, counts[k], err));
        check_sum(all, k, counts[k]);
        free(all);
    }
}

/* Several under way, small ones in between, and each rank finishes them in an order of its own. */
static void pending(cc_world *world)
{
    static const size_t counts[] = { 1000003, 5, 300001, 100003, 100003, 70000, 0, 600000 };
    float *all[CC_COUNT(counts)];
    cc_world_pending *under_way[CC_COUNT(counts)];
    for (size_t k = 0; k < CC_COUNT(counts); k++) {
        float small[3] = { value(rank, 50 + k, 0), value(rank, 50 + k, 1), value(rank, 50 + k, 2) };
        float guarded[4] = { small[0], small[1], small[2], 12345 };
        all[k] = values(k, counts[k]);
        WORKS(cc_world_sum_start(world, all[k], counts[k], &under_way[k], err));
        WORKS(cc_world_sum(world, guarded, 3, err));
        check_sum(guarded, 50 + k, 3);
        if (rank % 2 == k % 2) nap(0.01);
    }
    for (size_t i = 0; i < CC_COUNT(counts); i++) {
        const size_t k = rank % 2 ? i : CC_COUNT(counts) - 1 - i;
        WORKS(cc_world_sum_finish(&under_way[k], err));
        EXPECT(under_way[k] == NULL);
        check_sum(all[k], k, counts[k]);
        free(all[k]);
    }
}

static void traffic(cc_world *world)
{
    float *large = values(0, 1 << 20), small[2] = { 1, 2 };
    cc_world_take_traffic(world);
    WORKS(cc_world_sum(world, small, 2, err));
    cc_world_traffic sent = cc_world_take_traffic(world);
    EXPECT(sent.messages == size - 1 && sent.bytes == 8 * (size - 1));
    WORKS(cc_world_sum(world, large, 1 << 20, err));
    sent = cc_world_take_traffic(world);
    /* Two ranks send all they have; more send twice the others' slices. */
    if (size == 2) EXPECT(sent.bytes == 4 << 20);
    if (size == 4) EXPECT(sent.bytes == 6 << 20);
    EXPECT(cc_world_take_traffic(world).bytes == 0);
    free(large);
}

/* ---- moments */

enum { SERIES = 37, MOST_WEIGHT = 50 };

/* Far from 0, so that the sum of squares minus the square of the sum would have no digit right. */
static float sample(size_t of_rank, size_t series, size_t i)
{
    return 1000 + (float)series + 3 * (float)of_rank + 0.01f * (float)((of_rank * 31 + series * 7 + i * 13) % 101);
}

/* Rank 1 has nothing. */
static size_t weight_of(size_t of_rank) { return of_rank == 1 ? 0 : MOST_WEIGHT - 9 * (of_rank % 5); }

/* The mean and m2 of the samples of some ranks, in two passes. */
static void moments_of(size_t first, size_t end, size_t series, double *mean, double *m2)
{
    double n = 0;
    *mean = *m2 = 0;
    for (size_t r = first; r < end; r++)
        for (size_t i = 0; i < weight_of(r); i++, n++)
            *mean += (double)sample(r, series, i);
    *mean = n > 0 ? *mean / n : (double)NAN;
    for (size_t r = first; r < end; r++)
        for (size_t i = 0; i < weight_of(r); i++)
            *m2 += ((double)sample(r, series, i) - *mean) * ((double)sample(r, series, i) - *mean);
}

static void moments(cc_world *world)
{
    float mean[SERIES], m2[SERIES], *all = malloc(size * sizeof mean * 2), both[2 * SERIES];
    EXPECT(all != NULL);
    for (size_t s = 0; s < SERIES; s++) {
        double exact_mean, exact_m2;
        moments_of(rank, rank + 1, s, &exact_mean, &exact_m2);
        mean[s] = (float)exact_mean;
        m2[s] = (float)exact_m2;
    }
    WORKS(cc_world_moments(world, (double)weight_of(rank), mean, m2, SERIES, err));
    for (size_t s = 0; s < SERIES; s++) {
        double exact_mean, exact_m2;
        moments_of(0, size, s, &exact_mean, &exact_m2);
        /* The ranks' means are rounded to 2^-14 or so, which is all that is lost. */
        EXPECT(fabs((double)mean[s] - exact_mean) < 1e-4);
        EXPECT(fabs((double)m2[s] - exact_m2) < 1e-3 * exact_m2);
        both[s] = mean[s];
        both[SERIES + s] = m2[s];
    }
    WORKS(cc_world_gather(world, both, sizeof both, all, err));
    for (size_t r = 0; r < size; r++)
        EXPECT(memcmp(all + r * 2 * SERIES, both, sizeof both) == 0);
    free(all);
}

/* ---- the rest */

static void broadcast(cc_world *world)
{
    float *all = values(0, 800001);
    WORKS(cc_world_broadcast(world, all, 800001 * sizeof *all, err));
    for (size_t i = 0; i < 800001; i++)
        EXPECT(all[i] == value(0, 0, i));
    EXPECT(all[800001] == 12345);
    WORKS(cc_world_broadcast(world, all, 0, err));
    free(all);
}

static void texts(cc_world *world)
{
    char own[5000], expected[5000], **all, host[256] = "";
    memset(own, 'a' + (int)rank, sizeof own);
    own[rank == 0 ? 0 : 1700 * rank % sizeof own] = '\0';
    WORKS(cc_world_gather_texts(world, own, &all, err));
    for (size_t r = 0; r < size; r++) {
        memset(expected, 'a' + (int)r, sizeof expected);
        expected[r == 0 ? 0 : 1700 * r % sizeof expected] = '\0';
        EXPECT(strcmp(all[r], expected) == 0);
        free(all[r]);
    }
    free(all);
    gethostname(host, sizeof host - 1);
    EXPECT(strcmp(cc_world_host(world, rank), host) == 0);
}

static void any(cc_world *world)
{
    bool result = true;
    WORKS(cc_world_any(world, false, &result, err));
    EXPECT(!result);
    WORKS(cc_world_any(world, rank == size - 1, &result, err));
    EXPECT(result);
}

/* Longer than the patience of 3 s after it has said so, and shorter without. */
static void busy(cc_world *world)
{
    float one = 1;
    if (rank == 1) {
        cc_world_busy(world);
        nap(4);
    }
    WORKS(cc_world_sum(world, &one, 1, err));
    if (rank == 1) nap(1.5);
    WORKS(cc_world_sum(world, &one, 1, err));
    EXPECT(one == (float)(size * size));
}

/* ---- the same in rounds, as among many ranks */

static void rounds(cc_world *world)
{
    float mean[2][SERIES], m2[2][SERIES], small[2] = { 1, 2 };
    size_t deep = 0;
    for (int way = 0; way < 2; way++) {
        cc_world_set_rounds(world, way ? 2 : SIZE_MAX);
        for (size_t s = 0; s < SERIES; s++) {
            mean[way][s] = value(rank, 1, s);
            m2[way][s] = fabsf(value(rank, 2, s));
        }
        WORKS(cc_world_moments(world, (double)weight_of(rank), mean[way], m2[way], SERIES, err));
    }
    EXPECT(memcmp(mean[0], mean[1], sizeof mean[0]) == 0);
    EXPECT(memcmp(m2[0], m2[1], sizeof m2[0]) == 0);
    while ((size_t)1 << deep < size)
        deep++;
    cc_world_take_traffic(world);
    WORKS(cc_world_sum(world, small, 2, err));
    EXPECT(cc_world_take_traffic(world).messages == 2 * deep);
    sums(world);
    pending(world);
    moments(world);
    texts(world);
    any(world);
}

/* ---- bad luck: rank 1 has it during a sum, and the others say why they end */

static void ignore(int signal) { (void)signal; }

static void end_with(cc_world *world, const camcl_error *err)
{
    if (cc_world_speaks(world)) fprintf(stderr, "camcl: %s\n", err->message);
    cc_world_close(&world, true, err);
    exit(camcl_exit_status(err->status));
}

/* Until something ends it. */
static void sum_on(cc_world *world)
{
    camcl_error err = { 0 };
    for (;;) {
        float *all = values(0, 100000);
        cc_world_pending *under_way;
        camcl_status status = cc_world_sum_start(world, all, 100000, &under_way, &err);
        if (status == CAMCL_OK) status = cc_world_sum(world, all + 100000, 1, &err);
        if (status == CAMCL_OK) status = cc_world_sum_finish(&under_way, &err);
        if (status != CAMCL_OK) {
            /* A failed world stays so. */
            if (cc_world_sum(world, all, 10, &err) == CAMCL_OK) wrong(__func__, "a sum in a failed world");
            end_with(world, &err);
        }
        free(all);
    }
}

static void exits(cc_world *world)
{
    if (rank == 1) exit(7);
    sum_on(world);
}

static void stops_first(cc_world *world)
{
    fprintf(stderr, "pid %ld\n", (long)getpid());
    if (rank == 0) raise(SIGSTOP);
    sum_on(world);
}

static void killed(cc_world *world)
{
    if (rank == 1) raise(SIGKILL);
    sum_on(world);
}

static void stops(cc_world *world)
{
    fprintf(stderr, "pid %ld\n", (long)getpid());
    if (rank == 1) raise(SIGSTOP);
    sum_on(world);
}

static void gives_up(cc_world *world)
{
    camcl_error err = { .status = CAMCL_IO, .message = "runs/x: no space left on the disk" };
    if (rank == 1) {
        nap(0.2);
        end_with(world, &err);
    }
    sum_on(world);
}

/* Rank 0 hears of it although it does not wait for anyone at first. */
static void gives_up_late(cc_world *world)
{
    camcl_error err = { .status = CAMCL_BAD_DATA, .message = "x.png: cannot be read" };
    if (rank == 1) end_with(world, &err);
    nap(2);
    sum_on(world);
}

/* Rank 1 hangs in its own work, which it has announced. */
static void stops_busy(cc_world *world)
{
    fprintf(stderr, "pid %ld\n", (long)getpid());
    if (rank == 1) {
        cc_world_busy(world);
        raise(SIGSTOP);
    }
    sum_on(world);
}

/* Rank 1 fails, and rank 0 needs longer to say so than mpirun gives ranks to end when it has seen one do so. */
static void speaks_late(cc_world *world)
{
    camcl_error err = { .status = CAMCL_BAD_DATA, .message = "x.png: cannot be read" };
    if (rank == 1) end_with(world, &err);
    while (cc_world_sum(world, &(float){ 1 }, 1, &err) == CAMCL_OK) {
    }
    const bool speaks = cc_world_speaks(world);
    cc_world_close(&world, true, &err);
    for (int i = 0; rank == 0 && i < 30; i++)
        nap(0.1); /* a signal ends one of them */
    if (speaks) fprintf(stderr, "camcl: %s\n", err.message);
    exit(2);
}

/* Rank 1 has room for its process as it is and 16 MiB, and is sent a text of 64 MiB. */
static void has_no_memory(cc_world *world)
{
    enum { TEXT = 64 << 20, LEFT = 16 << 20 };
    camcl_error err = { 0 };
    char *own = calloc(TEXT + 1, 1), **all = NULL;
    float one = 1;
    EXPECT(own != NULL);
    if (rank == 0) memset(own, 'x', TEXT);
    if (rank == 1) {
        EXPECT(process_address_space() > 0);
        const struct rlimit limit = { process_address_space() + LEFT, RLIM_INFINITY };
        EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
    }
    const camcl_status status = cc_world_gather_texts(world, own, &all, &err);
    free(own);
    EXPECT(status == CAMCL_NO_MEMORY && all == NULL);
    EXPECT(cc_world_sum(world, &one, 1, &err) == status && one == 1);
    end_with(world, &err);
}

/* ---- running them */

static const struct {
    const char *name;
    void (*run)(cc_world *world);
} scenarios[] = {
    { "sums", sums },
    { "pending", pending },
    { "traffic", traffic },
    { "moments", moments },
    { "broadcast", broadcast },
    { "texts", texts },
    { "any", any },
    { "rounds", rounds },
    { "busy", busy },
    { "exits", exits },
    { "killed", killed },
    { "stops", stops },
    { "stops_first", stops_first },
    { "gives_up", gives_up },
    { "has_no_memory", has_no_memory },
    { "gives_up_late", gives_up_late },
    { "stops_busy", stops_busy },
    { "speaks_late", speaks_late },
    { "for_ever", sum_on },
};

static void run(cc_world *world, const char *name)
{
    for (size_t i = 0; i < CC_COUNT(scenarios); i++) {
        if (strcmp(scenarios[i].name, name) != 0) continue;
        scenarios[i].run(world);
        return;
    }
    wrong(name, "no such scenario");
}

int rank_main(int count, char **names)
{
    /* As a training does: mpirun asks the others to end when one has. */
    signal(SIGTERM, ignore);
    for (int i = 0; i < count; i++) {
        camcl_error err = { 0 };
        cc_world *world;
        if (cc_world_open(&world, &err) != CAMCL_OK) wrong("open", err.message);
        rank = cc_world_rank(world);
        size = cc_world_size(world);
        if (world == NULL) wrong("open", "this process is alone");
        run(world, names[i]);
        cc_world_close(&world, false, NULL);
        if (rank == 0) printf("%s %zu\n", names[i], size);
    }
    return 0;
}
