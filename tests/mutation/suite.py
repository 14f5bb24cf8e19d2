"""The tests that are run on a mutant: which ones are near a file, and how a test is run so that it ends."""
import fnmatch
import json
import os
import re
import resource
import signal
import subprocess
import time

# Whose tests are near, in the order in which they are run; the first pattern that fits a file counts. Patterns are relative to cl or host.
NEAR = (
    ("conv2d/*affine*", "ops.test_conv2d_affine ops.test_conv2d"),
    ("conv2d/gemm*", "ops.test_conv2d"),
    ("conv2d/choice*", "unit.test_plan unit.test_timings ops.test_registry ops.test_conv2d"),
    # What depends on the number of registers is compiled for one of them on the machine, and for others in tests of their own.
    ("conv2d/*", "ops.test_conv2d_affine ops.test_conv2d ops.test_conv2d.8x16 ops.test_conv2d.4x32"),
    ("choice/*", "unit.test_timings unit.test_plan ops.test_registry ops.test_gemm_sets"),
    ("activation*", "ops.test_pointwise ops.test_batch_norm"),
    ("vector*", "ops.test_pool ops.test_batch_norm ops.test_softmax ops.test_resize"),
    # Kernels that GPUs take run on processors in the checks of all variants.
    ("batch_norm_group*", "unit.test_check"),
    ("batch_norm*", "ops.test_batch_norm unit.test_check"),
    ("bilinear*", "ops.test_resize ops.test_warp ops.test_load"),
    ("affine_warp*", "ops.test_affine_warp ops.test_counted_mse"),
    ("fetch*", "ops.test_load ops.test_randaugment"),
    ("normalise*", "ops.test_load ops.test_randaugment"),
    ("rows*", "ops.test_softmax ops.test_targets"),
    ("soft.*", "ops.test_targets ops.test_softmax"),
    ("peak*", "ops.test_softmax ops.test_grad_cam unit.test_check"),
    ("fairness*", "ops.test_targets"),
    ("thresholds*", "ops.test_targets"),
    ("gemm*", "ops.test_gemm ops.test_gemm_sets ops.test_linear"),
    ("outline*", "ops.test_conv2d"),
    ("sub_group*", "ops.test_conv2d"),
    ("multiply_add*", "ops.test_conv2d"),
    ("objective/*", "ssl.test_objective ssl.test_golden ssl.test_strong_views"),
    ("feed/augment*", "unit.test_augment ops.test_load ssl.test_strong_views"),
    ("feed/randaugment*", "unit.test_augment unit.test_views ops.test_randaugment ssl.test_strong_views"),
    ("feed/*", "unit.test_sampler unit.test_places unit.test_resident unit.test_augment"),
    ("exchange/*", "ssl.test_exchange e2e.test_world"),
)
# For what no pattern above and no test of the same name fits.
GENERAL = "ops.test_registry ops.test_pool ops.test_batch_norm ops.test_linear ops.test_conv2d"
# Then every other test of these groups, and at last the program's. What builds or installs packages says nothing about a mutant.
WIDE = ("ops", "ssl", "unit")
LAST = ("e2e",)
ASIDE = re.compile(r"test_(layers|reference|installed|manual|release|kit|bindings|docs|report_page|fetch)$")

MOST_MEMORY = 12 << 30
MOST_FILE = 4 << 30
STALLED = 300.0  # seconds without any use of a processor: it waits for ever


def near(file, names):
    """The tests near cl/... or host/..., as ctest names them."""
    inside = file.split("/", 1)[1]
    inside = inside[len("ops/"):] if inside.startswith("ops/") else inside
    own = "ops.test_" + os.path.basename(file).split(".")[0]
    wanted = [own] if own in names else []
    wanted += next((tests for pattern, tests in NEAR if fnmatch.fnmatch(inside, pattern)), "" if wanted else GENERAL).split()
    return [name for name in dict.fromkeys(wanted) if name in names]


def group(names, groups, without):
    return [name for name in names if name.split(".")[0] in groups and name not in without and not ASIDE.search(name)]


class Test:
    def __init__(self, entry):
        properties = {p["name"]: p["value"] for p in entry.get("properties", ())}
        self.name, self.command = entry["name"], entry.get("command", [])
        self.folder = properties.get("WORKING_DIRECTORY")
        self.environment = dict(line.split("=", 1) for line in properties.get("ENVIRONMENT", ()))

    @property
    def target(self):
        return self.name.split(".")[1]


def read_tests(build):
    """{name: Test} of a build folder, in the order of ctest."""
    listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, capture_output=True, text=True, check=True)
    tests = [Test(entry) for entry in json.loads(listed.stdout)["tests"]]
    return {test.name: test for test in tests if test.command and re.fullmatch(r"\w+\.test_\w+(\.\w+)?", test.name)}


def seconds_of(group_id):
    """Processor seconds of all live processes of a group, and of their children that have ended."""
    total, tick = 0.0, os.sysconf("SC_CLK_TCK")
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group_id:
            total += sum(map(int, fields[11:15])) / tick
    return total


def limited(seconds, sanitized):
    def set_limits():
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE, MOST_FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not sanitized:  # sanitizers reserve address space without end
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    return set_limits


def run(test, environment, limit, log, sanitized):
    """Runs one test with at most `limit` processor seconds. (outcome, processor seconds): "passed", "failed", "time" or "stalled"."""
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(test.command, cwd=test.folder, env={**environment, **test.environment}, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, preexec_fn=limited(limit, sanitized))
    used, since, outcome = 0.0, time.monotonic(), None
    try:
        while not outcome:
            try:
                process.wait(timeout=2)
                break
            except subprocess.TimeoutExpired:
                now = seconds_of(process.pid)
                if now > used + 0.02:
                    used, since = now, time.monotonic()
                outcome = "time" if used > 2 * limit else "stalled" if time.monotonic() - since > STALLED else None
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    code = process.wait()
    if not outcome:
        outcome = "passed" if code in (0, 77) else "time" if code in (-signal.SIGXCPU, -signal.SIGKILL) else "failed"
    return outcome, used
