#!/usr/bin/env python3
"""Lets each place fail that camcl calls memory, OpenCL, files and threads from, one at a time, and looks at what comes of it.

Usage: places.py [--program build/tests/camcl_faults] [--scratch FOLDER] [--commands train,eval,...] [--kinds memory,device,...]
                 [--sample N [--seed S]] [--place NUMBER [--at K]] [--on] [--jobs N]

A place is a call with its callers, three deep. Each that a command reaches fails once, when it is first reached and, if it is reached more
often, once in the middle. Then must hold: no signal, no hang; a documented exit status; an error message of the documented form that says
what failed and does not call it a defect of camcl; nothing held at the end that the command does not hold without a fault (memory, files,
OpenCL objects); every file old, or new and whole; no temporary file; and if the exit status is 0, all that the command writes without a
fault. A run goes on to the bits that it has without a fault. Places of an earlier command are not repeated (--every does).
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import random
import re
import shutil
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scene as scenes

MESSAGE = re.compile(r"camcl: .+: .+ \(.+\)$")
# What a message has to say of the kind that failed.
SAYS = {
    "memory": r"memory|CL_OUT_OF_HOST_MEMORY",
    "device": r"CL_[A-Z]|CLBlast|device|memory|compil|kernel",
    "read": r"Permission denied|Input/output error|Is a directory|Bad file|Cannot allocate|No such file|cannot|unreadable|not be read",
    "write": r"No space left|Input/output error|Permission denied|No locks|Cannot allocate|cannot|not everything",
    "output": r"standard output",
    "task": r"thread|process|memory|Resource temporarily|helper",
}
# What may be missing where a command says that it goes without.
WITHOUT = [("no pictures of strong views", "run/cams/"), ("a folder that cannot be opened", "")]
# Where camcl asks what the system is like; without an answer drivers are set up in another way, and compile again.
NOT_OURS = ("cli_describe_machine",)
STATUSES = {"memory": (1,), "device": (1, 3), "read": (1, 2), "write": (1, ), "output": (1,), "task": (1,)}


class Reference:
    """A command without a fault: what it writes, and what it holds."""

    def __init__(self, scene, name):
        self.scene, self.name, self.command = scene, name, scenes.COMMANDS[name]
        self.start = self.prepare("reference")
        self.before = scenes.snapshot(self.start, self.command.products)
        self.outcome = scene.program.run(self.start, self.command.arguments(scene))
        if self.outcome.status != 0:
            raise SystemExit(f"{name}: exit status {self.outcome.status} without a fault\n{self.outcome.err}")
        self.after = scenes.snapshot(self.start, self.command.products)
        self.held = {(h.held, h.number) for h in self.outcome.held}
        self.whole = set()  # contents of runs that were seen to go on rightly
        self.lock = threading.Lock()

    def prepare(self, where):
        folder = self.scene.copy(where)
        self.command.prepare(folder)
        return folder

    def text(self, outcome, folder):
        return scenes.normal(folder)(outcome.out)


def check_message(outcome, kind):
    lines = outcome.err.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith("camcl: ")), None)
    if first is None:
        return ["no message"]
    bad = []
    if not any(MESSAGE.match(line) for line in lines[first:] if line.startswith("camcl: ")):
        bad.append("not \"what: why (what to do)\"")
    if "report this as a defect" in outcome.err:
        bad.append("calls itself a defect")
    if not re.search(SAYS[kind], outcome.err):
        bad.append("does not say why")
    return bad


def without(reference, place, outcome):
    # data inspect goes on without pictures that went away.
    if reference.name == "inspect" and "cc_picture_file" in reference.scene.program.name(place):
        return [""]
    return [names for said, names in WITHOUT if said in outcome.out + outcome.err]


def check_files(reference, folder, place, outcome):
    command, products = reference.command, reference.command.products
    bad = []
    found = scenes.snapshot(folder, products)
    if outcome.status == 0:
        allowed = without(reference, place, outcome)
        if place.function in ("unlink", "remove"):
            allowed.append("run/.lock")
        bad += [line for line in scenes.differences(reference.after, found) if not any(line.startswith(names) for names in allowed)]
    elif not command.run:
        for name, content in found.items():
            # What is named as unreadable does not keep other pictures from their answers.
            if place.kind in ("memory", "read") and "/pictures/test" in outcome.err:
                continue
            if content not in (reference.before.get(name), reference.after.get(name)):
                bad.append(f"{name} is neither old nor new")
        bad += [f"{name} is gone" for name in reference.before if name not in found]
    for path in folder.rglob(".camcl-*"):
        if place.function not in ("unlink", "remove", "unlinkat"):
            bad.append(f"{path.relative_to(folder)} stays")
    if command.run and outcome.status != 0 and not bad:
        bad += check_resume(reference, folder, found)
    return bad


def check_resume(reference, folder, found):
    key = repr(sorted(found.items()))
    with reference.lock:
        if not found or key in reference.whole:
            return []
    again = reference.scene.program.run(folder, scenes.COMMANDS["resume"].arguments(reference.scene) + ["--quiet"])
    if again.status != 0:
        return [f"does not resume: exit status {again.status}: {again.err.strip()}"]
    bad = ["resumed: " + line for line in scenes.differences(reference.after, scenes.snapshot(folder, ["run"]))]
    if not bad:
        with reference.lock:
            reference.whole.add(key)
    return bad


def judge(reference, folder, place, outcome):
    if not outcome.failed and outcome.status == 0:
        return ["(not reached)"]
    if outcome.status < 0 or "(hangs)" in outcome.err or not outcome.whole:
        return [f"signal {-outcome.status}" if outcome.status < 0 else "hangs" if "(hangs)" in outcome.err else "no regular end"]
    bad = []
    if outcome.status != 0:
        if outcome.status not in STATUSES[place.kind]:
            bad.append(f"exit status {outcome.status}")
        bad += check_message(outcome, place.kind)
    elif reference.command.stdout and not without(reference, place, outcome) and reference.text(outcome, folder) != reference.text(reference.outcome, reference.start):
        bad.append("exit status 0, but other output")
    held = [h for h in outcome.held if (h.held, h.number) not in reference.held]
    bad += sorted({f"leaks {h.held}: {reference.scene.program.describe(h)}" for h in held})
    return bad + check_files(reference, folder, place, outcome)


class Finds:
    def __init__(self):
        self.count, self.done, self.lock = 0, 0, threading.Lock()

    def add(self, reference, folder, place, at, outcome, bad):
        with self.lock:
            self.done += 1
            if self.done % 100 == 0:
                print(f"... {self.done} cases", flush=True)
            if not bad or bad == ["(not reached)"]:
                return
            self.count += 1
            print(f"{reference.name}: --place {place.number} --at {at}: {place.kind}: {reference.scene.program.describe(place)}")
            for line in bad:
                print(f"    {line}")
            if "exit status 0, but other output" in bad:
                ours, theirs = (set(reference.text(o, f).splitlines()) for o, f in ((reference.outcome, reference.start), (outcome, folder)))
                print(f"    {sorted(theirs - ours)[:2]} instead of {sorted(ours - theirs)[:2]}")
            print(f"    -> {outcome.status}: {outcome.err.strip()[-400:]}", flush=True)


def try_place(reference, place, at, how, finds):
    folder = reference.prepare(f"case-{threading.get_ident()}")
    outcome = reference.scene.program.run(folder, reference.command.arguments(reference.scene),
                                          {"FAULTS_PLACE": place.number, "FAULTS_AT": str(at), "FAULTS_HOW": how})
    finds.add(reference, folder, place, at, outcome, judge(reference, folder, place, outcome))


def draw(seed, *what):
    """A number that stays when other places come or go, so that a sample does."""
    return hashlib.sha256(repr((seed, *what)).encode()).hexdigest()


def choose(reference, args, known):
    """[(place, which time, rank)]: calls from other lines rank before the same line with other callers, and these before a second try."""
    chosen, lines = [], set()
    reference.scene.program.resolve(reference.outcome.places)
    for place in sorted(reference.outcome.places, key=lambda p: p.number):
        if args.place:
            if place.number == args.place:
                chosen.append((place, args.at, 0))
            continue
        if any(function in reference.scene.program.describe(place) for function in NOT_OURS):
            continue
        if place.kind not in args.kinds.split(",") or (place.number in known and not args.every):
            continue
        known.add(place.number)
        line = (place.function, place.frames[:2])
        chosen.append((place, 1, line in lines))
        lines.add(line)
        if place.count > 2:
            chosen.append((place, place.count // 2 + 1, 2))
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/tests/camcl_faults")
    parser.add_argument("--scratch", help="a folder that is kept, with what takes long to prepare")
    parser.add_argument("--commands", default=",".join(scenes.COMMANDS))
    parser.add_argument("--kinds", default=",".join(SAYS))
    parser.add_argument("--sample", type=int, help="so many of all, drawn by --seed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--place", help="this place alone")
    parser.add_argument("--at", type=int, default=1)
    parser.add_argument("--on", action="store_true", help="all later calls from the place fail, too")
    parser.add_argument("--every", action="store_true", help="places of other commands, too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    scratch = args.scratch or tempfile.mkdtemp(prefix="camcl-faults-")
    scene = scenes.Scene(scenes.Program(args.program), scratch)
    finds, known, cases = Finds(), set(), []
    for name in args.commands.split(","):
        reference = Reference(scene, name)
        chosen = choose(reference, args, known)
        print(f"{name}: {len(reference.outcome.places)} places, {len(chosen)} cases", flush=True)
        for held in reference.outcome.held:
            print(f"    holds {held.held} at its end: {scene.program.describe(held)}")
        cases += [(reference, *case) for case in chosen]
    count = min(args.sample or len(cases), len(cases))
    print(f"{count} of {len(cases)} cases, --seed {args.seed}", flush=True)
    cases.sort(key=lambda case: draw(args.seed, case[0].name, scene.program.name(case[1]), case[2] > 1))
    cases = sorted(cases[:count], key=lambda case: case[3])
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for done in [pool.submit(try_place, *case[:3], "on" if args.on else "once", finds) for case in cases]:
            done.result()
    if not args.scratch:
        shutil.rmtree(scratch)
    print(f"{finds.done} cases, {finds.count} of them with a find")
    return 1 if finds.count else 0


if __name__ == "__main__":
    sys.exit(main())
