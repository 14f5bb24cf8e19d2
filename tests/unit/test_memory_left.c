/* What the system leaves a process, read from files as the system has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory_left.h"
#include "support/scratch.h"

#define MIB ((size_t)1 << 20)

/* A file of the system below the folder that stands for /. */
static void put(const char *root, const char *path, const char *text)
{
    char full[600], *slash;
    snprintf(full, sizeof full, "%s%s", root, path);
    slash = strrchr(full, '/');
    assert_non_null(slash);
    *slash = '\0';
    assert_int_equal(cc_make_folders(full, NULL), CAMCL_OK);
    *slash = '/';
    scratch_write(full, text, strlen(text));
}

static void expect(const char *root, size_t left, const char *mentions)
{
    const char *what;
    assert_int_equal(cc_memory_left(root, &what), left);
    if (!strstr(what, mentions)) fail_msg("\"%s\" does not mention \"%s\"", what, mentions);
}

static void nothing_is_known(void **state)
{
    const char *what;
    assert_int_equal(cc_memory_left(*state, &what), SIZE_MAX);
    assert_string_equal(what, "");
}

static void machine(void **state)
{
    put(*state, "/proc/meminfo", "MemTotal:  9000 kB\nMemFree: 5 kB\nMemAvailable:   2048 kB\nSwapFree:   1024 kB\n");
    expect(*state, 3 * MIB, "other programs");
}

static void second_version_of_groups(void **state)
{
    const char *root = *state;
    put(root, "/proc/meminfo", "MemAvailable: 1048576 kB\n");
    put(root, "/proc/self/cgroup", "0::/user/job\n");
    put(root, "/sys/fs/cgroup/user/job/memory.max", "max\n");
    put(root, "/sys/fs/cgroup/user/job/memory.current", "1\n");
    expect(root, 1024 * MIB, "other programs");
    /* The group above has a limit; files that the system would drop do not count as used. */
    put(root, "/sys/fs/cgroup/user/memory.max", "524288000\n");
    put(root, "/sys/fs/cgroup/user/memory.current", "209715200\n");
    put(root, "/sys/fs/cgroup/user/memory.stat", "anon 7\ninactive_file 104857600\nactive_file 10485760\n");
    expect(root, 410 * MIB, "control group");
    put(root, "/sys/fs/cgroup/user/job/memory.max", "104857601\n");
    expect(root, 100 * MIB, "control group");
    put(root, "/sys/fs/cgroup/user/job/memory.current", "204857601\n");
    expect(root, 0, "control group");
}

static void first_version_of_groups(void **state)
{
    const char *root = *state;
    put(root, "/proc/self/cgroup", "9:name=systemd:/x\n4:memory:/outside/name\n0::/\n");
    put(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600\n");
    put(root, "/sys/fs/cgroup/memory/memory.usage_in_bytes", "20971520\n");
    put(root, "/sys/fs/cgroup/memory/memory.stat", "inactive_file 3\ntotal_inactive_file 10485760\n");
    expect(root, 90 * MIB, "control group");
}

/* The process's own limit, of which what it has already counts. */
static void own_limit(void **state)
{
    struct rlimit before, lower;
    char pages[64];
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    lower = before;
    lower.rlim_cur = (rlim_t)1 << 48;
    if (before.rlim_cur != RLIM_INFINITY && before.rlim_cur < lower.rlim_cur) skip();
    put(*state, "/proc/self/statm", "256 1 1 1 0 1 0\n");
    snprintf(pages, sizeof pages, "MemAvailable: %llu kB\n", (unsigned long long)1 << 40);
    put(*state, "/proc/meminfo", pages);
    assert_int_equal(setrlimit(RLIMIT_AS, &lower), 0);
    const char *what;
    const size_t left = cc_memory_left(*state, &what);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_true(left < (size_t)1 << 48 && left >= ((size_t)1 << 48) - 256 * 65536);
    assert_non_null(strstr(what, "ulimit -v"));
}

static void expect_available(const char *root, size_t available, const char *mentions)
{
    const char *what;
    assert_int_equal(cc_memory_available(root, &what), available);
    if (!strstr(what, mentions)) fail_msg("\"%s\" does not mention \"%s\"", what, mentions);
}

/* What can be had without pushing others out: no swap, and no more than a group has. */
static void swap_is_not_available(void **state)
{
    const char *what;
    const size_t half = cc_memory_available(*state, &what);
    assert_true(half > 0 && half < SIZE_MAX);
    assert_non_null(strstr(what, "half of the machine"));
    put(*state, "/proc/meminfo", "MemTotal: 9000 kB\nMemAvailable: 2048 kB\nSwapFree: 1024 kB\n");
    expect_available(*state, 2 * MIB, "machine's memory");
    put(*state, "/proc/self/cgroup", "0::/\n");
    put(*state, "/sys/fs/cgroup/memory.max", "1048576\n");
    put(*state, "/sys/fs/cgroup/memory.current", "0\n");
    expect_available(*state, MIB, "control group");
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = { IN_SCRATCH(nothing_is_known),        IN_SCRATCH(machine),   IN_SCRATCH(second_version_of_groups),
                                        IN_SCRATCH(first_version_of_groups), IN_SCRATCH(own_limit), IN_SCRATCH(swap_is_not_available) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
