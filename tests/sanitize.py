# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Reads what sanitizers and valgrind wrote about many processes, and prints
what is wrong once, with the number of processes that had it.

    sanitize.py FOLDER

Exit status 1 if something is wrong.
"""

import collections
import pathlib
import re
import sys

# What a child is born with stays open until it ends: its end of the channel to
# the parent, the sockets, the cache. All else that is open then has leaked.
BORN_WITH = re.compile(r"\b(child_start|listen_open\w*|cache_open)\b|"
                       r"<inherited from parent>")
PREFIX = re.compile(r"^==\d+== ?", re.MULTILINE)
CLEAN = re.compile(r"ERROR SUMMARY: 0 errors")
# Numbers that differ from process to process.
VARYING = re.compile(r"0x[0-9A-Fa-f]+|\b\d+\b")


def paragraphs(text):
    return [part.strip() for part in re.split(r"\n\s*\n", text)
            if part.strip()]


def leaked_descriptors(text):
    return [part for part in paragraphs(text)
            if part.startswith("Open ") and not BORN_WITH.search(part)]


def faults_of_valgrind(text):
    """The paragraphs of one report that tell of a fault."""
    faults = leaked_descriptors(text)
    if not CLEAN.search(text):
        faults += [part for part in paragraphs(text) if "   at 0x" in part and
                   not part.startswith("Open ")]
        faults = faults or ["a report without its end:\n" + text[-500:]]
    return faults


def faults_of(path):
    text = path.read_text(errors="replace")
    if "Memcheck" in text[:200]:
        return faults_of_valgrind(PREFIX.sub("", text))
    return [text] if text.strip() else []


def main():
    seen = collections.Counter()
    first = {}
    reports = sorted(pathlib.Path(sys.argv[1]).glob("report.*"))
    for path in reports:
        for fault in faults_of(path):
            shape = VARYING.sub("N", fault)
            seen[shape] += 1
            first.setdefault(shape, fault)
    for shape, count in seen.most_common():
        print("-- in %d processes:\n%s\n" % (count, first[shape][:4000]))
    print("%d reports, %d kinds of faults" % (len(reports), len(seen)))
    return 1 if seen else 0


if __name__ == "__main__":
    sys.exit(main())
