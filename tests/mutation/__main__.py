# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Changes one operator or constant of the sources at a time, and says which
changes no test notices.

    python3 -m mutation --folder FOLDER [--sample N] [--seed S] [--jobs N]
                        [ROOM|FILE...]

FOLDER is where the build and all that is tried may lie.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import queue
import random
import sys
import time

from . import places, workshop

SOURCE = pathlib.Path(__file__).resolve().parents[2]
WANTED_PERCENT = 90
PROGRESS_S = 60


class Source:
    """A file, and what may be changed in it."""

    def __init__(self, path):
        self.name = str(path.relative_to(SOURCE))
        self.room = path.parent.name
        self.unit = "%s/%s" % (self.room, path.stem)
        self.text = path.read_text(encoding="utf-8")
        headers = "".join(header.read_text(encoding="utf-8") for header
                          in sorted(path.parent.glob("*.h")))
        self.changes = places.find(self.text, headers)
        self.object = None  # of the unchanged source

    def describe(self, change):
        number = change.line(self.text)
        line = self.text.splitlines()[number - 1].strip()
        return "%s:%d: %s -> %s    %s" % (
            self.name, number, " ".join(change.old.split()),
            " ".join(change.new.split()) or "nothing", line)


class Count:
    """Of a file or a room."""

    def __init__(self):
        self.noticed = self.survived = 0

    def add(self, outcome):
        self.noticed += outcome == "noticed"
        self.survived += outcome == "survived"

    @property
    def total(self):
        return self.noticed + self.survived

    @property
    def percent(self):
        return 100 * self.noticed / self.total if self.total else 100

    def row(self, name):
        return "%-32s %7d %7d %8.1f" % (
            name, self.total, self.noticed, self.percent)


class Run:
    """All changes, each tried once, on as many benches as there are jobs."""

    def __init__(self, shop, benches):
        self.shop = shop
        self.benches = queue.SimpleQueue()
        for bench in benches:
            self.benches.put(bench)
        self.counts = collections.defaultdict(Count)
        self.done = 0
        self.told = time.monotonic()

    def try_change(self, source, change):
        bench = self.benches.get()
        try:
            return self.outcome(bench, source, change.apply(source.text))
        finally:
            self.benches.put(bench)

    @staticmethod
    def outcome(bench, source, text):
        compiled = bench.compile(source.unit, text)
        if compiled is None:
            return "no C"
        if compiled == source.object:
            return "same code"
        return "noticed" if bench.who_notices(source.unit) else "survived"

    def note(self, source, change, outcome):
        self.done += 1
        self.counts[source.name].add(outcome)
        self.counts[source.room].add(outcome)
        if outcome == "survived":
            print(source.describe(change), flush=True)

    def progress(self, n):
        if time.monotonic() - self.told > PROGRESS_S:
            self.told = time.monotonic()
            print("# %d of %d" % (self.done, n), file=sys.stderr, flush=True)

    def work(self, tries, jobs):
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            futures = {pool.submit(self.try_change, *one): one
                       for one in tries}
            try:
                for future in concurrent.futures.as_completed(futures):
                    self.note(*futures[future], future.result())
                    self.progress(len(tries))
            except KeyboardInterrupt:  # then what was tried is told
                pool.shutdown(cancel_futures=True)

    def report(self, sources):
        print("\n%-32s %7s %7s %8s" % ("", "changes", "noticed", "percent"))
        rooms = sorted({source.room for source in sources})
        for name in [source.name for source in sources] + rooms:
            print(self.counts[name].row(name))
        return all(self.counts[room].percent >= WANTED_PERCENT
                   for room in rooms)


def sources_of(what):
    """A room's sources, or one file."""
    if what in workshop.ROOMS:
        return sorted((SOURCE / "src" / what).glob("*.c"))
    path = (SOURCE / what).resolve()
    if path.parent.name not in workshop.ROOMS or not path.is_file():
        sys.exit("mutation: %s is neither a room (%s) nor a file of one" %
                 (what, ", ".join(workshop.ROOMS)))
    return [path]


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh")
    parser.add_argument("what", nargs="*", default=workshop.ROOMS,
                        metavar="ROOM|FILE")
    parser.add_argument("--folder", type=pathlib.Path, required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    return parser.parse_args()


def prepare(folder, sources, jobs):
    """The workshop, and a bench for each job."""
    build = folder / "build"
    build.mkdir()
    shop = workshop.Workshop(SOURCE, build)
    shop.prepare({source.room for source in sources}, jobs)
    benches = []
    for i in range(jobs):
        own = folder / ("job%d" % i)
        own.mkdir()
        benches.append(workshop.Bench(shop, own))
    shop.try_unchanged(benches[0])
    for test in shop.tests:
        print("# %s: %s, %.1f s" % (test.room, test.name, test.took_s))
    for source in sources:
        source.object = benches[0].compile(source.unit, source.text)
    return shop, benches


def main():
    chosen = arguments()
    begun = time.monotonic()
    sources = [Source(path) for what in chosen.what
               for path in sources_of(what)]
    tries = [(source, change) for source in sources
             for change in source.changes]
    if chosen.sample is not None and chosen.sample < len(tries):
        tries = random.Random(chosen.seed).sample(tries, chosen.sample)
    attempt = Run(*prepare(chosen.folder, sources, chosen.jobs))
    attempt.work(tries, chosen.jobs)
    good = attempt.report(sources)
    print("\n%d of %d tried in %d minutes" %
          (attempt.done, len(tries), (time.monotonic() - begun) / 60))
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except workshop.Broken as problem:
        sys.exit("mutation: %s" % problem)
