# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""DNS servers that lie, stall and flood; a resolver that dies in mid-flight."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

from tree import tree, zonefile

from . import chance, stage
from .chance import goes_on
from .stage import Daemon, Load, SECURE, domains, expect, wait_until

# What is seen through: the good answer comes as well.
HARMLESS = ["wrong-id", "wrong-sender", "once", "poison"]
HARMFUL = ["wrong-question", "unsigned", "garbage", "badly-signed",
           "other-denial", "alias", "lost", "itself", "many", "tcp-half",
           "tcp-drip", "tcp-close"]
FLOODS = ["wrong-id", "wrong-sender", "wrong-question", "garbage", "poison"]
FLOOD_DOMAINS = 8  # of each kind, at once
# libunbound believes for a minute that a server too slow for it has no keys.
PATIENCE_S = 90
IN_FLIGHT = 40
GROWTH_MB = 16         # of a resolver
CACHES_MB = 64 + 128 + 32 + 8  # that libunbound may fill in hours


@contextlib.contextmanager
def liars(dns):
    """The fault server, and NSD behind it."""
    dns.deaf.close()
    running = []
    try:
        with open(dns.folder / "servers.log", "ab") as log:
            for command in (["nsd", "-d", "-c", dns.folder / (
                                tree.HIDDEN + ".conf")],
                            [sys.executable, "-m", "tree.faults",
                             stage.HERE / "zones"]):
                running.append(subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=stage.HERE.parent))
        zones = [z for z in zonefile.read(stage.HERE / "zones") if z.faults]
        for address in (tree.HIDDEN, *tree.faulty_addresses(zones)):
            tree.wait_until_answering(address)
        yield
    finally:
        for process in running:
            process.terminate()
            process.wait()
        text = (dns.folder / "servers.log").read_text()
        expect("Traceback" not in text, text[-3000:])


class Asking(Daemon):
    """A danemapd that asks for each name of a wildcard."""

    def __init__(self, tree_folder, **settings):
        super().__init__(tree_folder, **settings)
        config = self.folder / "resolver.conf"
        config.write_text("server:\n\taggressive-nsec: no\n")
        config.chmod(0o644)
        self.settings["resolver_config"] = config


def memory_mb(pid):
    text = pathlib.Path("/proc/%d/status" % pid).read_text()
    line = next(x for x in text.splitlines() if x.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def judge(server, key, answers):
    """The reply, which must be one of those or (if that is one) a TEMP."""
    reply = server.ask(key)
    expect(reply in answers or
           "TEMP" in answers and reply.startswith("TEMP "),
           key, "got", reply, server.log_about(key))
    return reply


def ask_all(server, questions):
    """All at once; pairs of key and what may be answered."""
    with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
        asked = [pool.submit(judge, server, *pair) for pair in questions]
    chance.count(lookups=len(questions))
    faults = [str(one.exception()) for one in asked if one.exception()]
    expect(not faults, "\n".join(faults))


def keys_of(kinds):
    """Domains and keys of which the servers tell lies."""
    return [pattern % kind for kind in kinds for pattern in (
        "dane1.%s.nsec", "dane2.%s.nsec", "[host3.%s.nsec]")]


def test_lies(dns):
    """whatever a server says, the answer is right or deferred, never weaker"""
    either = [(key, [SECURE, "TEMP"]) for key in keys_of(HARMLESS)]
    with liars(dns), Daemon(dns.folder, query_timeout="4s") as server:
        with Load(server, domains(1, 30), clients=4, pause_s=0.01) as load:
            ask_all(server, either + [(key, ["TEMP"])
                                      for key in keys_of(HARMFUL)] +
                    [("dane.alias.plain", ["TEMP"])])
        load.check()
        # Not even the zones that were spoken of.
        server.fill(domains(390, 400))
        for pair in either:
            wait_until(lambda pair=pair: judge(server, *pair) == SECURE,
                       PATIENCE_S, lambda key=pair[0]: server.log_about(key))


@goes_on
def test_flood(dns):
    """floods of forged answers harm nobody else, and memory stays bounded"""
    with liars(dns), Asking(dns.folder, query_timeout="8s") as server:
        server.fill(domains(1, 40))
        resolver, = server.named("reso")
        most_mb = memory_mb(resolver) + GROWTH_MB
        for n in chance.rounds(1):
            with Load(server, domains(1, 40), clients=2) as load:
                ask_all(server, [
                    ("x%d.y%d.many.%s.nsec" % (one, n, kind),
                     [SECURE, "TEMP"] if kind in HARMLESS else ["TEMP"])
                    for kind in FLOODS for one in range(FLOOD_DOMAINS)])
            load.check()
            chance.count(floods=1)
            expect(server.named("reso") == [resolver], "it died")
            expect(memory_mb(resolver) < most_mb + (CACHES_MB if n else 0),
                   memory_mb(resolver), "MB, not", most_mb, "round", n)
        server.fill(domains(301, 310))


# ---- A resolver that dies

def in_flight(server):
    """How many questions are on their way, counted by the worker that asked
    and by the resolver that was asked."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(server.settings["control_socket"]))
        client.sendall(b"status\n")
        with client.makefile() as lines:
            return json.loads(lines.readline())["in_flight"]


def kill_in_flight(server, count):
    """The resolver, once so many questions are under way in it."""
    wait_until(lambda: len(server.named("reso")) == 1 and
               in_flight(server) == 2 * count, 10, server.last_words)
    pid, = server.named("reso")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: stage.is_gone(pid), 5, "the process is gone")


@goes_on
def test_killed_in_flight(dns):
    """a resolver killed in mid-flight costs no question its answer"""
    with Asking(dns.folder, query_timeout="10s") as server, \
            concurrent.futures.ThreadPoolExecutor(IN_FLIGHT) as pool:
        for n in chance.rounds(1):
            with dns.silent():
                asking = [pool.submit(
                    server.ask, "x%d.y%d.many.wild.nsec" % (one, n))
                    for one in range(IN_FLIGHT)]
                kill_in_flight(server, IN_FLIGHT)
            replies = {asked.result() for asked in asking}
            expect(replies == {SECURE}, replies)
            chance.count(kills=1, lookups=IN_FLIGHT)


def test_killed_twice(dns):
    """a question that loses two resolvers is given up, and no other is"""
    # Each worker remembers by itself what it lost.
    with liars(dns), Daemon(dns.folder, query_timeout="8s",
                            workers="1") as server, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        lost = pool.submit(server.ask, "silent.nsec")
        for _ in range(2):
            kill_in_flight(server, 1)
        for reply in (lost.result(), server.ask("silent.nsec")):
            expect(reply.startswith("TEMP ") and "twice" in reply, reply)
        expect(server.ask("x.many.wild.nsec") == SECURE)
