# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""DNS that is silent, dead, back again, or says something new."""

import os
import signal
import subprocess
import threading
import time

from . import stage
from .stage import Daemon, Load, NONE, SECURE, domains, expect, wait_until

HOURS = 0
ONE = "one.cases.nsec"
SHORT = {"cache_min_ttl": "1s", "cache_error_ttl": "1s",
         "query_timeout": "2s"}


def ask_timed(server, key):
    begun = time.monotonic()
    return server.ask(key), time.monotonic() - begun


def test_silence(dns):
    """with all DNS silent: TEMP within query_timeout, cached answers at once"""
    cached = domains(1, 20)
    with Daemon(dns.folder, query_timeout="2s") as server:
        server.fill(cached)
        with dns.silent(), Load(server, cached, clients=4) as load:
            for key in ("dane101.cases.nsec", "none101.cases.nsec"):
                reply, took_s = ask_timed(server, key)
                expect(reply.startswith("TEMP "), key, reply)
                expect(took_s < 2.5 * stage.PATIENCE, "took", took_s)
        load.check()
        expect(load.slowest_s < 1 * stage.PATIENCE, load.slowest_s)
        wait_until(lambda: server.ask("dane101.cases.nsec") == SECURE, 20,
                   "recovers")


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
        wait_until(lambda: server.ask("dane102.cases.nsec") == SECURE, 20,
                   "recovers")


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
        wait_until(lambda: server.ask(ONE) == SECURE, 30, "mends itself")
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


def test_refresh(dns):
    """a busy domain of two seconds' TTL never waits and never goes away"""
    pairs = [("dane1.short.nsec", SECURE), ("none1.short.nsec", NONE)]
    with Daemon(dns.folder, **SHORT) as server:
        server.fill(pairs)
        with Load(server, pairs, clients=3, pause_s=0.02) as load:
            time.sleep(7)
        load.check()
        expect(load.slowest_s < 0.5 * stage.PATIENCE, load.slowest_s)
        made = server.log().count("domain=dane1.short.nsec answer=dane-only")
        expect(3 <= made <= 6, "resolved", made, "times in 7 s")


def test_unused_left_alone(dns):
    """a domain that nobody asks for is not resolved again"""
    with Daemon(dns.folder, **SHORT) as server:
        server.fill([("dane2.short.nsec", SECURE)])
        time.sleep(4)
        expect(server.log().count("domain=dane2.short.nsec") == 1)


def test_stale(dns):
    """without DNS a strict answer goes on past its end, NONE does not"""
    with Daemon(dns.folder, **SHORT) as server:
        server.fill([("dane3.short.nsec", SECURE), ("none3.short.nsec", NONE)])
        with dns.silent():
            time.sleep(3.3)
            reply = server.ask("none3.short.nsec")
            expect(reply.startswith("TEMP "), reply)
            server.ask("dane3.short.nsec")
            for _ in range(8):
                reply, took_s = ask_timed(server, "dane3.short.nsec")
                expect(reply == SECURE, reply)
                expect(took_s < 0.5 * stage.PATIENCE, "took", took_s)
                time.sleep(0.3)
        wait_until(lambda: server.ask("none3.short.nsec") == NONE, 20,
                   "NONE is back")


def test_stale_ends(dns):
    """a strict answer goes on for cache_stale_ttl and no longer"""
    with Daemon(dns.folder, cache_stale_ttl="6s", **SHORT) as server:
        server.fill([("dane4.short.nsec", SECURE)])
        with dns.silent():
            time.sleep(3.3)
            server.ask("dane4.short.nsec")
            expect(server.ask("dane4.short.nsec") == SECURE)
            time.sleep(4.7)
            reply = server.ask("dane4.short.nsec")
            expect(reply.startswith("TEMP "), reply)


def publish(dns, old, new):
    """Puts another short.nsec in place, signed with the same key."""
    path = dns.folder / "zoneshort.nsec."
    text = (dns.folder / "short.plain").read_text()
    expect(old in text, "the zone has no", old)
    path.write_text(text.replace(old, new))
    subprocess.run(["ldns-signzone", "-f", path, path,
                    dns.folder / "Kzoneshort.nsec.+013"], check=True)
    for process in dns.running:
        process.send_signal(signal.SIGHUP)



def test_withdrawn(dns):
    """DANE that is withdrawn is noticed when its TTL is over, with a notice"""
    pair = ("dane5.short.nsec", SECURE)
    with Daemon(dns.folder, **SHORT) as server:
        server.fill([pair])
        publish(dns, "_25._tcp.host5", "_26._tcp.host5")
        end = time.monotonic() + 10
        with server.client() as client:
            replies = {client.ask("dane", pair[0])}
            while "OK may" not in replies and time.monotonic() < end:
                time.sleep(0.05)
                replies.add(client.ask("dane", pair[0]))
        expect(replies == {SECURE, NONE}, replies)
        line = server.log_about("dane5.short.nsec answer changed")
        expect("notice" in line and "old=dane-only new=none" in line,
               server.log_about("dane5"))
