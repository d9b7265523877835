# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Runs the chapters, each in a network of its own, several at once, and
reports what their tests say as one.

    python3 -m life [--hours N] [--seed S] [CHAPTER[.TEST]...]

With hours, tests that try their luck share them within each chapter, and what
has no such test is left out.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from e2e import tap

from . import chance, stage

HERE = pathlib.Path(__file__).parent
NETNS = HERE.parent / "tree" / "netns.sh"
# The longest first: they wait more than they work.
CHAPTERS = ["processes", "hung", "outage", "wallclock", "liars",
            "cachefile", "ageing", "reloads", "clients",
            "idle", "command", "confinement", "activation",
            "anchors", "succession", "strangers", "memory"]
FOR_HOURS = ["processes", "cachefile", "reloads", "clients", "activation",
             "wallclock", "liars", "anchors", "succession", "names", "memory"]
AT_ONCE = 6
RESULT = re.compile(r"(not )?ok \d+ - (.*)")
PROBLEM, NOTE = "#   ", "# "


def run_chapter(name, tree, args):
    """What the chapter printed."""
    begun = time.monotonic()
    text = subprocess.run(
        [NETNS, sys.executable, "-m", "life.chapter", name, tree,
         "--hours", str(args.hours), "--seed", str(args.seed)],
        stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    print("# %s took %.0f s" % (name, time.monotonic() - begun), flush=True)
    return text


class Result:
    """Of one test, read back."""

    def __init__(self, sentence, failed):
        self.sentence, self.failed = sentence, failed
        self.problem, self.notes = [], []

    def hear(self, line):
        if line.startswith(PROBLEM) and self.failed:
            self.problem.append(line[len(PROBLEM):])
        elif line.startswith(NOTE):
            self.notes.append(line[len(NOTE):])

    def add_to(self, report, chapter):
        problem = "\n".join(self.problem) or "no reason"
        report.add("%s: %s" % (chapter, self.sentence),
                   problem if self.failed else None, "\n".join(self.notes))

    def counts(self):
        """Those of its last note, by name."""
        return {word: int(number) for word, number in
                re.findall(r"(\w+)=(\d+)", "".join(self.notes[-1:]))}


def results(text):
    """Of each test in TAP text."""
    found = []
    for line in text.splitlines():
        result = RESULT.fullmatch(line)
        if result:
            found.append(Result(result[2], bool(result[1])))
        elif found:
            found[-1].hear(line)
    return found


def report_chapter(report, name, text, counts):
    for result in results(text):
        result.add_to(report, name)
        counts.update(result.counts())
    if not re.search(r"^1\.\.\d+$", text, re.MULTILINE):
        report.add("%s: the chapter comes to its end" % name, text[-4000:])


def arguments():
    parser = argparse.ArgumentParser(prog="life")
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--seed", type=int, default=chance.new_seed())
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER[.TEST]")
    args = parser.parse_args()
    args.chapters = args.chapters or (FOR_HOURS if args.hours else CHAPTERS)
    return args


def main():
    args = arguments()
    report, counts = tap.Report(), collections.Counter()
    print("# seed %d" % args.seed, flush=True)
    with tempfile.TemporaryDirectory(prefix="life") as folder:
        pathlib.Path(folder).chmod(0o755)
        tree = folder + "/tree"
        stage.make_tree(tree)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            running = {pool.submit(run_chapter, name, tree, args): name
                       for name in args.chapters}
            for done in concurrent.futures.as_completed(running):
                report_chapter(report, running[done], done.result(), counts)
    if counts:
        print("# in all: " + " ".join("%s=%d" % pair
                                      for pair in counts.items()))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
