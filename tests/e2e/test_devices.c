/* Training on several devices: a list in one process, and processes under mpirun with a list each. The device is divided into halves, so
 * that this runs wherever the driver can divide it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/arch.h"
#include "support/halves.h"
#include "support/ok.h"
#include "support/program.h"
#include "support/runs.h"
#include "support/scratch.h"
#include "support/tree.h"

static const halves *h;

static char *train(const char *folder, const char *name, const char *select, const char *more)
{
    return program_prints(folder, "train '%s/small.ini' 'output.dir=%s/%s' 'device.select=%s' %s", folder, folder, name, select, more);
}

static const char *run_of(const char *folder, const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

/* Starts train in the background and stops it after its first save; whether it had not finished before. */
static bool train_and_stop(const char *folder, const char *name, const char *more)
{
    char state[600];
    snprintf(state, sizeof state, "%s/%s/state.safetensors", folder, name);
    const pid_t process = program_start(folder, name, "train '%s/small.ini' 'output.dir=%s/%s' 'device.select=%s' output.save_every=1 %s",
                                        folder, folder, name, h->list, more);
    wait_for_file(state, process);
    kill(process, SIGTERM);
    const int status = program_wait(process);
    assert_true(status == 0 || status == 128 + SIGTERM);
    return status != 0;
}

/* ---- a list */

/* a and b differ by at most a thousandth. */
static bool near(double a, double b) { return a - b <= 1e-3 * b && b - a <= 1e-3 * b; }

static void a_list_trains_and_says_so(void **state)
{
    h = halves_or_skip();
    char *out = train(*state, "list", h->list, "");
    assert_non_null(strstr(out, "device 2 of 2: "));
    assert_non_null(strstr(out, "takes 4 of 8 labelled and 4 of 8 unlabelled images of a batch"));
    free(out);
    free(train(*state, "again", h->list, ""));
    assert_same_run(run_of(*state, "list"), run_of(*state, "again"));
    out = train(*state, "shares", h->list, "'device.share=3, 1'");
    assert_non_null(strstr(out, "takes 6 of 8 labelled and 6 of 8 unlabelled images of a batch"));
    free(out);
    assert_false(same_file(run_of(*state, "list"), run_of(*state, "shares"), "last.safetensors"));
    free(train(*state, "alone", h->device, "optim.lr=1e-4"));
    free(train(*state, "slow", h->list, "optim.lr=1e-4"));
    metrics_table *many = metrics_load(run_of(*state, "slow")), *one = metrics_load(run_of(*state, "alone"));
    const double a = metrics_number(many, 0, "loss"), b = metrics_number(one, 0, "loss");
    assert_true(near(a, b));
    free(many);
    free(one);
}

/* The other commands take the first device of a list. */
static void a_run_of_a_list_is_evaluated(void **state)
{
    h = halves_or_skip();
    free(train(*state, "evaluated", h->list, ""));
    outcome eval = program_run(*state, "eval '%s/best.safetensors' 'device.select=%s'", run_of(*state, "evaluated"), h->list);
    assert_int_equal(eval.status, 0);
    assert_non_null(strstr(eval.out, "top-1"));
    if (!strstr(eval.err, "this command uses the first device alone")) fail_msg("%s", eval.err);
    outcome_free(&eval);
}

/* The teacher of the second device is the average of the weights from the beginning: with one of zeros L_u would be another. */
static void the_teacher_is_on_every_device(void **state)
{
#define TEACHER "ssl.mode=mean-teacher ssl.beta=1 ssl.ramp=0 optim.lr=1e-4"
    h = halves_or_skip();
    free(train(*state, "teacher-alone", h->device, TEACHER));
    free(train(*state, "teacher-list", h->list, TEACHER));
    metrics_table *many = metrics_load(run_of(*state, "teacher-list")), *one = metrics_load(run_of(*state, "teacher-alone"));
    const double a = metrics_number(many, 0, "loss_u"), b = metrics_number(one, 0, "loss_u");
    if (!near(a, b)) fail_msg("loss_u: %.9g with two devices, %.9g with one", a, b);
    free(many);
    free(one);
}

/* Whatever the mode keeps besides the weights is on every device again. */
static void a_stopped_list_goes_on_with_the_same_bits(void **state)
{
    static const char *const modes[] = { "gradcam", "mean-teacher", "flexmatch", "freematch", "softmatch" };
    h = halves_or_skip();
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char whole[64], stopped[64], keys[128], resumed[128];
        snprintf(whole, sizeof whole, "%s-whole", modes[i]);
        snprintf(stopped, sizeof stopped, "%s-stopped", modes[i]);
        snprintf(keys, sizeof keys, "ssl.mode=%s train.epochs=6 'device.share=5, 3'", modes[i]);
        snprintf(resumed, sizeof resumed, "ssl.mode=%s train.epochs=6 --resume", modes[i]);
        free(train(*state, whole, h->list, keys));
        train_and_stop(*state, stopped, keys);
        char *out = train(*state, stopped, h->list, resumed);
        assert_non_null(strstr(out, "takes 5 of 8 labelled")); /* as the state has it, although device.share is auto now */
        assert_null(strstr(out, "last bits"));
        free(out);
        assert_same_run(run_of(*state, whole), run_of(*state, stopped));
    }
}

