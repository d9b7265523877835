# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Clients that are slow, greedy, many, or talk nonsense."""

import contextlib
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import threading
import time

from e2e import socketmap

from . import chance, stage
from .chance import goes_on
from .stage import (Daemon, Load, SECURE, connect, crowd, domains, expect,
                    raise_files, request, wait_until)

ONE = "one.cases.nsec"
MANY = 4096
BACKLOG = 4096
WORDS = ("OK", "NOTFOUND", "TEMP", "PERM")


def refused(server, octets):
    """The reply to nonsense, after which the connection ends."""
    with server.client() as client:
        client.send(octets)
        reply = client.receive()
        expect(client.at_end(), "goes on after", octets[:40])
    return reply


def test_octet_at_a_time(dns):
    """a request that comes octet by octet is answered"""
    with Daemon(dns.folder) as server, server.client() as client:
        for octet in request(ONE):
            client.send(bytes([octet]))
            time.sleep(0.001)
        expect(client.receive() == SECURE)


def test_split_anywhere(dns):
    """requests that are split at any place are answered"""
    both = request(ONE) + request("none1.cases.nsec")
    with Daemon(dns.folder) as server, server.client() as client:
        for at in range(1, len(both)):
            client.send(both[:at])
            time.sleep(0.001)
            client.send(both[at:])
            replies = client.receive(), client.receive()
            expect(replies == (SECURE, stage.NONE), at, replies)


def test_pipelined(dns):
    """a thousand requests at once are answered in their order"""
    pairs = domains() * 2
    chance.lot("order").shuffle(pairs)
    pairs = pairs[:1000]
    with Daemon(dns.folder) as server, server.client() as client:
        sender = threading.Thread(target=client.send, args=(
            b"".join(request(key) for key, _ in pairs),))
        sender.start()
        for key, answer in pairs:
            reply = client.receive()
            expect(reply == answer, key, "got", reply)
        sender.join()


def test_nonsense(dns):
    """nonsense is told off, and the connection closed"""
    with Daemon(dns.folder) as server:
        for octets in (b"hello\r\n", b"012:dane a.nsec,", b":,", b"-1:x,",
                       b"3:abcd", b" 4:dane,", b"4:dane,", b"0:,",
                       b"\x00" * 20, b"GET / HTTP/1.1\r\n\r\n"):
            reply = refused(server, octets)
            expect(reply.startswith("PERM "), octets, reply)


def spoilt_requests(lot):
    """Good requests in which a few octets are others, missing, or twice."""
    octets = bytearray(b"".join(
        request("%s.nsec" % lot.choice(("one.cases", "none1.cases", "x")))
        for _ in range(lot.randrange(1, 20))))
    for _ in range(lot.randrange(1, 6)):
        at = lot.randrange(len(octets))
        to = min(len(octets), at + lot.randrange(1, 40))
        octets[at:at + lot.randrange(2)] = lot.choice((
            lot.randbytes(1), b"", octets[at:to], b"0", b"99999:"))
    return bytes(octets)


def replies_to(server, octets):
    """All that is said to them, each in the form of a reply."""
    replies = []
    with server.client() as client:
        client.send(octets)
        client.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                replies.append(client.receive())
    return replies


@goes_on
def test_garbage(dns):
    """noise and spoilt requests are answered in form, and end nobody"""
    lot = chance.lot("garbage")
    with Daemon(dns.folder) as server:
        children = server.children()
        for _ in chance.rounds(100):
            noise = b"x" + lot.randbytes(lot.randrange(400))
            reply, = replies_to(server, noise)
            expect(reply.startswith("PERM "), noise, reply)
            spoilt = spoilt_requests(lot)
            for reply in replies_to(server, spoilt):
                expect(reply.split(" ")[0] in WORDS, spoilt, reply)
            chance.count(lookups=2)
        expect(server.ask(ONE) == SECURE)
        expect(server.children() == children, "somebody was replaced")


def test_odd_keys(dns):
    """keys of any octets are answered, and the connection goes on"""
    with Daemon(dns.folder) as server, server.client() as client:
        for key in (b"", b" ", b"\x00", b"a\x00b.nsec", b"\xff\xfe", b"a" * 300,
                    b"." * 50, b"[", b"[]", b"[a", b"x:", b"x:99999",
                    b"/tmp/socket", b"unix:/x", b"-.nsec", b"a b.nsec",
                    os.urandom(200).replace(b".", b"")):
            client.send(request(key))
            word = client.receive().split(" ")[0]
            expect(word in WORDS[:3], key, word)
        expect(client.ask("dane", ONE) == SECURE)
        expect(client.ask("nosuchmap", ONE).startswith("PERM "))
        expect(client.ask("DANE", ONE) == SECURE)


