#!/usr/bin/env python3
"""How many small defects the tests notice: changes one operator, index, constant, condition or statement at a time in a copy of the
committed sources, builds what it touches, and runs the tests, near ones first, until one fails.

    tests/mutation/mutate.py WORK [--kernels N] [--host N] [--seed N] [--until STAGE] [--file PATTERN] [--jobs N]
    tests/mutation/mutate.py WORK --report

WORK is a folder, which is made: the copy, its builds and caches, and results.csv. The sample is drawn from all mutants of cl/ and of
host/ops, objective, feed and exchange, and depends on the commit and the seed alone; a later call goes on where an earlier one ended, was
stopped or was killed. Stages, of which each includes those before it:
    near       tests of the file's own operation
    sanitized  the same under the address, leak and undefined-behaviour sanitizers; host files only
    wide       all tests of operations, training steps and units, the quickest first
    last       tests of the program (the default)
A test may take three times the processor time that it takes without a mutant, and half a minute: more is noticed, too. What does not
compile, and what compiles to the same object, is not counted. --report prints the shares with their 95 % intervals, and the survivors.
equivalent.tsv, beside this file, has survivors that no test can notice, each with its reason: file, line, changed line, reason.

Needs git, CMake, cmocka and an OpenCL device. Give it a low priority: nice -n 10 tests/mutation/mutate.py ..."""
import argparse
import csv
import fnmatch
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time

import mutants
import suite

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
SUPPRESSIONS = "tests/drivers.supp"
STAGES = ("near", "sanitized", "wide", "last")
GROUPS = ("kernels", "host")
ROOMS = ("ops", "objective", "feed", "exchange")
COLUMNS = ("group", "file", "line", "column", "kind", "before", "after", "result", "by", "stage", "seconds")
KERNEL_FAILS_TO_BUILD = "does not build on"


def git(*arguments):
    return subprocess.run(["git", "-C", TOP, *arguments], capture_output=True, check=True).stdout


def group_of(file):
    parts = file.split("/")
    if parts[0] == "cl" and file.endswith((".cl", ".clh")):
        return "kernels"
    return "host" if parts[0] == "host" and len(parts) > 2 and parts[1] in ROOMS and file.endswith(".c") else None


def changed_lines(text, mutant):
    """The first line that the mutant changes, before and after."""
    line = mutants.place(text, mutant)[0] - 1
    changed = text[:mutant.at] + " ".join(mutant.after.split()) + text[mutant.end:]
    return " ".join(text.split("\n")[line].split()), " ".join(changed.split("\n")[line].split())