/* The state's shares count where none are given, and given ones where they are others. */
static void given_shares_count_in_a_resumed_run(void **state)
{
    h = halves_or_skip();
    if (!train_and_stop(*state, "reshared", "train.epochs=12 'device.share=5, 3'")) return;
    char *out = train(*state, "reshared", h->list, "train.epochs=12 'device.share=1, 1' --resume");
    assert_non_null(strstr(out, "takes 4 of 8 labelled"));
    assert_non_null(strstr(out, "other shares than before: results may differ in the last bits"));
    free(out);
}

static void another_list_goes_on(void **state)
{
    h = halves_or_skip();
    if (train_and_stop(*state, "fewer", "train.epochs=12")) {
        char *out = train(*state, "fewer", h->device, "train.epochs=12 --resume");
        assert_non_null(strstr(out, "results may differ in the last bits"));
        free(out);
    }
    free(train(*state, "more", h->device, "train.epochs=3"));
    char *out = train(*state, "more", h->list, "train.epochs=4 --resume");
    assert_non_null(strstr(out, "results may differ in the last bits"));
    assert_non_null(strstr(out, "device 2 of 2"));
    free(out);
    /* The shares in the run's own configuration are those of two devices. */
    free(train(*state, "shared", h->list, "train.epochs=1 'device.share=3, 1'"));
    out = program_prints(*state, "train '%s' --resume train.epochs=2 'device.select=%s'", run_of(*state, "shared"), h->device);
    assert_non_null(strstr(out, "results may differ in the last bits"));
    free(out);
}

static void bad_lists_are_refused(void **state)
{
    h = halves_or_skip();
    const char *const folder = *state;
    char keys[256];
#define REFUSED(status, parts, ...)                                                                                                        \
    do {                                                                                                                                   \
        snprintf(keys, sizeof keys, __VA_ARGS__);                                                                                          \
        program_fails(folder, status, parts, "train '%s/small.ini' 'output.dir=%s/bad' %s", folder, folder, keys);                         \
    } while (0)
    REFUSED(2, "device.select|is listed twice", "'device.select=%s, %s'", h->device, h->device);
    REFUSED(2, "device.select|is listed twice, in part by|list every device once", "'device.select=%s, %s'", h->device, h->first);
    REFUSED(2, "device 2 of the list is empty", "'device.select=%s, '", h->device);
    REFUSED(2, "device.share = 1|1 share for the 2 devices", "'device.select=%s' device.share=1", h->list);
    REFUSED(2, "device.share = 1, 0|out of range|above 0", "'device.select=%s' 'device.share=1, 0'", h->list);
    REFUSED(2, "device.share = 1, many|not numbers|auto | numbers with commas", "'device.select=%s' 'device.share=1, many'", h->list);
    REFUSED(2, "train.batch_labeled = 1|each of the 2 devices", "'device.select=%s' train.batch_labeled=1", h->list);
    REFUSED(3, "there is no such device|99:0", "'device.select=%s, 99:0'", h->device);
    REFUSED(3, "there is no such part", "'device.select=%s/2/2'", h->device);
    REFUSED(3, "compute units", "'device.select=%s/0/999'", h->device);
    assert_int_not_equal(access(scratch_path(folder, "bad"), F_OK), 0);
}

/* ---- bench */

/* bench step of the list, with more keys; the caller frees. */
static cc_json *bench(const char *folder, const char *more)
{
    char *out = program_prints(folder,
                               "bench step --json model.width=4 data.image_size=16 train.batch_labeled=8 train.batch_unlabeled=12 "
                               "'device.cache_dir=%s/cache' 'device.select=%s' %s",
                               folder, h->list, more);
    cc_json *json = json_parse_text(out);
    free(out);
    return json;
}

/* Trained numbers of the network that is timed. */
static size_t bench_weights(void)
{
    const cc_graph_spec spec = { .arch = "resnet18", .stem = "cifar", .width = 4, .classes = 10, .channels = 3 };
    cc_graph *graph;
    camcl_error err;
    OK(cc_graph_build(&spec, 1, &graph, &err));
    const size_t count = graph->trained;
    cc_graph_destroy(&graph);
    return count;
}

