# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""A wall clock that is set ahead and back while danemapd runs."""

import contextlib
import datetime
import mmap
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import time

from . import chance, stage
from .chance import goes_on
from .stage import Daemon, Load, NONE, SECURE, domains, expect, wait_until

JUMPS = 6  # under load, unless hours are given
DAY_S, YEAR_S = 86400, 365 * 86400
NOTICED = "wall clock was set"
SHORT = {"cache_min_ttl": "1s", "cache_error_ttl": "1s",
         "query_timeout": "4s"}


class Clock:
    """The wall clock of the daemons that are started with its words."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        self.library = folder / "wallclock.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self.library,
                        pathlib.Path(__file__).with_suffix(".c")], check=True)
        self.path = folder / "offset"
        self.path.write_bytes(bytes(8))
        with open(self.path, "r+b") as file:
            self.offset = mmap.mmap(file.fileno(), 8)

    def set(self, offset_s):
        self.offset[:] = struct.pack("=q", offset_s)

    def words(self):
        # A sanitizer wants to be the first library otherwise.
        options = os.environ.get("ASAN_OPTIONS", "") + \
            ":verify_asan_link_order=0"
        return ["env", "LD_PRELOAD=%s" % self.library,
                "WALLCLOCK=%s" % self.path, "ASAN_OPTIONS=" + options]


class Clocked(Daemon):
    """A danemapd whose wall clock can be set."""

    def __init__(self, tree_folder, clock, **settings):
        super().__init__(tree_folder, **settings)
        self.clock = clock

    def command(self, *more):
        return self.clock.words() + super().command(*more)

    def set_clock(self, offset_s):
        """And until the resolver has noticed."""
        before = self.log().count(NOTICED)
        self.clock.set(offset_s)
        wait_until(lambda: self.log().count(NOTICED) > before, 10,
                   self.last_words)

    def count(self, name):
        """How often a domain was resolved."""
        return self.log().count("domain=%s answer" % name)


@contextlib.contextmanager
def clocked(dns, **settings):
    with tempfile.TemporaryDirectory(prefix="clock") as folder, \
            Clocked(dns.folder, Clock(folder), **settings) as server:
        yield server


def deferred(server, key, words):
    reply = server.ask(key)
    expect(reply.startswith("TEMP ") and words in reply, key, "got", reply)


def leave_time(server, offset_s, words):
    """What becomes of answers when signatures are no longer, or not yet,
    valid; and that all is well when the clock is right again."""
    kept = domains(1, 5)
    server.fill(kept + [("dane1.brief.nsec", SECURE),
                        ("none1.brief.nsec", NONE)])
    server.set_clock(offset_s)
    server.fill(kept + domains(101, 102))
    deferred(server, "dane2.brief.nsec", words)
    deferred(server, "none2.brief.nsec", words)
    # What was known of them ends when its TTL does.
    wait_until(lambda: server.ask("none1.brief.nsec") != NONE, 10,
               "none1 ends")
    for _ in range(3):
        deferred(server, "none1.brief.nsec", words)
        expect(server.ask("dane1.brief.nsec") == SECURE, "strict goes on")
    server.set_clock(0)
    for name, answer in (("dane1", SECURE), ("none1", NONE),
                         ("dane2", SECURE), ("none2", NONE)):
        wait_until(lambda key=name + ".brief.nsec", right=answer:
                   server.ask(key) == right, 10, server.last_words)
    server.fill(kept + domains(103, 104))


def test_ahead(dns):
    """a day ahead, what has run out defers or stays strict, never weak"""
    with clocked(dns, **SHORT) as server:
        leave_time(server, DAY_S, "signature expired")


def test_behind(dns):
    """a day behind, what is not valid yet defers or stays strict, never weak"""
    with clocked(dns, **SHORT) as server:
        leave_time(server, -DAY_S, "bogus")


def test_root_run_out(dns):
    """a year ahead the root is doubted: TEMP, and cached answers go on"""
    kept = domains(1, 5)
    with clocked(dns, **SHORT) as server:
        server.fill(kept)
        server.set_clock(YEAR_S)
        deferred(server, "dane111.cases.nsec", "root zone not validated")
        deferred(server, "none111.cases.nsec", "root zone not validated")
        server.fill(kept)
        server.set_clock(0)
        wait_until(lambda: server.ask("dane111.cases.nsec") == SECURE, 10,
                   server.last_words)
        server.fill(domains(111, 112))


def test_end_is_kept(dns):
    """set back or ahead, an answer of two seconds ends after two seconds"""
    with clocked(dns, **SHORT) as server:
        for n, offset_s in ((1, -DAY_S), (2, DAY_S)):
            name = "dane%d.short.nsec" % n
            server.fill([(name, SECURE)])
            server.set_clock(offset_s)
            wait_until(lambda: server.ask(name) == SECURE and
                       server.count(name) > 1, 10, server.last_words)


def ttls(server, name):
    return [int(found) for found in re.findall(
        r"domain=%s answer=dane-only .* ttl=(\d+)s" % re.escape(name),
        server.log())]


def test_no_longer_life(dns):
    """records fetched before the clock was set back do not live a day longer"""
    with clocked(dns) as server:
        for n in range(1, 4):
            name = "dane%d.day.nsec" % n
            # Has libunbound fetch what is known of their host.
            server.fill(domains(90 + n, 90 + n))
            with server.client() as client:
                with dns.silent():
                    client.send(stage.request(name))
                    time.sleep(0.2)
                    server.clock.set(-DAY_S)
                expect(client.receive() == SECURE, server.last_words())
            wait_until(lambda: server.log().count(NOTICED) > 2 * n - 2, 10,
                       server.last_words)
            expect(ttls(server, name) and max(ttls(server, name)) <= 3600,
                   server.log_about(name))
            server.set_clock(0)


def test_rule_ends(dns):
    """a rule ends, and is back, with the date of the wall clock"""
    last = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(days=1)
    name = "one.cases.nsec"
    with tempfile.NamedTemporaryFile("w") as rules:
        rules.write("%s encrypt until=%s\n" % (name, last.date()))
        rules.flush()
        pathlib.Path(rules.name).chmod(0o644)
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            server = Clocked(dns.folder, Clock(folder),
                             policy_file=rules.name)
            server.start()
            stack.push(server.__exit__)
            server.wait_listening()
            for offset_s, answer in ((0, "OK encrypt"), (3 * DAY_S, SECURE),
                                     (0, "OK encrypt")):
                server.clock.set(offset_s)
                wait_until(lambda right=answer: server.ask(name) == right, 10,
                           server.last_words)


@goes_on
def test_jumps_under_load(dns):
    """a clock that jumps to and fro costs no answer, and starts no storm"""
    pairs = domains(1, 40)
    lot = chance.lot("jumps")
    with clocked(dns, log_level="info") as server:
        with Load(server, pairs, clients=4, pause_s=0.01) as load:
            for n in chance.rounds(JUMPS):
                jumps = n + 1
                far_s = lot.choice((-1, 1)) * lot.randint(60, DAY_S)
                server.set_clock(far_s if jumps % 2 else 0)
                server.fill(domains(120 + jumps % 200, 120 + jumps % 200))
                time.sleep(lot.uniform(0, 1))
                chance.count(jumps=1)
        load.check()
        expect(server.log().count(NOTICED) == jumps, "a storm:",
               server.last_words())
        expect(server.log().count("domain=") <
               400 + 100 * (jumps - JUMPS), "a storm:", server.last_words())
