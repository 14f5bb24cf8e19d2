#!/usr/bin/env python3
"""Kills trainings at any moment and goes on: what comes out has the bits of a training that was left alone.

Usage: kills.py [--program build/tests/camcl_faults] [--scratch FOLDER] [--seed S] [--random N] [--calls N | --no-calls] [--jobs N]

First the order of calls: what gets its name by a rename was synced after its last write, and its folder is synced behind it. Then one kill
(SIGKILL) at each call that changes a file of the run, in place of it, a write half done; of several pictures one behind the other, the
first and the last. Then N kills at random moments, of which one in three hits a run that goes on after a kill. --calls N takes only so
many of the calls, drawn by the seed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scene as scenes


class Kills:
    """Trainings in a folder of their own each: a new one, or one of one epoch that goes on ("half")."""

    def __init__(self, scene, start):
        self.scene, self.start = scene, start
        folder = self.fresh("whole")
        began = time.monotonic()
        outcome = scene.program.run(folder, self.arguments(folder), self.below(folder))
        self.seconds = time.monotonic() - began
        if outcome.status != 0:
            raise SystemExit(f"exit status {outcome.status}: {outcome.err}")
        self.expected = scenes.snapshot(folder, ["run"])
        self.calls = [line.split(" ", 2) for line in outcome.calls[0]]
        self.calls = [(int(n), function, os.path.relpath(path, folder)) for n, function, path in self.calls]

    def fresh(self, name):
        folder = self.scene.copy(name)
        if self.start == "half":
            shutil.copytree(folder / "half", folder / "run")
        return folder

    def arguments(self, folder):
        return ["train", "small.ini", f"output.dir={folder}/run", "--resume", "--quiet"]

    def below(self, folder):
        return {"FAULTS_BELOW": f"{folder}/run", "FAULTS_KIND": "none"}

    def finish(self, folder):
        """Goes on to the end; what is wrong then."""
        outcome = self.scene.program.run(folder, self.arguments(folder))
        if outcome.status != 0:
            return [f"does not go on: exit status {outcome.status}: {outcome.err.strip()}"]
        bad = scenes.differences(self.expected, scenes.snapshot(folder, ["run"]))
        return bad + [f"{path.relative_to(folder)} stays" for path in folder.rglob(".camcl-*")]

    def kill_at_call(self, n):
        folder = self.fresh(f"kill-{threading.get_ident()}")
        outcome = self.scene.program.run(folder, self.arguments(folder),
                                         dict(self.below(folder), FAULTS_KIND="write", FAULTS_AT=str(n), FAULTS_HOW="kill"))
        if outcome.status != -signal.SIGKILL:
            return [f"was not killed: exit status {outcome.status}: {outcome.err.strip()}"]
        return self.finish(folder)

    def kill_at_moments(self, moments):
        """Kills so many seconds after each start."""
        folder = self.fresh(f"kill-{threading.get_ident()}")
        for seconds in moments:
            process = subprocess.Popen([self.scene.program.path] + self.arguments(folder), cwd=folder, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        return self.finish(folder)

    def check_order(self):
        bad, synced, renamed = [], set(), {}
        for n, function, path in self.calls:
            if function in ("write", "pwrite", "ftruncate", "fwrite", "fputs", "fprintf"):
                synced.discard(path)
            elif function == "fsync":
                synced.add(path)
                renamed.pop(path, None)
            elif function == "rename":
                # The temporary file is the last one that was closed before.
                before = [p for k, f, p in self.calls if k < n and f == "close" and "/.camcl-" in p][-1:]
                if not before or before[0] not in synced:
                    bad.append(f"call {n}: {path} appears, but was not synced")
                renamed[os.path.dirname(path)] = path
        # Pictures are synced one by one, their folder once.
        return bad + [f"{folder} is not synced after {path} appeared" for folder, path in renamed.items()]

    def chosen(self):
        """The calls to kill at: all but pictures between other pictures, and writes between other writes to the same file, but for one."""
        def is_like(i, j):
            return 0 <= j < len(self.calls) and self.calls[i][1:] == self.calls[j][1:]

        def is_picture(i):
            return 0 <= i < len(self.calls) and "/cams/" in self.calls[i][2]

        chosen = []
        for i, (n, function, path) in enumerate(self.calls):
            between_pictures = is_picture(i) and is_picture(i - 12) and is_picture(i + 12)  # one takes four or five calls
            between_writes = function == "write" and is_like(i, i - 1) and is_like(i, i + 1)
            if not between_pictures and (not between_writes or not is_like(i, i - 2)):
                chosen.append(n)
        return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/tests/camcl_faults")
    parser.add_argument("--scratch", help="a folder that is kept, with what takes long to prepare")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--random", type=int, default=100)
    parser.add_argument("--calls", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    scratch = args.scratch or tempfile.mkdtemp(prefix="camcl-faults-")
    scene = scenes.Scene(scenes.Program(args.program), scratch)
    dice = random.Random(args.seed)
    print(f"--seed {args.seed}", flush=True)
    finds = kills = 0
    for start in ("new", "half"):
        runs = Kills(scene, start)
        for line in runs.check_order():
            print(f"{start}: {line}")
            finds += 1
        names = {n: (function, path) for n, function, path in runs.calls}
        chosen = runs.chosen()
        if args.calls is not None:
            chosen = dice.sample(chosen, min(args.calls, len(chosen)))
        print(f"{start}: {len(runs.calls)} calls change files, {len(chosen)} kills at one; {args.random // 2} at random", flush=True)
        moments = [[dice.uniform(0, runs.seconds) for _ in range(1 + (i % 3 == 0))] for i in range(args.random // 2)]
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            jobs = {pool.submit(runs.kill_at_call, n): f"killed at call {n}: {names[n]}" for n in chosen}
            jobs.update({pool.submit(runs.kill_at_moments, m): f"killed after {m} s" for m in moments})
            for job in concurrent.futures.as_completed(jobs):
                kills += 1
                if job.result():
                    finds += 1
                    print(f"{start}: {jobs[job]}", *job.result(), sep="\n    ", flush=True)
    if not args.scratch:
        shutil.rmtree(scratch)
    print(f"{kills} kills, {finds} finds")
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
