#!/usr/bin/env python3
"""Which lines of host/ the tests run, per room and in all.

    tests/static/coverage.py [BUILD] [--least PERCENT] [--lines ROOM]

BUILD is a build with -DCAMCL_COVERAGE=ON, build-coverage where none is named, in which tests have run; what they left is added up over
all programs that hold a file. --least: exit status 1 where all of host/ has less. --lines: the lines of a room, or of one file, that no
test ran. Nothing is left out of the count. Needs gcc's gcov.

    cmake -S . -B build-coverage -DCAMCL_COVERAGE=ON && cmake --build build-coverage --parallel
    ctest --test-dir build-coverage; tests/static/coverage.py"""
import argparse
import collections
import concurrent.futures
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def notes_of(build):
    """One .gcno per object; an object that no program ran has no counts, but lines all the same."""
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names if name.endswith(".gcno"))


def read(note):
    """[(file, line, count)] of one object."""
    done = subprocess.run(["gcov", "--json-format", "--stdout", note], capture_output=True, text=True, cwd=os.path.dirname(note))
    found = []
    for text in done.stdout.splitlines():
        if not text.strip():
            continue
        for file in json.loads(text)["files"]:
            path = os.path.relpath(os.path.join(TOP, file["file"]), TOP)
            if path.startswith("host/"):
                found += [(path, line["line_number"], line["count"]) for line in file["lines"]]
    return found


def count_lines(build):
    """{file: {line: how often it ran}}"""
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(read, notes_of(build)):
            for path, line, count in found:
                counts[path][line] += count
    return counts


def share(lines):
    """Lines that ran, lines."""
    return sum(count > 0 for count in lines), len(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default=os.path.join(TOP, "build-coverage"))
    parser.add_argument("--least", type=float, default=0.0, metavar="PERCENT")
    parser.add_argument("--lines", metavar="ROOM")
    arguments = parser.parse_args()
    counts = count_lines(os.path.abspath(arguments.build))
    if not counts:
        sys.exit(f"coverage: no counts of host/ in {arguments.build} (configure it with -DCAMCL_COVERAGE=ON and run its tests)")
    if arguments.lines:
        for path in sorted(counts):
            missed = [line for line in sorted(counts[path]) if counts[path][line] == 0]
            if missed and (path == arguments.lines or path.startswith(f"host/{arguments.lines}/")):
                with open(os.path.join(TOP, path), encoding="utf-8") as file:
                    text = file.read().splitlines()
                print("\n".join(f"{path}:{line}: {text[line - 1].strip()}" for line in missed if line <= len(text)))
        return
    rooms = collections.defaultdict(list)
    for path, lines in counts.items():
        rooms[path.split("/")[1]] += lines.values()
    print("room          lines     ran       %")
    for room in sorted(rooms):
        ran, lines = share(rooms[room])
        print(f"{room:<12} {lines:6} {ran:7} {100 * ran / lines:7.1f}")
    ran, lines = share([count for counted in counts.values() for count in counted.values()])
    print(f"{'all':<12} {lines:6} {ran:7} {100 * ran / lines:7.1f}")
    sys.exit(100 * ran / lines < arguments.least)


if __name__ == "__main__":
    main()