class Tree:
    """The copy of the sources, with a build and one with sanitizers."""

    def __init__(self, work, jobs):
        self.work, self.jobs = os.path.abspath(work), jobs
        self.path = os.path.join(self.work, "tree")
        os.makedirs(self.path, exist_ok=True)
        self.commit = self.read_commit()
        self.texts = {}
        self.restore_all()
        self.configured = set()

    def read_commit(self):
        """The commit that WORK was begun with; another one would be another sample."""
        path = os.path.join(self.work, "commit")
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return file.read().strip()
        commit = git("rev-parse", "HEAD").decode().strip()
        with open(path, "w", encoding="ascii") as file:
            file.write(commit + "\n")
        return commit

    def restore_all(self):
        """Makes the copy what the commit is: an earlier call may have been killed in the middle of a mutant."""
        names = set()
        with tarfile.open(fileobj=io.BytesIO(git("archive", self.commit))) as archive:
            for member in archive:
                path = os.path.join(self.path, member.name)
                names.add(path)
                if not member.isfile():
                    if member.isdir():
                        os.makedirs(path, exist_ok=True)
                    else:
                        archive.extract(member, self.path)
                    continue
                content = archive.extractfile(member).read()
                if group_of(member.name):
                    self.texts[member.name] = content.decode()
                if not os.path.exists(path) or open(path, "rb").read() != content:
                    archive.extract(member, self.path)
                    os.utime(path)
        for folder, folders, files in os.walk(self.path):
            if folder == self.path:
                folders[:] = [name for name in folders if not name.startswith("build")]
            for name in files:
                if os.path.join(folder, name) not in names:
                    os.unlink(os.path.join(folder, name))

    def write(self, file, text):
        with open(os.path.join(self.path, file), "w", encoding="utf-8", newline="") as out:
            out.write(text)

    def build_folder(self, sanitized):
        return os.path.join(self.path, "build-sanitize" if sanitized else "build")

    def configure(self, sanitized):
        folder = self.build_folder(sanitized)
        if folder in self.configured:
            return
        command = ["cmake", "-S", self.path, "-B", folder]
        if not os.path.exists(folder + "/CMakeCache.txt") and shutil.which("ninja"):
            command += ["-G", "Ninja"]
        # Asserts count as tests. "None" is a build type without flags of its own.
        command += ["-DCAMCL_SANITIZE=ON"] if sanitized else ["-DCMAKE_BUILD_TYPE=None", "-DCMAKE_C_FLAGS=-O1"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        self.configured.add(folder)

    def build(self, targets, sanitized=False):
        """Whether the targets could be built; all of them where none is named."""
        self.configure(sanitized)
        command = ["cmake", "--build", self.build_folder(sanitized), "--parallel", str(self.jobs)]
        if targets:
            command += ["--target", *targets]
        with open(os.path.join(self.work, "build.log"), "w", encoding="utf-8") as log:
            return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode == 0

    def object_of(self, file):
        path = os.path.join(self.build_folder(False), "CMakeFiles/camcl_objects.dir", file + ".o")
        return open(path, "rb").read() if os.path.exists(path) else None


class Suite:
    """Runs tests of the copy, with caches of their own that hold nothing of a mutant."""

    def __init__(self, tree):
        self.tree, self.log = tree, os.path.join(tree.work, "test.log")
        self.tests = {}
        self.cache = os.path.join(tree.work, "cache")
        self.baseline_path = os.path.join(tree.work, "baseline.json")
        self.baseline = {}
        if os.path.exists(self.baseline_path):
            with open(self.baseline_path, encoding="utf-8") as file:
                self.baseline = json.load(file)
        self.kept = self.cached_files()

    def cached_files(self):
        return {os.path.join(folder, name) for folder, _, names in os.walk(self.cache) for name in names}

    def forget_mutant(self):
        for path in self.cached_files() - self.kept:
            os.unlink(path)

    def environment(self, sanitized):
        values = {**os.environ, "XDG_CACHE_HOME": self.cache, "POCL_CACHE_DIR": self.cache + "/pocl", "CAMCL_TEST_SIZES": "few",
                  "CMOCKA_TEST_ABORT": "1"}  # the first failure of a program will do
        if sanitized:
            values.update(ASAN_OPTIONS="detect_leaks=1",
                          LSAN_OPTIONS=f"suppressions={os.path.join(self.tree.path, SUPPRESSIONS)}:print_suppressions=0")
        return values

    def all_tests(self, sanitized):
        if sanitized not in self.tests:
            # CTest gives the command of a test only when its program is there.
            if not self.tree.build([], sanitized):
                sys.exit(f"mutate: the sources do not build without a mutant: see {self.tree.work}/build.log")
            self.tests[sanitized] = suite.read_tests(self.tree.build_folder(sanitized))
        return self.tests[sanitized]

    def names(self, file, stage):
        everything = list(self.all_tests(False))
        near = suite.near(file, everything)
        if stage in ("near", "sanitized"):
            return near
        names = suite.group(everything, suite.WIDE if stage == "wide" else suite.LAST, near)
        return sorted(names, key=lambda name: self.baseline.get(name, 1e9))

    @staticmethod
    def key(name, sanitized):
        return ("sanitized " if sanitized else "") + name

    def build(self, names, sanitized):
        """Program tests need the program and its companions, too: everything."""
        whole = any(name.startswith("e2e.") for name in names)
        return self.tree.build([] if whole else sorted({self.all_tests(sanitized)[name].target for name in names}), sanitized)

    def measure(self, names, sanitized):
        """Processor seconds of tests, of sources without a mutant; a test that fails there says nothing and is left out."""
        missing = [name for name in names if self.key(name, sanitized) not in self.baseline]
        if not missing:
            return
        if not self.build(missing, sanitized):
            sys.exit(f"mutate: the sources do not build without a mutant: see {self.tree.work}/build.log")
        for name in missing:
            outcome, used = suite.run(self.all_tests(sanitized)[name], self.environment(sanitized), 3600, self.log, sanitized)
            print(f"without a mutant: {self.key(name, sanitized)}: {outcome}, {used:.0f} s", flush=True)
            self.baseline[self.key(name, sanitized)] = used if outcome == "passed" else -1
            with open(self.baseline_path, "w", encoding="utf-8") as file:
                json.dump(self.baseline, file, indent=1)
        self.kept = self.cached_files()

    def first_failure(self, names, sanitized):
        """The test that fails, or None, and how: "failed", "time", "stalled" or "invalid" (a kernel that does not compile)."""
        for name in names:
            usual = self.baseline[self.key(name, sanitized)]
            if usual < 0:
                continue
            outcome, _ = suite.run(self.all_tests(sanitized)[name], self.environment(sanitized), 3 * usual + 30, self.log, sanitized)
            if outcome == "passed":
                continue
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return name, "invalid" if KERNEL_FAILS_TO_BUILD in file.read() else outcome
        return None, None


class Results:
    def __init__(self, work):
        self.path = os.path.join(work, "results.csv")
        self.rows = {}
        if os.path.exists(self.path):
            with open(self.path, newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    self.rows[self.key(row)] = row

    @staticmethod
    def key(row):
        return row["file"], int(row["line"]), int(row["column"]), row["kind"], row["after"]

    def put(self, row):
        self.rows[self.key(row)] = row
        with open(self.path + ".new", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows.values())
        os.replace(self.path + ".new", self.path)


def row_of(text, mutant):
    line, column = mutants.place(text, mutant)
    before, after = changed_lines(text, mutant)
    return {"group": group_of(mutant.file), "file": mutant.file, "line": line, "column": column, "kind": mutant.kind, "before": before,
            "after": after}


def try_mutant(tree, tests, mutant, row, first_stage, until):
    """Fills in the row's result. The tree is as committed before and afterwards, but what was built is the mutant."""
    original, began = tree.texts[mutant.file], time.monotonic()
    changed = mutants.apply(original, mutant)
    row.update(result="survived", by="", stage=until)
    stages = STAGES[STAGES.index(first_stage):STAGES.index(until) + 1]
    try:
        for stage in stages:
            sanitized = stage == "sanitized"
            if sanitized and row["group"] == "kernels":
                continue
            names = tests.names(mutant.file, stage)
            assert names, f"no tests near {mutant.file}"
            tree.write(mutant.file, original)
            tests.measure(names, sanitized)
            pristine = None
            if stage == "near" and row["group"] == "host":
                tests.build(names, False)
                pristine = tree.object_of(mutant.file)
            tree.write(mutant.file, changed)
            if not tests.build(names, sanitized):
                row.update(result="invalid", by="build", stage=stage)
                break
            if pristine and pristine == tree.object_of(mutant.file):
                row.update(result="same object", by="build", stage=stage)
                break
            name, outcome = tests.first_failure(names, sanitized)
            if name:
                row.update(result="invalid" if outcome == "invalid" else "noticed", by=f"{name} ({outcome})", stage=stage)
                break
    finally:
        tree.write(mutant.file, original)
        tests.forget_mutant()
    row["seconds"] = round(time.monotonic() - began)


def run(arguments):
    tree, results = Tree(arguments.work, arguments.jobs), Results(arguments.work)
    tests = Suite(tree)
    wanted = {"kernels": arguments.kernels, "host": arguments.host}
    counted = dict.fromkeys(GROUPS, 0)
    queues = {group: [] for group in GROUPS}
    for group in GROUPS:
        texts = {file: text for file, text in tree.texts.items()
                 if group_of(file) == group and fnmatch.fnmatch(file, arguments.file)}
        queues[group] = mutants.sample(texts, arguments.seed)
    print(f"mutants of {tree.commit[:10]}: " + ", ".join(f"{len(queues[group])} of {group}" for group in GROUPS), flush=True)
    positions = dict.fromkeys(GROUPS, 0)
    while True:
        open_groups = [group for group in GROUPS if counted[group] < wanted[group] and positions[group] < len(queues[group])]
        if not open_groups:
            break
        group = min(open_groups, key=lambda name: counted[name] / wanted[name])
        mutant = queues[group][positions[group]]
        positions[group] += 1
        row = row_of(tree.texts[mutant.file], mutant)
        known = results.rows.get(Results.key(row))
        stage = "near"
        if known and known["result"] == "survived" and STAGES.index(known["stage"]) < STAGES.index(arguments.until):
            stage = STAGES[STAGES.index(known["stage"]) + 1]
            known = None
        if not known:
            try_mutant(tree, tests, mutant, row, stage, arguments.until)
            results.put(row)
            known = row
            print(f"{known['file']}:{known['line']}: {known['kind']}: {known['result']} {known['by']} ({known['seconds']} s)", flush=True)
        counted[group] += known["result"] in ("noticed", "survived")


def wilson(hits, count):
    """The 95 % interval of a share."""
    z = 1.959964
    if count == 0:
        return 0.0, 1.0
    share = hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return middle - half, middle + half


def read_equivalent():
    path = os.path.join(HERE, "equivalent.tsv")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    return {(file, before, after): reason for file, before, after, reason in rows}


def report(arguments):
    rows, equivalent = list(Results(arguments.work).rows.values()), read_equivalent()
    for group in GROUPS:
        of = [row for row in rows if row["group"] == group]
        noticed = [row for row in of if row["result"] == "noticed"]
        survived = [row for row in of if row["result"] == "survived"]
        open_ones = [row for row in survived if (row["file"], row["before"], row["after"]) not in equivalent]
        uncounted = len(of) - len(noticed) - len(survived)
        print(f"{group}: {len(noticed) + len(survived)} mutants that compile to something else ({uncounted} others were not counted)")
        for what, count in (("noticed", len(noticed) + len(survived)), ("noticed, of those that are not equivalent", len(noticed) + len(open_ones))):
            low, high = wilson(len(noticed), count)
            print(f"  {what}: {len(noticed)} of {count}: {100 * len(noticed) / max(1, count):.1f} % ({100 * low:.1f} to {100 * high:.1f} %)")
        for stage in STAGES:
            at = sum(row["stage"] == stage for row in noticed)
            print(f"    by stage {stage}: {at}")
    for row in rows:
        if row["result"] == "survived":
            reason = equivalent.get((row["file"], row["before"], row["after"]))
            print(f"\n{row['file']}:{row['line']}: {row['kind']}, survived until {row['stage']}{': equivalent: ' + reason if reason else ''}")
            print(f"-{row['before']}\n+{row['after']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", help="folder of the copy and of results.csv")
    parser.add_argument("--kernels", type=int, default=150, metavar="N", help="mutants of cl/ to try, earlier calls' included (150)")
    parser.add_argument("--host", type=int, default=150, metavar="N", help="the same for host/ (150)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the sample (1)")
    parser.add_argument("--until", choices=STAGES, default="last", help="the last stage that survivors go through")
    parser.add_argument("--file", default="*", metavar="PATTERN", help="only files such as 'cl/conv2d/*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="of the build")
    parser.add_argument("--report", action="store_true", help="print what results.csv says")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a test that runs ends, too
    if arguments.report:
        report(arguments)
    else:
        run(arguments)


if __name__ == "__main__":
    main()
