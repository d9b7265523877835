# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Tests as functions whose first docstring line is the sentence, reported as
TAP: `ok N - sentence`, or `not ok` with what was seen instead.
"""

import sys
import threading
import traceback


class Report:
    """Counts and prints results; may be used from several threads."""

    def __init__(self):
        self.count = 0
        self.failures = 0
        self.lock = threading.Lock()

    def add(self, sentence, problem=None, note=""):
        """problem: None, or text that says what was seen instead; note: lines
        that stand behind."""
        with self.lock:
            self.count += 1
            print("%s %d - %s" % ("not ok" if problem else "ok", self.count,
                                  sentence.replace("#", "number ")))
            if problem:
                self.failures += 1
                for line in problem.rstrip().splitlines():
                    print("#   " + line)
            for line in note.splitlines():
                print("# " + line)
            sys.stdout.flush()

    def end(self):
        """Prints the plan; the exit status of the program."""
        print("1..%d" % self.count, flush=True)
        return 1 if self.failures or not self.count else 0


def run(tests, *args, note=lambda: ""):
    """Each test is called with args; an exception is its failure.  note: says
    afterwards what there is to say of a test."""
    report = Report()
    for test in tests:
        sentence = test.__doc__.strip().splitlines()[0].rstrip(".")
        try:
            test(*args)
            problem = None
        except Exception:  # pylint: disable=broad-except
            problem = traceback.format_exc()
        report.add(sentence, problem, note())
    return report.end()
