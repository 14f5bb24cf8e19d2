/* Ranks, as processes of their own: this program starts itself under mpirun with the scenarios of support/rank.c. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "camcl/version.h"
#include "exchange/world.h"
#include "support/rank.h"
#include "support/scratch.h"

static char self[4096];

static bool has_mpi(void)
{
    size_t count;
    const camcl_library *libraries = camcl_libraries(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(libraries[i].name, "mpi") == 0) return libraries[i].present;
    fail_msg("mpi is not among the libraries");
    return false;
}

static void skip_without_mpirun(void)
{
    if (!has_mpi())
        print_message("skipped: built without MPI\n");
    else if (system("command -v mpirun >/dev/null 2>&1") != 0)
        print_message("skipped: there is no mpirun (apt-get install openmpi-bin)\n");
    else
        return;
    skip();
}

typedef struct ended {
    int status;
    double seconds;
    char *out, *err;
} ended;

static void ended_free(ended *result)
{
    free(result->out);
    free(result->err);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Under mpirun, for at most a minute. */
static ended run_ranks(const char *folder, int ranks, int patience, const char *scenarios)
{
    char command[9000];
    const char *out = scratch_path(folder, "out"), *err = scratch_path(folder, "err");
    snprintf(command, sizeof command,
             "CAMCL_WORLD_PATIENCE=%d OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout -k 5 60 mpirun --oversubscribe "
             "--bind-to none -n %d '%s' rank %s >'%s' 2>'%s' </dev/null",
             patience, ranks, self, scenarios, out, err);
    const double begin = seconds_now();
    int status = system(command);
    ended result = { .status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), .seconds = seconds_now() - begin };
    size_t size;
    result.out = scratch_read(out, &size);
    result.err = scratch_read(err, &size);
    assert_non_null(result.out);
    assert_non_null(result.err);
    return result;
}

/* ---- what goes well */

#define ALL "sums pending traffic moments broadcast texts any rounds"

static void check_exchanges(const char *folder, int ranks, const char *scenarios)
{
    ended result = run_ranks(folder, ranks, 50, scenarios);
    if (result.status != 0) fail_msg("exit %d\n%s%s", result.status, result.out, result.err);
    char last[32];
    snprintf(last, sizeof last, "rounds %d\n", ranks);
    assert_non_null(strstr(result.out, last));
    ended_free(&result);
}

static void two_ranks_exchange(void **state)
{
    skip_without_mpirun();
    check_exchanges(*state, 2, ALL);
}

static void four_ranks_exchange(void **state)
{
    skip_without_mpirun();
    check_exchanges(*state, 4, ALL);
}

static void five_ranks_exchange(void **state)
{
    skip_without_mpirun();
    check_exchanges(*state, 5, ALL);
}

static void nine_ranks_exchange_in_rounds(void **state)
{
    skip_without_mpirun();
    check_exchanges(*state, 9, "rounds");
}

static void busy_ranks_are_waited_for(void **state)
{
    skip_without_mpirun();
    ended result = run_ranks(*state, 2, 3, "busy");
    if (result.status != 0) fail_msg("exit %d\n%s%s", result.status, result.out, result.err);
    ended_free(&result);
}

/* ---- what does not */

/* mpirun kills, but does not wait. */
static void wait_for_end(pid_t process)
{
    for (int i = 0; kill(process, 0) == 0; i++) {
        if (i == 50) fail_msg("process %ld is still there", (long)process);
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
}

/* One rank says what happened to another, and everything ends soon. */
static void check_failure(const char *folder, int ranks, const char *scenario, int culprit, const char *message, double most_seconds)
{
    ended result = run_ranks(folder, ranks, 3, scenario);
    char expected[1024], host[256] = "";
    gethostname(host, sizeof host - 1);
    snprintf(expected, sizeof expected, "camcl: rank %d (host %s): %s", culprit, host, message);
    if (result.status == 0 || result.status == 124) fail_msg("exit %d\n%s", result.status, result.err);
    if (strstr(result.err, expected) == NULL) fail_msg("\"%s\" is not in\n%s", expected, result.err);
    const char *first = strstr(result.err, "camcl: ");
    if (strstr(first + 1, "camcl: ")) fail_msg("two ranks report:\n%s", result.err);
    if (result.seconds > most_seconds) fail_msg("%s took %.1f s", scenario, result.seconds);
    for (const char *line = result.err; (line = strstr(line, "pid ")) != NULL; line++)
        wait_for_end((pid_t)atol(line + 4));
    ended_free(&result);
}

static void failures_end_all(void **state)
{
    static const struct {
        const char *scenario;
        int ranks, culprit;
        const char *message;
        double most_seconds;
    } cases[] = {
        { "exits", 2, 1, "its process has ended before its work", 20 },
        { "killed", 4, 1, "its process has ended during a sum", 20 },
        { "stops", 4, 1, "nothing heard for 3 s during a sum", 25 },
        { "stops_first", 2, 0, "nothing heard for 3 s during a sum", 25 },
        { "stops_busy", 3, 1, "nothing heard for 3 s during a sum", 25 },
        { "gives_up", 4, 1, "runs/x: no space left on the disk", 20 },
        { "gives_up_late", 2, 1, "x.png: cannot be read", 20 },
        { "speaks_late", 3, 1, "x.png: cannot be read", 20 },
#ifndef __SANITIZE_ADDRESS__ /* its own memory is beyond any limit */
        { "has_no_memory", 3, 1, "memory: no room for an exchange of texts with the other ranks", 20 },
#endif
    };
    skip_without_mpirun();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].scenario);
        check_failure(*state, cases[i].ranks, cases[i].scenario, cases[i].culprit, cases[i].message, cases[i].most_seconds);
    }
}

