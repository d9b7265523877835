# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Runs the chapters, each in a network of its own, several at once, and
reports what their tests say as one.

    python3 -m life [--hours N] [CHAPTER...]
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from e2e import tap

from . import stage

HERE = pathlib.Path(__file__).parent
NETNS = HERE.parent / "tree" / "netns.sh"
# The longest first: they wait more than they work.
CHAPTERS = ["processes", "outage", "wallclock",
            "cachefile", "ageing", "reloads", "clients",
            "idle", "command", "confinement", "activation",
            "anchors", "succession"]
AT_ONCE = 6
RESULT = re.compile(r"(not )?ok \d+ - (.*)")


def run_chapter(name, tree, hours):
    """What the chapter printed."""
    begun = time.monotonic()
    text = subprocess.run(
        [NETNS, sys.executable, "-m", "life.chapter", name, tree,
         "--hours", str(hours)], stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    print("# %s took %.0f s" % (name, time.monotonic() - begun))
    return text


def results(text):
    """Sentence and problem (or None) of each test in TAP text."""
    found = []
    for line in text.splitlines():
        result = RESULT.fullmatch(line)
        if result:
            found.append([result[2], [] if result[1] else None])
        elif line.startswith("#") and found and found[-1][1] is not None:
            found[-1][1].append(line[1:].strip("\n")[3:])
    return [(sentence, problem if problem is None else
             "\n".join(problem) or "no reason") for sentence, problem in found]


def report_chapter(report, name, text):
    for sentence, problem in results(text):
        report.add("%s: %s" % (name, sentence), problem)
    if not re.search(r"^1\.\.\d+$", text, re.MULTILINE):
        report.add("%s: the chapter comes to its end" % name, text[-4000:])


def main():
    parser = argparse.ArgumentParser(prog="life")
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("chapters", nargs="*")
    args = parser.parse_args()
    report = tap.Report()
    with tempfile.TemporaryDirectory(prefix="life") as folder:
        pathlib.Path(folder).chmod(0o755)
        tree = folder + "/tree"
        stage.make_tree(tree)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            running = {pool.submit(run_chapter, name, tree, args.hours): name
                       for name in args.chapters or CHAPTERS}
            for done in concurrent.futures.as_completed(running):
                report_chapter(report, running[done], done.result())
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