/* docs/scaling.md has the blocking all-reduces of ResNet-18, which do not depend on its width. Gradients are most of what is exchanged. */
static void a_list_is_timed(void **state)
{
    static const struct {
        const char *name;
        double images, blocking;
    } modes[] = { { "supervised", 8, 41 }, { "pseudo-label", 20, 41 }, { "gradcam", 20, 42 } };
    h = halves_or_skip();
    cc_json *json = bench(*state, "");
    const double weights = (double)bench_weights();
    assert_true(json_number_at(json, "devices") == 2);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const cc_json *mode = cc_json_get(json, modes[i].name);
        const double bytes = json_number_at(mode, "exchanged_bytes"), blocking = json_number_at(mode, "blocking_allreduces"),
                     images = json_number_at(mode, "images_per_s") * json_number_at(mode, "ms_per_step") / 1000;
        print_message("%s: %g + %g all-reduces, %g bytes for %g weights\n", modes[i].name, blocking,
                      json_number_at(mode, "overlapped_allreduces"), bytes, weights);
        assert_true(blocking == modes[i].blocking);
        assert_true(json_number_at(mode, "overlapped_allreduces") >= 1);
        assert_true(bytes >= 4 * weights && bytes < 5 * weights);
        assert_true(images > 0.99 * modes[i].images && images < 1.01 * modes[i].images);
    }
    cc_json_free(&json);
}

/* The memory of the first device follows its share of the batch. */
static void a_list_is_timed_with_its_shares(void **state)
{
    h = halves_or_skip();
    cc_json *most = bench(*state, "'device.share=7, 1'"), *least = bench(*state, "'device.share=1, 7'");
    const double a = json_number_at(cc_json_get(most, "gradcam"), "peak_bytes"),
                 b = json_number_at(cc_json_get(least, "gradcam"), "peak_bytes");
    if (!(a > b)) fail_msg("peak bytes: %g with 7/8 of the images, %g with 1/8", a, b);
    cc_json_free(&most);
    cc_json_free(&least);
}

/* ---- ranks */

static char *text_of(const char *folder, const char *name)
{
    size_t size;
    char *text = scratch_read(scratch_path(folder, name), &size);
    assert_non_null(text);
    return text;
}

static void ranks_give_the_bits_of_a_list(void **state)
{
    h = halves_and_mpirun_or_skip();
    free(train(*state, "one-process", h->list, ""));
    if (halves_run_ranks(*state, 2, EACH_A_HALF, "two-processes", "") != 0) fail_msg("%s", text_of(*state, "err"));
    assert_same_run(run_of(*state, "one-process"), run_of(*state, "two-processes"));
    for (int i = 0; i < 2; i++) {
        char *result = text_of(*state, i ? "two-processes/result.json" : "one-process/result.json");
        if (!strstr(result, " and 1 more\"")) fail_msg("one device is named alone: %s", result);
        free(result);
    }
    char *out = text_of(*state, "out");
    const char *end = strstr(out, "report.html shows it");
    assert_non_null(end);
    assert_null(strstr(end + 1, "report.html shows it")); /* only rank 0 speaks */
    free(out);
}

/* Ranks that nobody gave a device each. */
static void ranks_on_one_device_are_warned_of(void **state)
{
    h = halves_and_mpirun_or_skip();
    assert_int_equal(halves_run_ranks(*state, 2, "select=$HALVES_OF", "turns", "train.epochs=1"), 0);
    char *out = text_of(*state, "out");
    if (!strstr(out, "ranks take turns on one device of host ")) fail_msg("%s", out);
    free(out);
    assert_int_equal(halves_run_ranks(*state, 2, EACH_A_HALF, "no-turns", "train.epochs=1"), 0);
    out = text_of(*state, "out");
    assert_null(strstr(out, "take turns"));
    free(out);
}

static void the_error_of_a_rank_is_named(void **state)
{
    h = halves_and_mpirun_or_skip();
    assert_int_not_equal(
        halves_run_ranks(*state, 2, "select=99:$OMPI_COMM_WORLD_RANK; [ $OMPI_COMM_WORLD_RANK = 1 ] || select=$HALVES_OF", "unlucky", ""),
        0);
    char *err = text_of(*state, "err");
    if (!strstr(err, "camcl: rank 1 (host ") || !strstr(err, "99:1: there is no such device")) fail_msg("%s", err);
    free(err);
    assert_int_not_equal(halves_run_ranks(*state, 2, EACH_A_HALF "; set -- train.seed=$OMPI_COMM_WORLD_RANK", "unlike", ""), 0);
    err = text_of(*state, "err");
    if (!strstr(err, "camcl: rank 1 (host ") || !strstr(err, "): another configuration than rank 0: train.seed = 1")) fail_msg("%s", err);
    if (strstr(strstr(err, "rank 1 (host ") + 1, "rank 1 (host ")) fail_msg("named twice: %s", err);
    free(err);
    const char *mixed = EACH_A_HALF "; [ $OMPI_COMM_WORLD_RANK = 0 ] || set -- device.share=1";
    assert_int_not_equal(halves_run_ranks(*state, 2, mixed, "mixed", ""), 0);
    err = text_of(*state, "err");
    if (!strstr(err, "device.share: some ranks give numbers, others auto")) fail_msg("%s", err);
    free(err);
    /* Also before they know each other. */
    assert_int_not_equal(halves_run_ranks(*state, 2, EACH_A_HALF "; [ $OMPI_COMM_WORLD_RANK = 0 ] || set -- optim.rate=1", "unread", ""),
                         0);
    err = text_of(*state, "err");
    if (!strstr(err, "camcl: rank 1: command line: optim.rate: unknown key")) fail_msg("%s", err);
    free(err);
}

