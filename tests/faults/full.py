#!/usr/bin/env python3
"""Disks that are full or read-only, and limits of file sizes: commands say so, old files stay, and runs go on later to the same bits.

Usage: full.py [--program build/tests/camcl_faults] [--scratch FOLDER] [--sample N [--seed S]] [--jobs N]

Full: a training finds the disk full (ENOSPC) from one call on that changes a file of the run, for the first call of each function and file.
Limits (ulimit -f): each product of each command is one byte larger than a file may be. Read-only (EROFS): the folder of the products, of a
run that goes on, and of the caches, without which everything works.
"""
import argparse
import concurrent.futures
import errno
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kills
import scene as scenes


class Case:
    def __init__(self, scene, name):
        self.scene, self.name, self.command = scene, name, scenes.COMMANDS[name]
        folder = self.fresh("products")
        self.before = scenes.snapshot(folder, self.command.products)
        outcome = scene.program.run(folder, self.command.arguments(scene))
        if outcome.status != 0:
            raise SystemExit(f"{name}: exit status {outcome.status}: {outcome.err}")
        self.after = scenes.snapshot(folder, self.command.products)
        self.sizes = {name: (folder / name).stat().st_size for name in self.after}

    def fresh(self, name):
        folder = self.scene.copy(name)
        self.command.prepare(folder)
        return folder

    def run(self, faults=None, limit=None):
        folder = self.fresh(f"full-{threading.get_ident()}")
        if faults:
            faults = dict(faults, FAULTS_BELOW=faults["FAULTS_BELOW"].replace("HERE", str(folder)))
        words = [word.replace("output.dir=", f"output.dir={folder}/") for word in self.command.arguments(self.scene)]
        return folder, self.scene.program.run(folder, words, faults, limit)

    def judge(self, folder, outcome, says):
        """A command that could not write something: nothing is lost, and it says so."""
        bad = []
        if outcome.status != 1:
            bad.append(f"exit status {outcome.status}: {outcome.err.strip()}")
        elif not re.search(rf"^camcl: .+: .*{says}.* \(.+\)$", outcome.err, re.M):
            bad.append(f"says: {outcome.err.strip()}")
        bad += [f"holds {h.held}: {self.scene.program.describe(h)}" for h in outcome.held if "camcl_stop_create" not in
                self.scene.program.describe(h)]
        if not self.command.run:
            for name, content in scenes.snapshot(folder, self.command.products).items():
                if content not in (self.before.get(name), self.after.get(name)):
                    bad.append(f"{name} is neither old nor new")
            bad += [f"{name} is gone" for name in self.before if not (folder / name).exists()]
            return bad
        again = self.scene.program.run(folder, scenes.COMMANDS["resume"].arguments(self.scene) + ["--quiet"])
        if again.status != 0:
            return bad + [f"does not go on: {again.err.strip()}"]
        return bad + scenes.differences(self.after, scenes.snapshot(folder, ["run"]))

    def limit(self, bytes):
        # What is compiled, decoded and timed is kept if it can be; then nothing fails.
        folder, outcome = self.run(limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY)))
        return self.judge(folder, outcome, "File too large")

    def read_only(self):
        folder, outcome = self.run({"FAULTS_BELOW": "HERE", "FAULTS_KIND": "write", "FAULTS_AT": "1", "FAULTS_HOW": "on",
                                    "FAULTS_CODE": str(errno.EROFS)})
        bad = self.judge(folder, outcome, "Read-only file system")
        return bad

    def no_cache(self):
        folder, outcome = self.run({"FAULTS_BELOW": "HERE/cache", "FAULTS_KIND": "write", "FAULTS_AT": "1", "FAULTS_HOW": "on",
                                    "FAULTS_CODE": str(errno.EROFS)})
        if outcome.status != 0:
            return [f"exit status {outcome.status}: {outcome.err.strip()}"]
        return scenes.differences(self.after, scenes.snapshot(folder, self.command.products))


class Full(kills.Kills):
    def fill_at_call(self, n):
        folder = self.fresh(f"full-{threading.get_ident()}")
        outcome = self.scene.program.run(folder, self.arguments(folder),
                                         dict(self.below(folder), FAULTS_KIND="write", FAULTS_AT=str(n), FAULTS_HOW="on"))
        bad = []
        if outcome.status != 1 or not re.search(r"^camcl: .+: .+ \(.+\)$", outcome.err, re.M):
            bad.append(f"exit status {outcome.status}: {outcome.err.strip()}")
        return bad + self.finish(folder)

    def chosen(self):
        seen, chosen = set(), []
        for n, function, path in self.calls:
            key = (function, re.sub(r"cams/[0-9]+", "cams/N", path))
            # Temporary files all have one name; all of them count, but for pictures.
            if key in seen and ("cams/" in path or "/.camcl-" not in path):
                continue
            if function in ("write", "fsync", "close") and key in seen:
                continue
            seen.add(key)
            if function not in ("unlink", "remove", "unlinkat", "flock"):
                chosen.append(n)
        return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/tests/camcl_faults")
    parser.add_argument("--scratch", help="a folder that is kept, with what takes long to prepare")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    scratch = args.scratch or tempfile.mkdtemp(prefix="camcl-faults-")
    scene = scenes.Scene(scenes.Program(args.program), scratch)
    cases = []
    for start in ("new", "half"):
        full = Full(scene, start)
        names = {n: (function, path) for n, function, path in full.calls}
        cases += [(f"{start}: disk full from call {n} on: {names[n]}", full.fill_at_call, n) for n in full.chosen()]
    for name, command in scenes.COMMANDS.items():
        if not command.products or command.start == "cold":
            continue
        case = Case(scene, name)
        cases += [(f"{name}: {product} is one byte too large", case.limit, size - 1) for product, size in case.sizes.items()
                  if size > 0 and not re.search(r"[1-9]_|train.log", product)]
        cases.append((f"{name}: read-only", case.read_only))
        cases.append((f"{name}: read-only caches", case.no_cache))
    count = min(args.sample or len(cases), len(cases))
    print(f"{count} of {len(cases)} cases, --seed {args.seed}", flush=True)
    finds = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = {pool.submit(*case[1:]): case[0] for case in random.Random(args.seed).sample(cases, count)}
        for job in concurrent.futures.as_completed(jobs):
            if job.result():
                finds += 1
                print(jobs[job], *job.result(), sep="\n    ", flush=True)
    if not args.scratch:
        shutil.rmtree(scratch)
    print(f"{count} cases, {finds} finds")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
