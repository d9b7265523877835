# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""How long the tests go on that try their luck, which luck that is, and what
they counted on the way.  The seed decides all that is drawn; when a drawn thing
falls between two steps of danemapd is the machine's affair.
"""

import collections
import random
import secrets
import time

SEED_MAX = 1 << 32
# What happened in the test that runs: kills, lookups, failed, reconnects, ...
COUNTS = collections.Counter()
LINES = []
# failed: lookups that were begun and got no answer or TEMP; reconnects:
# connections that had to be opened again; wrong: answers.
ALWAYS = ("lookups", "failed", "reconnects", "wrong")


class Course:
    """Of the process that runs a chapter."""
    seed = 0
    share_s = 0.0  # of each test that goes on


def new_seed():
    return secrets.randbelow(SEED_MAX)


def begin(seed, seconds, tests):
    """From now on: the seed, and the time that those tests which go on share
    among them."""
    Course.seed = seed
    going = [test for test in tests if hasattr(test, "goes_on")]
    Course.share_s = seconds / max(1, len(going))


def goes_on(test):
    """Marks a test that repeats itself for hours where hours are given."""
    test.goes_on = True
    return test


def rounds(least):
    """0, 1, 2...: at least so many, and until the time of the test is over."""
    end = time.monotonic() + Course.share_s
    n = 0
    while n < least or time.monotonic() < end:
        yield n
        n += 1


def lot(*words):
    """A source of chance, the same for the same seed and words."""
    return random.Random("%s %s" % (Course.seed, words))


def count(**more):
    COUNTS.update(more)


def tell(line):
    LINES.append(line)


def told():
    """The lines that the test told, and what it counted; begins anew."""
    lines = list(LINES)
    if COUNTS:
        lines.append(" ".join("%s=%d" % (name, COUNTS[name]) for name
                              in dict.fromkeys([*COUNTS, *ALWAYS])))
    LINES.clear()
    COUNTS.clear()
    return "\n".join(lines)
