# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Memory that runs out: what is new may be refused, what is there is served,
no answer is ever wrong, and all is well when there is memory again."""

import contextlib
import pathlib
import re
import secrets
import subprocess
import tempfile

from . import chance, names, stage
from .chance import goes_on
from .stage import (Daemon, Load, SECURE, connect, domains, expect, request,
                    wait_until)

ONE = "one.cases.nsec"
CACHED = domains(1, 20)
AT_ONCE = 50
NAMES = 2000
# libunbound's libraries end their process where it should be told.
CRASH = re.compile(r"ERROR: \w+Sanitizer|signal (4|7|8|11) \(")
MB = 1 << 20


def in_use(pid):
    """Octets of memory of its own."""
    status = pathlib.Path("/proc/%d/status" % pid).read_text()
    return int(status.split("VmData:")[1].split()[0]) * 1024


def limit(pid, size):
    """The soft limit, as nobody, for root needs a capability to do that."""
    return subprocess.run(
        ["prlimit", "--pid", str(pid), "--data=%s:" % size], check=False,
        user="nobody", group="nogroup", extra_groups=[],
        stderr=subprocess.DEVNULL).returncode == 0


class Names:
    """Those that were never asked for; who is without memory may defer them,
    or be gone, but answers nothing else that is not right."""

    def __init__(self, server):
        self.server = server
        self.client = server.client(60)
        self.n = 0

    def ask(self, count):
        """How many are answered."""
        right = sum(self.ask_some() for _ in range(count // AT_ONCE))
        chance.count(lookups=count, failed=count - right)
        return right

    def ask_some(self):
        pairs = [names.name(n) for n in range(self.n, self.n + AT_ONCE)]
        self.n += AT_ONCE
        right = 0
        try:
            self.client.send(b"".join(request(key) for key, _ in pairs))
            for pair in pairs:
                right += self.is_right(*pair)
        except (EOFError, ConnectionError):
            self.client = self.server.client(60)
            chance.count(reconnects=1)
        return right

    def ask_until(self, lack):
        """Many at a time, until there is one or not all are answered."""
        last = self.n + 20 * NAMES
        while self.ask(NAMES) == NAMES and not lack():
            expect(self.n < last, "there is no lack")

    def is_right(self, key, answer):
        reply = self.client.receive()
        expect(reply == answer or reply.startswith("TEMP "), key, "got", reply)
        return reply == answer

    def recover(self):
        """Until all is as it was."""
        wait_until(self.server.settled, 60, self.server.last_words)
        wait_until(lambda: self.ask(AT_ONCE) == AT_ONCE, 60,
                   self.server.last_words)


def is_gone(client):
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        with contextlib.suppress(ConnectionResetError):
            return client.recv(100) == b""
        return True
    return False


@contextlib.contextmanager
def greedy(server, count):
    """Clients that each want nine kilobytes to be remembered."""
    clients = []
    try:
        for _ in range(count):
            clients.append(connect(server))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                clients[-1].sendall(b"9999:" + bytes(9000))
        yield clients
    finally:
        for client in clients:
            client.close()


@goes_on
def test_worker(dns):
    """a worker without memory serves those inside, and others when it can"""
    with Daemon(dns.folder, workers=1) as server:
        server.fill(CACHED)
        worker, = server.named("work")
        limit(worker, in_use(worker) + MB)
        with Load(server, CACHED, clients=4) as load:
            for _ in chance.rounds(1):
                with greedy(server, 1000) as clients:
                    load.wait_past_now()
                    wait_until(lambda held=clients: sum(map(
                        is_gone, held)) > 100, 10, "there is no lack")
                wait_until(lambda: server.try_ask(ONE) == SECURE, 10,
                           server.last_words)
        load.check()
        expect(server.named("work") == [worker], "it was replaced")


@goes_on
def test_resolver(dns):
    """a resolver without memory defers, and is as before when it has some"""
    server = Daemon(dns.folder, query_timeout="10s")
    server.crash = CRASH
    with server:
        server.fill(CACHED)
        cold, lot = Names(server), chance.lot("sizes")
        with Load(server, CACHED, clients=2) as load:
            for _ in chance.rounds(2):
                resolver, = server.named("reso")
                limit(resolver, in_use(resolver) + lot.randrange(2 * MB))
                cold.ask_until(lambda: server.named("reso") != [resolver])
                limit(resolver, "unlimited")
                cold.recover()
        load.check()


class Bounded(Daemon):
    """All of its processes have so little, from the start."""
    words = ()

    def command(self, *more):
        return [*self.words, *super().command(*more)]


def usual_need(dns):
    """Of a resolver that has just started."""
    with Daemon(dns.folder) as server:
        server.fill(CACHED)
        return in_use(server.named("reso")[0])


@goes_on
def test_from_the_start(dns):
    """processes that were started with little go on with it"""
    server = Bounded(dns.folder, query_timeout="10s")
    server.crash = CRASH
    server.words = ("prlimit", "--data=%d" % (usual_need(dns) + 3 * MB))
    with server:
        server.fill(CACHED)
        cold = Names(server)
        with Load(server, CACHED, clients=2) as load:
            for _ in chance.rounds(1):
                right = cold.ask(3 * NAMES)
                expect(right > 2 * NAMES, right, "of", 3 * NAMES)
                cold.recover()
        load.check()
        expect(right < 3 * NAMES or "ended by signal" in server.log(),
               "there was no lack")


class Group:
    """A control group of memory below our own."""
    ENDLESS = 1 << 40

    def __init__(self, folder, limit_file):
        self.folder = pathlib.Path(folder) / (
            "danemap-" + secrets.token_hex(4))
        self.limit_file = self.folder / limit_file

    def __enter__(self):
        self.folder.mkdir()
        return self

    def __exit__(self, *_):
        self.folder.rmdir()

    def words(self):
        """That start a command in it."""
        return ("sh", "-c", "echo 0 >%s/cgroup.procs && exec \"$@\"" %
                self.folder, "sh")

    def in_use(self):
        for name in ("memory.usage_in_bytes", "memory.current"):
            if (self.folder / name).exists():
                return int((self.folder / name).read_text())
        raise AssertionError("no use is told")

    def set_limit(self, size):
        self.limit_file.write_text(str(size))


def find_group():
    """One of version 1 or 2, or None where this machine grants none."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for name, root, file in (
                ("memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                ("", "/sys/fs/cgroup", "memory.max")):
            if name == controllers:
                with contextlib.suppress(OSError), \
                        Group(root + path, file) as group:
                    if group.limit_file.exists():
                        return group
    return None


@contextlib.contextmanager
def in_memory(server):
    """The cache where the kernel need not write it out to find room: that takes
    longer than a test may."""
    with tempfile.TemporaryDirectory(prefix="life") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=777",
                        "none", folder], check=True)
        server.settings["cache_file"] = pathlib.Path(folder) / "cache"
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def squeeze(server, group, cold):
    """Little more than it has, until somebody is ended.  No longer than that:
    the kernel would take one after the other, and the parent too."""
    before, first = server.log_size(), cold.n
    group.set_limit(group.in_use() + MB)
    try:
        while "ended by signal 9" not in server.log_after(before):
            expect(cold.n < first + 20 * NAMES, "there is no lack")
            cold.ask(AT_ONCE)
    finally:
        group.set_limit(group.ENDLESS)
    cold.recover()


@goes_on
def test_control_group(dns):
    """processes that the kernel ends for their memory are back"""
    group = find_group()
    if not group:
        chance.tell("no control group of memory can be made here")
        return
    server = Bounded(dns.folder, query_timeout="10s")
    server.words = group.words()
    with group, in_memory(server), server:
        server.fill(CACHED)
        cold = Names(server)
        with Load(server, CACHED, clients=2) as load:
            for _ in chance.rounds(1):
                squeeze(server, group, cold)
        expect(not load.wrong, load.wrong[:5])
