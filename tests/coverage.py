#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""What has run of each room, from the counters in a build with --coverage.

    coverage.py BUILD [--missing ROOM]... [ROOM...]

A file counts once, however many programs it is part of: a line has run if it
has run in any of them. Exit status 1 if a room has less than it must have.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

# Percent of lines and of branches.
FLOORS = {"policy": 95, "wire": 95, "cache": 90, "base": 90}

SOURCE = re.compile(r"(?:^|/)src/(\w+)/(\w+\.[ch])$")
WIDTH = 28


class File:
    """How often each line and each branch of a file has run."""

    def __init__(self, path):
        self.path = path
        self.lines = collections.Counter()
        self.branches = collections.Counter()

    def add(self, line):
        number = line["line_number"]
        self.lines[number] += line["count"]
        for i, branch in enumerate(line["branches"]):
            self.branches[number, i] += branch["count"]


def reports(build):
    """What gcov says of each object, those that never ran included."""
    notes = sorted(build.rglob("*.gcno"))
    if not notes:
        sys.exit(f"coverage.py: {build} was not built with --coverage")
    # It complains of each object that never ran.
    done = subprocess.run(
        ["gcov", "--json-format", "--stdout", "--branch-probabilities",
         *notes], cwd=build, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"coverage.py: gcov: {done.stderr.decode()}")
    return map(json.loads, done.stdout.splitlines())


def read(build):
    """The files of each room by their names."""
    rooms = collections.defaultdict(dict)
    for report in reports(build):
        for found in report["files"]:
            match = SOURCE.search(found["file"])
            if not match:
                continue
            room, name = match.groups()
            path = build / report["current_working_directory"] / found["file"]
            file = rooms[room].setdefault(name, File(path))
            for line in found["lines"]:
                file.add(line)
    return rooms


def percent(counts):
    counts = list(counts)
    ran = sum(count > 0 for count in counts)
    return 100 * ran / len(counts) if counts else 100.0


def show(room, files):
    """A line a file and one for the room; whether that has what it must."""
    lines, branches = [], []
    for name, file in sorted(files.items()):
        print(f"  {room + '/' + name:{WIDTH}}"
              f"{percent(file.lines.values()):7.1f}"
              f"{percent(file.branches.values()):7.1f}")
        lines += file.lines.values()
        branches += file.branches.values()
    found = percent(lines), percent(branches)
    floor = FLOORS.get(room, 0)
    good = min(found) >= floor
    verdict = f"{'' if good else ' less than'} {floor}" if floor else ""
    print(f"{room + '/':{WIDTH + 2}}{found[0]:7.1f}{found[1]:7.1f}{verdict}")
    return good


def show_missing(room, files):
    for name, file in sorted(files.items()):
        text = file.path.read_text().splitlines()
        for number, count in sorted(file.lines.items()):
            missed = [str(i) for (line, i), n in sorted(file.branches.items())
                      if line == number and n == 0]
            if count == 0:
                what = "never ran"
            elif missed:
                what = "branch " + ", ".join(missed)
            else:
                continue
            print(f"{room}/{name}:{number}: {what}: {text[number-1].strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD")
    parser.add_argument("--missing", action="append", metavar="ROOM",
                        default=[], help="list what has not run")
    parser.add_argument("rooms", nargs="*", metavar="ROOM")
    args = parser.parse_intermixed_args()
    rooms = read(args.build.resolve())
    for room in args.rooms + args.missing:
        if room not in rooms:
            parser.error(f"there is no room {room}")
    print(f"{'':{WIDTH + 2}}{'lines':>7}{'branches':>10}, percent")
    shown = args.rooms or sorted(rooms)
    good = [show(room, rooms[room]) for room in shown]
    for room in args.missing:
        show_missing(room, rooms[room])
    sys.exit(not all(good))


main()
