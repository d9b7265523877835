# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Processes that are killed or stopped at any moment."""

import os
import signal
import statistics
import time

from . import chance, stage
from .chance import goes_on
from .stage import Cold, Daemon, Load, domains, expect, wait_until

KILLS = 16       # of each kind, unless hours are given
PARENT_KILLS = 8
BACK_S = 1


def kill_one(server, kind, lot):
    """kill -9; the number of connections that it may have broken."""
    pid = lot.choice(server.named(kind))
    broken = stage.sockets_of(pid) if kind == "work" else 0
    os.kill(pid, signal.SIGKILL)
    chance.count(kills=1)
    wait_until(lambda: stage.is_gone(pid), 5, "the process is gone")
    return broken


def time_back(server, cold):
    """Seconds until cold questions have their answers."""
    begun = time.monotonic()
    wait_until(server.settled, 20, server.last_words)
    wait_until(lambda: cold.answered(server), 60, server.last_words)
    return time.monotonic() - begun


def kill_under_load(dns, kind):
    """Kills for a while; what the clients saw is right."""
    pairs, lot = domains(1, 60), chance.lot("kills")
    cold, back_s, broken = Cold(), [], 0
    begun = time.monotonic()
    with Daemon(dns.folder, resolvers=2) as server:
        started_s = time.monotonic() - begun
        with Load(server, pairs) as load:
            for _ in chance.rounds(KILLS):
                time.sleep(lot.uniform(0, 0.05))
                broken += kill_one(server, kind, lot)
                back_s.append(time_back(server, cold))
                # A question that two killed resolvers had is given up.
                load.wait_past_now()
        load.check(broken)
    # A busy machine is slow to start anything.
    expect(statistics.median(back_s) < max(BACK_S, 2 * started_s),
           "took", statistics.median(back_s), "s to come back, and",
           started_s, "to start")


@goes_on
def test_worker_killed(dns):
    """a killed worker costs its own connections, and nobody else anything"""
    kill_under_load(dns, "work")


@goes_on
def test_resolver_killed(dns):
    """a killed resolver costs no lookup and no connection"""
    kill_under_load(dns, "reso")


@goes_on
def test_control_killed(dns):
    """a killed control process is nothing to those who ask"""
    kill_under_load(dns, "ctrl")


def kill_in_flight(server, pairs, lot):
    """Kills the resolver that is at work on these."""
    wait_until(server.settled, 10, "the resolver is back")
    with server.client() as client:
        client.send(b"".join(stage.request(key) for key, _ in pairs))
        time.sleep(lot.uniform(0, 0.02))
        kill_one(server, "reso", lot)
        replies = [client.receive() for _ in pairs]
    expect(replies == [answer for _, answer in pairs], replies)
    chance.count(lookups=len(pairs))


@goes_on
def test_cold_questions_survive(dns):
    """questions in flight when their resolver is killed are asked again"""
    lot, blocks = chance.lot("kills"), stage.N_DOMAINS // 10
    with Daemon(dns.folder) as server:
        for n in chance.rounds(6):
            if n and n % blocks == 0:
                server.forget()
            first = 1 + n % blocks * 10
            kill_in_flight(server, domains(first, first + 9), lot)


def test_cache_survives_all(dns):
    """cached answers survive when all children are killed at once"""
    pairs = domains(1, 20)
    with Daemon(dns.folder) as server:
        server.fill(pairs)
        with dns.silent():
            for pid in server.children():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: server.try_ask(pairs[0][0]), 10, "an answer")
            server.fill(pairs)


def test_parent_killed(dns):
    """a killed parent takes its children along, and another takes over"""
    pairs = domains(1, 20)
    with Daemon(dns.folder) as server:
        server.fill(pairs)
        children = server.children()
        server.process.kill()
        server.process.wait()
        wait_until(lambda: all(map(stage.is_gone, children)), 2,
                   "no child is left")
        with dns.silent():
            server.start()
            wait_until(lambda: server.try_ask(pairs[0][0]), 10, "an answer")
            server.fill(pairs)


@goes_on
def test_parent_killed_under_load(dns):
    """a parent that is killed again and again never makes a wrong answer"""
    lot = chance.lot("kills")
    with Daemon(dns.folder) as server:
        with Load(server, domains(1, 60), clients=4, pause_s=0.005) as load:
            for _ in chance.rounds(PARENT_KILLS):
                time.sleep(lot.uniform(0, 0.3))
                server.process.kill()
                server.process.wait()
                chance.count(kills=1)
                server.start()
                server.wait_listening()
        expect(load.asked and not load.wrong, load.asked, load.wrong[:5])


def test_deaf_to_children(dns):
    """started by one that ignores how its children end, it does not"""
    with Daemon(dns.folder) as server:
        server.stop()
        command = server.command
        server.command = lambda *more: [
            "env", "--ignore-signal=CHLD", *command(*more)]
        server.start()
        wait_until(server.settled, 10, server.last_words)
        killed, = server.named("reso")
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: server.named("reso") not in ([], [killed]), 10,
                   server.last_words)
        server.command = command
        server.configure(no_dane_reply="perhaps")
        server.reload(False)
        server.configure(no_dane_reply="encrypt")
        server.reload()
        expect(server.ask("none1.cases.nsec") == "OK encrypt", server.log())


def test_stopped(dns):
    """a stopped resolver harms no cached answer; after 10 s it is replaced"""
    cached = domains(1, 20)
    with Daemon(dns.folder, query_timeout="1s") as server:
        server.fill(cached)
        stopped, = server.named("reso")
        os.kill(stopped, signal.SIGSTOP)
        with Load(server, cached, clients=2) as load:
            reply = server.ask("dane90.cases.nsec")
            expect(reply.startswith("TEMP no answer within 1s"), reply)
            wait_until(lambda: stage.is_gone(stopped), 14,
                       "the stopped one is ended")
            wait_until(lambda: server.ask("dane91.cases.nsec") ==
                       stage.SECURE, 5, "cold answers")
        load.check()
        expect("is silent for 10 s" in server.log(), server.log())