/* ---- without others */

static void a_process_alone(void **state)
{
    (void)state;
    cc_world *world = NULL;
    camcl_error err = { 0 };
    float values[2] = { 1, 2 }, mean = 3, m2 = 4;
    int own = 5, all = 0;
    bool any = false;
    char **texts;
    cc_world_pending *pending;
    assert_int_equal(cc_world_open(&world, &err), CAMCL_OK);
    assert_null(world);
    assert_int_equal(cc_world_rank(world), 0);
    assert_int_equal(cc_world_size(world), 1);
    assert_true(strlen(cc_world_host(world, 0)) > 0);
    assert_int_equal(cc_world_sum(world, values, 2, &err), CAMCL_OK);
    assert_int_equal(cc_world_moments(world, 7, &mean, &m2, 1, &err), CAMCL_OK);
    assert_int_equal(cc_world_broadcast(world, values, sizeof values, &err), CAMCL_OK);
    assert_int_equal(cc_world_gather(world, &own, sizeof own, &all, &err), CAMCL_OK);
    assert_int_equal(cc_world_any(world, true, &any, &err), CAMCL_OK);
    assert_int_equal(cc_world_gather_texts(world, "x", &texts, &err), CAMCL_OK);
    assert_int_equal(cc_world_sum_start(world, values, 2, &pending, &err), CAMCL_OK);
    assert_true(any && all == 5 && values[0] == 1 && values[1] == 2 && mean == 3 && m2 == 4);
    assert_int_equal(cc_world_sum_finish(&pending, &err), CAMCL_OK);
    assert_string_equal(texts[0], "x");
    free(texts[0]);
    free(texts);
    assert_int_equal(cc_world_take_traffic(world).messages, 0);
    cc_world_close(&world, false, NULL);
}

/* In a child, since MPI is started once in a process; the message is in the file. */
static int open_with(const char *folder, const char *variables, const char *launcher, char **message)
{
    char command[9000];
    const char *err = scratch_path(folder, "err");
    snprintf(command, sizeof command, "%s timeout -k 5 60 %s '%s' open 2>'%s'", variables, launcher, self, err);
    int status = system(command);
    size_t size;
    *message = scratch_read(err, &size);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void what_launchers_say(void **state)
{
    static const struct {
        const char *variables;
        int with, without; /* exit status in a build with and without MPI */
    } cases[] = {
        { "", 0, 0 },           { "OMPI_COMM_WORLD_SIZE=1", 0, 0 },        { "OMPI_COMM_WORLD_SIZE=2", 2, 2 },
        { "PMI_SIZE=3", 2, 2 }, { "SLURM_NTASKS=4 SLURM_PROCID=0", 0, 0 }, /* a batch script itself */
    };
    const bool mpi = has_mpi();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *message;
        int status = open_with(*state, cases[i].variables, "", &message), expected = mpi ? cases[i].with : cases[i].without;
        if (status != expected) fail_msg("%s: exit %d, not %d: %s", cases[i].variables, status, expected, message);
        if (expected != 0) assert_non_null(strstr(message, mpi ? "this one's MPI sees 1" : "camcl was built without MPI"));
        free(message);
    }
    if (!mpi) return;
    char *message;
    assert_int_equal(open_with(*state, "CAMCL_WORLD_PATIENCE=soon OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                               "mpirun -n 2 --oversubscribe", &message),
                     2);
    assert_non_null(strstr(message, "CAMCL_WORLD_PATIENCE: soon is no number of seconds"));
    free(message);
}

static int open_main(void)
{
    camcl_error err = { 0 };
    cc_world *world;
    camcl_status status = cc_world_open(&world, &err);
    if (status != CAMCL_OK) fprintf(stderr, "camcl: %s\n", err.message);
    cc_world_close(&world, false, NULL);
    return camcl_exit_status(status);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "rank") == 0) return rank_main(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "open") == 0) return open_main();
    snprintf(self, sizeof self, "%s", argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_alone),           cmocka_unit_test(what_launchers_say),  cmocka_unit_test(two_ranks_exchange),
        cmocka_unit_test(four_ranks_exchange),       cmocka_unit_test(five_ranks_exchange), cmocka_unit_test(nine_ranks_exchange_in_rounds),
        cmocka_unit_test(busy_ranks_are_waited_for), cmocka_unit_test(failures_end_all),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
