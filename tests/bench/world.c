/* How long a sum over the ranks takes, by its size, as CSV; and the latency and bandwidth of a line through it.
 *
 *     cmake --build build --target bench_world
 *     mpirun -n 2 build/tests/bench_world [MOST_MIB]
 *     tests/world/namespaces.sh -n 4 --rate 1gbit -- "$PWD"/build/tests/bench_world 16
 *
 * seconds: the fastest of the repetitions, of the slowest rank in each. bytes_sent: by one rank. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange/world.h"

enum { SMALLEST = 4, MOST_POINTS = 32 };

typedef struct point {
    double bytes_sent, seconds;
} point;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void check(camcl_status status, const camcl_error *err)
{
    if (status == CAMCL_OK) return;
    fprintf(stderr, "bench_world: %s\n", err->message);
    exit(1);
}

/* One sum that all begin together: the time of the last one to have it. */
static double time_sum(cc_world *world, float *values, size_t count)
{
    camcl_error err = { 0 };
    const size_t ranks = cc_world_size(world);
    double all[1024];
    bool any;
    check(cc_world_any(world, false, &any, &err), &err);
    const double begin = seconds_now();
    check(cc_world_sum(world, values, count, &err), &err);
    double own = seconds_now() - begin, slowest = 0;
    check(cc_world_gather(world, &own, sizeof own, all, &err), &err);
    for (size_t r = 0; r < ranks; r++)
        slowest = fmax(slowest, all[r]);
    return slowest;
}

/* The line through the points that has the least sum of squared relative errors. */
static void fit(const point *points, size_t count, double *latency, double *per_byte)
{
    double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
    for (size_t i = 0; i < count; i++) {
        const double x = points[i].bytes_sent, y = points[i].seconds, weight = 1 / (y * y);
        w += weight;
        wx += weight * x;
        wxx += weight * x * x;
        wy += weight * y;
        wxy += weight * x * y;
    }
    *per_byte = (w * wxy - wx * wy) / (w * wxx - wx * wx);
    *latency = (wy - *per_byte * wx) / w;
}

static point measure(cc_world *world, float *values, size_t count)
{
    point result = { .seconds = HUGE_VAL };
    memset(values, 0, count * sizeof *values);
    double first = time_sum(world, values, count); /* opens the connections */
    /* All have the same figure of it, and so do the same number. */
    const int repetitions = first > 1 ? 2 : first > 0.05 ? 5 : first > 0.005 ? 20 : 200;
    for (int i = 0; i < repetitions; i++) {
        cc_world_take_traffic(world);
        result.seconds = fmin(result.seconds, time_sum(world, values, count));
    }
    /* The exchanges around it send a few bytes and are left out. */
    const size_t ranks = cc_world_size(world);
    const double around = (double)(ranks - 1) * (sizeof(double) + 1);
    const cc_world_traffic traffic = cc_world_take_traffic(world);
    result.bytes_sent = (double)traffic.bytes - around;
    if (cc_world_rank(world) == 0)
        printf("%zu,%zu,%.0f,%.0f,%.9f\n", ranks, count * sizeof *values, result.bytes_sent,
               (double)traffic.messages - 2.0 * (double)(ranks - 1), result.seconds);
    fflush(stdout);
    return result;
}

int main(int argc, char **argv)
{
    camcl_error err = { 0 };
    cc_world *world;
    point points[MOST_POINTS];
    size_t count = 0;
    const double most = (argc > 1 ? atof(argv[1]) : 128) * (1 << 20);
    check(cc_world_open(&world, &err), &err);
    if (world == NULL) {
        fprintf(stderr, "bench_world: start it with mpirun -n 2\n");
        return 2;
    }
    float *values = malloc((size_t)most);
    if (values == NULL) return 1;
    if (cc_world_rank(world) == 0) printf("ranks,bytes,bytes_sent,messages_sent,seconds\n");
    for (size_t bytes = SMALLEST; (double)bytes <= most && count < MOST_POINTS; bytes *= 4)
        points[count++] = measure(world, values, bytes / sizeof *values);
    double latency, per_byte;
    fit(points, count, &latency, &per_byte);
    if (cc_world_rank(world) == 0) printf("# latency %.1f us, bandwidth %.1f MB/s of what a rank sends\n", 1e6 * latency, 1e-6 / per_byte);
    cc_world_close(&world, false, NULL);
    free(values);
    return 0;
}