def test_too_long(dns):
    """the longest request is answered, one octet more is told off"""
    with Daemon(dns.folder) as server:
        with server.client() as client:
            client.send(request(b"a" * (10000 - len("dane "))))
            expect(client.receive() == stage.NOTFOUND)
        reply = refused(server, b"10001:" + b"a" * 100)
        expect(reply.startswith("PERM "), reply)
        reply = refused(server, b"9" * 30)
        expect(reply.startswith("PERM "), reply)


def rss_kb(pid):
    status = pathlib.Path("/proc/%d/status" % pid).read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def flood(server, octets, count):
    """Sends for as long as it is let."""
    client = connect(server)
    sent = 0
    try:
        for _ in range(count):
            client.sendall(octets)
            sent += len(octets)
    except OSError:
        pass
    client.close()
    return sent


def test_flood(dns):
    """100 MB of zeros, or of requests whose answers nobody reads, do no harm"""
    with Daemon(dns.folder, workers=1) as server:
        worker, = server.named("work")
        before = rss_kb(worker)
        with Load(server, domains(1, 5), clients=2) as load:
            flood(server, bytes(1 << 20), 100)
            greedy = connect(server, 1)
            with contextlib.suppress(OSError):
                greedy.sendall(request(ONE) * 100000)
            expect(rss_kb(worker) - before < 16384, rss_kb(worker), before)
            greedy.close()
        load.check()


def test_half_close(dns):
    """a client that has closed its sending side still gets its answers"""
    pairs = domains(1, 10)
    with Daemon(dns.folder) as server, server.client() as client:
        client.send(b"".join(request(key) for key, _ in pairs))
        client.socket.shutdown(socket.SHUT_WR)
        replies = [client.receive() for _ in pairs]
        expect(replies == [answer for _, answer in pairs], replies)
        expect(client.at_end(), "the connection stays open")


def test_cut_request(dns):
    """a request that is cut short by the end is told off"""
    with Daemon(dns.folder) as server, server.client() as client:
        client.send(request(ONE)[:-3])
        client.socket.shutdown(socket.SHUT_WR)
        expect(client.receive().startswith("PERM "))
        expect(client.at_end())


def connections(server, port=0):
    """How many it has on its socket, which was bound under another name, and
    on a TCP port."""
    path = r" 0[23] +\d+ %s/\.\w+$" % re.escape(str(server.folder))
    unix = pathlib.Path("/proc/net/unix").read_text()
    inet = pathlib.Path("/proc/net/tcp").read_text()
    return len(re.findall(path, unix, re.MULTILINE)) + \
        len(re.findall(r": \w+:%04X \w+:\w+ 0[^6A]" % port, inet))


def burst(server, count):
    """Connects so many in one instant, each with a question; those who could,
    and how many were told to come again."""
    clients, refused_n = [], 0
    for _ in range(count):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        try:
            client.connect(server.socket)
            client.sendall(request(ONE))
            clients.append(client)
        except BlockingIOError:  # as a full backlog says it
            client.close()
            refused_n += 1
    return clients, refused_n


def take_answers(clients):
    """In the order in which they came; each goes when it has its own."""
    wanted = b"%d:%s," % (len(SECURE), SECURE.encode())
    try:
        for client in clients:
            client.settimeout(60)
            reply = client.recv(100)
            expect(reply == wanted, reply)
            client.close()
    finally:
        for client in clients:
            client.close()
    chance.count(lookups=len(clients))


@goes_on
def test_bursts(dns):
    """10,000 clients in bursts as long as the backlog are all answered"""
    raise_files()
    with Daemon(dns.folder) as server:
        with Load(server, domains(1, 5), clients=2) as load:
            for _ in chance.rounds(1):
                for count in (BACKLOG, BACKLOG, 10000 - 2 * BACKLOG):
                    clients, refused_n = burst(server, count)
                    expect(connections(server) >= count - refused_n)
                    take_answers(clients)
                    expect(refused_n == 0, refused_n, "were refused")
        load.check()
        wait_until(lambda: not connections(server), 10,
                   "no connection is left")


@goes_on
def test_burst_beyond_limits(dns):
    """of more than may come, some are told at once, and the others answered"""
    raise_files()
    with Daemon(dns.folder, max_connections=1000) as server:
        with Load(server, domains(1, 5), clients=2) as load:
            for _ in chance.rounds(1):
                missing, told = 10000, 0
                while missing:
                    clients, refused_n = burst(server, missing)
                    expect(len(clients) >= min(missing, BACKLOG), refused_n)
                    take_answers(clients)
                    missing, told = refused_n, told + refused_n
                expect(told > 0, "nobody was refused")
        load.check()
        expect("max_connections (1000) reached" in server.log())
        wait_until(lambda: not connections(server), 10,
                   "no connection is left")