/* A list of the same pictures in every process, in which the label of one picture goes by the process. */
static void other_data_than_those_of_rank_0_are_refused(void **state)
{
    h = halves_and_mpirun_or_skip();
    if (pictures_missing()) skip();
    tree_pictures(*state, "cat", 12, 0);
    tree_pictures(*state, "dog", 12, 100);
    for (int rank = 0; rank < 2; rank++) {
        char name[32], list[1024] = "path,label\n";
        for (int i = 0; i < 24; i++) {
            const size_t used = strlen(list);
            const bool dog = i >= 12 || (rank == 1 && i == 5);
            snprintf(list + used, sizeof list - used, "%s/%02d.png,%s\n", i < 12 ? "cat" : "dog", i % 12, dog ? "dog" : "cat");
        }
        snprintf(name, sizeof name, "list%d.csv", rank);
        tree_file(*state, name, list);
    }
#define LISTED "ssl.mode=supervised data.dataset=list data.labeled=all data.unlabeled=0 data.validation=auto"
    const int status = halves_run_ranks(*state, 2, EACH_A_HALF "; set -- \"$@\" data.root=\"$folder/list$OMPI_COMM_WORLD_RANK.csv\"",
                                        "unlike-data", LISTED);
    char *err = text_of(*state, "err");
    if (status == 0 || !strstr(err, "rank 1 (") || !strstr(err, "other data than rank 0")) fail_msg("exit %d: %s", status, err);
    free(err);
    assert_int_not_equal(access(scratch_path(run_of(*state, "unlike-data"), "splits.json"), F_OK), 0);
}

static void a_killed_rank_ends_all_and_the_run_goes_on(void **state)
{
    h = halves_and_mpirun_or_skip();
    free(train(*state, "unbroken", h->list, "train.epochs=6"));
    for (int rank = 0; rank < 2; rank++) {
        char run[32], kills[512], dead[32];
        snprintf(run, sizeof run, "broken%d", rank);
        snprintf(dead, sizeof dead, "camcl: rank %d (host ", rank);
        /* The rank kills itself once there is a state. */
        snprintf(kills, sizeof kills,
                 "select=$HALVES_OF/$OMPI_COMM_WORLD_RANK/2; if [ $OMPI_COMM_WORLD_RANK = %d ]; then { while [ ! -f "
                 "\"$folder/%s/state.safetensors\" ]; do sleep 0.02; done; kill -9 $$; } & fi",
                 rank, run);
        const int status = halves_run_ranks(*state, 2, kills, run, "train.epochs=6 output.save_every=1");
        char *err = text_of(*state, "err");
        if (status == 0) print_message("it had finished before the kill\n");
        /* On a machine with much to do mpirun may kill the other one before it can say it. */
        if (strstr(err, dead) && !strstr(err, ": start all ranks again as before, with --resume.")) fail_msg("%s", err);
        free(err);
        if (halves_run_ranks(*state, 2, EACH_A_HALF, run, "train.epochs=6 --resume") != 0) fail_msg("%s", text_of(*state, "err"));
        assert_same_run(run_of(*state, "unbroken"), run_of(*state, run));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_trains_and_says_so),
        cmocka_unit_test(a_run_of_a_list_is_evaluated),
        cmocka_unit_test(the_teacher_is_on_every_device),
        cmocka_unit_test(a_stopped_list_goes_on_with_the_same_bits),
        cmocka_unit_test(given_shares_count_in_a_resumed_run),
        cmocka_unit_test(another_list_goes_on),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(a_list_is_timed),
        cmocka_unit_test(a_list_is_timed_with_its_shares),
        cmocka_unit_test(ranks_give_the_bits_of_a_list),
        cmocka_unit_test(ranks_on_one_device_are_warned_of),
        cmocka_unit_test(the_error_of_a_rank_is_named),
        cmocka_unit_test(other_data_than_those_of_rank_0_are_refused),
        cmocka_unit_test(a_killed_rank_ends_all_and_the_run_goes_on),
    };
    return program_is_named() ? cmocka_run_group_tests(tests, runs_setup, runs_teardown) : 1;
}
