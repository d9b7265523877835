# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Answers at and past their end."""

import os
import re
import signal
import time

from . import stage
from .stage import Daemon, Load, NONE, SECURE, expect

SHORT = {"cache_min_ttl": "1s", "cache_error_ttl": "1s",
         "query_timeout": "2s"}


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
                reply, took_s = stage.ask_timed(server, "dane3.short.nsec")
                expect(reply == SECURE, reply)
                expect(took_s < 0.5 * stage.PATIENCE, "took", took_s)
                time.sleep(0.3)


def test_stale_without_resolver(dns):
    """while the resolver is stopped a strict answer goes on, NONE does not"""
    with Daemon(dns.folder, **SHORT) as server:
        server.fill([("dane6.short.nsec", SECURE), ("none6.short.nsec", NONE)])
        stopped, = server.named("reso")
        os.kill(stopped, signal.SIGSTOP)
        time.sleep(3.3)
        reply = server.ask("dane6.short.nsec")
        expect(reply == SECURE, reply)
        reply = server.ask("none6.short.nsec")
        expect(reply.startswith("TEMP "), reply)
        os.kill(stopped, signal.SIGCONT)


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


def test_signed(dns):
    """no answer lives longer than the signatures that it rests on"""
    with Daemon(dns.folder) as server:
        server.fill([("day.brief.nsec", SECURE)])
        line = server.log_about("domain=day.brief.nsec ")
        ttl_s = int(re.search(r" ttl=(\d+)s", line)[1])
        expect(11 * 3600 < ttl_s <= 12 * 3600, line)


def test_withdrawn(dns):
    """DANE that is withdrawn is noticed when its TTL is over, with a notice"""
    pair = ("dane5.short.nsec", SECURE)
    with Daemon(dns.folder, **SHORT) as server:
        server.fill([pair])
        with server.client() as client:
            replies = {client.ask("dane", pair[0])}
            dns.publish("short.nsec.", [dns.folder / "Kzoneshort.nsec.+013"],
                        "_25._tcp.host5", "_26._tcp.host5")
            end = time.monotonic() + 10
            while "OK may" not in replies and time.monotonic() < end:
                time.sleep(0.05)
                replies.add(client.ask("dane", pair[0]))
        expect(replies == {SECURE, NONE}, replies,
               server.log_about("dane5", 20))
        line = server.log_about("dane5.short.nsec answer changed")
        expect("notice" in line and "old=dane-only new=none" in line,
               server.log_about("dane5"))