def go_away(address, lot):
    """A client that says something and is gone, whatever it is told."""
    octets = request(ONE) * lot.randrange(1, 100)
    with socketmap.Client(address) as client:
        client.send(octets[:lot.choice((None, lot.randrange(len(octets))))])
        if lot.randrange(2):
            client.socket.shutdown(socket.SHUT_WR)
        if lot.randrange(2):
            client.socket.settimeout(0.001)
            with contextlib.suppress(OSError):
                client.socket.recv(lot.randrange(1, 300))
        if client.socket.family == socket.AF_INET and lot.randrange(2):
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))


@goes_on
def test_gone(dns):
    """clients that go away at any moment leave nothing behind"""
    lot, inet = chance.lot("moments"), ("127.0.0.1", 8463)
    server = Daemon(dns.folder)
    server.settings["listen"] += " inet:%s:%d" % inet
    with server:
        with Load(server, domains(1, 5), clients=2) as load:
            for _ in chance.rounds(300):
                go_away(lot.choice((server.socket, inet)), lot)
                chance.count(gone=1)
        load.check()
        wait_until(lambda: not connections(server, inet[1]), 10,
                   "no connection is left")


def test_slow_loris(dns):
    """2,000 connections that trickle do not slow the others down"""
    octets = request(ONE)
    with Daemon(dns.folder) as server, crowd(server, 2000) as clients:
        with Load(server, domains(1, 5), clients=4) as load:
            for n in range(8):
                for client in clients:
                    client.sendall(octets[n:n + 1])
        load.check()
        expect(load.slowest_s < 2 * stage.PATIENCE, load.slowest_s)
        for client in clients:
            client.sendall(octets[8:])
        for client in clients:
            expect(client.recv(100).endswith(b":" + SECURE.encode() + b","))


def test_many_idle(dns):
    """4,096 connections, idle or half-sent, leave the others their answers"""
    with Daemon(dns.folder, max_connections=MANY + 100) as server, \
            crowd(server, MANY // 2) as idle, \
            crowd(server, MANY // 2, request(ONE)[:9]) as halves:
        with Load(server, domains(1, 20), clients=4) as load:
            time.sleep(1)
        load.check()
        expect(load.slowest_s < 2 * stage.PATIENCE, load.slowest_s)
        for client in idle[::97]:
            client.sendall(request(ONE))
            expect(client.recv(100) != b"")
        for client in halves[::97]:
            client.sendall(request(ONE)[9:])
            expect(client.recv(100) != b"")


def test_slow_key(dns):
    """a slow key delays no other connection, and those behind it stay in order"""
    timeout_s = 3 * stage.PATIENCE
    with Daemon(dns.folder, query_timeout=timeout_s, workers=1) as server:
        with server.client() as slow, server.client() as quick:
            begun = time.monotonic()
            slow.send(request("silent.nsec") + request(ONE))
            for n in range(1, 20):
                expect(quick.ask("dane", "dane%d.cases.nsec" % n) == SECURE)
            expect(time.monotonic() - begun < timeout_s - 0.5, "delayed")
            expect(slow.receive().startswith("TEMP "))
            expect(slow.receive() == SECURE)


def limit_files(pid, limit):
    """As nobody, for root needs a capability to do that to others."""
    subprocess.run(["prlimit", "--pid", str(pid), "--nofile=%d" % limit],
                   check=True, user="nobody", group="nogroup",
                   extra_groups=[])


def answered(clients, wait_s):
    """Those who have an answer within that time."""
    end = time.monotonic() + wait_s
    served = []
    while time.monotonic() < end:
        readable, _, _ = select.select(clients, [], [], 0.1)
        for client in readable:
            expect(SECURE.encode() in client.recv(100))
            clients.remove(client)
            served.append(client)
    return served


def test_descriptors_exhausted(dns):
    """without descriptors new clients wait, old ones are served"""
    with Daemon(dns.folder, workers=1) as server:
        worker, = server.named("work")
        in_use = len(os.listdir("/proc/%d/fd" % worker))
        limit_files(worker, in_use + 20)
        with crowd(server, 60, request(ONE)) as clients:
            waiting = list(clients)
            served = answered(waiting, 1.5)
            expect(10 <= len(served) < 30, len(served), "were served")
            for client in served:
                client.sendall(request(ONE))
                expect(SECURE.encode() in client.recv(100))
                client.close()
            for client in waiting:
                expect(SECURE.encode() in client.recv(100), "still waits")
                client.close()
        expect("new clients wait" in server.log(), server.log()[-500:])
        expect(server.named("work") == [worker], "it was replaced")
