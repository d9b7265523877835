# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""DNS that is silent, dead, or back again."""

import os
import signal
import threading
import time

from . import stage
from .stage import Daemon, Load, SECURE, domains, expect, wait_until

ONE = "one.cases.nsec"
RECOVERY_S = 40  # libunbound forgets silent servers after 15 s


def test_silence(dns):
    """with all DNS silent: TEMP within query_timeout, cached answers at once"""
    cached = domains(1, 20)
    with Daemon(dns.folder, query_timeout="2s") as server:
        server.fill(cached)
        with dns.silent(), Load(server, cached, clients=4) as load:
            for key in ("dane101.cases.nsec", "none101.cases.nsec"):
                reply, took_s = stage.ask_timed(server, key)
                expect(reply.startswith("TEMP "), key, reply)
                expect(took_s < 2.5 * stage.PATIENCE, "took", took_s)
        load.check()
        expect(load.slowest_s < 1 * stage.PATIENCE, load.slowest_s)
        wait_until(lambda: server.ask("dane101.cases.nsec") == SECURE,
                   RECOVERY_S, "recovers")


def test_silence_many(dns):
    """hundreds of questions into the silence are all answered TEMP in time"""
    pairs = domains(100, 299)
    with Daemon(dns.folder, query_timeout="2s",
                query_concurrency=50) as server:
        with dns.silent():
            clients = [server.client() for _ in range(12)]
            begun = time.monotonic()
            for n, client in enumerate(clients):
                client.send(b"".join(stage.request(key)
                                     for key, _ in pairs[n * 50:][:50]))
            for client in clients:
                for _ in range(50):
                    reply = client.receive()
                    expect(reply.startswith("TEMP "), reply)
                client.socket.close()
            took_s = time.monotonic() - begun
            expect(took_s < 3 * stage.PATIENCE, "took", took_s)


def test_refused(dns):
    """with DNS servers dead: TEMP, and recovery when they are back"""
    with Daemon(dns.folder, query_timeout="3s") as server:
        dns.stop()
        try:
            reply = server.ask("dane102.cases.nsec")
            expect(reply.startswith("TEMP "), reply)
            expect(server.ask(ONE) == SECURE)
        finally:
            dns.start()
        wait_until(lambda: server.ask("dane102.cases.nsec") == SECURE,
                   RECOVERY_S, "recovers")


def test_resolver_restart_mid_flight(dns):
    """a resolver killed while DNS is silent loses no question"""
    with Daemon(dns.folder, query_timeout="8s") as server:
        replies = []
        with dns.silent():
            asking = threading.Thread(target=lambda: replies.append(
                server.ask("dane103.cases.nsec")))
            asking.start()
            time.sleep(0.3)
            os.kill(server.named("reso")[0], signal.SIGKILL)
            time.sleep(0.3)
        asking.join()
        expect(replies == [SECURE], replies)


def test_priming(dns):
    """a start without DNS says why, answers TEMP, and mends itself"""
    server = Daemon(dns.folder, query_timeout="2s")
    with dns.silent():
        server.start()
        try:
            wait_until(lambda: server.try_ask(ONE), 10, "an answer")
            wait_until(lambda: "root zone not validated" in server.log(), 10,
                       "the log says why")
            reply = server.ask(ONE)
            expect(reply.startswith("TEMP root zone not validated"), reply)
        except BaseException:
            server.__exit__()
            raise
    try:
        wait_until(lambda: server.ask(ONE) == SECURE, RECOVERY_S,
                   "mends itself")
    finally:
        server.__exit__()


def test_wrong_anchor(dns):
    """a trust anchor that does not fit gives TEMP, and the log says so"""
    server = Daemon(dns.folder, query_timeout="2s")
    wrong = server.folder / "wrong.key"
    wrong.write_text(". IN DS 20326 8 2 " + "AB" * 32 + "\n")
    server.settings["trust_anchor_file"] = wrong
    server.start()
    try:
        wait_until(lambda: "root zone not validated" in server.log(), 10,
                   "the log says why")
        reply = server.ask(ONE)
        expect(reply.startswith("TEMP "), reply)
    finally:
        server.__exit__()
