# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Connections that say nothing, and those that are too many."""

import contextlib
import time

from . import stage
from .stage import (Daemon, SECURE, connect, crowd, expect, request,
                    wait_until)

ONE = "one.cases.nsec"


def test_idle_stays_open(dns):
    """a connection that is idle for 12 s is still open"""
    with Daemon(dns.folder) as server, server.client() as client:
        expect(client.ask("dane", ONE) == SECURE)
        time.sleep(12)
        expect(client.ask("dane", ONE) == SECURE)


def test_idle_timeout(dns):
    """idle_timeout closes idle connections, and only those"""
    with Daemon(dns.folder, idle_timeout="2s") as server:
        with server.client() as idle, server.client() as busy:
            end = time.monotonic() + 4
            while time.monotonic() < end:
                expect(busy.ask("dane", ONE) == SECURE)
                time.sleep(0.2)
            expect(idle.at_end(), "the idle one is open")


def test_max_connections(dns):
    """at max_connections new clients wait, old ones are served"""
    with Daemon(dns.folder, max_connections=20) as server:
        with crowd(server, 20) as clients:
            wait_until(lambda: sum(map(stage.sockets_of,
                                       server.named("work"))) >= 20, 5,
                       "all are accepted")
            waiting = connect(server, 1)
            waiting.sendall(request(ONE))
            with contextlib.suppress(TimeoutError):
                expect(not waiting.recv(100), "one too many was answered")
            for client in clients:
                client.sendall(request(ONE))
                expect(client.recv(100) != b"")
            clients.pop().close()
            waiting.settimeout(10)
            expect(SECURE.encode() in waiting.recv(100), "still waits")
            waiting.close()
        expect("max_connections (20) reached" in server.log())


def test_longest_idle_gives_way(dns):
    """at max_connections the one that is idle for over 10 s gives way"""
    with Daemon(dns.folder, max_connections=4, workers=1) as server:
        with crowd(server, 4) as clients:
            end = time.monotonic() + 11.5
            while time.monotonic() < end:
                for client in clients[1:]:
                    client.sendall(request(ONE))
                    client.recv(100)
                time.sleep(0.5)
            expect(server.ask(ONE) == SECURE)
            expect(clients[0].recv(100) == b"", "the idle one is open")
            clients[1].sendall(request(ONE))
            expect(clients[1].recv(100) != b"")
