# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Builds the tests once, and then again with one source changed at a time.

The build has a folder of its own. What compiles a source and what links a
test are make's own commands, asked for and not guessed; the changed object is
linked before the room's library, which then gives all the others.
"""

import collections
import contextlib
import os
import pathlib
import re
import resource
import shlex
import shutil
import signal
import subprocess
import threading
import time

ROOMS = ("policy", "cache")
# No debugging information, so that the same code gives the same object.
CFLAGS = "-O2 -g0 -w"
MEMORY_MAX = 2 << 30
FILE_MAX = 256 << 20
# What a test may take of the processor's time and of the clock's, as often as
# it takes with nothing changed, and so many seconds.
CPU_FACTOR, CPU_EXTRA = 4, 2
WALL_FACTOR, WALL_EXTRA = 6, 30

LIBRARY = re.compile(r"src/\w+/lib\w+\.a")
MADE = re.compile(r"(?:src|tests)/\S+\.[ao]")
FUZZER = "tests/fuzz/"
LINKED = re.compile(r"-o (tests/\S+)")
COMPILED = re.compile(r"-c -o src/(\S+)\.o ")
PULLED_IN = re.compile(r"\.a\W+(\w+)\.o\b")


class Broken(Exception):
    """The tests cannot be built, or fail with nothing changed."""


def run(command, folder, **more):
    done = subprocess.run(
        command, cwd=folder, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        raise Broken("%s\n%s" % (shlex.join(command), done.stdout[-4000:]))
    return done.stdout


class Test:
    """A test program: how it is linked with a room, and what it runs for."""

    def __init__(self, name, link, room):
        self.name = name
        self.room = room
        self.words = [word for word in shlex.split(link)
                      if not LIBRARY.fullmatch(word) or word == library(room)]
        self.files = set()  # of the room, without suffix
        self.cpu_s = self.took_s = 0.0

    def parts(self):
        """What make must have made before it can be linked."""
        return [word for word in self.words if MADE.fullmatch(word)]

    def link_command(self, program, changed=None):
        """With this object, if there is one, instead of the library's."""
        words = list(self.words)
        words[words.index("-o") + 1] = str(program)
        if changed is not None:
            words.insert(words.index(library(self.room)), str(changed))
        return words


def library(room):
    return "src/%s/lib%s.a" % (room, room)


class Workshop:
    """The build that all benches share; nothing in it changes once it is."""

    def __init__(self, source, folder):
        self.source = source
        self.folder = folder
        self.compilers = {}  # by "room/file"
        self.tests = []
        self.noticed_by = collections.defaultdict(collections.Counter)

    def prepare(self, rooms, jobs):
        run([self.source / "configure", "CFLAGS=" + CFLAGS], self.folder)
        self.read_commands(rooms)
        parts = {part for test in self.tests for part in test.parts()}
        run(["make", "-s", "-j%d" % jobs, *sorted(parts)], self.folder)

    def read_commands(self, rooms):
        said = run(["make", "-n", "V=1", "check", "TESTS="], self.folder)
        for line in dict.fromkeys(said.splitlines()):  # make says some twice
            compiled, linked = COMPILED.search(line), LINKED.search(line)
            if compiled and compiled[1].split("/")[0] in rooms:
                self.compilers[compiled[1]] = self.compile_command(line)
            elif linked:
                self.add_test(linked[1], line, rooms)

    @staticmethod
    def compile_command(line):
        """Without the output, the source, and what serves make alone."""
        words = shlex.split(line.partition(" -MT ")[0])
        return [*words, "-x", "c", "-c", "-", "-o"]

    def add_test(self, name, link, rooms):
        """The tests of a room need its library, and no other of ours.

        Fuzzers are linked with the whole house: those that can do without
        the rest of it are found when they are linked.
        """
        used = set(LIBRARY.findall(link))
        for room in rooms:
            if library(room) in used and (len(used) == 1 or FUZZER in name):
                self.tests.append(Test(name, link, room))

    def try_unchanged(self, bench):
        """Every test must pass, and tells what it takes and runs for."""
        for test in list(self.tests):
            command = test.link_command(bench.program(test)) + ["-Wl,-t,-t"]
            try:
                test.files = set(PULLED_IN.findall(run(command, self.folder)))
            except Broken:
                if FUZZER not in test.name:
                    raise
                self.tests.remove(test)
                continue
            begun, used = time.monotonic(), cpu_s_of_children()
            if not bench.passes(test, 600, 600):
                raise Broken("%s fails with nothing changed" % test.name)
            test.took_s = time.monotonic() - begun
            test.cpu_s = cpu_s_of_children() - used

    def tests_of(self, unit):
        """Those that run for a file, the likeliest to notice first."""
        room, name = unit.split("/")
        noticed = self.noticed_by[unit]

        def order(test):
            return (-noticed[test.name],
                    not test.name.endswith("test_" + name), test.took_s)

        tests = [test for test in self.tests
                 if test.room == room and name in test.files]
        if not tests:
            raise Broken("no test has src/%s.c" % unit)
        return sorted(tests, key=order)


def cpu_s_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def end(process):
    """The program and whatever it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Bench:
    """Where one change at a time is tried."""

    def __init__(self, workshop, folder):
        self.workshop = workshop
        self.object = folder / "changed.o"
        self.folder = folder
        self.scratch = folder / "scratch"
        self.environment = {**os.environ, "TMPDIR": str(self.scratch),
                            "srcdir": str(workshop.source)}

    def compile(self, unit, text):
        """The object's octets, or None where it is no C any more."""
        done = subprocess.run(
            [*self.workshop.compilers[unit], str(self.object)], check=False,
            cwd=self.workshop.folder, input=text, text=True,
            stderr=subprocess.DEVNULL)
        return self.object.read_bytes() if done.returncode == 0 else None

    def program(self, test):
        """A fuzzer finds its seeds by its own name."""
        return self.folder / pathlib.Path(test.name).name

    def passes(self, test, cpu_s, wall_s):
        """Runs the program that was linked, until its first failure."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        command = ["prlimit", "--core=0", "--cpu=%d" % cpu_s,
                   "--as=%d" % MEMORY_MAX, "--fsize=%d" % FILE_MAX,
                   "setpriv", "--pdeathsig", "KILL", "stdbuf", "-oL",
                   str(self.program(test))]
        with subprocess.Popen(
                command, cwd=self.workshop.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, start_new_session=True) as process:
            timer = threading.Timer(wall_s, end, [process])
            timer.start()
            failed = any(line.startswith(b"not ok")
                         for line in process.stdout)
            if failed:
                end(process)
            process.wait()
            timer.cancel()
            end(process)  # its children, if it left any
        return not failed and process.returncode == 0

    def notices(self, test):
        run(test.link_command(self.program(test), self.object),
            self.workshop.folder)
        return not self.passes(test,
                               CPU_EXTRA + CPU_FACTOR * test.cpu_s,
                               WALL_EXTRA + WALL_FACTOR * test.took_s)

    def who_notices(self, unit):
        """The name of a test, or None; of the object that was compiled last."""
        for test in self.workshop.tests_of(unit):
            if self.notices(test):
                self.workshop.noticed_by[unit][test.name] += 1
                return test.name
        return None
